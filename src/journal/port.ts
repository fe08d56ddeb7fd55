import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import type { Result } from '../domain/result.js';
import type { Entry, EntryBody } from './entries.js';
import type { JournalState } from './state.js';

/** What one transaction may do: read the state as of its start, append entries and keep the blobs that they name. */
export interface JournalTransaction {
  readonly state: JournalState;
  append(body: EntryBody): Entry;
  /** Keeps bytes under their SHA-256, which is returned. Idempotent. */
  keep(bytes: Uint8Array): Hex;
}

/**
 * The journal. A transaction holds the only write lock from its start (check-then-reserve cannot race) and is durable
 * (fsync) when its promise resolves. If `work` fails or throws, nothing of it is kept.
 */
export interface Journal {
  /** State folded from all entries, as of the newest one. */
  read(): Promise<Result<JournalState, Fault>>;
  transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>>;
  entries(from?: number): AsyncIterable<Entry>;
  /** The bytes, verified against their hash; a fault where they are absent or differ. */
  blob(sha256: Hex): Promise<Result<Uint8Array, Fault>>;
  close(): Promise<void>;
}
