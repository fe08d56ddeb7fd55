import { type Hex, sha256Hex } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { namedBlobs } from '../journal/blobs.js';
import { checkBody } from '../journal/body-schema.js';
import { admit, writeEntry } from '../journal/chain.js';
import { checkClock } from '../journal/clock.js';
import type { Entry, EntryBody, WrittenEntry } from '../journal/entries.js';
import { EMPTY_STATE, StateBuilder } from '../journal/fold.js';
import type { LineRow } from '../journal/line-rows.js';
import type { Hash } from '../journal/merkle.js';
import type { TreeRow } from '../journal/merkle-tree.js';
import { type Journal, JournalError, type JournalTransaction } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import type { JournalStore } from './journal-store.js';
import { Mutex } from './mutex.js';
import { catchUp, checkStart, type OnVerified, pagesFrom } from './read-chain.js';
import { fillLines, keptLines, StoredLines } from './stored-lines.js';
import { StoredTree } from './stored-tree.js';

export interface OpenOptions {
  /** Wall clock in whole seconds; entries never go back behind the newest one, whatever it says. */
  readonly clock: () => UnixSeconds;
  /** Told, while an opening verifies the journal, how far it is. */
  readonly onVerified?: OnVerified | undefined;
}

export interface CreateOptions extends OpenOptions {
  readonly network: Network;
  /** 32 random bytes in hex: no two journals begin alike. */
  readonly nonce: Hex;
}

/** Writes the first entry of a journal into a store that was just made, and commits both. What fails closes the store. */
export async function beginJournal(store: JournalStore, options: CreateOptions): Promise<Result<Journal, Fault>> {
  const { network, nonce } = options;
  const opening = writeEntry(null, options.clock(), {
    kind: 'journal.opened',
    schema: 'countersign.journal/1',
    network,
    nonce,
  });
  const builder = new StateBuilder();
  return attempt(store, async () => {
    const admitted = admit(builder, opening.entry, opening.text);
    if (!admitted.ok) throw new Error(admitted.error.message);
    await store.insert([opening], []);
    const lines = new StoredLines(store);
    await lines.follow(EMPTY_STATE, builder, new Set());
    await store.commit();
    return ok<Journal>(new StoredJournal(store, builder, options.clock));
  });
}

/**
 * Reads all of a journal and verifies its chain. E_JOURNAL_TAMPERED where it does not verify or is damaged,
 * E_JOURNAL_SCHEMA where an entry is of a newer version, E_JOURNAL_LOCKED and E_JOURNAL_IO. What fails closes the store.
 */
export async function resumeJournal(store: JournalStore, options: OpenOptions): Promise<Result<Journal, Fault>> {
  const builder = new StateBuilder();
  return attempt(store, async () => {
    const caught = await catchUp(store, builder, options.onVerified);
    if (!caught.ok) return caught;
    const filled = await fillLines(store, builder);
    return filled.ok ? ok<Journal>(new StoredJournal(store, builder, options.clock)) : filled;
  });
}

/**
 * A journal of which nothing is read yet, for whoever verifies it entry by entry anyway. Its first state is folded, and with it
 * the chain verified, when somebody asks for one: `read` and `transact` answer then what resumeJournal would have. Entries are handed out unverified until then.
 */
export function deferJournal(store: JournalStore, options: OpenOptions): Journal {
  return new StoredJournal(store, new StateBuilder(), options.clock);
}

/** Runs a first step on a store; what fails in it closes the store. */
async function attempt(
  store: JournalStore,
  step: () => Promise<Result<Journal, Fault>>,
): Promise<Result<Journal, Fault>> {
  try {
    const done = await step();
    if (!done.ok) await store.close();
    return done;
  } catch (error) {
    await store.rollback();
    await store.close();
    const known = store.faultOf(error);
    if (known === null) throw error;
    return err(known);
  }
}

class StoredJournal implements Journal {
  readonly #store: JournalStore;
  readonly #clock: () => UnixSeconds;
  readonly #turns = new Mutex();
  readonly #tree: StoredTree;
  readonly #lines: StoredLines;
  #builder: StateBuilder;
  /** Of the store, when all that others had written was folded. */
  #version: number | null = null;

