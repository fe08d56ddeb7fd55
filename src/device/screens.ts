import { encodeAddress } from '../domain/address.js';
import { type Hex, toHex } from '../domain/bytes.js';
import { type Network, networkParameters } from '../domain/network.js';
import { formatBtc, type Sats } from '../domain/sats.js';
import type { DecodedPsbt } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';
import { namedPolicy } from '../vault/wallet-policy.js';
import { expectedExchanges, expectedSeconds, isDefaultKind } from './estimate.js';
import { pages } from './nanos-font.js';
import { positionOf } from './signing-shape.js';
import type { DevicePreview, Screen } from './types.js';

export interface PreviewFacts {
  /** Indices of the outputs that are proven own change: the only ones that the device does not show. */
  readonly changeOutputs: ReadonlySet<number>;
  readonly fee: Sats;
  readonly inputsTotal: Sats;
  /** Bytes of the previous transactions that the PSBT carries, for the time; left out, they count as small. */
  readonly previousTransactions?: readonly number[];
}

const FROM_WALLET: Screen = { title: 'Spend from', text: 'known wallet' };
/** Below this total of the inputs, in sats, the app does not warn of high fees. */
const HIGH_FEE_FLOOR = 10_000n;

const APPROVE: Screen = { title: 'Approve', text: '' };
const CONTINUE: Screen = { title: 'Continue', text: '' };
const HIGH_FEE: Screen = { title: 'Fees over 10%', text: 'of total value!' };
const SELF_TRANSFER: Screen = { title: 'Confirm', text: 'self-transfer' };
const SIGN: Screen = { title: 'Sign', text: 'transaction' };

/**
 * Every page that a Nano S with Bitcoin app 2.2.7 shows while it signs, in its order and with its text, up to the page
 * that the person approves with both buttons. Outputs are numbered as the device numbers them: change is left out.
 * For PSBTs with every input the vault's own and its previous transaction present. A multisig vault's are the same for
 * every cosigner; `cosigner` is for the time alone.
 */
export function previewSigning(
  decoded: Pick<DecodedPsbt, 'inputs' | 'outputs'>,
  vault: Vault,
  facts: PreviewFacts,
  model: 'nanos',
  cosigner: Hex | null = null,
): DevicePreview {
  const { inputs, outputs } = decoded;
  const shown = outputs.filter((_, index) => !facts.changeOutputs.has(index));
  const reviews = shown.flatMap(({ value, script }, index) => [
    { title: 'Review', text: `output #${index + 1}` },
    ...pages('Amount', deviceAmount(value, vault.network)),
    ...pages('Address', deviceAddress(script, vault.network)),
    CONTINUE,
  ]);
  const warnsOfFee = 10n * facts.fee >= facts.inputsTotal && facts.inputsTotal > HIGH_FEE_FLOOR;
  const isRegistered = !isDefaultKind(vault.kind);
  const screens = [
    ...(isRegistered ? [FROM_WALLET, ...pages('Wallet name:', namedPolicy(vault).name), CONTINUE] : []),
    ...reviews,
    ...(warnsOfFee ? [HIGH_FEE, CONTINUE] : []),
    ...(shown.length === 0 ? [SELF_TRANSFER] : []),
    ...pages('Fees', deviceAmount(facts.fee, vault.network)),
    SIGN,
  ];
  const exchanges = expectedExchanges({
    kind: vault.kind,
    cosigners: vault.keys.length,
    position: positionOf(vault.keys, cosigner),
    inputs: inputs.length,
    outputs: outputs.length,
    changeOutputs: facts.changeOutputs.size,
    previousTransactions: facts.previousTransactions ?? [],
  });
  return {
    model,
    screens,
    approvals: screens.filter((screen) => screen === CONTINUE || screen === SIGN).length,
    exchanges,
    seconds: expectedSeconds(exchanges),
  };
}

/** An address of the vault, as the device shows it for comparison (a receive address). */
export function previewAddress(script: Uint8Array, vault: Vault): readonly Screen[] {
  const address = [...pages('Address', deviceAddress(script, vault.network)), APPROVE];
  if (isDefaultKind(vault.kind)) return address;
  return [{ title: 'Receive in', text: 'known wallet' }, ...pages('Wallet name:', namedPolicy(vault).name), ...address];
}

/** A wallet policy on the device that is to register it: its name and template, then each key, approved one by one. */
export function previewRegistration(vault: Vault, fingerprint: Hex): readonly Screen[] {
  const { name, template, keys } = namedPolicy(vault);
  return [
    { title: 'Register wallet', text: '' },
    ...pages('Wallet name:', name),
    ...pages('Wallet policy:', template),
    APPROVE,
    ...keys.flatMap((key, index) => {
      const whose = vault.keys[index]?.fingerprint === fingerprint ? 'ours' : 'theirs';
      return [...pages(`Key @${index}, ${whose}`, key), APPROVE];
    }),
  ];
}

/** The ticker and BTC without trailing zeros, as the app writes amounts: "TEST 0.015", "BTC 2". */
function deviceAmount(sats: Sats, network: Network): string {
  const ticker = networkParameters(network).ledgerApp === 'Bitcoin' ? 'BTC' : 'TEST';
  return `${ticker} ${formatBtc(sats).replace(/\.?0+$/, '')}`;
}

/** An address as the device writes it. The test app knows one test network: regtest addresses come as testnet ones. */
export function deviceAddress(script: Uint8Array, network: Network): string {
  const address = encodeAddress(script, network === 'regtest' ? 'testnet3' : network);
  return address ?? `script ${toHex(script)}, which has no address`;
}
