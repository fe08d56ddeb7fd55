import { existsSync, statSync } from 'node:fs';
import Database from 'libsql';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { WrittenEntry } from '../journal/entries.js';
import { JournalError } from '../journal/port.js';
import {
  BUSY_TIMEOUT_MS,
  type JournalStore,
  type LineRows,
  PAGE_SIZE,
  type Page,
  readHead,
  readPage,
  type StoredBlob,
  type TreeRows,
} from './journal-store.js';
import { sqliteFault } from './sqlite-faults.js';
import { bringUpToDate, layoutOf, NEWEST_LAYOUT, SINCE } from './sqlite-layout.js';
import { lineRows } from './sqlite-lines.js';
import { APPLICATION_ID, cutToNothing, cutWithinPage, hasLog, isBlank, remains, stateOf } from './sqlite-place.js';
import { unlocked, unlockedName } from './sqlite-unlocked.js';

function treeRows(db: Database.Database): TreeRows {
  const leaves = db.prepare('SELECT hash FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq');
  const subtrees = db.prepare('SELECT n, hash FROM subtrees WHERE level = ? AND n >= ? AND n < ? ORDER BY n');
  const newest = db.prepare('SELECT max(n) FROM subtrees WHERE level = ? AND n >= 0 AND n < ?');
  const insert = db.prepare('INSERT INTO subtrees (level, n, hash) VALUES (?, ?, ?)');
  return {
    hashes: async (level, n, count) => {
      if (level === 0) return (leaves.raw().all(n, n + count) as unknown[][]).map(([hash]) => String(hash));
      const rows = subtrees.raw().all(level, n, n + count) as unknown[][];
      const end = rows.findIndex(([at], index) => at !== n + index);
      return rows.slice(0, end < 0 ? rows.length : end).map(([, hash]) => String(hash));
    },
    count: async (level, due) => {
      const row = newest.raw().get(level, due) as unknown[] | undefined;
      return typeof row?.[0] === 'number' ? row[0] + 1 : 0;
    },
    insert: async (rows) => {
      for (const { level, n, hash } of rows) insert.run(level, n, hash);
    },
    all: async () => {
      const rows = db.prepare('SELECT level, n, hash FROM subtrees ORDER BY level, n').raw().all() as unknown[][];
      return rows.map(([level, n, hash]) => ({ level: Number(level), n: Number(n), hash: String(hash) }));
    },
  };
}

/** The tables in one file. libsql works at once; the promises are the port's, for stores that have to wait. */
class SqliteStore implements JournalStore {
  readonly #db: Database.Database;
  readonly #page: Database.Statement;
  readonly #version: Database.Statement;
  readonly #insertEntry: Database.Statement;
  readonly #insertBlob: Database.Statement;
  readonly #selectBlob: Database.Statement;
  readonly tree?: TreeRows;
  readonly lines?: LineRows;
  /** The write-ahead log that this connection has open. */
  readonly #log: bigint | null;

