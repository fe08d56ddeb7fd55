import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { sqliteFault } from '../../src/adapters/sqlite-faults.js';
import { createJournal, openJournal } from '../../src/adapters/sqlite-journal.js';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { verifyChain } from '../../src/journal/chain.js';
import type { Entry } from '../../src/journal/entries.js';
import { JournalError, type JournalTransaction } from '../../src/journal/port.js';
import { START } from '../journal/chains.js';
import { bytesOf, hashOf, story } from '../journal/story.js';
import { append, clock, create, journalFolder, LIFE, NONCE, tamper } from './journal-folder.js';

const folder = journalFolder();
afterAll(folder.remove);
const tagOf = (result: { ok: boolean; error?: { tag: string } }): string =>
  result.ok ? 'ok' : (result.error?.tag ?? '');
const reopened = async (path: string) => {
  const opened = await openJournal(path, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};
const seqOf = async (journal: Awaited<ReturnType<typeof reopened>>): Promise<number> => {
  const state = await journal.read();
  return state.ok ? (state.value.head?.seq ?? -1) : -2;
};

describe('a journal', () => {
  it('begins with its opening and comes back as it was', async () => {
    const path = folder.path();
    const journal = await create(path);
    await append(journal, LIFE);
    const before = await journal.read();
    await journal.close();
    const again = await reopened(path);
    expect(await again.read()).toEqual(before);
    expect(before).toMatchObject({ ok: true, value: { network: 'regtest', head: { seq: 7 } } });
    await again.close();
  });

  it('gives its entries from a number on, and they verify', async () => {
    const journal = await create(folder.path());
    await append(journal, LIFE);
    expect(await verifyChain(journal.entries())).toMatchObject({ ok: true, value: { count: 8 } });
    const later: number[] = [];
    for await (const entry of journal.entries(5)) later.push(entry.seq);
    expect(later).toEqual([5, 6, 7]);
    await journal.close();
  });

  it('reads more entries than one page holds', async () => {
    const journal = await create(folder.path());
    const freezes = Array.from({ length: 1203 }, (_, n) => ({
      kind: 'coin.frozen' as const,
      outpoint: `${'0'.repeat(64)}:${n}`,
      reason: 'dust',
      by: 'alice',
    }));
    await append(journal, freezes);
    const seen: Entry[] = [];
    for await (const entry of journal.entries()) seen.push(entry);
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 1204 }, (_, n) => n));
    await journal.close();
  });

  it('keeps blobs under their hash, also the same one twice and an empty one', async () => {
    const journal = await create(folder.path());
    const kept = await journal.transact(async (tx) =>
      ok([tx.keep(bytesOf('x')), tx.keep(bytesOf('x')), tx.keep(new Uint8Array(0))]),
    );
    expect(kept).toMatchObject({ ok: true, value: [hashOf('x'), hashOf('x'), expect.any(String)] });
    expect(await journal.blob(hashOf('x'))).toEqual({ ok: true, value: bytesOf('x') });
    expect(await journal.blob(kept.ok ? (kept.value[2] ?? '') : '')).toEqual({ ok: true, value: new Uint8Array(0) });
    expect(tagOf(await journal.blob(hashOf('never kept')))).toBe('E_JOURNAL_TAMPERED');
    await journal.close();
  });

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
});

describe('the time of an entry', () => {
  it('is the clock, and never before the entry before it', async () => {
    let now = START;
    const journal = await create(folder.path(), () => now);
    const times: string[] = [];
    for (const tick of [START + 10, START + 9, START + 10, START + 11]) {
      now = tick;
      const done = await append(journal, [
        { kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: '', by: '' },
      ]);
      times.push(done.ok ? (done.value[0]?.at ?? '') : '');
    }
    expect(times.map((time) => time.slice(17, 19))).toEqual(['10', '10', '10', '11']);
    await journal.close();
  });
});

