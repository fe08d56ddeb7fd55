import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectSqlite } from '../../src/adapters/inspect-sqlite.js';
import { sqliteFault } from '../../src/adapters/sqlite-faults.js';
import { createJournal, deferredJournal, openJournal, readLinesOf } from '../../src/adapters/sqlite-journal.js';
import { bytesOf } from '../journal/story.js';
import { append, clock, create, journalFolder, LIFE, NONCE, tamper } from './journal-folder.js';
import { journalSuite, seqOf, tagOf } from './journal-suite.js';

const folder = journalFolder();
afterAll(folder.remove);
const reopened = async (path: string) => {
  const opened = await openJournal(path, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};
journalSuite({
  fresh: () => folder.path(),
  make: createJournal,
  open: openJournal,
  defer: async (path, options) => deferredJournal(path, options),
  lines: readLinesOf,
  plant: async (path, name) => tamper(path, `INSERT INTO blobs VALUES ('${name}', x'00')`),
});

describe('a journal in a file', () => {
  it('holds no path of the machine, and its main file alone is whole after each transaction', async () => {
    const path = folder.path();
    const journal = await create(path);
    await append(journal, LIFE);
    const copy = folder.path();
    copyFileSync(path, copy);
    expect(readFileSync(copy).includes(folder.folder)).toBe(false);
    const other = await reopened(copy);
    expect(await seqOf(other)).toBe(7);
    await other.close();
    await journal.close();
  });

  it('keeps its locks while it is looked at in the same process: another process does not take itself for the last', async () => {
    const path = folder.path();
    const journal = await create(path);
    await append(journal, LIFE);
    expect(inspectSqlite(path)).toMatchObject({ ok: true });
    await (await reopened(path)).close();
    const script = `const db = new (require('libsql'))(${JSON.stringify(path)});
      db.prepare('SELECT count(*) FROM entries').get(); db.close();`;
    execFileSync(process.execPath, ['-e', script], { cwd: import.meta.dirname });
    // Who closes a database last removes its write-ahead log.
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(
      tagOf(await append(journal, [{ kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: '', by: '' }])),
    ).toBe('ok');
    await journal.close();
  });
});

describe('places where there is no journal', () => {
  const foreign = (path: string): void => {
    const db = new Database(path);
    db.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)');
    db.close();
  };

  it('a missing file is E_JOURNAL_MISSING, and is not made', async () => {
    const path = folder.path();
    expect(await openJournal(path, { clock })).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_MISSING', where: { file: path } },
    });
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['text', (path: string) => writeFileSync(path, 'dear diary\n'.repeat(500))],
    ['another database', foreign],
  ])('%s is E_JOURNAL_SCHEMA, and stays as it is', async (_, make) => {
    const path = folder.path();
    make(path);
    const before = readFileSync(path);
    expect(tagOf(await openJournal(path, { clock }))).toBe('E_JOURNAL_SCHEMA');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('an empty file is a journal that was cut off, since the first entry is written with the file', async () => {
    const path = folder.path();
    writeFileSync(path, '');
    writeFileSync(`${path}-wal`, 'what may be left of it');
    expect(await openJournal(path, { clock })).toMatchObject({
      error: { tag: 'E_JOURNAL_TAMPERED', message: 'it was cut off to nothing' },
    });
    expect(readFileSync(`${path}-wal`, 'utf8')).toBe('what may be left of it');
  });

  it('a newer layout is E_JOURNAL_SCHEMA with its number', async () => {
    const path = folder.path();
    await (await create(path)).close();
    const db = new Database(path);
    db.exec('PRAGMA user_version = 4');
    db.close();
    const opened = await openJournal(path, { clock });
    expect(tagOf(opened)).toBe('E_JOURNAL_SCHEMA');
    expect(opened.ok ? '' : opened.error.message).toContain('layout 4, this program knows 3');
  });

  it('a folder is refused both ways', async () => {
    const path = folder.path();
    mkdirSync(path);
    expect(tagOf(await openJournal(path, { clock }))).toBe('E_JOURNAL_IO');
    expect(tagOf(await createJournal(path, { clock, network: 'regtest', nonce: NONCE }))).toBe('E_JOURNAL_EXISTS');
  });
});

