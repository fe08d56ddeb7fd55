import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

export const NETWORKS = ['main', 'testnet3', 'testnet4', 'signet', 'regtest'] as const;
export type Network = (typeof NETWORKS)[number];

/** What tells the five networks apart in text. Testnets and signet share all of it but their chain. */
export interface NetworkParameters {
  readonly bech32: 'bc' | 'tb' | 'bcrt';
  readonly pubKeyHash: number;
  readonly scriptHash: number;
  /** BIP32 version bytes of an extended public key. */
  readonly xpubVersion: number;
  /** SLIP-44 coin type, the second step of a BIP44 path. */
  readonly coinType: 0 | 1;
  /** The name of Ledger's app for this network. */
  readonly ledgerApp: 'Bitcoin' | 'Bitcoin Test';
}

const TEST = {
  pubKeyHash: 0x6f,
  scriptHash: 0xc4,
  xpubVersion: 0x043587cf,
  coinType: 1,
  ledgerApp: 'Bitcoin Test',
} as const;

const PARAMETERS: Readonly<Record<Network, NetworkParameters>> = {
  main: {
    bech32: 'bc',
    pubKeyHash: 0x00,
    scriptHash: 0x05,
    xpubVersion: 0x0488b21e,
    coinType: 0,
    ledgerApp: 'Bitcoin',
  },
  testnet3: { bech32: 'tb', ...TEST },
  testnet4: { bech32: 'tb', ...TEST },
  signet: { bech32: 'tb', ...TEST },
  regtest: { bech32: 'bcrt', ...TEST },
};

export function networkParameters(network: Network): NetworkParameters {
  return PARAMETERS[network];
}

export function parseNetwork(text: string): Result<Network, Fault> {
  const network = NETWORKS.find((name) => name === text);
  if (network !== undefined) return ok(network);
  return fail('E_NETWORK_UNKNOWN', `${JSON.stringify(text.slice(0, 40))} is not a network`, {
    remedy: `use one of ${NETWORKS.join(', ')}`,
  });
}
