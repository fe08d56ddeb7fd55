import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { StoredTree } from '../../src/adapters/stored-tree.js';
import { toHex } from '../../src/domain/bytes.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import type { Hash } from '../../src/journal/merkle.js';
import { MerkleTree } from '../../src/journal/merkle-tree.js';
import type { Journal } from '../../src/journal/port.js';
import { mth } from '../journal/merkle-rfc.js';
import { outpoint } from '../journal/story.js';
import { clock, create, journalFolder, rawExec, tamper } from './journal-folder.js';

const folder = journalFolder();
afterAll(folder.remove);

const frozen = (n: number): EntryBody => ({ kind: 'coin.frozen', outpoint: outpoint(n), reason: 'r', by: 'alice' });

/** A journal with so many entries, its opening among them, written some at a time. */
async function filled(path: string, entries: number, atOnce = 100): Promise<Journal> {
  const journal = await create(path);
  await more(journal, 1, entries, atOnce);
  return journal;
}
async function more(journal: Journal, from: number, to: number, atOnce: number): Promise<void> {
  for (let seq = from; seq < to; seq += atOnce) {
    const due = Array.from({ length: Math.min(atOnce, to - seq) }, (_, n) => frozen(seq + n));
    const done = await journal.transact(async (tx) => ok(due.map((body) => tx.append(body))));
    if (!done.ok) throw new Error(done.error.message);
  }
}
async function reopened(path: string): Promise<Journal> {
  const opened = await openJournal(path, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}
async function hashesOf(journal: Journal): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for await (const { hash } of journal.entries()) hashes.push(Buffer.from(hash, 'hex'));
  return hashes;
}
async function value<T>(result: Promise<{ ok: true; value: T } | { ok: false; error: unknown }>): Promise<T> {
  const got = await result;
  if (!got.ok) throw new Error(JSON.stringify(got.error));
  return got.value;
}
const rows = (path: string): unknown[][] => {
  const db = new Database(path);
  const found = db.prepare('SELECT level, n, hash FROM subtrees ORDER BY level, n').raw().all() as unknown[][];
  db.close();
  return found;
};
const rootOf = (journal: Journal, size: number): Promise<Hash> =>
  value(new MerkleTree(size, (level, from, count) => journal.treeHashes(level, from, count)).root());

