import type { Hex } from '../domain/bytes.js';
import type { Coin, OwnOrigin } from '../domain/coin.js';
import type { FeeRate } from '../domain/feerate.js';
import type { Sats } from '../domain/sats.js';

/** An output that must be paid. */
export interface Payment {
  readonly requestId: string;
  readonly script: Uint8Array;
  /** In sats; where the payee bears its share of the fee, before that is taken off. */
  readonly value: Sats;
  readonly feePayer?: 'payee';
}

/** What the device and the policy allow in one transaction. */
export interface ShapeLimits {
  readonly maxInputs: number;
  /** Payments, change not counted. */
  readonly maxOutputs: number;
  /** Weight units; 400,000 is Core's standardness limit (100,000 vB). */
  readonly maxWeight: bigint;
}

/** How spending one coin of the vault is priced. All inputs of a vault weigh the same. */
export interface InputCost {
  /** Weight units of one signed input: 41 bytes x 4 plus script and witness. */
  readonly weight: bigint;
  /** Device time in milliseconds of n inputs: `deviceMs * n + deviceMsSquared * n^2` (exchanges x time of an exchange). */
  readonly deviceMs: bigint;
  /** Above zero for pkh alone, where the device reads the whole transaction again for each input. */
  readonly deviceMsSquared: bigint;
}

/**
 * `smallest-first` is a consolidation's: it pays nobody, so there is nothing to match. A `replacement` has the coins of what
 * it replaces, and a `child` the change of its parent.
 */
export type Algorithm = 'bnb' | 'coin-grinder' | 'srd' | 'smallest-first' | 'replacement' | 'child';

export interface PlannedPayment {
  readonly kind: 'payment';
  readonly requestId: string;
  readonly script: Uint8Array;
  /** What is paid, in sats. */
  readonly value: Sats;
  /** What was asked for, where the payee bears its share of the fee and `value` is less by that. */
  readonly asked?: Sats;
}

export interface PlannedChange {
  readonly kind: 'change';
  readonly origin: OwnOrigin;
  readonly script: Uint8Array;
  readonly value: Sats;
}

export type PlannedOutput = PlannedPayment | PlannedChange;

/** One transaction, ready to be built: its inputs and outputs in their final order. */
export interface TransactionPlan {
  readonly version: 2;
  readonly locktime: number;
  readonly sequence: number;
  readonly inputs: readonly Coin[];
  readonly outputs: readonly PlannedOutput[];
  readonly fee: Sats;
  readonly feerate: FeeRate;
  /** Estimated weight of the signed transaction: an upper bound (72-byte DER signatures are 71 or 72). */
  readonly weight: bigint;
  /** Which algorithm won, its waste in sats (negative is good), and what each other answered: for `batch show`. */
  readonly selection: {
    readonly algorithm: Algorithm;
    readonly waste: Sats;
    readonly tried: readonly { readonly algorithm: Algorithm; readonly outcome: string }[];
  };
  /** The seed of this transaction's random choices: 32 bytes in hex. */
  readonly seed: Hex;
}
