import type { Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { WrittenEntry } from '../journal/entries.js';
import { type Journal, type JournalCopy, JournalError } from '../journal/port.js';
import type { JournalStore, StoredBlob } from './journal-store.js';
import { StoredTree } from './stored-tree.js';

const PAGE = 500;
/** Blobs that are read at a time, and are in memory together. */
const BLOBS = 100;

/** Where a copy goes: how to make it, how to open what is there, and what it is called. */
export interface CopyPlace {
  create(): Promise<Result<JournalStore, Fault>>;
  open(): Promise<Result<Journal, Fault>>;
  readonly name: string;
}

/**
 * Writes all entries and blobs of a journal into a new place, in one transaction, and reads them back from there: the
 * chain is verified and each blob hashed again. A place that holds the same journal, up to the same entry, is taken for a
 * copy that was finished before. E_JOURNAL_EXISTS where it holds anything else.
 */
export async function copyJournal(
  source: Journal,
  place: CopyPlace,
  progress: (done: number) => void,
): Promise<Result<JournalCopy, Fault>> {
  const state = await source.read();
  if (!state.ok) return state;
  const { head } = state.value;
  if (head === null) throw new Error('a journal that was opened has no entry');
  const created = await place.create();
  if (created.ok) {
    const filled = await fill(created.value, source, head.seq, progress);
    if (!filled.ok) return filled;
  } else if (created.error.tag !== 'E_JOURNAL_EXISTS') return created;
  const copy = await place.open();
  if (!copy.ok) return created.ok ? copy : created;
  try {
    const there = await copy.value.read();
    if (!there.ok) return there;
    if (there.value.head?.hash !== head.hash) {
      return fail('E_JOURNAL_EXISTS', `${place.name}: another journal is there, or another part of this one`, {
        remedy: 'choose another place; a journal is never overwritten',
        where: { file: place.name },
      });
    }
    const blobs = await sameBlobs(source, copy.value);
    return blobs.ok ? ok({ name: place.name, head: { seq: head.seq, hash: head.hash }, blobs: blobs.value }) : blobs;
  } finally {
    await copy.value.close();
  }
}

/** All of it becomes durable at once: what is broken off before leaves nothing that could be taken for a journal. */
async function fill(
  store: JournalStore,
  source: Journal,
  last: number,
  progress: (done: number) => void,
): Promise<Result<void, Fault>> {
  try {
    let page: WrittenEntry[] = [];
    for await (const written of source.written()) {
      const { seq } = written.entry;
      if (seq > last) break;
      page.push(written);
      if (page.length < PAGE) continue;
      await store.insert(page, []);
      progress(seq + 1);
      page = [];
    }
    await store.insert(page, []);
    const names = await source.blobNames();
    if (!names.ok) return await undone(store, names.error);
    for await (const piece of readBlobs(source, names.value)) {
      if (!piece.ok) return await undone(store, piece.error);
      await store.insert([], piece.value);
    }
    // Whoever writes first would have to make all of it, while everybody waits for the lock.
    await new StoredTree(store).grow(last + 1);
    await store.commit();
    await store.close();
    return ok(undefined);
  } catch (error) {
    const known = error instanceof JournalError ? error.fault : store.faultOf(error);
    const result = await undone(store, known ?? fault('E_JOURNAL_IO', `${store.name}: it could not be written`));
    if (known === null) throw error;
    return result;
  }
}

async function undone(store: JournalStore, fault: Fault): Promise<Result<never, Fault>> {
  await store.rollback();
  await store.close();
  return err(fault);
}

/** Every blob of the one is in the other, with the bytes that its name says. Answers their number. */
async function sameBlobs(source: Journal, copy: Journal): Promise<Result<number, Fault>> {
  const names = await source.blobNames();
  if (!names.ok) return names;
  for await (const piece of readBlobs(copy, names.value)) if (!piece.ok) return piece;
  return ok(names.value.length);
}

async function* readBlobs(
  journal: Journal,
  names: readonly Hex[],
): AsyncGenerator<Result<readonly StoredBlob[], Fault>, void> {
  for (let from = 0; from < names.length; from += BLOBS) {
    const some = names.slice(from, from + BLOBS);
    const read = await journal.blobs(some);
    if (!read.ok) return yield read;
    yield ok(read.value.map((bytes, index) => ({ name: some[index] ?? '', bytes })));
  }
}
