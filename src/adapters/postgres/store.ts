import type { Hex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { WrittenEntry } from '../../journal/entries.js';
import {
  type JournalStore,
  type LineRows,
  PAGE_SIZE,
  type Page,
  readHead,
  readPage,
  type StoredBlob,
  type TreeRows,
} from '../journal-store.js';
import type { PostgresAddress } from './address.js';
import { PostgresConnection } from './connection.js';
import { isLost, LostTransaction, postgresFault, UnknownEnd } from './faults.js';
import { LAYOUT_COMMENT, LAYOUT_QUERY, layoutLines, layoutOf, layoutStatements, NEWEST_LAYOUT } from './layout.js';
import { lineRows } from './lines.js';
import { wholeNumber } from './whole-number.js';

const OLDEST_SERVER = 150_000;
/** Bytes of blobs in one statement. */
const PIECE = 16 * 2 ** 20;
/** How long the end of a lost session is waited for, until it is known what became of its transaction. */
const AFTERMATH_MS = 15_000;

/** The tables in a schema of PostgreSQL, shared by as many machines as can reach it. */
class PostgresStore implements JournalStore {
  readonly name: string;
  readonly #connection: PostgresConnection;
  readonly #schema: string;
  #newest: WrittenEntry | null = null;
  readonly tree: TreeRows;
  readonly lines?: LineRows;

  constructor(connection: PostgresConnection, keepsLines: boolean) {
    this.#connection = connection;
    this.#schema = connection.address.schema;
    this.name = connection.address.name;
    this.tree = treeRows(connection);
    if (keepsLines) this.lines = lineRows(connection);
  }

  async page(seq: number): Promise<Page> {
    const { rows } = await this.#query(
      `SELECT seq, at, prev, body, hash FROM ${this.#schema}.entries WHERE seq >= $1 ORDER BY seq LIMIT ${PAGE_SIZE}`,
      [seq],
    );
    return readPage(rows.map((row) => [wholeNumber(row[0]), ...row.slice(1)]));
  }

  async newest(): ReturnType<JournalStore['newest']> {
    const { rows } = await this.#query(`SELECT seq, hash FROM ${this.#schema}.entries ORDER BY seq DESC LIMIT 1`);
    const [row] = rows;
    return readHead(row === undefined ? row : [wholeNumber(row[0]), row[1]]);
  }

  async hasBefore(seq: number): Promise<boolean> {
    const { rows } = await this.#query(`SELECT 1 FROM ${this.#schema}.entries WHERE seq < $1 LIMIT 1`, [seq]);
    return rows.length > 0;
  }

  async blob(name: Hex): Promise<Uint8Array | null> {
    const { rows } = await this.#query(`SELECT bytes FROM ${this.#schema}.blobs WHERE sha256 = $1`, [name]);
    const bytes = rows[0]?.[0];
    return bytes instanceof Uint8Array ? new Uint8Array(bytes) : null;
  }

  async blobNames(): Promise<readonly Hex[]> {
    const { rows } = await this.#query(`SELECT sha256 FROM ${this.#schema}.blobs ORDER BY sha256 COLLATE "C"`);
    return rows.map(([name]) => String(name));
  }

  /** The lock is of the transaction: it cannot outlive it, whatever becomes of this process. It keeps nobody from reading. */
  async begin(): Promise<void> {
    this.#newest = null;
    await this.#connection.begin();
    await this.#connection.within(lockStatement(this.#schema));
  }

  async insert(entries: readonly WrittenEntry[], blobs: readonly StoredBlob[]): Promise<readonly Hex[]> {
    if (entries.length > 0) {
      const column = (of: (one: WrittenEntry) => unknown): unknown[] => entries.map(of);
      await this.#connection.within(
        `INSERT INTO ${this.#schema}.entries (seq, at, prev, body, hash)
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])`,
        [
          column(({ entry }) => entry.seq),
          column(({ entry }) => entry.at),
          column(({ entry }) => entry.prev),
          column(({ text }) => text),
          column(({ entry }) => entry.hash),
        ],
      );
      this.#newest = entries.at(-1) ?? null;
    }
    const known: Hex[] = [];
    for (const piece of pieces(blobs)) {
      const { rows } = await this.#connection.within(
        `INSERT INTO ${this.#schema}.blobs (sha256, bytes)
         SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING RETURNING sha256`,
        [piece.map(({ name }) => name), piece.map(({ bytes }) => Buffer.from(bytes))],
      );
      const fresh = new Set(rows.map(([name]) => name));
      known.push(...piece.map(({ name }) => name).filter((name) => !fresh.has(name)));
    }
    return known;
  }

  /** Where the connection is lost in the middle of it, the server is asked how it ended before anything is said. */
  async commit(): Promise<void> {
    const newest = this.#newest;
    try {
      const { command } = await this.#connection.end('COMMIT');
      // A transaction that failed before is rolled back by COMMIT without an error.
      if (command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${command}`);
    } catch (error) {
      if (!isLost(error) || newest === null) throw error;
      await this.#connection.drop();
      if (!(await this.#isKept(newest))) throw error;
    }
  }

  async rollback(): Promise<void> {
    try {
      await this.#connection.end('ROLLBACK');
    } catch (error) {
      // The server rolls back what it hears nothing more of.
      if (!(error instanceof LostTransaction)) await this.#connection.drop();
    }
  }

  close(): Promise<void> {
    return this.#connection.drop();
  }

  faultOf(error: unknown): Fault | null {
    return postgresFault(error, this.name);
  }

  /** The lock is free only when the lost session has ended, one way or the other. */
  async #isKept({ entry }: WrittenEntry): Promise<boolean> {
    try {
      await this.#connection.begin();
      await this.#connection.within(`SET LOCAL lock_timeout = ${AFTERMATH_MS}`);
      await this.#connection.within(lockStatement(this.#schema));
      const { rows } = await this.#connection.within(`SELECT hash FROM ${this.#schema}.entries WHERE seq = $1`, [
        entry.seq,
      ]);
      await this.#connection.end('ROLLBACK');
      return rows[0]?.[0] === entry.hash;
    } catch (error) {
      await this.#connection.drop();
      if (this.faultOf(error) === null) throw error;
      throw new UnknownEnd(entry.seq);
    }
  }

  async #query(text: string, values?: readonly unknown[]): ReturnType<PostgresConnection['query']> {
    try {
      return await this.#connection.query(text, values);
    } catch (error) {
      if (isLost(error)) await this.#connection.drop();
      throw error;
    }
  }
}