describe('making a journal', () => {
  const make = (path: string) => createJournal(path, { clock, network: 'regtest', nonce: NONCE });

  it('never overwrites: a journal, a database or a text stays as it is', async () => {
    const path = folder.path();
    await (await create(path)).close();
    const before = readFileSync(path);
    expect(tagOf(await make(path))).toBe('E_JOURNAL_EXISTS');
    expect(readFileSync(path).equals(before)).toBe(true);
    writeFileSync(`${path}.txt`, 'x');
    expect(tagOf(await make(`${path}.txt`))).toBe('E_JOURNAL_EXISTS');
    expect(readFileSync(`${path}.txt`, 'utf8')).toBe('x');
  });

  it('takes an empty file, which a crash at the very start leaves', async () => {
    const path = folder.path();
    writeFileSync(path, '');
    const made = await make(path);
    expect(made.ok && (await seqOf(made.value))).toBe(0);
    if (made.ok) await made.value.close();
  });

  it('takes a database of one page without anything in it, which a crash a little later leaves, and no other', async () => {
    const blank = (path: string, more: string): void => {
      const db = new Database(path);
      db.exec(`PRAGMA journal_mode = WAL; ${more}`);
      db.close();
    };
    for (const [more, expected] of [
      ['', 'ok'],
      ['PRAGMA user_version = 7', 'E_JOURNAL_EXISTS'],
      ['PRAGMA application_id = 7', 'E_JOURNAL_EXISTS'],
      ['CREATE TABLE t (x)', 'E_JOURNAL_EXISTS'],
      ['CREATE VIEW v AS SELECT 1', 'E_JOURNAL_EXISTS'],
    ] as const) {
      const path = folder.path();
      blank(path, more);
      const before = readFileSync(path);
      const made = await make(path);
      expect([more, tagOf(made)]).toEqual([more, expected]);
      if (made.ok) await made.value.close();
      else expect(readFileSync(path).equals(before)).toBe(true);
    }
    const path = folder.path();
    writeFileSync(path, Buffer.alloc(4096, 'text'));
    expect(tagOf(await make(path))).toBe('E_JOURNAL_EXISTS');
  });

  it('says where it cannot write', async () => {
    const missing = join(folder.folder, 'no', 'such', 'folder', 'j.db');
    expect(await make(missing)).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('folder') },
    });
  });
});

describe('faults of SQLite', () => {
  const path = '/somewhere/j.db';
  const error = (code: string) => Object.assign(new Error('text of SQLite'), { code });
  it.each([
    ['SQLITE_BUSY', 'E_JOURNAL_LOCKED'],
    ['SQLITE_BUSY_RECOVERY', 'E_JOURNAL_LOCKED'],
    ['SQLITE_FULL', 'E_JOURNAL_IO'],
    ['SQLITE_IOERR_FSYNC', 'E_JOURNAL_IO'],
    ['SQLITE_READONLY_DIRECTORY', 'E_JOURNAL_IO'],
    ['SQLITE_CORRUPT', 'E_JOURNAL_TAMPERED'],
    ['SQLITE_NOTADB', 'E_JOURNAL_SCHEMA'],
  ])('%s becomes %s and names itself, the file and a remedy', (code, tag) => {
    const known = sqliteFault(error(code), path);
    expect(known).toMatchObject({ tag, where: { file: path }, remedy: expect.any(String) });
    expect(known?.message).toContain(code);
  });

  it.each([error('SQLITE_MISUSE'), error('SQLITE_BUSYBODY'), new Error('x'), new TypeError('y'), 'text', null])(
    'leaves %s to be a bug',
    (other) => {
      expect(sqliteFault(other, path)).toBeNull();
    },
  );

  it('one that comes up through work, as a full disk does, ends the transaction, and the journal goes on when there is room', async () => {
    const journal = await create(folder.path());
    const full = await journal.transact(async (tx) => {
      tx.keep(bytesOf('x'));
      throw error('SQLITE_FULL');
    });
    expect(tagOf(full)).toBe('E_JOURNAL_IO');
    expect(await seqOf(journal)).toBe(0);
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await journal.close();
  });

  it('a folder that cannot be written is E_JOURNAL_IO', async (context) => {
    const dir = join(folder.folder, 'read-only');
    mkdirSync(dir);
    const file = join(dir, 'j.db');
    await (await create(file)).close();
    chmodSync(file, 0o444);
    chmodSync(dir, 0o555);
    const isRoot = process.getuid?.() === 0;
    if (process.getuid === undefined) return context.skip('this system has no permissions of that kind');
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(tagOf(await openJournal(file, { clock }))).toBe('E_JOURNAL_IO');
      expect(tagOf(await createJournal(join(dir, 'k.db'), { clock, network: 'regtest', nonce: NONCE }))).toBe(
        'E_JOURNAL_IO',
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(dir, 0o755);
    }
  });
});
