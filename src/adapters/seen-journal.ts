import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { Anchor } from '../journal/chain.js';
import type { Entry, EntryBody, WrittenEntry } from '../journal/entries.js';
import type { LineRow } from '../journal/line-rows.js';
import type { Hash } from '../journal/merkle.js';
import type { TreeRow } from '../journal/merkle-tree.js';
import { type Journal, JournalError, type JournalTransaction } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import { fileExists, overwriteFile, readBytes } from './files.js';

/**
 * Opens a journal that others share, and holds it against what this machine has seen of it: a server that was restored from
 * a backup, or on which somebody cut off the end, goes on with a chain that verifies, and with a budget that was spent
 * already. The file holds the newest entry that this machine has read or written, as SEQ:HASH.
 * E_JOURNAL_RESTORED, E_JOURNAL_REWRITTEN, E_JOURNAL_TAMPERED for a file that says nothing; and what `open` says.
 */
export async function openSeen(
  open: () => Promise<Result<Journal, Fault>>,
  file: string,
): Promise<Result<Journal, Fault>> {
  const seen = await readSeen(file);
  if (!seen.ok) return seen;
  const opened = await open();
  if (!opened.ok) return opened;
  const held = seen.value === null ? ok(undefined) : await holds(opened.value, seen.value, file);
  if (held.ok) return ok(new SeenJournal(opened.value, file, seen.value));
  await opened.value.close();
  return held;
}

async function readSeen(file: string): Promise<Result<Anchor | null, Fault>> {
  if (!(await fileExists(file))) return ok(null);
  const bytes = await readBytes(file);
  if (!bytes.ok) return bytes;
  const said = /^(0|[1-9][0-9]{0,14}):([0-9a-f]{64})\n$/.exec(Buffer.from(bytes.value).toString('latin1'));
  if (said?.[1] !== undefined && said[2] !== undefined) return ok({ seq: Number(said[1]), hash: said[2] });
  return fail('E_JOURNAL_TAMPERED', 'it does not say, as SEQ:HASH, which entry this machine saw last', {
    remedy: 'find out who changed it; then write into it a head that was noted elsewhere',
    where: { file },
  });
}

async function holds(journal: Journal, { seq, hash }: Anchor, file: string): Promise<Result<void, Fault>> {
  const remedy = `stop signing: what was spent may not be known there any more. Compare it with a copy, a checkpoint or another machine; who goes on with it on purpose removes ${file} on each machine`;
  try {
    for await (const entry of journal.entries(seq)) {
      if (entry.seq === seq && entry.hash === hash) return ok(undefined);
      const message = `entry ${seq} is not the one that this machine has seen, ${hash}`;
      return fail('E_JOURNAL_REWRITTEN', message, { remedy, where: { file } });
    }
  } catch (error) {
    if (error instanceof JournalError) return err(error.fault);
    throw error;
  }
  const size = await journal.size();
  if (!size.ok) return size;
  const gone = size.value < seq ? `entries ${size.value} to ${seq} are` : `entry ${seq} is`;
  const message = `${gone} not there, and this machine has seen entry ${seq}: it was restored from a copy, failed over to a server that lagged behind, or cut off`;
  return fail('E_JOURNAL_RESTORED', message, { remedy, where: { file } });
}

/** A journal that is remembered as far as it was read, and at once as far as it was written. */
class SeenJournal implements Journal {
  #newest: Anchor | null;
  #noted: number;

  constructor(
    private readonly inner: Journal,
    private readonly file: string,
    seen: Anchor | null,
  ) {
    this.#newest = seen;
    this.#noted = seen?.seq ?? -1;
  }

  async read(): Promise<Result<JournalState, Fault>> {
    const read = await this.inner.read();
    // What closed a journal is not in the copy with which it goes on: remembered is what both have.
    if (read.ok && read.value.head !== null && read.value.movedTo === null) this.#see(read.value.head);
    return read;
  }

  async transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    const written: Entry[] = [];
    const done = await this.inner.transact((tx) =>
      work({
        state: tx.state,
        at: tx.at,
        append: (body: EntryBody) => {
          const entry = tx.append(body);
          written.push(entry);
          return entry;
        },
        keep: (bytes) => tx.keep(bytes),
      }),
    );
    const last = written.at(-1);
    if (done.ok && last !== undefined && last.body.kind !== 'journal.moved') {
      this.#see(last);
      await this.#note();
    }
    return done;
  }

  entries(from?: number): AsyncIterable<Entry> {
    return this.inner.entries(from);
  }

  written(from?: number): AsyncIterable<WrittenEntry> {
    return this.inner.written(from);
  }

  blob(sha256: Hex): Promise<Result<Uint8Array, Fault>> {
    return this.inner.blob(sha256);
  }

  blobs(sha256: readonly Hex[]): Promise<Result<readonly Uint8Array[], Fault>> {
    return this.inner.blobs(sha256);
  }

  size(): Promise<Result<number, Fault>> {
    return this.inner.size();
  }

  blobNames(): Promise<Result<readonly Hex[], Fault>> {
    return this.inner.blobNames();
  }

  lineRows(): Promise<Result<readonly LineRow[] | null, Fault>> {
    return this.inner.lineRows();
  }

  treeHashes(level: number, from: number, count: number): Promise<Result<readonly Hash[], Fault>> {
    return this.inner.treeHashes(level, from, count);
  }

  treeRows(): Promise<Result<readonly TreeRow[], Fault>> {
    return this.inner.treeRows();
  }

  async close(): Promise<void> {
    await this.#note();
    await this.inner.close();
  }

  #see({ seq, hash }: Anchor): void {
    if (seq > (this.#newest?.seq ?? -1)) this.#newest = { seq, hash };
  }

  /** Where it cannot be written, this machine goes on knowing what it knew: reading and halting must work all the same. */
  async #note(): Promise<void> {
    const newest = this.#newest;
    if (newest === null || newest.seq <= this.#noted) return;
    // Another command of this machine may know more by now, or somebody may have changed the file: then it stays.
    const known = await readSeen(this.file);
    if (!known.ok || (known.value !== null && known.value.seq >= newest.seq)) return;
    const noted = await overwriteFile(this.file, Buffer.from(`${newest.seq}:${newest.hash}\n`));
    if (noted.ok) this.#noted = newest.seq;
  }
}