function treeRows(connection: PostgresConnection): TreeRows {
  const { schema } = connection.address;
  return {
    hashes: async (level, n, count) => {
      const text =
        level === 0
          ? `SELECT seq, hash FROM ${schema}.entries WHERE seq >= $1 AND seq < $2 ORDER BY seq`
          : `SELECT n, hash FROM ${schema}.subtrees WHERE n >= $1 AND n < $2 AND level = $3 ORDER BY n`;
      const { rows } = await connection.query(text, level === 0 ? [n, n + count] : [n, n + count, level]);
      const end = rows.findIndex(([at], index) => wholeNumber(at) !== n + index);
      return rows.slice(0, end < 0 ? rows.length : end).map(([, hash]) => String(hash));
    },
    count: async (level, due) => {
      const { rows } = await connection.query(
        `SELECT max(n) FROM ${schema}.subtrees WHERE level = $1 AND n >= 0 AND n < $2`,
        [level, due],
      );
      const newest = rows[0]?.[0] ?? null;
      return newest === null ? 0 : Number(newest) + 1;
    },
    all: async () => {
      const { rows } = await connection.query(`SELECT level, n, hash FROM ${schema}.subtrees ORDER BY level, n`);
      return rows.map(([level, n, hash]) => ({ level: Number(level), n: Number(n), hash: String(hash) }));
    },
    insert: async (subtrees) => {
      if (subtrees.length === 0) return;
      await connection.within(
        `INSERT INTO ${schema}.subtrees (level, n, hash) SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[])`,
        [subtrees.map(({ level }) => level), subtrees.map(({ n }) => n), subtrees.map(({ hash }) => hash)],
      );
    },
  };
}

/** Two numbers that nothing else on the server locks by: "csj1", and the table of this journal. */
function lockStatement(schema: string): string {
  return `SELECT pg_advisory_xact_lock(1668508209, '${schema}.entries'::regclass::oid::int)`;
}

function* pieces(blobs: readonly StoredBlob[]): Generator<readonly StoredBlob[]> {
  let piece: StoredBlob[] = [];
  let size = 0;
  for (const blob of blobs) {
    piece.push(blob);
    size += blob.bytes.length;
    if (size < PIECE) continue;
    yield piece;
    piece = [];
    size = 0;
  }
  if (piece.length > 0) yield piece;
}

/** Opens a journal that is there. E_JOURNAL_MISSING, E_JOURNAL_SCHEMA, E_JOURNAL_TAMPERED, E_JOURNAL_IO. */
export async function openStore(address: PostgresAddress): Promise<Result<JournalStore, Fault>> {
  return guarded(address, async (connection) => {
    const found = await commentOf(connection);
    if (found === null) {
      return fail('E_JOURNAL_MISSING', `there is no journal`, {
        remedy: 'make one with countersign init --store, or correct the address in countersign.yaml',
        where: { file: address.name },
      });
    }
    const layout = layoutOf(found);
    if (layout === null) {
      return fail(
        'E_JOURNAL_SCHEMA',
        `its comment is ${JSON.stringify(found)}, not ${JSON.stringify(LAYOUT_COMMENT)}`,
        {
          remedy: 'use the version of countersign that wrote it, or a newer one',
          where: { file: address.name },
        },
      );
    }
    const { rows } = await connection.query(LAYOUT_QUERY, [address.schema]);
    const lines = rows.map(([line]) => String(line));
    const due = layoutLines(address.schema, layout);
    if (JSON.stringify(lines) !== JSON.stringify(due)) {
      // A trigger or a rule could drop entries silently, a view or a row policy could hide some, an unlogged table forgets.
      const odd = lines.find((line) => !due.includes(line)) ?? 'something is missing';
      return fail('E_JOURNAL_TAMPERED', `its tables and triggers are not those of a journal: ${odd}`, {
        remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
        where: { file: address.name },
      });
    }
    const isNewest = layout === NEWEST_LAYOUT || (await migrate(connection, layout));
    return ok(new PostgresStore(connection, isNewest && (await mayKeepLines(connection))));
  });
}

