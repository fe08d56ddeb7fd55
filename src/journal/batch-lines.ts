import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { type BatchLine, lineOf } from './batch-line.js';
import type { BatchState, JournalState } from './state.js';

/** Which batches a list shows; null leaves a restriction out. */
export interface LineSelection {
  readonly states: readonly BatchState[] | null;
  /** Planned at this time or later. */
  readonly from: UnixSeconds | null;
  /** Planned by an entry before this one. */
  readonly before: number | null;
  /** Of those, so many that were planned last. */
  readonly last: number | null;
}

export const EVERY_LINE: LineSelection = { states: null, from: null, before: null, last: null };

/** The batches of a journal as lists show them. */
export interface BatchLines {
  /** How many there are. */
  readonly total: number;
  /** In the order in which they were planned. */
  select(selection: LineSelection): Promise<Result<readonly BatchLine[], Fault>>;
}

export function selectLines(lines: readonly BatchLine[], selection: LineSelection): readonly BatchLine[] {
  const { states, from, before, last } = selection;
  const found = lines.filter(
    ({ state, plannedAt, plannedSeq }) =>
      (states === null || states.includes(state)) &&
      (from === null || plannedAt >= from) &&
      (before === null || plannedSeq < before),
  );
  return last === null ? found : found.slice(Math.max(0, found.length - last));
}

/** All batches of a state, in the order in which they were planned. */
export function linesOf(state: Pick<JournalState, 'batches'>): readonly BatchLine[] {
  return [...state.batches.values()].map(lineOf).sort((a, b) => a.plannedSeq - b.plannedSeq);
}

/** The same answers from a state that was folded. */
export function foldedLines(state: Pick<JournalState, 'batches'>): BatchLines {
  const lines = linesOf(state);
  return {
    total: lines.length,
    select: async (selection) => ok(selectLines(lines, selection)),
  };
}
