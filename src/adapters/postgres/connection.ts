import { readFileSync } from 'node:fs';
import pg from 'pg';
import { BUSY_TIMEOUT_MS } from '../journal-store.js';
import type { PostgresAddress } from './address.js';
import { LostTransaction } from './faults.js';

/** Longest wait for a connection, and for the answer to one statement. */
const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;

/**
 * A commit is durable when it is answered; a lock is waited for as long as with a file; a session that stands still within
 * a transaction lets go of the lock by itself; and whatever was set for the role, its own functions are not called.
 */
const SETTINGS = [
  'search_path = pg_catalog',
  'synchronous_commit = on',
  `lock_timeout = ${BUSY_TIMEOUT_MS}`,
  'statement_timeout = 0',
  'idle_in_transaction_session_timeout = 60000',
];

/** What each session asks of the server; one whose machine has gone ends by itself. */
const SESSION = [
  ...SETTINGS.map((setting) => `SET ${setting}`),
  "SET client_encoding = 'UTF8'",
  'SET tcp_keepalives_idle = 10',
  'SET tcp_keepalives_interval = 5',
  'SET tcp_keepalives_count = 3',
];

/**
 * A pooler may run each transaction on another session of its own, which was asked for none of this: so each asks again, in
 * one message with its beginning.
 */
const beginning = (isolation: string): string =>
  [`BEGIN ISOLATION LEVEL ${isolation}`, ...SETTINGS.map((setting) => `SET LOCAL ${setting}`)].join('; ');

export interface Answer {
  readonly command: string;
  readonly rows: unknown[][];
}

async function ask(client: pg.Client, text: string, values: readonly unknown[]): Promise<Answer> {
  const { command, rows } = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
  return { command, rows };
}

/** One connection, made when it is first needed and again after it was lost. */
export class PostgresConnection {
  #client: pg.Client | null = null;
  /** Which of its connections, one after another, a transaction was begun on; null outside of one. */
  #begunOn: pg.Client | null = null;

  constructor(readonly address: PostgresAddress) {}

  /** Rows as arrays. Throws what the driver throws; after a lost connection the next call makes another. */
  async query(text: string, values: readonly unknown[] = []): Promise<Answer> {
    return ask(this.#client ?? (await this.#connect()), text, values);
  }

  /** Begins a transaction; what `within` asks is asked on the same connection or not at all. */
  async begin(isolation: 'READ COMMITTED' | 'REPEATABLE READ READ ONLY' = 'READ COMMITTED'): Promise<void> {
    const client = this.#client ?? (await this.#connect());
    await client.query(beginning(isolation));
    this.#begunOn = this.#client;
  }

  /**
   * As `query`, as part of the transaction. Where its connection was lost since, also unnoticed, LostTransaction is thrown:
   * a statement on another connection would be a transaction of its own, without the lock.
   */
  async within(text: string, values: readonly unknown[] = []): Promise<Answer> {
    const client = this.#begunOn;
    if (client === null || client !== this.#client) throw new LostTransaction();
    return ask(client, text, values);
  }

  /** Ends the transaction, whether or not the server hears of it. */
  async end(statement: 'COMMIT' | 'ROLLBACK'): Promise<Answer> {
    try {
      return await this.within(statement);
    } finally {
      this.#begunOn = null;
    }
  }

  /** Ends the connection without waiting for the server. Never throws. */
  async drop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    // What a dead connection has to say about its end is of no use to anybody.
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.Client> {
    const { host, port, database, user, tls, caFile } = this.address;
    const client = new pg.Client({
      host,
      port,
      database,
      ...(user === null ? {} : { user }),
      ssl:
        tls === 'none' ? false : { rejectUnauthorized: true, ...(caFile === null ? {} : { ca: readFileSync(caFile) }) },
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      application_name: 'countersign',
    });
    // Without a listener the end of an idle connection would end the process; the next query says what happened.
    client.on('error', () => {
      if (this.#client === client) this.#client = null;
    });
    try {
      await client.connect();
      for (const statement of SESSION) await client.query(statement);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    return client;
  }
}
