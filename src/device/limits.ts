import { type LedgerModel, modelName } from './models.js';
import { isAtLeast } from './versions.js';

/** What a version of the Bitcoin app takes at most. Each refusal of the device that a count decides is one of these. */
export interface AppLimits {
  /** Inputs of a transaction: above it SIGN_PSBT is answered with 6a82. */
  readonly inputs: number;
  /** Outputs of a transaction, of any kind; null where only memory bounds them. */
  readonly outputs: number | null;
  /** Change outputs, which are hidden from the person: above it 6a82. */
  readonly changeOutputs: number;
  /** Bytes of an output's script. */
  readonly outputScript: number;
  /** Keys of a registered wallet policy: above it REGISTER_WALLET is answered with 6a82. */
  readonly policyKeys: number;
  /** Characters of the template of a wallet policy. */
  readonly template: number;
  /** Characters of its name: printable ASCII, at least one, no space at either end. */
  readonly policyName: number;
  /** Highest index of an address of a default policy: above it GET_WALLET_ADDRESS is answered with 6a80. */
  readonly addressIndex: number;
}

/** Highest account of the default paths (BIP44, 49, 84, 86) and of BIP48: MAX_BIP44_ACCOUNT_RECOMMENDED. */
export const MAX_ACCOUNT = 100;

export interface LimitRow {
  readonly models: readonly LedgerModel[];
  /** First version of the app that it is true of. */
  readonly since: string;
  readonly limits: AppLimits;
}

const NANO_S: AppLimits = {
  inputs: 512,
  outputs: null,
  changeOutputs: 10,
  outputScript: 83,
  policyKeys: 16,
  template: 192,
  policyName: 64,
  addressIndex: 50_000,
};
const LARGER: AppLimits = { ...NANO_S, template: 512 };
const OTHERS: readonly LedgerModel[] = ['nanosp', 'nanox', 'stax', 'flex', 'apex'];

/**
 * The one table of limits. From the sources of LedgerHQ/app-bitcoin-new at the tags of each version: constants.h
 * (MAX_N_INPUTS_CAN_SIGN, MAX_N_OUTPUTS_CAN_SIGN, MAX_OUTPUT_SCRIPTPUBKEY_LEN, MAX_WALLET_NAME_LENGTH,
 * MAX_BIP44_ADDRESS_INDEX_RECOMMENDED), wallet.h (MAX_PUBKEYS_PER_MULTISIG, MAX_N_KEYS_IN_WALLET_POLICY since 2.2.4,
 * MAX_DESCRIPTOR_TEMPLATE_LENGTH_V2) and sign_psbt.c (n_change > 10). The Nano S stayed with the constants of 2.2.3 in a branch
 * of its own, to 2.2.7. A parsed policy is bounded too (320 bytes on the Nano S, 896 elsewhere): no sortedmulti within 16
 * keys comes near it.
 */
export const LIMITS: readonly LimitRow[] = [
  { models: ['nanos'], since: '2.1.0', limits: NANO_S },
  { models: OTHERS, since: '2.1.0', limits: LARGER },
  { models: OTHERS, since: '2.2.4', limits: { ...LARGER, outputs: 512, policyKeys: 10 } },
  { models: OTHERS, since: '2.4.0', limits: { ...LARGER, outputs: 512, policyKeys: 15 } },
];

/** What is known of the app that is going to be asked: nothing, before a device is plugged in. */
export interface AppAtHand {
  readonly model?: LedgerModel | null | undefined;
  /** MAJOR.MINOR.PATCH. */
  readonly version?: string | undefined;
}

/** The last app of the Nano S is of the 2.2 line: a newer one says that the device is another model. */
const NOT_NANO_S = '2.3.0';

/** The rows that may be true of an app: one where model and version are known, and as many as are left otherwise. */
export function rowsOf({ model = null, version }: AppAtHand): readonly LimitRow[] {
  const models = model === null ? [...OTHERS, 'nanos' as const] : [model];
  const possible = models.filter(
    (one) => one !== 'nanos' || model !== null || version === undefined || !isAtLeast(version, NOT_NANO_S),
  );
  return LIMITS.filter((row) => {
    if (!row.models.some((one) => possible.includes(one))) return false;
    if (version === undefined) return true;
    const newer = LIMITS.find((other) => other.models === row.models && isLater(other, row) && hasCome(other, version));
    return hasCome(row, version) && newer === undefined;
  });
}

const isLater = (row: LimitRow, than: LimitRow): boolean => row !== than && isAtLeast(row.since, than.since);
const hasCome = ({ since }: LimitRow, version: string): boolean => isAtLeast(version, since);

/** What every app refuses that it can be: the loosest of the rows that may be true. */
export function limitsOf(app: AppAtHand): AppLimits {
  const rows = rowsOf(app).map(({ limits }) => limits);
  const most = (of: (limits: AppLimits) => number): number => Math.max(...rows.map(of));
  const outputs = rows.some((limits) => limits.outputs === null) ? null : most((limits) => limits.outputs ?? 0);
  return {
    inputs: most(({ inputs }) => inputs),
    outputs,
    changeOutputs: most(({ changeOutputs }) => changeOutputs),
    outputScript: most(({ outputScript }) => outputScript),
    policyKeys: most(({ policyKeys }) => policyKeys),
    template: most(({ template }) => template),
    policyName: most(({ policyName }) => policyName),
    addressIndex: most(({ addressIndex }) => addressIndex),
  };
}

/** Which devices a row speaks of: "Ledger Nano S", or "other models with app 2.2.4 or newer". */
export function rowName({ models, since }: LimitRow): string {
  const [only, ...others] = models;
  const who = only !== undefined && others.length === 0 ? modelName(only) : 'every model but the Nano S';
  return `${who}, app ${since} or newer`;
}
