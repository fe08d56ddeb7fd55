import type { Hex } from '../domain/bytes.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { type BatchLine, lineOf, lineText, readLine } from './batch-line.js';
import type { BatchRecord } from './state.js';

/**
 * A row of the table that is kept beside the entries, one for each batch, so that a list need not fold them all. `planned` is
 * its key; the first four columns repeat what the text says, for the database to choose by.
 */
export interface LineRow {
  readonly planned: number;
  readonly changed: number;
  readonly at: number;
  readonly state: string;
  readonly line: string;
}

/** Up to which entry the table says what the entries say, and how many batches it has: kept in a row of its own. */
export interface LinesHead {
  readonly seq: number;
  readonly hash: Hex;
  readonly batches: number;
}

/** In the place of the entry that planned a batch: no entry has this number. */
export const HEAD_ROW = -1;
const HEAD_STATE = 'head';

export function rowOf(line: BatchLine): LineRow {
  const { plannedSeq, changedSeq, plannedAt, state } = line;
  return { planned: plannedSeq, changed: changedSeq, at: plannedAt, state, line: lineText(line) };
}

export const rowOfBatch = (batch: BatchRecord): LineRow => rowOf(lineOf(batch));

export function headRow({ seq, hash, batches }: LinesHead): LineRow {
  return { planned: HEAD_ROW, changed: seq, at: 0, state: HEAD_STATE, line: canonicalJson({ batches, hash, seq }) };
}

/** The line of a row; null where it is not one that `rowOf` makes, as far as a quick look tells. */
export function readRow({ planned, changed, at, state, line }: LineRow): BatchLine | null {
  const read = readLine(line);
  if (read?.plannedSeq !== planned || read.changedSeq !== changed) return null;
  return read.plannedAt === at && read.state === state ? read : null;
}

/** What the head row says; null where it is not one that `headRow` makes. */
export function readHeadRow(row: LineRow): LinesHead | null {
  const match = /^\{"batches":(0|[1-9][0-9]{0,14}),"hash":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,14})\}$/.exec(
    row.line,
  );
  if (match?.[2] === undefined) return null;
  const head: LinesHead = { batches: Number(match[1]), hash: match[2], seq: Number(match[3]) };
  return sameRow(row, headRow(head)) ? head : null;
}

export function sameRow(a: LineRow, b: LineRow): boolean {
  return (
    a.planned === b.planned && a.changed === b.changed && a.at === b.at && a.state === b.state && a.line === b.line
  );
}
