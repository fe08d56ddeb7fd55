import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { findPassword, passwordFor, tlsOptions } from '../../src/adapters/postgres/access.js';
import { parsePostgresAddress } from '../../src/adapters/postgres/address.js';
import { JournalError } from '../../src/journal/port.js';

const folder = mkdtempSync(join(tmpdir(), 'countersign-access-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asked = { host: 'db.example', port: 5432, database: 'treasury', user: 'alice' };

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof JournalError) return `${error.fault.tag} ${error.fault.message} | ${error.fault.remedy}`;
    throw error;
  }
  return 'nothing was refused';
}

describe('a password file', () => {
  it.each([
    ['the whole line', 'db.example:5432:treasury:alice:s3cret', 's3cret'],
    ['anything for each field', '*:*:*:*:s3cret', 's3cret'],
    [
      'the first that fits',
      'db.example:5433:*:*:no\n# db.example:5432:treasury:alice:no\n*:*:*:alice:yes\n*:*:*:*:no',
      'yes',
    ],
    ['another host', 'db2.example:5432:treasury:alice:s3cret', null],
    ['another port', 'db.example:6432:treasury:alice:s3cret', null],
    ['another database', 'db.example:5432:ledger:alice:s3cret', null],
    ['another user', 'db.example:5432:treasury:bob:s3cret', null],
    ['a field too few', 'db.example:5432:treasury:s3cret', null],
    ['no password', 'db.example:5432:treasury:alice:', null],
    ['an end of line of Windows', 'db.example:5432:treasury:alice:s3cret\r\n', 's3cret'],
    ['a colon in the password', 'db.example:5432:treasury:alice:a:b\\:c\\\\d', 'a:b:c\\d'],
    ['nothing', '', null],
  ])('with %s', (_, text, password) => {
    expect(findPassword(text, asked)).toBe(password);
  });

  it('knows a socket as this machine, and by its folder', () => {
    const socket = { ...asked, host: '/var/run/postgresql' };
    expect(findPassword('localhost:*:*:*:s3cret', socket)).toBe('s3cret');
    expect(findPassword('/var/run/postgresql:*:*:*:s3cret', socket)).toBe('s3cret');
    expect(findPassword('localhost:*:*:*:s3cret', asked)).toBeNull();
  });

  it('gives back whatever was written into it with backslashes before colons and backslashes', () => {
    const text = fc
      .string({ minLength: 1 })
      .filter((one) => !/[\r\n]/.test(one) && one !== '*' && !one.startsWith('#'));
    fc.assert(
      fc.property(text, text, text, text, (host, database, user, password) => {
        const escaped = (one: string): string => one.replace(/[\\:]/g, '\\$&');
        const line = [host, '5432', database, user, password].map(escaped).join(':');
        expect(findPassword(line, { host, port: 5432, database, user })).toBe(password);
      }),
    );
  });

  it('is read where PGPASSWORD says nothing, and only where nobody else can read it', () => {
    const file = join(folder, 'pgpass');
    const where = { PGPASSFILE: file };
    expect(refusalOf(() => passwordFor(asked, where))).toMatch(
      /asks alice for a password, and there is none.*\.pgpass/,
    );
    writeFileSync(file, '*:*:*:bob:other\n', { mode: 0o600 });
    expect(refusalOf(() => passwordFor(asked, where))).toMatch(/there is none/);
    writeFileSync(file, '*:*:*:*:s3cret\n');
    expect(passwordFor(asked, where)).toBe('s3cret');
    expect(passwordFor(asked, { ...where, PGPASSWORD: 'told' })).toBe('told');
    expect(passwordFor(asked, { ...where, PGPASSWORD: '' })).toBe('s3cret');
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(file, mode);
      const said = refusalOf(() => passwordFor(asked, where));
      expect(said).toMatch(/E_JOURNAL_ADDRESS.*others than you.*chmod 0600/);
      expect(said).not.toContain('s3cret');
    }
  });
});

describe('a file of an address', () => {
  const optionsOf = (parameters: string) => {
    const address = parsePostgresAddress(`postgres://db.example/t?${parameters}`);
    if (!address.ok) throw new Error(address.error.message);
    return tlsOptions(address.value);
  };

  it('that is not there, no file or no certificate is refused by its name before anything is sent', () => {
    const odd = join(folder, 'odd');
    writeFileSync(odd, 'hello', { mode: 0o600 });
    for (const [path, message] of [
      [join(folder, 'nowhere'), /nowhere: it cannot be read \(ENOENT/],
      [folder, /it cannot be read \(EISDIR/],
      [odd, /odd: it does not begin with a certificate in PEM/],
    ] as const) {
      expect(refusalOf(() => optionsOf(`sslrootcert=${path}`))).toMatch(message);
    }
    expect(refusalOf(() => optionsOf(`sslcert=${odd}&sslkey=${join(folder, 'nowhere')}`))).toMatch(/sslkey:.*ENOENT/);
    expect(refusalOf(() => optionsOf(`sslcert=${odd}&sslkey=${odd}`))).toMatch(/sslkey:.*not the key of sslcert/);
    chmodSync(odd, 0o644);
    expect(refusalOf(() => optionsOf(`sslcert=${odd}&sslkey=${odd}`))).toMatch(/sslkey: others than you/);
  });

  it('is asked for by no address without it', () => {
    expect(optionsOf('')).toEqual({ rejectUnauthorized: true });
  });
});
