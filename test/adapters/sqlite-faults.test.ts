import { describe, expect, it } from 'vitest';
import { sqliteFault } from '../../src/adapters/sqlite-faults.js';

const thrown = (message: string, code?: string): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe('errors of SQLite as faults', () => {
  it.each([
    ['a code that libsql names', thrown('database is locked', 'SQLITE_BUSY'), 'E_JOURNAL_LOCKED'],
    ['an extended code', thrown('disk I/O error', 'SQLITE_IOERR_FSYNC'), 'E_JOURNAL_IO'],
    // 1544 is SQLITE_READONLY_DIRECTORY: what a folder without write permission answers.
    ['an extended code without a name', thrown('attempt to write', 'UNKNOWN_SQLITE_ERROR_1544'), 'E_JOURNAL_IO'],
    ['a number at opening', thrown('ConnectionFailed("Unable to open connection: 14")'), 'E_JOURNAL_IO'],
    ['a file that ends too early', thrown('disk I/O error', 'SQLITE_IOERR_SHORT_READ'), 'E_JOURNAL_TAMPERED'],
    ['damage', thrown('malformed', 'SQLITE_CORRUPT'), 'E_JOURNAL_TAMPERED'],
  ])('%s', (_, error, tag) => {
    const fault = sqliteFault(error, 'journal.sqlite');
    expect(fault).toMatchObject({ tag, where: { file: 'journal.sqlite' } });
    expect(fault?.remedy).toBeTruthy();
  });

  it.each([
    ['an error of the program', thrown('x is not a function')],
    ['a number that no answer is known for', thrown('odd', 'UNKNOWN_SQLITE_ERROR_21')],
    ['no error at all', 'text'],
  ])('leaves alone: %s', (_, error) => {
    expect(sqliteFault(error, 'journal.sqlite')).toBeNull();
  });
});
