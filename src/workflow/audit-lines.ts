import { type Fault, fault } from '../domain/fault.js';
import { jsonDifference, parsedJson } from '../domain/json-difference.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import type { Entry } from '../journal/entries.js';
import {
  HEAD_ROW,
  type LineRow,
  type LinesHead,
  readHeadRow,
  readRow,
  rowOfBatch,
  sameRow,
} from '../journal/line-rows.js';
import type { Journal } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';

/**
 * Derives again the rows that lists are made of, and compares every one that the store keeps. Where entries that changed a
 * batch lie behind the head of the rows (a program that keeps none wrote them), nobody reads the rows, and those of the batches
 * that have changed since say nothing.
 */
export class LinesAudit {
  /** Empty where the store keeps none, and before the first are written. */
  readonly #rows: readonly LineRow[];
  readonly #head: LinesHead | null;
  /** Of the entry that the head row names. */
  #hash: string | null = null;

  private constructor(rows: readonly LineRow[]) {
    this.#rows = rows.filter(({ planned }) => planned !== HEAD_ROW);
    const head = rows.find(({ planned }) => planned === HEAD_ROW);
    this.#head = head === undefined ? null : readHeadRow(head);
  }

  /** Before the first entry is taken: what others write from then on is not looked at. */
  static async begin(journal: Pick<Journal, 'lineRows'>): Promise<Result<LinesAudit, Fault>> {
    const kept = await journal.lineRows();
    return kept.ok ? ok(new LinesAudit(kept.value ?? [])) : kept;
  }

  take({ seq, hash }: Entry): void {
    if (seq === this.#head?.seq) this.#hash = hash;
  }

  /** After the last entry: E_JOURNAL_LINES for each batch whose row is not the one that the entries give. */
  end({ batches }: Pick<JournalState, 'batches'>): readonly Fault[] {
    const head = this.#head;
    if (head === null) return this.#rows.length === 0 ? [] : [changed('the row that says of which entry they are')];
    if (this.#hash !== head.hash) {
      const what = this.#hash === null ? 'is not there' : 'has another hash';
      return [changed(`the row that says of which entry they are names entry ${head.seq}, which ${what}`)];
    }
    const rows = new Map(this.#rows.map((row) => [row.planned, row]));
    const findings: Fault[] = [];
    let count = 0;
    for (const batch of batches.values()) {
      if (batch.plannedSeq > head.seq) continue;
      count += 1;
      const row = rows.get(batch.plannedSeq);
      rows.delete(batch.plannedSeq);
      if (row === undefined) findings.push(changed(`that of batch ${batch.id} was removed`));
      else if (batch.changedSeq <= head.seq) {
        const due = rowOfBatch(batch);
        if (!sameRow(row, due)) findings.push(changed(`that of batch ${batch.id} ${differenceOf(row, due)}`));
      }
    }
    for (const row of rows.values()) {
      const id = quoted(readRow(row)?.id ?? row.line);
      findings.push(changed(`that of a batch ${id} was added, which entry ${row.planned} did not plan`));
    }
    if (findings.length === 0 && head.batches !== count) findings.push(changed('the row that says how many they are'));
    return findings;
  }
}

/** What a row says, and what the entries give. */
function differenceOf(row: LineRow, due: LineRow): string {
  const of = ({ line, ...columns }: LineRow): unknown => ({ ...columns, line: parsedJson(Buffer.from(line)) ?? line });
  const difference = jsonDifference(of(row), of(due));
  if (difference === null) return 'was written in another way';
  const { path, found, due: other } = difference;
  return `was changed: ${path} is ${found}, and the entries give ${other}`;
}

function changed(what: string): Fault {
  return fault('E_JOURNAL_LINES', `the rows that lists are made of: ${what}`, {
    remedy:
      'stop signing, and find out who could write to the journal; no decision rests on these rows, and countersign journal copy derives them anew',
  });
}
