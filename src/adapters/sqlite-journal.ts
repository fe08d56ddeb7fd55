import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { BatchLines } from '../journal/batch-lines.js';
import type { Journal } from '../journal/port.js';
import type { CopyPlace } from './copy-journal.js';
import { READ_WHOLE, readLines } from './read-lines.js';
import { createStore, openStore } from './sqlite-store.js';
import { beginJournal, type CreateOptions, deferJournal, type OpenOptions, resumeJournal } from './stored-journal.js';

/**
 * Makes a journal with its first entry, durable when the promise resolves. E_JOURNAL_EXISTS where anything but an empty
 * file is at the place already, E_JOURNAL_IO where it cannot be written.
 */
export async function createJournal(path: string, options: CreateOptions): Promise<Result<Journal, Fault>> {
  const created = createStore(path);
  return created.ok ? beginJournal(created.value, options) : created;
}

/**
 * Opens a journal and verifies all of its chain. E_JOURNAL_MISSING, E_JOURNAL_SCHEMA for a file of another kind or a
 * newer layout, E_JOURNAL_TAMPERED for one that does not verify or is damaged, E_JOURNAL_LOCKED and E_JOURNAL_IO.
 */
export async function openJournal(path: string, options: OpenOptions): Promise<Result<Journal, Fault>> {
  const opened = openStore(path);
  return opened.ok ? resumeJournal(opened.value, options) : opened;
}

/** Opens a journal with nothing of it read or verified (deferJournal). E_JOURNAL_MISSING, E_JOURNAL_SCHEMA and the rest. */
export function deferredJournal(path: string, options: OpenOptions): Result<Journal, Fault> {
  const opened = openStore(path);
  return opened.ok ? ok(deferJournal(opened.value, options)) : opened;
}

/** The batches of a journal in a file, for a list (readLines). */
export async function readLinesOf<T>(
  path: string,
  options: OpenOptions,
  work: (lines: BatchLines) => Promise<Result<T, Fault>>,
  whole = READ_WHOLE,
): Promise<Result<T, Fault>> {
  const opened = openStore(path);
  return opened.ok ? readLines(opened.value, options, work, whole) : opened;
}

/** A file as the place of a copy; `name` is what the person called it. */
export function filePlace(path: string, name: string, options: OpenOptions): CopyPlace {
  return { name, create: async () => createStore(path), open: () => openJournal(path, options) };
}
