import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { BatchLine } from '../journal/batch-line.js';
import type { BatchLines } from '../journal/batch-lines.js';
import { leafHash } from '../journal/chain.js';
import type { StateBuilder } from '../journal/fold.js';
import { headRow, type LineRow, type LinesHead, readHeadRow, readRow, rowOfBatch } from '../journal/line-rows.js';
import { JournalError } from '../journal/port.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import type { JournalStore, LineRows } from './journal-store.js';
import { catchUp } from './read-chain.js';

/** So many entries that change no batch may follow upon the head of the rows before it is moved. */
const MOST_BEHIND = 256;

/** Where the rows stand. 'none': they were never written. 'foreign': they say what this journal never said. */
type Standing = LinesHead | 'none' | 'foreign';

/**
 * Keeps the rows that lists are made of up to date, in the transactions of the entries that they are derived from. A table that
 * is not of this journal is left as it is: nobody reads it, and audit verify names it.
 */
export class StoredLines {
  readonly #store: JournalStore;
  /** Where this process left them, or found them; unknown after a rollback. */
  #known: LinesHead | null = null;

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /**
   * Within a transaction, behind its entries. `touched` are the ids of the batches that it changed. Costs nothing where it
   * changed none, but now and then.
   */
  async follow(
    before: Pick<JournalState, 'head' | 'batchesSeq'>,
    after: Pick<StateBuilder, 'head' | 'batches'>,
    touched: ReadonlySet<string>,
  ): Promise<void> {
    const { lines } = this.#store;
    const { head } = after;
    if (lines === undefined || head === null) return;
    const isBehind = (at: LinesHead): boolean => touched.size > 0 || head.seq - at.seq >= MOST_BEHIND;
    if (this.#known !== null && !isBehind(this.#known)) return;
    const standing = await this.#standing(lines, before);
    if (standing === 'foreign') return;
    this.#known = standing === 'none' ? null : standing;
    if (standing !== 'none' && !isBehind(standing)) return;
    const from = standing === 'none' ? -1 : standing.seq;
    // Entries of a program that does not keep these rows may lie between.
    const isDense = standing !== 'none' && before.batchesSeq <= standing.seq;
    const changed = isDense ? pick(after.batches, touched) : [...after.batches.values()].filter(isAfter(from));
    const due: LinesHead = { seq: head.seq, hash: head.hash, batches: after.batches.size };
    await lines.put([...changed.map(rowOfBatch), headRow(due)]);
    this.#known = due;
  }

  forget(): void {
    this.#known = null;
  }

  async #standing(lines: LineRows, before: Pick<JournalState, 'head'>): Promise<Standing> {
    // Nobody has written since this process did.
    if (this.#known !== null && this.#known.hash === before.head?.hash) return this.#known;
    const found = await lines.head();
    if (found === null) return 'none';
    const head = readHeadRow(found.row);
    return head === null || found.entry !== head.hash || head.seq > (before.head?.seq ?? -1) ? 'foreign' : head;
  }
}

const isAfter =
  (seq: number) =>
  ({ changedSeq }: BatchRecord): boolean =>
    changedSeq > seq;

function pick(batches: ReadonlyMap<string, BatchRecord>, ids: Iterable<string>): BatchRecord[] {
  return [...ids].flatMap((id) => batches.get(id) ?? []);
}

/**
 * Writes the rows of a journal that has none yet: one of an older layout, or one that was copied. Where they cannot be
 * written now, lists go on being folded.
 */
export async function fillLines(store: JournalStore, builder: StateBuilder): Promise<Result<void, Fault>> {
  if (store.lines === undefined || (await store.lines.head()) !== null) return ok(undefined);
  try {
    await store.begin();
    const caught = await catchUp(store, builder);
    if (caught.ok) {
      await new StoredLines(store).follow(builder.snapshot(), builder, new Set());
      await store.commit();
    } else await store.rollback();
    return caught;
  } catch (error) {
    await store.rollback();
    if (!(error instanceof JournalError) && store.faultOf(error) === null) throw error;
    return ok(undefined);
  }
}

/** As Journal.lineRows says. */
export async function keptLines({ lines }: JournalStore): Promise<readonly LineRow[] | null> {
  return lines === undefined ? null : lines.atOnce(() => lines.all());
}

/**
 * The batches as lists show them, from the rows that are kept, without reading what they are derived from; null where these
 * do not say what the newest entry says. Good within `atOnce`. What somebody changed in the rows is not found here.
 */
export async function keptBatchLines(store: JournalStore): Promise<BatchLines | null> {
  const { lines } = store;
  const found = (await lines?.head()) ?? null;
  const head = found === null ? null : readHeadRow(found.row);
  if (lines === undefined || head === null || found?.entry !== head.hash) return null;
  const total = await lines.count();
  if (total !== head.batches || !(await isNewestOfBatches(store, head))) return null;
  return {
    total,
    select: async (selection) => {
      const read: BatchLine[] = [];
      for (const row of await lines.select(selection)) {
        const line = readRow(row);
        if (line === null) return damaged(store, row);
        read.push(line);
      }
      return ok(read);
    },
  };
}

function damaged(store: JournalStore, { planned }: LineRow): Result<never, Fault> {
  return fail(
    'E_JOURNAL_LINES',
    `the row of the batch that entry ${planned} planned is not one that was ever written`,
    {
      remedy: 'run countersign audit verify, which derives the rows again; no decision rests on them',
      where: { file: store.name },
    },
  );
}

/** Whether no entry behind this one changed a batch. Those are few: each is read, and has to follow upon the one before. */
async function isNewestOfBatches(store: JournalStore, { seq, hash }: LinesHead): Promise<boolean> {
  const { rows, isLast } = await store.page(seq + 1);
  if (!isLast) return false;
  let before = { seq, hash };
  for (const row of rows) {
    if (!row.ok) return false;
    const { entry, text } = row.value;
    const follows = entry.seq === before.seq + 1 && entry.prev === before.hash;
    if (!follows || leafHash(entry.seq, entry.at, entry.prev, text) !== entry.hash) return false;
    if (entry.body.kind.startsWith('batch.')) return false;
    before = entry;
  }
  return true;
}
