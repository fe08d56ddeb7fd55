import { Socket } from 'node:net';
import pg from 'pg';
import { BUSY_TIMEOUT_MS } from '../journal-store.js';
import { passwordFor, tlsOptions } from './access.js';
import type { PostgresAddress } from './address.js';
import { LostTransaction } from './faults.js';

/** Longest wait for a connection, and for the answer to one statement. */
const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;
/** Longest wait for the other end to part as well. */
const PART_MS = 1_000;

/** no_active_sql_transaction: of COMMIT and ROLLBACK no more than a warning. */
const NO_TRANSACTION = '25P01';

/**
 * A commit is durable when it is answered; a lock is waited for as long as with a file; a session that stands still within
 * a transaction lets go of the lock by itself; and whatever was set for the role, its own functions are not called, nor is a
 * temporary table of its own taken for one of the server's.
 */
const SETTINGS = [
  'search_path = pg_catalog, pg_temp',
  'synchronous_commit = on',
  `lock_timeout = ${BUSY_TIMEOUT_MS}`,
  'statement_timeout = 0',
  'idle_in_transaction_session_timeout = 60000',
];

/**
 * What each session asks of the server, in one message; one whose machine has gone ends by itself. A standby would refuse to
 * read anything under the isolation that some roles are given.
 */
const SESSION = [
  ...SETTINGS,
  "default_transaction_isolation = 'read committed'",
  "client_encoding = 'UTF8'",
  'quote_all_identifiers = off',
  'tcp_keepalives_idle = 10',
  'tcp_keepalives_interval = 5',
  'tcp_keepalives_count = 3',
]
  .map((setting) => `SET ${setting}`)
  .join('; ');

/**
 * A pooler may run each transaction on another session of its own, which was asked for none of this: so each asks again, in
 * one message with its beginning.
 */
const beginning = (isolation: Isolation): string =>
  [`BEGIN ISOLATION LEVEL ${isolation}`, ...SETTINGS.map((setting) => `SET LOCAL ${setting}`)].join('; ');

export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ READ ONLY';

export interface Answer {
  readonly command: string;
  readonly rows: unknown[][];
}

async function ask(client: pg.Client, text: string, values: readonly unknown[]): Promise<Answer> {
  const { command, rows } = await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
  return { command, rows };
}

/** The driver answers several statements with a list, which its types do not say. */
function lastOf(answers: Answer | readonly Answer[]): Answer {
  const last = 'rows' in answers ? answers : answers.at(-1);
  if (last === undefined) throw new Error('the driver gave no answer');
  return last;
}

interface Line {
  readonly client: pg.Client;
  /** What its bytes go through, below TLS. */
  readonly socket: Socket;
}

/**
 * Ends a connection. The driver waits for the other end, which over TLS need not be heard any more after an error, nor where the
 * network swallows everything. What it has to say about its end is of no use to anybody.
 */
async function part({ client, socket }: Line): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
  const overdue = setTimeout(() => socket.destroy(), PART_MS);
  await Promise.race([client.end().catch(() => undefined), gone]);
  clearTimeout(overdue);
}

/** One connection, made when it is first needed and again after it was lost. */
export class PostgresConnection {
  #line: Line | null = null;
  /** Which of its connections, one after another, a transaction was begun on; null outside of one. */
  #begunOn: Line | null = null;

  constructor(readonly address: PostgresAddress) {}

  /** Rows as arrays. Throws what the driver throws; after a lost connection the next call makes another. */
  async query(text: string, values: readonly unknown[] = []): Promise<Answer> {
    const { client } = this.#line ?? (await this.#connect());
    return ask(client, text, values);
  }

  /**
   * Begins a transaction; what `within` asks is asked on the same connection or not at all. `first` goes with it in the same
   * message, and its answer is returned. What fails in it is ended like all else, with ROLLBACK or `drop`.
   */
  async begin(first: string, isolation: Isolation = 'READ COMMITTED'): Promise<Answer> {
    const line = this.#line ?? (await this.#connect());
    this.#begunOn = line;
    const text = `${beginning(isolation)}; ${first}`;
    return lastOf(await line.client.query<unknown[]>({ text, rowMode: 'array' }));
  }

  /**
   * As `query`, as part of the transaction. Where its connection was lost since, also unnoticed, LostTransaction is thrown:
   * a statement on another connection would be a transaction of its own, without the lock.
   */
  async within(text: string, values: readonly unknown[] = []): Promise<Answer> {
    const line = this.#begunOn;
    if (line === null || line !== this.#line) throw new LostTransaction();
    return ask(line.client, text, values);
  }

  /**
   * Ends the transaction, whether or not the server hears of it. Answers also what it warned of. A COMMIT of no transaction, as on
   * another session that a pooler lent in the middle of it, is answered like any other: LostTransaction.
   */
  async end(statement: 'COMMIT' | 'ROLLBACK'): Promise<Answer & { readonly warnings: readonly string[] }> {
    const client = this.#begunOn?.client;
    const warnings: string[] = [];
    let isGone = false;
    const hear = ({ code, message }: { code?: string | undefined; message?: string | undefined }): void => {
      if (code === NO_TRANSACTION) isGone = true;
      else if (code?.startsWith('01')) warnings.push(message ?? code);
    };
    client?.on('notice', hear);
    try {
      const answer = await this.within(statement);
      if (isGone && statement === 'COMMIT') throw new LostTransaction();
      return { ...answer, warnings };
    } finally {
      client?.off('notice', hear);
      this.#begunOn = null;
    }
  }

  /** Ends the connection without waiting for the server. Never throws. */
  async drop(): Promise<void> {
    const line = this.#line;
    this.#line = null;
    if (line !== null) await part(line);
  }

  async #connect(): Promise<Line> {
    const { host, port, database, user } = this.address;
    const socket = new Socket();
    const client: pg.Client = new pg.Client({
      host,
      port,
      database,
      ...(user === null ? {} : { user }),
      stream: () => socket,
      ssl: tlsOptions(this.address),
      // Asked for only where the server asks for one.
      password: () => passwordFor({ host, port, database, user: client.user ?? '' }, process.env),
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      application_name: 'countersign',
    });
    const line: Line = { client, socket };
    // Without a listener the end of an idle connection would end the process; the next query says what happened.
    client.on('error', () => {
      if (this.#line === line) this.#line = null;
    });
    try {
      await client.connect();
      await client.query(SESSION);
    } catch (error) {
      await part(line);
      throw error;
    }
    this.#line = line;
    return line;
  }
}
