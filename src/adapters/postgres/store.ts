import type { Hex } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
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
import type { PostgresConnection } from './connection.js';
import { isLost, LostTransaction, NotOnStandby, postgresFault, ReadOnlyTransaction, UnknownEnd } from './faults.js';
import { lineRows } from './lines.js';
import { wholeNumber } from './whole-number.js';

/** Bytes of blobs in one statement. */
const PIECE = 16 * 2 ** 20;
/** How long the end of a lost session is waited for, until it is known what became of its transaction. */
const AFTERMATH_MS = 15_000;

/** The tables in a schema of PostgreSQL, shared by as many machines as can reach it. */
export class PostgresStore implements JournalStore {
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
    return (await this.blobs([name])).get(name) ?? null;
  }

  async blobs(names: readonly Hex[]): Promise<ReadonlyMap<Hex, Uint8Array>> {
    const { rows } = await this.#query(`SELECT sha256, bytes FROM ${this.#schema}.blobs WHERE sha256 = ANY($1)`, [
      names,
    ]);
    return new Map(
      rows.flatMap(([name, bytes]) => (bytes instanceof Uint8Array ? [[String(name), new Uint8Array(bytes)]] : [])),
    );
  }

  async blobNames(): Promise<readonly Hex[]> {
    const { rows } = await this.#query(`SELECT sha256 FROM ${this.#schema}.blobs ORDER BY sha256 COLLATE "C"`);
    return rows.map(([name]) => String(name));
  }

  /** The lock is of the transaction: it cannot outlive it, whatever becomes of this process. It keeps nobody from reading. */
  async begin(): Promise<void> {
    this.#newest = null;
    const { rows } = await this.#connection.begin(lockStatement(this.#schema));
    // On a standby all would be done but the writing, and an officer asked for a signature that nobody keeps.
    if (rows[0]?.[1] === 'on') throw new ReadOnlyTransaction();
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
      const { command, warnings } = await this.#connection.end('COMMIT');
      // A transaction that failed before is rolled back by COMMIT without an error.
      if (command !== 'COMMIT') throw new Error(`the server answered COMMIT with ${command}`);
      // Somebody ended its wait for the standby.
      const [warning] = warnings;
      if (warning !== undefined) throw new NotOnStandby(newest?.entry.seq ?? 0, warning);
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

  /**
   * The lock is free only when the lost session has ended, one way or the other. What is there is held for kept when another
   * commit after it is durable: a session that is ended while it waits for its standby leaves it written, and only here.
   */
  async #isKept({ entry }: WrittenEntry): Promise<boolean> {
    try {
      const { rows: begun } = await this.#connection.begin(
        `SET LOCAL lock_timeout = ${AFTERMATH_MS}; ${lockStatement(this.#schema)}`,
      );
      // A standby may not have it yet.
      if (begun[0]?.[1] === 'on') throw new ReadOnlyTransaction();
      const { rows } = await this.#connection.within(
        `SELECT hash, pg_logical_emit_message(true, 'countersign', '') FROM ${this.#schema}.entries WHERE seq = $1`,
        [entry.seq],
      );
      const { warnings } = await this.#connection.end('COMMIT');
      if (warnings.length > 0) throw new UnknownEnd(entry.seq);
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

/** Two numbers that nothing else on the server locks by: "csj1", and the table of this journal. And whether only reading is possible. */
export function lockStatement(schema: string): string {
  return `SELECT pg_advisory_xact_lock(1668508209, '${schema}.entries'::regclass::oid::int), current_setting('transaction_read_only')`;
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
