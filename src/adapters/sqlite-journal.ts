import { type Hex, sha256Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { namedBlobs } from '../journal/blobs.js';
import { bodyText, checkBody } from '../journal/body-schema.js';
import { admit, sealEntry } from '../journal/chain.js';
import { checkClock } from '../journal/clock.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import { StateBuilder } from '../journal/fold.js';
import { type Journal, JournalError, type JournalTransaction } from '../journal/port.js';
import type { JournalState } from '../journal/state.js';
import { Mutex } from './mutex.js';
import { sqliteFault } from './sqlite-faults.js';
import { createStore, openStore, type SqliteStore } from './sqlite-store.js';

export interface OpenOptions {
  /** Wall clock in whole seconds; entries never go back behind the newest one, whatever it says. */
  readonly clock: () => UnixSeconds;
}

export interface CreateOptions extends OpenOptions {
  readonly network: Network;
  /** 32 random bytes in hex: no two journals begin alike. */
  readonly nonce: Hex;
}

/**
 * Makes a journal with its first entry, durable when the promise resolves. E_JOURNAL_EXISTS where anything but an empty
 * file is at the place already, E_JOURNAL_IO where it cannot be written.
 */
export async function createJournal(path: string, options: CreateOptions): Promise<Result<Journal, Fault>> {
  const created = createStore(path);
  if (!created.ok) return created;
  const store = created.value;
  const { network, nonce } = options;
  const opening = sealEntry(null, options.clock(), {
    kind: 'journal.opened',
    schema: 'countersign.journal/1',
    network,
    nonce,
  });
  const builder = new StateBuilder();
  return attempt(store, () => {
    const text = bodyText(opening.body);
    const admitted = admit(builder, opening, text);
    if (!admitted.ok) throw new Error(admitted.error.message);
    store.insertEntry({ entry: opening, text });
    store.commit();
    return ok<Journal>(new SqliteJournal(store, builder, options.clock));
  });
}

/**
 * Opens a journal and verifies all of its chain. E_JOURNAL_MISSING, E_JOURNAL_SCHEMA for a file of another kind or a
 * newer layout, E_JOURNAL_TAMPERED for one that does not verify or is damaged, E_JOURNAL_LOCKED and E_JOURNAL_IO.
 */
export async function openJournal(path: string, options: OpenOptions): Promise<Result<Journal, Fault>> {
  const opened = openStore(path);
  if (!opened.ok) return opened;
  const store = opened.value;
  const builder = new StateBuilder();
  return attempt(store, () => {
    const caught = catchUp(store, builder);
    if (!caught.ok) {
      store.close();
      return caught;
    }
    // Entries are read from 0 on: a row before them would be seen by nobody.
    if (store.hasBefore(0)) {
      store.close();
      return fail('E_JOURNAL_TAMPERED', `${path}: it holds a row before its first entry`, {
        remedy: 'stop signing; keep this file as it is and compare it with a copy from before',
        where: { file: path },
      });
    }
    if (builder.head === null) {
      store.close();
      return fail('E_JOURNAL_TAMPERED', `${path}: it holds no entries, though even a new journal holds its opening`, {
        remedy: 'stop signing; keep this file as it is and restore a copy from before',
        where: { file: path },
      });
    }
    return ok<Journal>(new SqliteJournal(store, builder, options.clock));
  });
}

/** Runs a first step on a store; what fails in it closes the store. */
function attempt(store: SqliteStore, step: () => Result<Journal, Fault>): Result<Journal, Fault> {
  try {
    return step();
  } catch (error) {
    store.rollback();
    store.close();
    const known = sqliteFault(error, store.path);
    if (known === null) throw error;
    return err(known);
  }
}

/** Folds what was appended since, by whomever. The newest entry that is known must still be there, unchanged. */
function catchUp(store: SqliteStore, builder: StateBuilder): Result<void, Fault> {
  const known = builder.head;
  let found = known === null;
  for (const stored of store.from(known?.seq ?? 0)) {
    if (!stored.ok) return placed(stored, store);
    const { entry, text } = stored.value;
    if (entry.seq === known?.seq) {
      if (entry.hash !== known.hash) break;
      found = true;
      continue;
    }
    const admitted = admit(builder, entry, text);
    if (!admitted.ok) return placed(admitted, store);
  }
  if (found) return ok(undefined);
  return fail(
    'E_JOURNAL_TAMPERED',
    `${store.path}: entry ${known?.seq} changed or vanished while the journal was open`,
    {
      remedy: 'stop signing; keep this file as it is and compare it with a copy from before',
      where: { file: store.path },
    },
  );
}

function placed(failed: Result<never, Fault>, store: SqliteStore): Result<never, Fault> {
  return failed.ok ? failed : err({ ...failed.error, where: { file: store.path } });
}

class SqliteJournal implements Journal {
  readonly #store: SqliteStore;
  readonly #clock: () => UnixSeconds;
  readonly #turns = new Mutex();
  #builder: StateBuilder;

  constructor(store: SqliteStore, builder: StateBuilder, clock: () => UnixSeconds) {
    this.#store = store;
    this.#builder = builder;
    this.#clock = clock;
  }

  read(): Promise<Result<JournalState, Fault>> {
    return this.#turns.run(() =>
      this.#guard(() => {
        const caught = catchUp(this.#store, this.#builder);
        return caught.ok ? ok(this.#builder.snapshot()) : caught;
      }),
    );
  }

  transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    return this.#turns.run(() => this.#transact(work));
  }

  async #transact<T>(work: (tx: JournalTransaction) => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    const begun = this.#guard(() => {
      this.#store.begin();
      return catchUp(this.#store, this.#builder);
    });
    if (!begun.ok) {
      this.#store.rollback();
      return begun;
    }
    const before = this.#builder.snapshot();
    const open = new OpenTransaction(this.#store, this.#builder, before, this.#clock);
    let kept = false;
    try {
      const done = await work(open);
      const fault = open.end();
      if (fault !== null) return err(fault);
      if (!done.ok) return done;
      this.#store.commit();
      kept = true;
      return done;
    } catch (error) {
      const fault =
        open.failure ?? (error instanceof JournalError ? error.fault : sqliteFault(error, this.#store.path));
      if (fault === null) throw error;
      return err(fault);
    } finally {
      if (!kept) {
        this.#store.rollback();
        this.#builder = new StateBuilder(before);
      }
    }
  }

  async *entries(from = 0): AsyncIterable<Entry> {
    const now = await this.read();
    if (!now.ok) throw new JournalError(now.error);
    const newest = now.value.head?.seq ?? -1;
    // Entries beyond the newest committed one may belong to a transaction of this process that is still open.
    for (const stored of this.#store.from(from)) {
      if (!stored.ok) throw new JournalError(stored.error);
      if (stored.value.entry.seq > newest) return;
      yield stored.value.entry;
    }
  }

  async blob(sha256: Hex): Promise<Result<Uint8Array, Fault>> {
    return this.#guard(() => {
      const bytes = this.#store.blob(sha256);
      if (bytes !== null && sha256Hex(bytes) === sha256) return ok(bytes);
      return err(otherBytes(this.#store.path, sha256, bytes === null ? 'is missing' : undefined));
    });
  }

  async blobNames(): Promise<Result<readonly Hex[], Fault>> {
    return this.#guard(() => ok(this.#store.blobNames()));
  }

  close(): Promise<void> {
    return this.#turns.run(() => this.#store.close());
  }

  #guard<T>(step: () => Result<T, Fault>): Result<T, Fault> {
    try {
      return step();
    } catch (error) {
      const known = sqliteFault(error, this.#store.path);
      if (known === null) throw error;
      return err(known);
    }
  }
}

function otherBytes(path: string, name: Hex, what = 'has other bytes than its name says'): Fault {
  return fault('E_JOURNAL_TAMPERED', `${path}: blob ${name} ${what}`, {
    remedy: 'stop signing; keep this file as it is and restore a copy from before',
    where: { file: path },
  });
}

/** Text that came from outside can be what no entry may hold: nothing is kept of the command, and no trace is shown. */
function unfit({ kind }: EntryBody, { message }: Fault): Fault {
  return fault('E_JOURNAL_ENTRY', `${kind} cannot be written: ${message}`, {
    remedy: 'shorten or correct what the command was given',
  });
}

class OpenTransaction implements JournalTransaction {
  readonly #named = new Set<Hex>();
  #ended = false;
  #bug: unknown = null;
  /** Set by the first thing that went wrong; whatever `work` makes of the exception, nothing is kept then. */
  failure: Fault | null = null;

  constructor(
    private readonly store: SqliteStore,
    private readonly builder: StateBuilder,
    readonly state: JournalState,
    private readonly clock: () => UnixSeconds,
  ) {}

  append(body: EntryBody): Entry {
    return this.#write(() => {
      const checked = checkBody(body);
      if (!checked.ok) throw new JournalError(unfit(body, checked.error));
      const now = this.clock();
      const timely = checkClock(this.builder.known, now, checked.value);
      if (!timely.ok) throw new JournalError(timely.error);
      const entry = sealEntry(this.builder.head, now, checked.value);
      const applied = this.builder.apply(entry);
      if (!applied.ok) throw new JournalError(applied.error);
      this.store.insertEntry({ entry, text: bodyText(entry.body) });
      for (const name of namedBlobs(body)) this.#named.add(name);
      return entry;
    });
  }

  keep(bytes: Uint8Array): Hex {
    const name = sha256Hex(bytes);
    return this.#write(() => {
      if (this.store.insertBlob(name, bytes)) return name;
      const known = this.store.blob(name);
      if (known !== null && sha256Hex(known) === name) return name;
      throw new JournalError(otherBytes(this.store.path, name));
    });
  }

  /** No more writing. Returns what went wrong, if anything did; throws where an entry names a blob that nobody kept. */
  end(): Fault | null {
    this.#ended = true;
    if (this.failure !== null) return this.failure;
    if (this.#bug !== null) throw this.#bug;
    for (const name of this.#named) {
      if (this.store.blob(name) === null) throw new Error(`an entry names blob ${name}, which was not kept`);
    }
    return null;
  }

  #write<T>(step: () => T): T {
    if (this.#ended) throw new Error('the transaction has ended');
    if (this.failure !== null) throw new JournalError(this.failure);
    try {
      return step();
    } catch (error) {
      this.failure = error instanceof JournalError ? error.fault : sqliteFault(error, this.store.path);
      this.#bug = this.failure === null ? error : null;
      throw error;
    }
  }
}
