import { type Fault, fault } from '../../domain/fault.js';
import { JournalError } from '../../journal/port.js';

interface Answer {
  readonly tag: 'E_JOURNAL_LOCKED' | 'E_JOURNAL_SCHEMA' | 'E_JOURNAL_MISSING' | 'E_JOURNAL_TAMPERED' | 'E_JOURNAL_IO';
  readonly what: string;
  readonly remedy: string;
}

const AGAIN = 'let the other countersign command end, then run this one again';
const BUSY: Answer = { tag: 'E_JOURNAL_LOCKED', what: 'another process is writing to it', remedy: AGAIN };
const LOST: Answer = {
  tag: 'E_JOURNAL_IO',
  what: 'the connection was lost, or could not be made',
  remedy: 'check the server and the network, then run the command again: nothing of it was kept',
};
const DENIED: Answer = {
  tag: 'E_JOURNAL_IO',
  what: 'the server refuses this user',
  remedy:
    'check the user of the address, his password (~/.pgpass, PGPASSWORD) or certificate, and his rights: docs/shared-journal.md',
};
const BROKEN: Answer = {
  tag: 'E_JOURNAL_TAMPERED',
  what: 'the server says that its data is damaged, or refuses what a journal needs',
  remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
};

const GONE: Answer = {
  tag: 'E_JOURNAL_TAMPERED',
  what: 'a part of it is not there any more',
  remedy: 'stop signing; find out who removed it, and restore it from a copy',
};

const READ_ONLY: Answer = {
  tag: 'E_JOURNAL_IO',
  what: 'it can only be read here: the server is a standby, or this user was told to write nothing',
  remedy: 'write to the primary server, or have default_transaction_read_only off; reading and auditing work here',
};

/** What has no better name: some setting of the server, or a program between that is not one. */
const REFUSED: Answer = {
  tag: 'E_JOURNAL_IO',
  what: 'the server refuses what a journal needs',
  remedy: 'nothing of this command was kept; show what it says to whoever runs the server',
};

/** By SQLSTATE, or its class (https://www.postgresql.org/docs/15/errcodes-appendix.html); the longest that fits counts. */
const STATES: Readonly<Record<string, Answer>> = {
  '08': LOST,
  '22': {
    tag: 'E_JOURNAL_IO',
    what: 'the database cannot hold what was to be written',
    remedy: 'nothing of this command was kept; a database for journals is made with ENCODING UTF8',
  },
  '25006': READ_ONLY,
  '25P03': LOST,
  '23': {
    tag: 'E_JOURNAL_TAMPERED',
    what: 'a row stands where the next one had to go: somebody writes to it past the lock',
    remedy: 'stop signing; find out which program wrote to it: nothing of this command was kept',
  },
  '28': DENIED,
  // The schema, a table, a column or a function is not there any more.
  '3F000': GONE,
  '42P01': GONE,
  '42703': GONE,
  '42883': GONE,
  '3D000': {
    tag: 'E_JOURNAL_MISSING',
    what: 'the server has no such database',
    remedy: 'make it, or correct the address in countersign.yaml',
  },
  '40': BUSY,
  '42501': DENIED,
  '53': {
    tag: 'E_JOURNAL_IO',
    what: 'the server is out of disk, memory or connections',
    remedy: 'make room there and run the command again: nothing of it was kept',
  },
  '55P03': BUSY,
  '57': LOST,
  '58': {
    tag: 'E_JOURNAL_IO',
    what: "the server's medium failed",
    remedy: 'check its disk before anything else is signed',
  },
  P0001: BROKEN,
  XX: BROKEN,
};

/** What Node and the driver say where no server answered. */
const UNREACHED = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);
const LOST_WORDS =
  /^(Connection terminated|timeout exp|Query read timeout|Client has encountered a connection error|Client was closed)/;
const TLS_WORDS = /certificate|SSL|TLS/i;

/** The connection was lost while a transaction was made durable, and the server could not be asked how it ended. */
export class UnknownEnd extends Error {
  constructor(readonly seq: number) {
    super(`whether entry ${seq} was kept is not known`);
    this.name = 'UnknownEnd';
  }
}

/** A transaction was made durable on the server alone, though it keeps standbys that should have it too. */
export class NotOnStandby extends Error {
  constructor(
    readonly seq: number,
    said: string,
  ) {
    super(said);
    this.name = 'NotOnStandby';
  }
}

/** The connection on which a transaction was begun is no more, or the session behind it. */
export class LostTransaction extends Error {
  constructor() {
    super('the connection of the transaction was lost');
    this.name = 'LostTransaction';
  }
}

/** Nothing can be written in this transaction: found before anything of it was done. */
export class ReadOnlyTransaction extends Error {
  constructor() {
    super('nothing is written in this transaction');
    this.name = 'ReadOnlyTransaction';
  }
}

/** Whether the server may have gone on without being heard. */
export function isLost(error: unknown): boolean {
  return answerTo(error) === LOST;
}

/** The fault behind what the driver threw, or null where it threw something else: then it is a bug and goes on up. */
export function postgresFault(error: unknown, name: string): Fault | null {
  if (error instanceof UnknownEnd) {
    return fault('E_JOURNAL_IO', `the connection was lost at the last moment: ${error.message}`, {
      remedy: 'look before anything is repeated, when the server answers again: countersign audit log',
      where: { file: name },
    });
  }
  if (error instanceof NotOnStandby) {
    return fault('E_JOURNAL_IO', `entry ${error.seq} is written, and may be lost with this server (${error.message})`, {
      remedy: 'find out why no standby has it before anything is repeated: countersign audit log shows the entry',
      where: { file: name },
    });
  }
  if (error instanceof JournalError) return { where: { file: name }, ...error.fault };
  const answer = answerTo(error);
  if (answer === null) return null;
  const said = (error instanceof Error && error.message !== '' ? error.message : codeOf(error)).trim();
  return fault(answer.tag, `${answer.what} (${said})`, { remedy: answer.remedy, where: { file: name } });
}

function answerTo(error: unknown): Answer | null {
  if (!(error instanceof Error)) return null;
  const code = codeOf(error);
  if (error instanceof ReadOnlyTransaction) return READ_ONLY;
  // The driver's own words, where passwords do not meet, and the server's, where it refuses a certificate.
  if (error.message.startsWith('SASL: ') || /^ERR_SSL_.*_ALERT_/.test(code)) return DENIED;
  if (error instanceof LostTransaction || UNREACHED.has(code) || LOST_WORDS.test(error.message)) return LOST;
  if (/^[0-9A-Z]{5}$/.test(code) && 'severity' in error) return STATES[code] ?? STATES[code.slice(0, 2)] ?? REFUSED;
  // Node's own codes for a certificate that does not hold, and what the driver says of a server without TLS.
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO)/.test(code) || TLS_WORDS.test(error.message);
  return isTls ? UNTRUSTED : null;
}

const UNTRUSTED: Answer = {
  tag: 'E_JOURNAL_IO',
  what: 'the server did not prove with a certificate who it is',
  remedy: 'have TLS set up on the server, and name the authority of its certificate: sslrootcert=FILE in the address',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