describe('a transaction', () => {
  it('keeps nothing of work that fails, throws or appends what does not follow', async () => {
    const journal = await create(folder.path());
    const before = await journal.read();
    const start = (tx: JournalTransaction) => {
      for (const name of ['policy', 'a psbt', 'a plan']) tx.keep(bytesOf(name));
      tx.append(story.policy());
      tx.append(story.planned('a'));
    };
    const failed = await journal.transact(async (tx) => {
      start(tx);
      return fail('E_DENIED', 'no');
    });
    const thrown = journal.transact(async (tx) => {
      start(tx);
      throw new Error('a bug');
    });
    await expect(thrown).rejects.toThrow('a bug');
    const refused = await journal.transact(async (tx) => {
      start(tx);
      return ok(tx.append(story.sent('a')));
    });
    expect([tagOf(failed), tagOf(refused)]).toEqual(['E_DENIED', 'E_BATCH_STATE']);
    expect(await journal.read()).toEqual(before);
    expect(tagOf(await journal.blob(hashOf('a psbt')))).toBe('E_JOURNAL_TAMPERED');
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await journal.close();
  });

  it('keeps nothing either where work swallows the refusal', async () => {
    const journal = await create(folder.path());
    const caught: unknown[] = [];
    const result = await journal.transact(async (tx) => {
      for (let i = 0; i < 2; i += 1) {
        try {
          tx.append(story.sent('a'));
        } catch (error) {
          caught.push(error);
        }
      }
      tx.state satisfies object;
      return ok('all is well');
    });
    expect(tagOf(result)).toBe('E_BATCH_UNKNOWN');
    expect(caught.every((error) => error instanceof JournalError)).toBe(true);
    expect(await seqOf(journal)).toBe(0);
    await journal.close();
  });

  it('shows the state of its start, also after it appended', async () => {
    const journal = await create(folder.path());
    const seen = await journal.transact(async (tx) => {
      tx.keep(bytesOf('policy'));
      tx.append(story.policy());
      return ok([tx.state.policy, tx.state.head?.seq]);
    });
    expect(seen).toEqual({ ok: true, value: [null, 0] });
    await journal.close();
  });

  it('is refused, as a bug, where an entry names a blob that nobody kept; a malformed one is a fault', async () => {
    const journal = await create(folder.path());
    await expect(journal.transact(async (tx) => ok(tx.append(story.policy())))).rejects.toThrow('not kept');
    const odd = { ...story.sent('a'), psbt: 'ABC' } as ReturnType<typeof story.sent>;
    expect(await journal.transact(async (tx) => ok(tx.append(odd)))).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_ENTRY', message: expect.stringContaining('malformed at psbt') },
    });
    expect(await seqOf(journal)).toBe(0);
    await journal.close();
  });

  it('does not take the bytes that somebody else put under the name of a blob', async () => {
    const path = folder.path();
    const journal = await create(path);
    tamper(path, `INSERT INTO blobs VALUES ('${hashOf('policy')}', x'00')`);
    expect(await append(journal, [story.policy()])).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('other bytes than its name says') },
    });
    expect(await seqOf(journal)).toBe(0);
    await journal.close();
  });

  it('keeps a blob twice where its bytes are the same', async () => {
    const journal = await create(folder.path());
    const kept = await journal.transact(async (tx) => {
      tx.append(story.policy());
      return ok([tx.keep(bytesOf('policy')), tx.keep(bytesOf('policy'))]);
    });
    expect(kept).toEqual({ ok: true, value: [hashOf('policy'), hashOf('policy')] });
    expect(await journal.blobNames()).toEqual({ ok: true, value: [hashOf('policy')] });
    await journal.close();
  });

  it.each([
    [400 * 86_400, 'ok'],
    [400 * 86_400 + 1, 'E_CLOCK_AHEAD'],
  ])('writes nothing where the clock is %i s ahead of the newest entry: %s', async (ahead, tag) => {
    const path = folder.path();
    await (await create(path)).close();
    const opened = await openJournal(path, { clock: () => START + ahead });
    if (!opened.ok) throw new Error(opened.error.message);
    expect(tagOf(await append(opened.value, [story.policy()]))).toBe(tag);
    expect(await seqOf(opened.value)).toBe(tag === 'ok' ? 1 : 0);
    await opened.value.close();
  });

  it('is of no use after its end', async () => {
    const journal = await create(folder.path());
    const leaked: JournalTransaction[] = [];
    await journal.transact(async (tx) => ok(leaked.push(tx)));
    expect(() => leaked[0]?.append(story.policy())).toThrow('ended');
    expect(() => leaked[0]?.keep(bytesOf('x'))).toThrow('ended');
    await journal.close();
  });

  it('waits for the ones before it, however long their work takes', async () => {
    const journal = await create(folder.path());
    const order: string[] = [];
    const slow = (name: string) =>
      journal.transact(async (tx) => {
        order.push(`${name} begins at ${tx.state.head?.seq}`);
        await new Promise((resolve) => setTimeout(resolve, 15));
        tx.append({ kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: name, by: '' });
        order.push(`${name} ends`);
        return ok(undefined);
      });
    await Promise.all([
      slow('one'),
      slow('two'),
      journal.read().then((r) => order.push(`read ${r.ok && r.value.head?.seq}`)),
    ]);
    expect(order).toEqual(['one begins at 0', 'one ends', 'two begins at 1', 'two ends', 'read 2']);
    await journal.close();
  });

  it('inside another one is a bug and throws instead of waiting for ever', async () => {
    const journal = await create(folder.path());
    const nested = journal.transact(async () => journal.transact(async () => ok(undefined)));
    await expect(nested).rejects.toThrow('inside a transaction');
    expect(tagOf(await journal.read())).toBe('ok');
    await journal.close();
  });
});