  constructor(
    db: Database.Database,
    readonly name: string,
    layout = NEWEST_LAYOUT,
  ) {
    this.#db = db;
    this.#page = db.prepare(
      `SELECT seq, at, prev, body, hash FROM entries WHERE seq >= ? ORDER BY seq LIMIT ${PAGE_SIZE}`,
    );
    this.#version = db.prepare('PRAGMA data_version');
    this.#insertEntry = db.prepare('INSERT INTO entries (seq, at, prev, body, hash) VALUES (?, ?, ?, ?, ?)');
    this.#insertBlob = db.prepare('INSERT INTO blobs (sha256, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#selectBlob = db.prepare('SELECT bytes FROM blobs WHERE sha256 = ?');
    if (layout >= SINCE.tree) this.tree = treeRows(db);
    if (layout >= SINCE.lines) this.lines = lineRows(db);
    // Preparing has read the schema, and with it opened the log.
    this.#log = logOf(name);
  }

  async page(seq: number): Promise<Page> {
    return readPage(this.#page.raw().all(seq) as unknown[][]);
  }

  async insert(entries: readonly WrittenEntry[], blobs: readonly StoredBlob[]): Promise<readonly Hex[]> {
    for (const { entry, text } of entries) {
      this.#insertEntry.run(entry.seq, entry.at, entry.prev, text, entry.hash);
    }
    const known: Hex[] = [];
    for (const { name, bytes } of blobs) {
      const { changes } = this.#insertBlob.run(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (changes === 0) known.push(name);
    }
    return known;
  }

  async blobNames(): Promise<readonly Hex[]> {
    const rows = this.#db.prepare('SELECT sha256 FROM blobs ORDER BY sha256').raw().all() as unknown[][];
    return rows.map(([name]) => String(name));
  }

  async version(): Promise<number> {
    const row = this.#version.raw().get() as unknown[] | undefined;
    return Number(row?.[0]);
  }

  async newest(): ReturnType<JournalStore['newest']> {
    const row = this.#db.prepare('SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1').raw().get();
    return readHead(row as unknown[] | undefined);
  }

  async hasBefore(seq: number): Promise<boolean> {
    return this.#db.prepare('SELECT 1 FROM entries WHERE seq < ? LIMIT 1').raw().get(seq) !== undefined;
  }

  async blob(name: Hex): Promise<Uint8Array | null> {
    const row = this.#selectBlob.raw().get(name) as unknown[] | undefined;
    const bytes = row?.[0];
    return bytes instanceof Uint8Array ? new Uint8Array(bytes) : null;
  }

  async blobs(names: readonly Hex[]): Promise<ReadonlyMap<Hex, Uint8Array>> {
    const found = new Map<Hex, Uint8Array>();
    for (const name of names) {
      const bytes = await this.blob(name);
      if (bytes !== null) found.set(name, bytes);
    }
    return found;
  }

  async begin(): Promise<void> {
    this.#db.exec('BEGIN IMMEDIATE');
    // Under the lock nobody who follows SQLite's rules removes the log. Who did has parted this connection from others: what
    // it wrote would be in a file that nobody else can open, and lost to the next crash.
    if (logOf(this.name) !== this.#log) throw new JournalError(logRemoved(this.name));
  }

  async commit(): Promise<void> {
    this.#db.exec('COMMIT');
  }

  async rollback(): Promise<void> {
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  async close(): Promise<void> {
    if (this.#db.open) this.#db.close();
  }

  faultOf(error: unknown): Fault | null {
    return error instanceof JournalError ? error.fault : sqliteFault(error, this.name);
  }
}

/** Which file the write-ahead log beside a journal is, or null where there is none. */
function logOf(path: string): bigint | null {
  return statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

function logRemoved(path: string): Fault {
  return fault('E_JOURNAL_TAMPERED', 'its write-ahead log (-wal) was removed or replaced while it was open', {
    remedy: 'let every countersign command end, leave the files of the journal alone, and run countersign audit verify',
    where: { file: path },
  });
}

/** Makes the file with its empty tables, or refuses; anything that is there already stays as it is, unless it is blank. */
export function createStore(path: string): Result<JournalStore, Fault> {
  if (existsSync(path) && (!statSync(path).isFile() || (statSync(path).size > 0 && !isBlank(path)))) {
    return alreadyThere(path);
  }
  return guarded(path, (db) => {
    const durable = makeDurable(db, path);
    if (!durable.ok) return durable;
    db.exec('BEGIN IMMEDIATE');
    if (objects(db).length > 0) {
      db.exec('ROLLBACK');
      return alreadyThere(path);
    }
    bringUpToDate(db, 0);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    // Left open: the caller writes the first entry into the same transaction, so no journal is ever seen without it.
    return ok(new SqliteStore(db, path));
  });
}

function alreadyThere(path: string): Result<never, Fault> {
  return fail('E_JOURNAL_EXISTS', `there is a file already`, {
    remedy: 'choose another place; a journal is never overwritten',
    where: { file: path },
  });
}

/**
 * Opens a journal that is there. Nothing is written to a file that turns out to be something else. One that cannot be written
 * to is opened for reading alone, if that can be done honestly.
 */
export function openStore(path: string): Result<JournalStore, Fault> {
  if (!existsSync(path)) {
    return fail('E_JOURNAL_MISSING', `there is no journal`, {
      remedy: 'make a workspace with countersign init, or run the command inside one',
      where: { file: path },
    });
  }
  const cut = cutToNothing(path);
  if (cut !== null) return err(cut);
  const settled = !hasLog(path);
  const opened = guarded(path, (db) => {
    const checked = checkKind(db, path, settled);
    if (!checked.ok) return checked;
    const durable = makeDurable(db, path);
    if (!durable.ok) return durable;
    if (checked.value < NEWEST_LAYOUT) migrate(db);
    return ok(new SqliteStore(db, path));
  });
  return opened.ok || opened.error.tag !== 'E_JOURNAL_IO' ? opened : openUnlocked(path, opened.error);
}

/** For reading alone, where the journal cannot be written: as a file that nobody changes. `why` is what SQLite said before. */
function openUnlocked(path: string, why: Fault): Result<JournalStore, Fault> {
  const before = stateOf(path);
  const name = unlockedName(path);
  if (!name.ok) return name;
  const opened = guarded(
    path,
    (db) => {
      const checked = checkKind(db, path, true);
      if (!checked.ok) return checked;
      return ok(unlocked(new SqliteStore(db, path, checked.value), path, before, why));
    },
    name.value,
  );
  return opened.ok || opened.error.tag !== 'E_JOURNAL_IO' ? opened : err(why);
}

/** Runs `work` on a fresh connection; a failure closes it and becomes a fault. */
function guarded(
  path: string,
  work: (db: Database.Database) => Result<JournalStore, Fault>,
  name = path,
): Result<JournalStore, Fault> {
  let db: Database.Database | null = null;
  try {
    db = new Database(name, { timeout: BUSY_TIMEOUT_MS });
    const done = work(db);
    if (!done.ok) db.close();
    return done;
  } catch (error) {
    db?.close();
    const known = sqliteFault(error, path);
    if (known === null) throw error;
    return err((known.tag === 'E_JOURNAL_SCHEMA' ? remains(path) : null) ?? known);
  }
}

function pragma(db: Database.Database, name: string): unknown {
  const row = db.prepare(`PRAGMA ${name}`).raw().get() as unknown[] | undefined;
  return row?.[0];
}

function objects(db: Database.Database): string[] {
  const rows = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').raw().all();
  return (rows as unknown[][]).map(([sql]) => String(sql));
}

/** Brings an older layout up to date. Another process may have done so in the meantime. */
function migrate(db: Database.Database): void {
  db.exec('BEGIN IMMEDIATE');
  const version = pragma(db, 'user_version');
  if (typeof version === 'number' && version < NEWEST_LAYOUT) bringUpToDate(db, version);
  db.exec('COMMIT');
}

/** The layout, where it is one that this program knows. */
function checkKind(db: Database.Database, path: string, settled: boolean): Result<number, Fault> {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    const foreign = fault('E_JOURNAL_SCHEMA', `it is not a journal of countersign`, {
      remedy: 'name the journal that countersign init made',
      where: { file: path },
    });
    return err(remains(path) ?? foreign);
  }
  const cut = cutWithinPage(path, pragma(db, 'page_size'), settled);
  if (cut !== null) return err(cut);
  const version = pragma(db, 'user_version');
  const due = layoutOf(version);
  if (due === null) {
    return fail('E_JOURNAL_SCHEMA', `it has layout ${version}, this program knows ${NEWEST_LAYOUT}`, {
      remedy: 'use the version of countersign that wrote it, or a newer one',
      where: { file: path },
    });
  }
  const found = objects(db).sort();
  if (JSON.stringify(found) === JSON.stringify([...due].sort())) return ok(Number(version));
  // A trigger could drop entries silently, a view could show other ones.
  return fail('E_JOURNAL_TAMPERED', `its tables and triggers are not those of a journal`, {
    remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
    where: { file: path },
  });
}

/** What a durable commit takes. Returns a fault where the file system cannot give it. */
function makeDurable(db: Database.Database, path: string): Result<void, Fault> {
  const mode = pragma(db, 'journal_mode = WAL');
  if (mode !== 'wal') {
    return fail('E_JOURNAL_IO', `this file system does not support SQLite's write-ahead log (${mode})`, {
      remedy: 'keep the journal on a local disk',
      where: { file: path },
    });
  }
  db.exec('PRAGMA synchronous = FULL');
  // On macOS fsync does not reach the medium without this; elsewhere it changes nothing.
  db.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
  // Each commit moves its pages into the main file at once: a copy of that file alone is whole as of the last commit.
  db.exec('PRAGMA wal_autocheckpoint = 1');
  return ok(undefined);
}
