import type { VaultKind } from '../vault/types.js';
import { isAtLeast } from './versions.js';

/** The kinds that the Bitcoin app signs for without a registered wallet policy. */
export type DefaultKind = Extract<VaultKind, 'pkh' | 'sh(wpkh)' | 'wpkh' | 'tr'>;

export function isDefaultKind(kind: VaultKind): kind is DefaultKind {
  return kind === 'pkh' || kind === 'sh(wpkh)' || kind === 'wpkh' || kind === 'tr';
}

/** What decides how long a signing takes. */
export interface SigningShape {
  readonly kind: VaultKind;
  /** Keys of a multisig script; absent counts as 1. */
  readonly cosigners?: number;
  /** Bytes of a witness script; absent, those of a sortedmulti of so many cosigners. */
  readonly scriptBytes?: number;
  /** How many keys of a multisig come before the device's own; absent counts as none. */
  readonly position?: number;
  readonly inputs: number;
  /** All outputs, change included. */
  readonly outputs: number;
  readonly changeOutputs: number;
  /** Bytes of the previous transaction of each input that carries one; inputs that are not named count as small. */
  readonly previousTransactions: readonly number[];
}

/** Seconds of one exchange: Ledger's own benchmark of 2.26 s for an input of 115 exchanges. */
const SECONDS_PER_EXCHANGE = 0.02;

/**
 * App 2.4.6 asks for one thing less than 2.2.7, whatever it signs, and finds its own key of several without trying those
 * before it; payments beyond those that it shows at once (16 on a Nano S Plus) it reads twice. No version between them was tried.
 */
const OTHERWISE_SINCE = '2.4.0';
const SAVED = 2;
const SHOWN_AT_ONCE = 16;
const READ_AGAIN = 14;

/** Fingerprint and account key, which hw-app-btc asks for before SIGN_PSBT. */
const PREPARATION = 2;
const BASE: Readonly<Record<DefaultKind, number>> = { pkh: 27, 'sh(wpkh)': 29, wpkh: 29, tr: 29 };
const PER_INPUT: Readonly<Record<DefaultKind, number>> = { pkh: 86, 'sh(wpkh)': 127, wpkh: 115, tr: 79 };
const PER_OUTPUT = 28;
/** What the device does beyond that to see that an output is its own change. */
const PER_CHANGE: Readonly<Record<DefaultKind, number>> = { pkh: 10, 'sh(wpkh)': 8, wpkh: 8, tr: 8 };
/** A legacy signature hashes every input and every output again (no BIP143): so much for each pair with an input. */
const LEGACY_INPUT_PAIR = 24;
const LEGACY_OUTPUT_PAIR = 14;
/** How often a previous transaction is streamed; taproot has none. */
const STREAMED: Readonly<Record<DefaultKind, number>> = { pkh: 3, 'sh(wpkh)': 1, wpkh: 1, tr: 0 };

/**
 * Exchanges of one signing with a version of the app (2.2.7 where none is given), hw-app-btc's own two included. Linear
 * in inputs and outputs, quadratic for pkh. Exact for the recordings in test/recordings; beyond 64 inputs or outputs the
 * proofs of deep leaves are added, as the app's protocol has them.
 */
export function expectedExchanges(shape: SigningShape, version: string | null = null): number {
  if (version === null || !isAtLeast(version, OTHERWISE_SINCE)) return exchangesOf22(shape);
  const again = Math.max(0, shape.outputs - shape.changeOutputs - SHOWN_AT_ONCE);
  return exchangesOf22({ ...shape, position: 0 }) - SAVED + READ_AGAIN * again;
}

function exchangesOf22(shape: SigningShape): number {
  if (!isDefaultKind(shape.kind)) return multisigExchanges(shape);
  const { kind, inputs, outputs, changeOutputs, previousTransactions } = { ...shape, kind: shape.kind };
  const deepInputs = deepLeaves(inputs);
  const legacy = LEGACY_INPUT_PAIR * inputs + LEGACY_OUTPUT_PAIR * outputs + deepInputs;
  const streamed = previousTransactions.reduce((sum, bytes) => sum + moreElements(bytes), 0);
  return (
    PREPARATION +
    BASE[kind] +
    PER_INPUT[kind] * inputs +
    PER_OUTPUT * outputs +
    PER_CHANGE[kind] * changeOutputs +
    4 * deepInputs +
    2 * deepLeaves(outputs) +
    (kind === 'pkh' ? inputs * legacy : 0) +
    STREAMED[kind] * streamed
  );
}

/** A registered policy: it is loaded with its keys, among which the device looks for its own. */
const POLICY_BASE = 25;
const PER_KEY = 2;
const PER_KEY_BEFORE_OWN = 4;
const MULTISIG_INPUT = 125;
const NESTED_INPUT = 12;
const MULTISIG_CHANGE = 6;

/**
 * The same under a registered policy. For each input and each change output the app derives the script: of miniscript it
 * fetches every key once, of sortedmulti it sorts them, fetching each as often as it has smaller ones. There is nothing
 * before SIGN_PSBT, and exactness is as above.
 */
function multisigExchanges(shape: SigningShape): number {
  const { kind, cosigners = 1, position = 0, inputs, outputs, changeOutputs, previousTransactions } = shape;
  const nested = kind === 'sh(wsh(sortedmulti))';
  const derivation = kind === 'wsh(miniscript)' ? 2 * cosigners : cosigners * (cosigners + 1);
  const script = moreElements(shape.scriptBytes ?? 3 + 34 * cosigners);
  const streamed = previousTransactions.reduce((sum, bytes) => sum + moreElements(bytes), 0);
  return (
    POLICY_BASE +
    PER_KEY * cosigners +
    PER_KEY_BEFORE_OWN * position +
    (MULTISIG_INPUT + derivation + script + (nested ? NESTED_INPUT : 0)) * inputs +
    PER_OUTPUT * outputs +
    (MULTISIG_CHANGE + derivation) * changeOutputs +
    4 * deepLeaves(inputs) +
    2 * deepLeaves(outputs) +
    streamed
  );
}

/** Seconds of device and host, without the person who reads. */
export function expectedSeconds(exchanges: number): number {
  return Math.ceil(exchanges * SECONDS_PER_EXCHANGE);
}

/**
 * Leaves of a Merkle tree that lie deeper than 6: their proof does not fit one response and takes one more exchange.
 * The tree's left half is the largest power of two below its size, as in RFC 6962.
 */
function deepLeaves(leaves: number, depth = 0): number {
  if (leaves <= 1) return depth > 6 ? leaves : 0;
  const left = 2 ** Math.ceil(Math.log2(leaves) - 1);
  return deepLeaves(left, depth + 1) + deepLeaves(leaves - left, depth + 1);
}

/** GET_MORE_ELEMENTS exchanges for a value of so many bytes: a preimage (one byte longer) fills 251 bytes, then 253 each. */
function moreElements(bytes: number): number {
  const preimage = bytes + 1;
  return preimage < 253 ? 0 : Math.ceil((preimage - 251) / 253);
}
