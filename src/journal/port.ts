import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody, WrittenEntry } from './entries.js';
import type { LineRow } from './line-rows.js';
import type { Hash } from './merkle.js';
import type { TreeRow } from './merkle-tree.js';
import type { JournalState } from './state.js';

/** What one transaction may do: read the state as of its start, append entries and keep the blobs that they name. */
export interface JournalTransaction {
  /** As of the start, with what other processes appended up to then; the transaction's own entries do not change it. */
  readonly state: JournalState;
  /**
   * The time that each of its entries has: that of its start, and never before the newest entry's. What is judged by a time
   * is judged by this one; a second that turns in between would let an entry say what does not hold at its own time.
   */
  readonly at: UnixSeconds;
  /**
   * Appends one fact. One that does not follow from the journal (another state of the batch, a coin that is taken) ends
   * the whole transaction: a JournalError is thrown through `work`, nothing is kept, and `transact` answers its fault.
   */
  append(body: EntryBody): Entry;
  /** Keeps bytes under their SHA-256, which is returned. Idempotent. */
  keep(bytes: Uint8Array): Hex;
}

/** A fault on its way out through code that has no result to carry it: `work` of a transaction, iteration of entries. */
export class JournalError extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
    this.name = 'JournalError';
  }
}

/**
 * The journal. A transaction holds the only write lock from its start (check-then-reserve cannot race) and is durable
 * (fsync) when its promise resolves. If `work` fails or throws, nothing of it is kept.
 * Transactions of one process queue; one begun inside another's `work` is a bug and throws.
 */
export interface Journal {
  /** State folded from all entries, as of the newest one. */
  read(): Promise<Result<JournalState, Fault>>;
  transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>>;
  /** Entries from a sequence number on, up to the newest at the start of the iteration. Throws a JournalError. */
  entries(from?: number): AsyncIterable<Entry>;
  /** The same, each with the canonical text of its body, whose schema was checked: neither has to be done again. */
  written(from?: number): AsyncIterable<WrittenEntry>;
  /** The bytes, verified against their hash; a fault where they are absent or differ. */
  blob(sha256: Hex): Promise<Result<Uint8Array, Fault>>;
  /** The same of several, in the order of their names: one question to a store that is far away. */
  blobs(sha256: readonly Hex[]): Promise<Result<readonly Uint8Array[], Fault>>;
  /** How many entries there are, as the store has it. */
  size(): Promise<Result<number, Fault>>;
  /** The names of all blobs, sorted: those that no entry names show that somebody wrote beside the program. */
  blobNames(): Promise<Result<readonly Hex[], Fault>>;
  /**
   * The hashes of the Merkle tree over the entries that the store keeps, as HashReader asks for them. Those of level 0 are
   * the entries' own; those above are derived, and a store that keeps none answers with none. `audit verify` computes them
   * again.
   */
  treeHashes(level: number, from: number, count: number): Promise<Result<readonly Hash[], Fault>>;
  /** All that the store keeps of those above level 0, row by row, also what nobody would ask for. */
  treeRows(): Promise<Result<readonly TreeRow[], Fault>>;
  /**
   * All rows that the store keeps for lists, as of one moment, by their keys: the head row before those of batches; null from a
   * store that keeps none. They are derived, and nothing is decided by them. `audit verify` derives them again.
   */
  lineRows(): Promise<Result<readonly LineRow[] | null, Fault>>;
  close(): Promise<void>;
}

/** A journal that was copied to another place. */
export interface JournalCopy {
  /** The place, as messages call it. */
  readonly name: string;
  readonly head: { readonly seq: number; readonly hash: Hex };
  readonly blobs: number;
}

/** An entry as a store has it, with nothing of it checked. */
export interface RawEntry {
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
  /** The body as it stands there. */
  readonly text: string;
  readonly hash: string;
}

/** A journal as its store has it: for finding out what was done to one, which may no longer open. */
export interface RawJournal {
  /** By number. */
  readonly rows: readonly RawEntry[];
  /** The names of all blobs. */
  readonly blobs: readonly Hex[];
}