/**
 * Brings an older layout up to date, which only the owner of its tables can; everybody else goes on without what it lacks.
 * Answers whether it is up to date.
 */
async function migrate(connection: PostgresConnection, layout: number): Promise<boolean> {
  const { schema } = connection.address;
  const { rows } = await connection.query(
    `SELECT pg_has_role(relowner, 'USAGE') AND has_schema_privilege(relnamespace, 'CREATE')
       AND current_setting('transaction_read_only') = 'off' FROM pg_class WHERE oid = $1::text::regclass`,
    [`${schema}.entries`],
  );
  if (rows[0]?.[0] !== true) return false;
  await connection.begin();
  await connection.within(lockStatement(schema));
  // Another process may have done so in the meantime.
  const isDue = layoutOf((await commentOf(connection)) ?? '') === layout;
  if (isDue) for (const statement of layoutStatements(schema, layout)) await connection.within(statement);
  await connection.end('COMMIT');
  return true;
}

/** Whoever adds entries has to add rows of lists as well. Without the right to, this user's lists are folded. */
async function mayKeepLines(connection: PostgresConnection): Promise<boolean> {
  const { schema } = connection.address;
  const may = (table: string, right: string): string => `has_table_privilege('${schema}.${table}', '${right}')`;
  const { rows } = await connection.query(
    `SELECT ${may('batch_lines', 'SELECT')} AND (${may('batch_lines', 'INSERT')} OR NOT ${may('entries', 'INSERT')})`,
  );
  return rows[0]?.[0] === true;
}

/** Makes the schema with its empty tables, or refuses where it holds anything. The transaction is left open for the opening. */
export async function createStore(address: PostgresAddress): Promise<Result<JournalStore, Fault>> {
  return guarded(address, async (connection) => {
    await connection.begin();
    const { rows } = await connection.within(
      `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)
           OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1)`,
      [address.schema],
    );
    if (rows[0]?.[0] !== false) {
      return fail('E_JOURNAL_EXISTS', `the schema holds something already`, {
        remedy:
          'to work with the journal that is there: countersign init --store ADDRESS --join; for a new one choose another schema',
        where: { file: address.name },
      });
    }
    for (const statement of layoutStatements(address.schema, 0)) await connection.within(statement);
    return ok(new PostgresStore(connection, true));
  });
}

async function commentOf(connection: PostgresConnection): Promise<string | null> {
  const { rows } = await connection.query(
    "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1",
    [connection.address.schema],
  );
  const comment = rows[0]?.[0];
  return typeof comment === 'string' ? comment : null;
}

/** Runs `work` on a fresh connection to a server that can keep a journal; a failure closes it and becomes a fault. */
async function guarded(
  address: PostgresAddress,
  work: (connection: PostgresConnection) => Promise<Result<JournalStore, Fault>>,
): Promise<Result<JournalStore, Fault>> {
  const connection = new PostgresConnection(address);
  try {
    const able = await checkServer(connection);
    const done = able.ok ? await work(connection) : able;
    if (!done.ok) await connection.drop();
    return done;
  } catch (error) {
    await connection.drop();
    const known = postgresFault(error, address.name);
    if (known === null) throw error;
    return err(known);
  }
}

async function checkServer(connection: PostgresConnection): Promise<Result<void, Fault>> {
  const { rows } = await connection.query(
    `SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('fsync'),
       quote_ident($1) = $1`,
    [connection.address.schema],
  );
  const [number, version, fsync, isPlain] = rows[0] ?? [];
  const where = { file: connection.address.name };
  if (typeof number !== 'number' || number < OLDEST_SERVER) {
    return fail('E_JOURNAL_IO', `its server is PostgreSQL ${String(version)}`, {
      remedy: 'use PostgreSQL 15 or newer',
      where,
    });
  }
  if (fsync !== 'on') {
    return fail('E_JOURNAL_IO', `its server runs with fsync off, and forgets in a power cut`, {
      remedy: 'set fsync = on in postgresql.conf',
      where,
    });
  }
  if (isPlain !== true) {
    return fail(
      'E_JOURNAL_ADDRESS',
      `${quoted(connection.address.schema)} is a word of SQL, and no name of a schema here`,
      {
        remedy: 'choose another name, as schema=NAME in the address',
        where,
      },
    );
  }
  return ok(undefined);
}
