import type { SourcePosition } from '../../domain/fault.js';
import type { Sats } from '../../domain/sats.js';
import type { UnixSeconds } from '../../domain/time.js';
import type { Code } from '../codes.js';
import type { Cap, LoadedPolicy } from '../types.js';

/** A rule that holds an amount down: the reason code that a verdict would give, and where the policy says so. */
export interface Binding {
  readonly code: Code;
  readonly field: string;
  readonly where: SourcePosition;
  /** "limits.rolling.24h is 20000000000 sat (200.00000000 BTC)". */
  readonly text: string;
}

/** An inclusive cap and the rule that it comes from; of several, the lowest counts. */
export interface Bounded {
  readonly cap: Cap;
  readonly by: Binding;
}

export function binding(policy: LoadedPolicy, code: Code, field: string, text: string): Binding {
  return { code, field, where: policy.where(field), text };
}

/** The lowest cap, the first of equals; null where none of them is a cap at all. */
export function lowest(bounds: readonly Bounded[]): { readonly cap: Sats; readonly by: Binding } | null {
  let least: { cap: Sats; by: Binding } | null = null;
  for (const { cap, by } of bounds) {
    if (cap !== null && (least === null || cap < least.cap)) least = { cap, by };
  }
  return least;
}

/** A batch of a schedule: it is judged, signed and confirmed at one moment. */
export interface Move {
  readonly at: UnixSeconds;
  readonly spend: Sats;
  /** Who approves it, where that is not everybody of the schedule. */
  readonly approvedBy?: readonly string[];
}

/** Everything that holds a schedule of batches down, amounts with fees. */
export interface Limits {
  /** What one batch may take. */
  readonly batch: Bounded;
  /** The smallest payment that nodes relay, and its fee. */
  readonly least: Sats;
  /** Batches within 24 hours. */
  readonly count: number;
  readonly countBy: Binding;
  /** What the people may approve within 24 hours at most; one of the windows. */
  readonly basis: Bounded;
  /** Sliding windows in seconds. */
  readonly windows: readonly { readonly seconds: number; readonly bounded: Bounded }[];
  /** What the people may approve, as ranges of the basis of the tiers: above `low`, up to `high`. */
  readonly approvable: readonly Range[];
}

export interface Range {
  readonly low: Sats;
  readonly high: Cap;
}
