import type { UnixSeconds } from '../../domain/time.js';
import type { Entry } from '../../journal/entries.js';
import type { BatchRecord } from '../../journal/state.js';

/** What a report is about: the entries from `from` on and before `to`, by the times that they have in the journal. */
export interface Period {
  /** Null for the beginning of the journal. */
  readonly from: UnixSeconds | null;
  /** Not in it. */
  readonly to: UnixSeconds;
}

export const isWithin = ({ from, to }: Period, at: UnixSeconds): boolean => (from === null || at >= from) && at < to;

/** One entry in its place: what it is about, as it was before and as it is after it. */
export interface Step {
  readonly entry: Entry;
  readonly at: UnixSeconds;
  /** False where it lies before the period: it is folded, and not counted. */
  readonly counts: boolean;
  readonly before: BatchRecord | undefined;
  readonly after: BatchRecord | undefined;
}
