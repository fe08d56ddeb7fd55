import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import type { BatchLines } from '../../journal/batch-lines.js';
import type { Journal } from '../../journal/port.js';
import type { CopyPlace } from '../copy-journal.js';
import { READ_WHOLE, readLines } from '../read-lines.js';
import { beginJournal, type CreateOptions, deferJournal, type OpenOptions, resumeJournal } from '../stored-journal.js';
import { parsePostgresAddress } from './address.js';
import { createStore, openStore } from './open-store.js';

/**
 * Makes a journal in a schema of PostgreSQL, durable when the promise resolves. E_JOURNAL_ADDRESS, E_JOURNAL_EXISTS where
 * the schema holds anything, E_JOURNAL_IO.
 */
export async function createSharedJournal(text: string, options: CreateOptions): Promise<Result<Journal, Fault>> {
  const address = parsePostgresAddress(text);
  if (!address.ok) return address;
  const created = await createStore(address.value);
  return created.ok ? beginJournal(created.value, options) : created;
}

/**
 * Opens a journal in a schema of PostgreSQL and verifies all of its chain. E_JOURNAL_ADDRESS, E_JOURNAL_MISSING,
 * E_JOURNAL_SCHEMA, E_JOURNAL_TAMPERED, E_JOURNAL_LOCKED, E_JOURNAL_IO.
 */
export async function openSharedJournal(text: string, options: OpenOptions): Promise<Result<Journal, Fault>> {
  const address = parsePostgresAddress(text);
  if (!address.ok) return address;
  const opened = await openStore(address.value);
  return opened.ok ? resumeJournal(opened.value, options) : opened;
}

/** Opens a journal in a schema of PostgreSQL with nothing of it read or verified (deferJournal). As openSharedJournal. */
export async function deferredSharedJournal(text: string, options: OpenOptions): Promise<Result<Journal, Fault>> {
  const address = parsePostgresAddress(text);
  if (!address.ok) return address;
  const opened = await openStore(address.value);
  return opened.ok ? ok(deferJournal(opened.value, options)) : opened;
}

/** The batches of a journal in a schema of PostgreSQL, for a list (readLines). E_JOURNAL_ADDRESS. */
export async function readSharedLines<T>(
  text: string,
  options: OpenOptions,
  work: (lines: BatchLines) => Promise<Result<T, Fault>>,
  whole = READ_WHOLE,
): Promise<Result<T, Fault>> {
  const address = parsePostgresAddress(text);
  if (!address.ok) return address;
  const opened = await openStore(address.value);
  return opened.ok ? readLines(opened.value, options, work, whole) : opened;
}

/** A schema of PostgreSQL as the place of a copy. E_JOURNAL_ADDRESS. */
export function sharedPlace(text: string, options: OpenOptions): Result<CopyPlace, Fault> {
  const address = parsePostgresAddress(text);
  if (!address.ok) return address;
  const { value } = address;
  return ok({ name: value.name, create: () => createStore(value), open: () => openSharedJournal(text, options) });
}