describe('two connections', () => {
  it('see what the other appended, in reading and at the start of a transaction', async () => {
    const path = folder.path();
    const one = await create(path);
    const two = await reopened(path);
    await append(one, LIFE.slice(0, 2));
    expect(await seqOf(two)).toBe(2);
    await append(one, LIFE.slice(2, 3));
    const seen = await two.transact(async (tx) => ok(tx.state.head?.seq));
    expect(seen).toEqual({ ok: true, value: 3 });
    expect(tagOf(await append(two, LIFE.slice(3)))).toBe('ok');
    expect(await seqOf(one)).toBe(7);
    await one.close();
    await two.close();
  });

  it('cannot write at once: the second answers E_JOURNAL_LOCKED and may still read', async () => {
    const path = folder.path();
    const one = await create(path);
    const two = await reopened(path);
    const outer = await one.transact(async (tx) => {
      tx.keep(bytesOf('policy'));
      tx.append(story.policy());
      const refused = await two.transact(async () => ok('got in'));
      return ok([refused, await seqOf(two)] as const);
    });
    if (!outer.ok) throw new Error(outer.error.message);
    const [refused, seq] = outer.value;
    expect(refused).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_LOCKED', remedy: expect.stringContaining('again') },
    });
    expect(seq).toBe(0);
    expect(tagOf(await two.transact(async () => ok('got in')))).toBe('ok');
    await one.close();
    await two.close();
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
    ['an empty file', (path: string) => writeFileSync(path, '')],
  ])('%s is E_JOURNAL_SCHEMA, and stays as it is', async (_, make) => {
    const path = folder.path();
    make(path);
    const before = readFileSync(path);
    expect(tagOf(await openJournal(path, { clock }))).toBe('E_JOURNAL_SCHEMA');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('a newer layout is E_JOURNAL_SCHEMA with its number', async () => {
    const path = folder.path();
    await (await create(path)).close();
    const db = new Database(path);
    db.exec('PRAGMA user_version = 3');
    db.close();
    const opened = await openJournal(path, { clock });
    expect(tagOf(opened)).toBe('E_JOURNAL_SCHEMA');
    expect(opened.ok ? '' : opened.error.message).toContain('layout 3, this program knows 2');
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
