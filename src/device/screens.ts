import { encodeAddress } from '../domain/address.js';
import { toHex } from '../domain/bytes.js';
import { type Network, networkParameters } from '../domain/network.js';
import { formatBtc, type Sats } from '../domain/sats.js';
import type { DecodedPsbt } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';
import { expectedExchanges, expectedSeconds, isDefaultKind } from './estimate.js';
import { pages } from './nanos-font.js';
import type { DevicePreview, Screen } from './types.js';

export interface PreviewFacts {
  /** Indices of the outputs that are proven own change: the only ones that the device does not show. */
  readonly changeOutputs: ReadonlySet<number>;
  readonly fee: Sats;
  readonly inputsTotal: Sats;
  /** Bytes of the previous transactions that the PSBT carries, for the time; left out, they count as small. */
  readonly previousTransactions?: readonly number[];
}

/** Below this total of the inputs, in sats, the app does not warn of high fees. */
const HIGH_FEE_FLOOR = 10_000n;

const CONTINUE: Screen = { title: 'Continue', text: '' };
const HIGH_FEE: Screen = { title: 'Fees over 10%', text: 'of total value!' };
const SELF_TRANSFER: Screen = { title: 'Confirm', text: 'self-transfer' };
const SIGN: Screen = { title: 'Sign', text: 'transaction' };

/**
 * Every page that a Nano S with Bitcoin app 2.2.7 shows while it signs, in its order and with its text, up to the page
 * that the person approves with both buttons. Outputs are numbered as the device numbers them: change is left out.
 * For vaults that need no registered policy, with every input the vault's own and its previous transaction present.
 */
export function previewSigning(
  decoded: Pick<DecodedPsbt, 'inputs' | 'outputs'>,
  vault: Vault,
  facts: PreviewFacts,
  model: 'nanos',
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
  const screens = [
    ...reviews,
    ...(warnsOfFee ? [HIGH_FEE, CONTINUE] : []),
    ...(shown.length === 0 ? [SELF_TRANSFER] : []),
    ...pages('Fees', deviceAmount(facts.fee, vault.network)),
    SIGN,
  ];
  const exchanges = isDefaultKind(vault.kind)
    ? expectedExchanges({
        kind: vault.kind,
        inputs: inputs.length,
        outputs: outputs.length,
        changeOutputs: facts.changeOutputs.size,
        previousTransactions: facts.previousTransactions ?? [],
      })
    : 0;
  return {
    model,
    screens,
    approvals: shown.length + (warnsOfFee ? 1 : 0) + 1,
    exchanges,
    seconds: expectedSeconds(exchanges),
  };
}

/** An address of the vault, as the device shows it for comparison (a receive address). */
export function previewAddress(script: Uint8Array, network: Network): readonly Screen[] {
  return [...pages('Address', deviceAddress(script, network)), { title: 'Approve', text: '' }];
}

/** The ticker and BTC without trailing zeros, as the app writes amounts: "TEST 0.015", "BTC 2". */
function deviceAmount(sats: Sats, network: Network): string {
  const ticker = networkParameters(network).ledgerApp === 'Bitcoin' ? 'BTC' : 'TEST';
  return `${ticker} ${formatBtc(sats).replace(/\.?0+$/, '')}`;
}

/** The test app knows one test network: it writes regtest addresses as testnet ones. */
function deviceAddress(script: Uint8Array, network: Network): string {
  const address = encodeAddress(script, network === 'regtest' ? 'testnet3' : network);
  return address ?? `script ${toHex(script)}, which has no address`;
}
