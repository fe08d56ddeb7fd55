import { BIP32Factory, type BIP32Interface } from 'bip32';
import * as secp256k1 from 'tiny-secp256k1';
import { toHex } from '../../src/domain/bytes.js';
import { type Network, networkParameters } from '../../src/domain/network.js';
import { descriptorChecksum, parseVault } from '../../src/vault/descriptor.js';
import type { PlainKind, Vault } from '../../src/vault/types.js';

const bip32 = BIP32Factory(secp256k1);

export const KINDS = [
  'pkh',
  'sh(wpkh)',
  'wpkh',
  'tr',
  'wsh(sortedmulti)',
  'sh(wsh(sortedmulti))',
] as const satisfies readonly PlainKind[];

/** A master key of the tests: its seed is one repeated byte, so nothing it holds is safe. */
export function master(seed: number, network: Network = 'testnet3'): BIP32Interface {
  const { xpubVersion, coinType } = networkParameters(network);
  return bip32.fromSeed(new Uint8Array(32).fill(seed), {
    bip32: { public: xpubVersion, private: coinType === 0 ? 0x0488ade4 : 0x04358394 },
    wif: coinType === 0 ? 0x80 : 0xef,
  });
}

/** `[fingerprint/path]xpub` of an account, for example account(1, "84h/1h/0h"). */
export function keyText(seed: number, path: string, network: Network = 'testnet3'): string {
  const root = master(seed, network);
  const xpub = root.derivePath(path.replaceAll('h', "'")).neutered().toBase58();
  return `[${toHex(root.fingerprint)}/${path}]${xpub}`;
}

export function withChecksum(body: string): string {
  return `${body}#${descriptorChecksum(body)}`;
}

export const ACCOUNT_PATHS: Readonly<Record<PlainKind, string>> = {
  pkh: '44h/1h/0h',
  'sh(wpkh)': '49h/1h/0h',
  wpkh: '84h/1h/0h',
  tr: '86h/1h/0h',
  'wsh(sortedmulti)': '48h/1h/0h/2h',
  'sh(wsh(sortedmulti))': '48h/1h/0h/1h',
};

/** The descriptor of a kind on testnet with the given cosigners' seeds; single-key kinds take the first. */
export function descriptorOf(kind: PlainKind, seeds: readonly number[] = [1, 2, 3], threshold = 2): string {
  const keys = seeds.map((seed) => `${keyText(seed, ACCOUNT_PATHS[kind])}/<0;1>/*`);
  const name = kind.replaceAll(')', '');
  const args = name.endsWith('sortedmulti') ? [`${threshold}`, ...keys] : keys.slice(0, 1);
  return withChecksum(`${name}(${args.join(',')})${')'.repeat(name.split('(').length - 1)}`);
}

export function vaultOf(kind: PlainKind, seeds?: readonly number[], threshold?: number): Vault {
  const vault = parseVault('cold', 'testnet3', descriptorOf(kind, seeds, threshold));
  if (!vault.ok) throw new Error(vault.error.message);
  return vault.value;
}