  constructor(store: JournalStore, builder: StateBuilder, clock: () => UnixSeconds) {
    this.#store = store;
    this.#tree = new StoredTree(store);
    this.#lines = new StoredLines(store);
    this.#builder = builder;
    this.#clock = clock;
  }

  read(): Promise<Result<JournalState, Fault>> {
    return this.#turns.run(() =>
      this.#guard(async () => {
        const caught = await this.#catchUp();
        return caught.ok ? ok(this.#builder.snapshot()) : caught;
      }),
    );
  }

  transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    return this.#turns.run(() => this.#transact(work));
  }

  async #transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    const begun = await this.#guard(async () => {
      await this.#store.begin();
      return this.#catchUp();
    });
    if (!begun.ok) {
      await this.#store.rollback();
      return begun;
    }
    const before = this.#builder.snapshot();
    const touched = this.#builder.watchBatches();
    const open = new OpenTransaction(this.#store, this.#builder, before, this.#clock());
    let kept = false;
    try {
      const done = await work(open);
      const fault = open.end();
      if (fault !== null) return err(fault);
      if (!done.ok) return done;
      const written = await open.write();
      if (!written.ok) return written;
      await this.#tree.grow((this.#builder.head?.seq ?? -1) + 1);
      await this.#lines.follow(before, this.#builder, touched);
      await this.#store.commit();
      kept = true;
      return done;
    } catch (error) {
      const fault = open.failure ?? (error instanceof JournalError ? error.fault : this.#store.faultOf(error));
      if (fault === null) throw error;
      return err(fault);
    } finally {
      if (!kept) {
        await this.#store.rollback();
        this.#builder = new StateBuilder(before);
        this.#version = null;
        this.#tree.forget();
        this.#lines.forget();
      }
    }
  }

  async #catchUp(): Promise<Result<void, Fault>> {
    // Asked before anything is read: what is written in between is read twice, and never missed.
    const version = (await this.#store.version?.()) ?? null;
    if (version !== null && version === this.#version) return ok(undefined);
    const caught = await catchUp(this.#store, this.#builder);
    this.#version = caught.ok ? version : null;
    return caught;
  }

  async *entries(from = 0): AsyncIterable<Entry> {
    for await (const { entry } of this.written(from)) yield entry;
  }

  async *written(from = 0): AsyncIterable<WrittenEntry> {
    const now = await this.#newest();
    if (!now.ok) throw new JournalError(now.error);
    const newest = now.value;
    try {
      for await (const page of pagesFrom(this.#store, from)) {
        for (const stored of page) {
          if (!stored.ok) throw new JournalError(stored.error);
          if (stored.value.entry.seq > newest) return;
          yield stored.value;
        }
      }
    } catch (error) {
      const known = this.#store.faultOf(error);
      throw known === null ? error : new JournalError(known);
    }
  }

  /** The number of the newest entry that may be handed out. */
  async #newest(): Promise<Result<number, Fault>> {
    if (this.#builder.head !== null) {
      const now = await this.read();
      return now.ok ? ok(now.value.head?.seq ?? -1) : now;
    }
    return this.#guard(async () => {
      const started = await checkStart(this.#store);
      return started.ok ? ok((await this.#store.newest())?.seq ?? -1) : started;
    });
  }

  async blob(sha256: Hex): Promise<Result<Uint8Array, Fault>> {
    return this.#guard(async () => {
      const bytes = await this.#store.blob(sha256);
      if (bytes !== null && sha256Hex(bytes) === sha256) return ok(bytes);
      return err(otherBytes(this.#store.name, sha256, bytes === null ? 'is missing' : undefined));
    });
  }

  async blobs(names: readonly Hex[]): Promise<Result<readonly Uint8Array[], Fault>> {
    return this.#guard(async () => {
      const found = await this.#store.blobs(names);
      const all: Uint8Array[] = [];
      for (const name of names) {
        const bytes = found.get(name);
        if (bytes === undefined) return err(otherBytes(this.#store.name, name, 'is missing'));
        if (sha256Hex(bytes) !== name) return err(otherBytes(this.#store.name, name));
        all.push(bytes);
      }
      return ok(all);
    });
  }

  async blobNames(): Promise<Result<readonly Hex[], Fault>> {
    return this.#guard(async () => ok(await this.#store.blobNames()));
  }

  size(): Promise<Result<number, Fault>> {
    return this.#guard(async () => ok(((await this.#store.newest())?.seq ?? -1) + 1));
  }

  lineRows(): Promise<Result<readonly LineRow[] | null, Fault>> {
    return this.#guard(async () => ok(await keptLines(this.#store)));
  }

  treeHashes(level: number, from: number, count: number): Promise<Result<readonly Hash[], Fault>> {
    return this.#guard(async () => ok(await this.#tree.hashes(level, from, count)));
  }

  treeRows(): Promise<Result<readonly TreeRow[], Fault>> {
    return this.#guard(async () => ok(await this.#tree.rows()));
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#store.close());
  }

  async #guard<T>(step: () => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    try {
      return await step();
    } catch (error) {
      const known = this.#store.faultOf(error);
      if (known === null) throw error;
      return err(known);
    }
  }
}

function otherBytes(store: string, name: Hex, what = 'has other bytes than its name says'): Fault {
  return fault('E_JOURNAL_TAMPERED', `blob ${name} ${what}`, {
    remedy: 'stop signing; keep the journal as it is and restore a copy from before',
    where: { file: store },
  });
}

/** Text that came from outside can be what no entry may hold: nothing is kept of the command, and no trace is shown. */
function unfit({ kind }: EntryBody, { message }: Fault): Fault {
  return fault('E_JOURNAL_ENTRY', `${kind} cannot be written: ${message}`, {
    remedy: 'shorten or correct what the command was given',
  });
}

/** Collects what `work` writes; it goes to the store in one piece when the work is done. */
class OpenTransaction implements JournalTransaction {
  readonly #entries: WrittenEntry[] = [];
  readonly #blobs = new Map<Hex, Uint8Array>();
  #ended = false;
  #bug: unknown = null;
  /** Set by the first thing that went wrong; whatever `work` makes of the exception, nothing is kept then. */
  failure: Fault | null = null;
  readonly at: UnixSeconds;

  constructor(
    private readonly store: JournalStore,
    private readonly builder: StateBuilder,
    readonly state: JournalState,
    private readonly now: UnixSeconds,
  ) {
    this.at = Math.max(now, state.head?.at ?? 0);
  }

  append(body: EntryBody): Entry {
    return this.#step(() => {
      const checked = checkBody(body);
      if (!checked.ok) throw new JournalError(unfit(body, checked.error));
      const timely = checkClock(this.builder.known, this.now, checked.value);
      if (!timely.ok) throw new JournalError(timely.error);
      const written = writeEntry(this.builder.head, this.now, checked.value);
      const applied = this.builder.apply(written.entry);
      if (!applied.ok) throw new JournalError(applied.error);
      this.#entries.push(written);
      return written.entry;
    });
  }

  keep(bytes: Uint8Array): Hex {
    return this.#step(() => {
      const name = sha256Hex(bytes);
      // A copy: what is kept is what it was when it was given.
      if (!this.#blobs.has(name)) this.#blobs.set(name, bytes.slice());
      return name;
    });
  }

  /** No more is taken from `work`. Returns what went wrong, if anything did; throws a bug that `work` caught. */
  end(): Fault | null {
    this.#ended = true;
    if (this.failure === null && this.#bug !== null) throw this.#bug;
    return this.failure;
  }

  /**
   * Writes all of it. E_JOURNAL_TAMPERED where other bytes lie under the name of a blob; throws where an entry names a
   * blob that nobody kept.
   */
  async write(): Promise<Result<void, Fault>> {
    const blobs = [...this.#blobs].map(([name, bytes]) => ({ name, bytes }));
    for (const name of await this.store.insert(this.#entries, blobs)) {
      const known = await this.store.blob(name);
      if (known === null || sha256Hex(known) !== name) return err(otherBytes(this.store.name, name));
    }
    for (const { entry } of this.#entries) {
      for (const name of namedBlobs(entry.body)) {
        if (this.#blobs.has(name) || (await this.store.blob(name)) !== null) continue;
        throw new Error(`an entry names blob ${name}, which was not kept`);
      }
    }
    return ok(undefined);
  }

  #step<T>(step: () => T): T {
    if (this.#ended) throw new Error('the transaction has ended');
    if (this.failure !== null) throw new JournalError(this.failure);
    try {
      return step();
    } catch (error) {
      if (error instanceof JournalError) this.failure = error.fault;
      else this.#bug = error;
      throw error;
    }
  }
}
