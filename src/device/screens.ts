import { encodeAddress } from '../domain/address.js';
import { type Hex, toHex } from '../domain/bytes.js';
import { type Network, networkParameters } from '../domain/network.js';
import type { Sats } from '../domain/sats.js';
import type { DecodedPsbt } from '../psbt/types.js';
import type { Vault } from '../vault/types.js';
import { namedPolicy } from '../vault/wallet-policy.js';
import { expectedExchanges, expectedSeconds, isDefaultKind } from './estimate.js';
import { type LedgerModel, modelName } from './models.js';
import type { Layout, Ticker } from './screens/layout.js';
import { nanos } from './screens/nanos.js';
import { nanosp } from './screens/nanosp.js';
import { policyShape } from './signing-shape.js';
import type { DevicePreview, Prediction, Screen, SeenDevice } from './types.js';
import { isAtLeast } from './versions.js';

/** The models whose pages were recorded. */
const LAYOUTS: readonly Layout[] = [nanos, nanosp];

export interface PreviewFacts {
  /** Indices of the outputs that are proven own change: the only ones that the device does not show. */
  readonly changeOutputs: ReadonlySet<number>;
  readonly fee: Sats;
  readonly inputsTotal: Sats;
  /** Bytes of the previous transactions that the PSBT carries, for the time; left out, they count as small. */
  readonly previousTransactions?: readonly number[];
}

/**
 * Every page that a device shows while it signs, in its order and with its text, up to the page that the person approves
 * last, and how long it takes. Change is left out, as the device leaves it out.
 * For PSBTs with every input the vault's own and its previous transaction present. A multisig vault's are the same for
 * every cosigner; `cosigner` is for the time alone.
 */
export function previewSigning(
  decoded: Pick<DecodedPsbt, 'inputs' | 'outputs'>,
  vault: Vault,
  facts: PreviewFacts,
  device: SeenDevice,
  cosigner: Hex | null = null,
): DevicePreview {
  const { inputs, outputs } = decoded;
  const shown = outputs.filter((_, index) => !facts.changeOutputs.has(index));
  const prediction = predict(device, (layout) =>
    layout.signing({
      wallet: walletName(vault),
      outputs: shown.map(({ value, script }) => ({ value, address: deviceAddress(script, vault.network) })),
      fee: facts.fee,
      inputsTotal: facts.inputsTotal,
      ticker: tickerOf(vault.network),
    }),
  );
  const exchanges = expectedExchanges(
    {
      ...policyShape(vault, cosigner),
      inputs: inputs.length,
      outputs: outputs.length,
      changeOutputs: facts.changeOutputs.size,
      previousTransactions: facts.previousTransactions ?? [],
    },
    device.version,
  );
  return { prediction, exchanges, seconds: expectedSeconds(exchanges) };
}

/** An address of the vault, as the device shows it for comparison (a receive address). */
export function previewAddress(script: Uint8Array, vault: Vault, device: SeenDevice): Prediction {
  return predict(device, (layout) => layout.address(walletName(vault), deviceAddress(script, vault.network)));
}

/** A wallet policy on the device that is to register it: its name and template, then each key. */
export function previewRegistration(vault: Vault, fingerprint: Hex, device: SeenDevice): Prediction {
  const isOurs = vault.keys.map((key) => key.fingerprint === fingerprint);
  return predict(device, (layout) => layout.registration(namedPolicy(vault), isOurs));
}

/** An account key on the device that is asked to show it; `path` as "84'/1'/0'". */
export function previewKey(path: string, xpub: string, device: SeenDevice): Prediction {
  return predict(device, (layout) => layout.key(path, xpub));
}

/**
 * A model of which no page was recorded, or an app whose pages are not like the recorded ones, is named as such: wrong
 * pages would teach people to approve what differs from the plan.
 */
function predict({ model, version }: SeenDevice, pages: (layout: Layout) => readonly Screen[]): Prediction {
  const layout = LAYOUTS.find((one) => one.model === model);
  if (layout === undefined) return { kind: 'unpredicted', why: unknownModel(model) };
  const { recorded, alike } = layout;
  const isAlike = version === null || (isAtLeast(version, alike[0]) && !isAtLeast(version, alike[1]));
  if (!isAlike) {
    const why = `the pages of a ${modelName(model)} were recorded with app ${recorded}, and app ${version} may have others`;
    return { kind: 'unpredicted', why };
  }
  const screens = pages(layout);
  const approvals = screens.filter((screen) => layout.isApproved(screen)).length;
  return { kind: 'predicted', model: layout.model, recorded, version, screens, approvals };
}

function unknownModel(model: LedgerModel | null): string {
  if (model === null) return 'the device did not tell which model it is';
  return `the pages of a ${modelName(model)} were never recorded`;
}

/** Name of the registered policy; null for a vault that the app knows by itself. */
function walletName(vault: Vault): string | null {
  return isDefaultKind(vault.kind) ? null : namedPolicy(vault).name;
}

const tickerOf = (network: Network): Ticker => (networkParameters(network).ledgerApp === 'Bitcoin' ? 'BTC' : 'TEST');

/** An address as the device writes it. The test app knows one test network: regtest addresses come as testnet ones. */
export function deviceAddress(script: Uint8Array, network: Network): string {
  const address = encodeAddress(script, network === 'regtest' ? 'testnet3' : network);
  return address ?? `script ${toHex(script)}, which has no address`;
}
