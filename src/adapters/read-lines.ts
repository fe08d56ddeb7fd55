import type { Fault } from '../domain/fault.js';
import { err, type Result } from '../domain/result.js';
import { type BatchLines, foldedLines } from '../journal/batch-lines.js';
import { JournalError } from '../journal/port.js';
import type { JournalStore } from './journal-store.js';
import { type OpenOptions, resumeJournal } from './stored-journal.js';
import { keptBatchLines } from './stored-lines.js';

/** Up to so many entries a journal is read and verified whole for a list too: that takes a tenth of a second. */
export const READ_WHOLE = 5_000;

/**
 * Reads the batches of a journal for a list, and closes its store. One of more than `whole` entries is read from the rows that
 * are kept for that, where they say what the newest entry says; any other from the state that all entries fold to. The faults
 * of opening a journal, of which the quick way finds few: no decision may rest on what is read here.
 */
export async function readLines<T>(
  store: JournalStore,
  options: OpenOptions,
  work: (lines: BatchLines) => Promise<Result<T, Fault>>,
  whole = READ_WHOLE,
): Promise<Result<T, Fault>> {
  const quickly = await fromRows(store, work, whole);
  if (quickly !== null) {
    await store.close();
    return quickly;
  }
  const journal = await resumeJournal(store, options);
  if (!journal.ok) return journal;
  try {
    const state = await journal.value.read();
    return state.ok ? await work(foldedLines(state.value)) : state;
  } finally {
    await journal.value.close();
  }
}

async function fromRows<T>(
  store: JournalStore,
  work: (lines: BatchLines) => Promise<Result<T, Fault>>,
  whole: number,
): Promise<Result<T, Fault> | null> {
  if (store.lines === undefined) return null;
  try {
    const newest = await store.newest();
    if (newest === null || newest.seq < whole) return null;
    return await store.lines.atOnce(async () => {
      const kept = await keptBatchLines(store);
      return kept === null ? null : work(kept);
    });
  } catch (error) {
    const known = error instanceof JournalError ? error.fault : store.faultOf(error);
    if (known !== null) return err(known);
    await store.close();
    throw error;
  }
}
