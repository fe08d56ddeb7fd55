import { type Fault, fault } from '../domain/fault.js';
import { err, type Result } from '../domain/result.js';
import type { JournalTransaction } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import type { Desk } from './ports.js';

/** Another process appended since the state was read, so what was concluded from that state may no longer hold. */
export const HEAD_MOVED: Fault = fault(
  'E_JOURNAL_LOCKED',
  'another command wrote to the journal in the meantime; nothing of this one was kept',
  { remedy: 'run the same command again' },
);

/** A transaction that goes through only if the journal still ends where `state` did. */
export async function transactOn<T>(
  desk: Desk,
  state: JournalState,
  work: (tx: JournalTransaction) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  return desk.journal.transact(async (tx) => (tx.state.head?.hash === state.head?.hash ? work(tx) : err(HEAD_MOVED)));
}

/** The journal itself waits 2 s for another writer, each time: a minute in all. */
const INSISTENCE = 30;

/** Writes what has to be written whoever else is writing: what a device signed, and that everything has to stop. */
export async function insist<T>(
  desk: Desk,
  work: (tx: JournalTransaction) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  for (let attempt = 1; ; attempt += 1) {
    const done = await desk.journal.transact(work);
    if (done.ok || done.error.tag !== 'E_JOURNAL_LOCKED' || attempt === INSISTENCE) return done;
  }
}
