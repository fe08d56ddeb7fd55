import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { LineSelection } from '../journal/batch-lines.js';
import { decodeBody } from '../journal/body-schema.js';
import type { WrittenEntry } from '../journal/entries.js';
import type { LineRow } from '../journal/line-rows.js';
import type { TreeRow } from '../journal/merkle-tree.js';

/** Bytes with their SHA-256, under which they are kept. */
export interface StoredBlob {
  readonly name: Hex;
  readonly bytes: Uint8Array;
}

/** The hashes of the Merkle tree, kept so that nobody has to make them again. */
export interface TreeRows {
  /** Of level 0 those of the entries; above it those that `insert` was given: from n on, up to the first that is not there. */
  hashes(level: number, n: number, count: number): Promise<readonly Hex[]>;
  /** How many of the first `due` subtrees of a level from 1 up are kept, if those before the last of them are. */
  count(level: number, due: number): Promise<number>;
  /** Within begin and commit: roots of complete subtrees of 256^level entries; `n` counts those of their level from 0. */
  insert(subtrees: readonly TreeRow[]): Promise<void>;
  /** Every row, also those that are of no place in the tree. */
  all(): Promise<readonly TreeRow[]>;
}

/** The rows that lists are made of (journal/line-rows.ts): derived from the entries, and written in their transactions. */
export interface LineRows {
  /** The head row, with the hash of the entry whose number it names; null where it was never written. */
  head(): Promise<{ readonly row: LineRow; readonly entry: string | null } | null>;
  /** Within begin and commit: each takes the place of the row with its key, if there is one. */
  put(rows: readonly LineRow[]): Promise<void>;
  /** How many rows of batches there are. */
  count(): Promise<number>;
  /** Every row by its key: the head row, those of batches, and whatever else somebody put there. */
  all(): Promise<readonly LineRow[]>;
  /** Rows of batches, by their keys. */
  select(selection: LineSelection): Promise<readonly LineRow[]>;
  /** Everything that is read in there is read as of one moment. */
  atOnce<T>(work: () => Promise<T>): Promise<T>;
}

/** A row of a batch as a database gives it; null where a column is of another type. */
export function readLineRow(row: readonly unknown[]): LineRow | null {
  const [planned, changed, at, state, line] = row;
  if (typeof planned !== 'number' || typeof changed !== 'number' || typeof at !== 'number') return null;
  return typeof state === 'string' && typeof line === 'string' ? { planned, changed, at, state, line } : null;
}

/** Entries that follow one another. */
export interface Page {
  /** The last may be a row that cannot be read; nothing stands behind that. */
  readonly rows: readonly Result<WrittenEntry, Fault>[];
  /** Whether these were all that there are. */
  readonly isLast: boolean;
}

/** Entries in one page. */
export const PAGE_SIZE = 500;

/** Rows as a database gives them, columns in the order of readRow. */
export function readPage(rows: readonly (readonly unknown[])[]): Page {
  const read: Result<WrittenEntry, Fault>[] = [];
  for (const row of rows) {
    const stored = readRow(row);
    read.push(stored);
    if (!stored.ok) return { rows: read, isLast: true };
  }
  return { rows: read, isLast: rows.length < PAGE_SIZE };
}

/** Milliseconds to wait for another writer. Short: between two APDUs the device gives the host 5 seconds in all. */
export const BUSY_TIMEOUT_MS = 2000;

/**
 * Where the rows of a journal lie: one SQLite file, or PostgreSQL. It knows neither what entries mean nor how they are
 * chained. Its calls throw what the database throws; `faultOf` says it in countersign's words.
 */
export interface JournalStore {
  /** What messages call it: the path of the file, or host, database and schema. Never a password. */
  readonly name: string;
  /** Entries from a number on, in order. */
  page(seq: number): Promise<Page>;
  /** Number and hash of the row with the highest number, as they stand there; null where there are no rows. */
  newest(): Promise<{ readonly seq: number; readonly hash: string } | null>;
  /** A number that is another one whenever another connection has committed since. Absent where nothing tells that cheaply. */
  version?(): Promise<number>;
  /** Whether there is a row whose number is lower. */
  hasBefore(seq: number): Promise<boolean>;
  blob(name: Hex): Promise<Uint8Array | null>;
  /** Those of the names that are there. */
  blobs(names: readonly Hex[]): Promise<ReadonlyMap<Hex, Uint8Array>>;
  /** Sorted. */
  blobNames(): Promise<readonly Hex[]>;
  /** Takes the one lock for writing, or throws what `faultOf` calls E_JOURNAL_LOCKED after BUSY_TIMEOUT_MS. */
  begin(): Promise<void>;
  /** Within begin and commit. Answers the names of blobs that were there before; those stay as they were. */
  insert(entries: readonly WrittenEntry[], blobs: readonly StoredBlob[]): Promise<readonly Hex[]>;
  /** Absent from a store that keeps none: then every proof hashes all entries again. */
  readonly tree?: TreeRows;
  /** Absent from a store of an older layout, and where this user may not keep them: then lists are folded. */
  readonly lines?: LineRows;
  /** Durable when it resolves. */
  commit(): Promise<void>;
  /** Also where nothing is open, and after a failure that the database answered by rolling back on its own. Never throws. */
  rollback(): Promise<void>;
  close(): Promise<void>;
  /** The fault behind something that was thrown; null where the database did not throw it: then it is a bug. */
  faultOf(error: unknown): Fault | null;
}

/** The columns seq and hash of a row, checked; null for no row, and for one that is none. */
export function readHead(row: readonly unknown[] | undefined): { readonly seq: number; readonly hash: string } | null {
  const [seq, hash] = row ?? [];
  return typeof seq === 'number' && typeof hash === 'string' ? { seq, hash } : null;
}

/** A row as a database gives it, its columns checked. */
function readRow(row: readonly unknown[]): Result<WrittenEntry, Fault> {
  const [seq, at, prev, text, hash] = row;
  if (typeof seq !== 'number') return fail('E_JOURNAL_TAMPERED', 'an entry of the journal has no number');
  const strings =
    typeof at === 'string' && typeof prev === 'string' && typeof text === 'string' && typeof hash === 'string';
  if (!strings) return fail('E_JOURNAL_TAMPERED', `entry ${seq} of the journal: a column is not text`);
  const body = decodeBody(text);
  if (!body.ok) return err({ ...body.error, message: `entry ${seq} of the journal: ${body.error.message}` });
  return ok({ entry: { seq, at, prev, body: body.value, hash }, text });
}