describe('the tree that a store keeps', () => {
  it.each([
    ['one fewer', 255, 0],
    ['as many as a subtree has', 256, 1],
    ['one more', 257, 1],
    ['twice as many', 512, 2],
  ])('has the root of every complete subtree of 256 entries: %s', async (_, entries, due) => {
    const path = folder.path();
    const journal = await filled(path, entries);
    const hashes = await hashesOf(journal);
    await journal.close();
    const expected = Array.from({ length: due }, (_, n) => [1, n, toHex(mth(hashes.slice(n * 256, (n + 1) * 256)))]);
    expect(rows(path)).toEqual(expected);
  });

  it('is the same whether entries come one by one, in one transaction, or from two processes', async () => {
    const [single, whole, two] = [folder.path(), folder.path(), folder.path()];
    for (const [path, atOnce] of [
      [single, 1],
      [whole, 600],
    ] as const) {
      await (await filled(path, 600, atOnce)).close();
    }
    const first = await filled(two, 250);
    const second = await reopened(two);
    await more(second, 250, 520, 7);
    await more(first, 520, 600, 9);
    await first.close();
    await second.close();
    expect(rows(single)).toHaveLength(2);
    expect(rows(whole)).toEqual(rows(single));
    expect(rows(two)).toEqual(rows(single));
  });

  it('keeps nothing of a transaction that failed', async () => {
    const path = folder.path();
    const journal = await filled(path, 250);
    await journal.transact(async (tx) => {
      for (let n = 0; n < 20; n += 1) tx.append(frozen(1000 + n));
      return { ok: false, error: { tag: 'E_JOURNAL_ENTRY', message: 'no' } };
    });
    expect(rows(path)).toEqual([]);
    await more(journal, 250, 300, 50);
    await journal.close();
    expect(rows(path)).toHaveLength(1);
  });

  it('gives the root of the RFC, with rows, without them, and without a store that has any', async () => {
    const path = folder.path();
    const journal = await filled(path, 700, 700);
    const hashes = await hashesOf(journal);
    for (const size of [1, 255, 256, 257, 512, 600, 700]) {
      expect(toHex(await rootOf(journal, size))).toBe(toHex(mth(hashes.slice(0, size))));
    }
    await journal.close();
    tamper(path, 'DELETE FROM subtrees WHERE n = 1');
    const again = await reopened(path);
    expect(toHex(await rootOf(again, 700))).toBe(toHex(mth(hashes)));
    expect(await value(again.treeHashes(1, 0, 5))).toHaveLength(1);
    expect(await value(again.treeHashes(0, 698, 5))).toHaveLength(2);
    const bare = new StoredTree({
      page: async (seq: number) => ({
        rows: [ok({ entry: { seq, hash: hashes[seq]?.toString('hex') ?? '' }, text: '' })],
        isLast: seq === 699,
      }),
    } as never);
    const tree = new MerkleTree(700, async (level, from, count) => ok(await bare.hashes(level, from, count)));
    expect(toHex(await value(tree.root()))).toBe(toHex(mth(hashes)));
    await again.close();
  });

  it('goes on where somebody took a row away', async () => {
    const path = folder.path();
    await (await filled(path, 600, 600)).close();
    tamper(path, 'DELETE FROM subtrees WHERE n = 0');
    const journal = await reopened(path);
    const root = mth(await hashesOf(journal));
    expect(toHex(await rootOf(journal, 600))).toBe(toHex(root));
    await more(journal, 600, 800, 200);
    await journal.close();
    expect(rows(path).map(([, n]) => n)).toEqual([1, 2]);
  });

  it('goes on past a row that somebody put far to the right, or on another level', async () => {
    const path = folder.path();
    await (await filled(path, 300, 300)).close();
    tamper(path, `INSERT INTO subtrees VALUES (1, 1000, 'x'), (1, -1, 'x'), (5, 0, 'x')`);
    const journal = await reopened(path);
    await more(journal, 300, 800, 100);
    const root = mth(await hashesOf(journal));
    expect(toHex(await rootOf(journal, 800))).toBe(toHex(root));
    expect(await value(journal.treeHashes(1, 0, 5))).toHaveLength(3);
    expect((await value(journal.treeRows())).map(({ level, n }) => [level, n])).toEqual([
      [1, -1],
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 1000],
      [5, 0],
    ]);
    await journal.close();
  });

  it.each(["'zz'", `'${'ab'.repeat(32)}'`, `'${'ab'.repeat(40)}'`])(
    'has another root where a row is %s',
    async (row) => {
      const path = folder.path();
      await (await filled(path, 300, 300)).close();
      tamper(path, `UPDATE subtrees SET hash = ${row}`);
      const journal = await reopened(path);
      expect(toHex(await rootOf(journal, 300))).not.toBe(toHex(mth(await hashesOf(journal))));
      expect(toHex(await rootOf(journal, 255))).toBe(toHex(mth((await hashesOf(journal)).slice(0, 255))));
      await journal.close();
    },
  );

  it('is append-only as the rest is', async () => {
    const path = folder.path();
    await (await filled(path, 300, 300)).close();
    for (const statement of ['DELETE FROM subtrees', "UPDATE subtrees SET hash = ''"]) {
      expect(() => rawExec(path, statement)).toThrow('append-only');
    }
  });
});

describe('a journal from before the tree was kept', () => {
  /** As the first layout had it. */
  function downgrade(path: string): void {
    const db = new Database(path);
    for (const verb of ['update', 'delete']) db.exec(`DROP TRIGGER subtrees_no_${verb}`);
    db.exec('DROP TABLE batch_lines; DROP TABLE subtrees; PRAGMA user_version = 1');
    db.close();
  }

  it('is brought up to date when it is opened, by whoever comes first', async () => {
    const path = folder.path();
    await (await filled(path, 700, 700)).close();
    const due = rows(path);
    downgrade(path);
    const [first, second] = [await reopened(path), await reopened(path)];
    const hashes = await hashesOf(first);
    expect(toHex(await rootOf(second, 700))).toBe(toHex(mth(hashes)));
    await more(second, 700, 701, 1);
    await first.close();
    await second.close();
    expect(rows(path)).toEqual(due);
  });

  it('is refused where it has tables that were not of it', async () => {
    const path = folder.path();
    await (await filled(path, 2, 2)).close();
    downgrade(path);
    rawExec(path, 'CREATE TABLE subtrees (x)');
    expect(await openJournal(path, { clock })).toMatchObject({ ok: false, error: { tag: 'E_JOURNAL_TAMPERED' } });
  });
});
