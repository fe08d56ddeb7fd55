import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { admit } from '../journal/chain.js';
import type { StateBuilder } from '../journal/fold.js';
import type { JournalStore, Page } from './journal-store.js';

/** Entries are read from 0 on: a row before them would be seen by nobody. */
export async function checkStart(store: JournalStore): Promise<Result<void, Fault>> {
  if (!(await store.hasBefore(0))) return ok(undefined);
  return fail('E_JOURNAL_TAMPERED', `it holds a row before its first entry`, {
    remedy: `stop signing; keep the journal as it is and compare it with a copy from before`,
    where: { file: store.name },
  });
}

/** Told how many entries are verified, of how many that there were when it began. */
export type OnVerified = (done: number, of: number) => void;

/**
 * Folds what was appended since, by whomever. The newest entry that is known must still be there, unchanged. Only of the whole of
 * a journal is anybody told how far it is.
 */
export async function catchUp(
  store: JournalStore,
  builder: StateBuilder,
  onVerified?: OnVerified,
): Promise<Result<void, Fault>> {
  const known = builder.head;
  if (known === null) return readWhole(store, builder, onVerified);
  let found = false;
  for await (const page of pagesFrom(store, known.seq)) {
    for (const stored of page) {
      if (!stored.ok) return placed(stored, store);
      const { entry, text } = stored.value;
      if (entry.seq === known.seq) {
        if (entry.hash !== known.hash) return changedMeanwhile(store, entry.seq);
        found = true;
        continue;
      }
      const admitted = admit(builder, entry, text);
      if (!admitted.ok) return placed(admitted, store);
    }
  }
  return found ? ok(undefined) : changedMeanwhile(store, known.seq);
}

async function readWhole(
  store: JournalStore,
  builder: StateBuilder,
  onVerified?: OnVerified,
): Promise<Result<void, Fault>> {
  const started = await checkStart(store);
  if (!started.ok) return started;
  const newest = onVerified === undefined ? null : await store.newest();
  for await (const page of pagesFrom(store, 0)) {
    for (const stored of page) {
      if (!stored.ok) return placed(stored, store);
      const admitted = admit(builder, stored.value.entry, stored.value.text);
      if (!admitted.ok) return placed(admitted, store);
    }
    if (newest !== null) onVerified?.((builder.head?.seq ?? -1) + 1, newest.seq + 1);
  }
  if (builder.head !== null) return ok(undefined);
  return fail('E_JOURNAL_TAMPERED', `it holds no entries, though even a new journal holds its opening`, {
    remedy: `stop signing; keep the journal as it is and restore a copy from before`,
    where: { file: store.name },
  });
}

function changedMeanwhile(store: JournalStore, seq: number): Result<never, Fault> {
  return fail('E_JOURNAL_TAMPERED', `entry ${seq} changed or vanished while the journal was open`, {
    remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
    where: { file: store.name },
  });
}

/** Ends after the first row that cannot be read. */
export async function* pagesFrom(store: JournalStore, seq: number): AsyncGenerator<Page['rows'], void> {
  let next = seq;
  for (;;) {
    const { rows, isLast } = await store.page(next);
    yield rows;
    const last = rows.at(-1);
    if (isLast || !last?.ok) return;
    next = last.value.entry.seq + 1;
  }
}

function placed(failed: Result<never, Fault>, store: JournalStore): Result<never, Fault> {
  return failed.ok ? failed : err({ ...failed.error, where: { file: store.name } });
}
