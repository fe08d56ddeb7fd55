import { type Fault, fault } from '../domain/fault.js';

interface Answer {
  readonly tag: 'E_JOURNAL_LOCKED' | 'E_JOURNAL_SCHEMA' | 'E_JOURNAL_TAMPERED' | 'E_JOURNAL_IO';
  readonly what: string;
  readonly remedy: string;
}

const CUT_OFF: Answer = {
  tag: 'E_JOURNAL_TAMPERED',
  what: 'the file is damaged or was cut off',
  remedy: 'stop signing; keep the journal as it is and restore a copy from before',
};

/** By primary result code (https://www.sqlite.org/rescode.html); an extended code begins with its primary one. */
const ANSWERS: readonly (readonly [code: string, answer: Answer])[] = [
  // What SQLite finds first of a file that was cut off, with a write-ahead log beside it.
  ['SQLITE_IOERR_SHORT_READ', CUT_OFF],
  [
    'SQLITE_BUSY',
    {
      tag: 'E_JOURNAL_LOCKED',
      what: 'another process is writing to it',
      remedy: 'let the other countersign command end, then run this one again',
    },
  ],
  [
    'SQLITE_LOCKED',
    {
      tag: 'E_JOURNAL_LOCKED',
      what: 'another process is writing to it',
      remedy: 'let the other countersign command end, then run this one again',
    },
  ],
  [
    'SQLITE_NOTADB',
    {
      tag: 'E_JOURNAL_SCHEMA',
      what: 'it is not a journal of countersign',
      remedy: 'name the journal that countersign init made',
    },
  ],
  ['SQLITE_CORRUPT', CUT_OFF],
  [
    'SQLITE_FULL',
    {
      tag: 'E_JOURNAL_IO',
      what: 'the disk is full',
      remedy: 'make room and run the command again: nothing of it was kept',
    },
  ],
  [
    'SQLITE_READONLY',
    { tag: 'E_JOURNAL_IO', what: 'it cannot be written', remedy: 'allow writing to the file and its folder' },
  ],
  [
    'SQLITE_PERM',
    { tag: 'E_JOURNAL_IO', what: 'access is denied', remedy: 'allow reading and writing of the file and its folder' },
  ],
  [
    'SQLITE_AUTH',
    { tag: 'E_JOURNAL_IO', what: 'access is denied', remedy: 'allow reading and writing of the file and its folder' },
  ],
  [
    'SQLITE_CANTOPEN',
    {
      tag: 'E_JOURNAL_IO',
      what: 'it cannot be opened',
      remedy: 'check that its folder exists and that both can be read and written',
    },
  ],
  [
    'SQLITE_IOERR',
    { tag: 'E_JOURNAL_IO', what: 'the medium failed', remedy: 'check the disk before anything else is signed' },
  ],
];

/**
 * The fault behind an error that libsql threw, or null where it threw something else: then it is a bug and goes on up.
 * Opening reports a failure as text ("ConnectionFailed(...: 14)") and not as a SqliteError, so its number is read there.
 */
export function sqliteFault(error: unknown, path: string): Fault | null {
  const code = sqliteCode(error);
  const found = ANSWERS.find(([prefix]) => code === prefix || code?.startsWith(`${prefix}_`));
  if (found === undefined) return null;
  const [, { tag, what, remedy }] = found;
  return fault(tag, `${what} (${code})`, { remedy, where: { file: path } });
}

/** Primary result codes by number. */
const PRIMARY_CODES: ReadonlyMap<number, string> = new Map([
  [3, 'SQLITE_PERM'],
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [23, 'SQLITE_AUTH'],
  [26, 'SQLITE_NOTADB'],
]);

/** libsql names the codes that it knows; of the others, and at opening, it gives the number, extended in its upper bytes. */
function sqliteCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const named = 'code' in error && typeof error.code === 'string' && error.code !== '' ? error.code : null;
  const number =
    /^UNKNOWN_SQLITE_ERROR_([0-9]+)$/.exec(named ?? '')?.[1] ??
    /^ConnectionFailed\(".*: ([0-9]+)"\)$/s.exec(error.message)?.[1];
  if (number === undefined) return named ?? undefined;
  return PRIMARY_CODES.get(Number(number) & 0xff);
}
