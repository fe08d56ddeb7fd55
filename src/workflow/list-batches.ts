import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { BatchLine } from '../journal/batch-line.js';
import { type BatchLines, EVERY_LINE, type LineSelection } from '../journal/batch-lines.js';
import { BATCH_STATES, isEnded } from '../journal/transitions.js';

/** How many of the newest batches are listed, where nobody says which. */
export const NEWEST = 100;

/** What was asked for: a selection, all of them, or what somebody at a terminal wants to see. */
export type Asked = LineSelection | 'all' | 'overview';

export interface BatchList {
  readonly lines: readonly BatchLine[];
  /** How many batches the journal has. */
  readonly total: number;
  /** Batches that an overview leaves out: all of them have ended. */
  readonly leftOut: number;
}

/** An overview has the newest batches, and all before them that have not ended. */
export async function listBatches(batches: BatchLines, asked: Asked): Promise<Result<BatchList, Fault>> {
  const { total } = batches;
  if (asked !== 'overview') {
    const chosen = await batches.select(asked === 'all' ? EVERY_LINE : asked);
    return chosen.ok ? ok({ lines: chosen.value, total, leftOut: 0 }) : chosen;
  }
  const newest = await batches.select({ ...EVERY_LINE, last: NEWEST });
  if (!newest.ok) return newest;
  const before = newest.value[0]?.plannedSeq ?? 0;
  const states = BATCH_STATES.filter((state) => !isEnded(state));
  const older = newest.value.length === total ? ok([]) : await batches.select({ ...EVERY_LINE, before, states });
  if (!older.ok) return older;
  const lines = [...older.value, ...newest.value];
  return ok({ lines, total, leftOut: total - lines.length });
}

/** The same of a list of all batches. */
export function overviewOf({ lines, total }: BatchList): BatchList {
  const newest = Math.max(0, lines.length - NEWEST);
  const shown = lines.filter(({ state }, index) => index >= newest || !isEnded(state));
  return { lines: shown, total, leftOut: total - shown.length };
}
