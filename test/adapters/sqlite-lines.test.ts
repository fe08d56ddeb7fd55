import { copyFileSync, rmSync } from 'node:fs';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { copyJournal } from '../../src/adapters/copy-journal.js';
import { deferredJournal, filePlace, openJournal, readLinesOf } from '../../src/adapters/sqlite-journal.js';
import type { Fault } from '../../src/domain/fault.js';
import type { Result } from '../../src/domain/result.js';
import { EVERY_LINE } from '../../src/journal/batch-lines.js';
import { HEAD_ROW, headRow, type LineRow } from '../../src/journal/line-rows.js';
import type { Journal } from '../../src/journal/port.js';
import { START } from '../journal/chains.js';
import { isBuilt, runChild } from '../journal/children.js';
import { blobNames, bytesOf, story } from '../journal/story.js';
import { append, clock, create, journalFolder, LIFE, rawExec, tamper } from './journal-folder.js';
import { expectRows } from './lines-suite.js';

const folder = journalFolder();
afterAll(folder.remove);

const value = <T>(result: Result<T, Fault>): T => {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
};
const reopened = async (path: string): Promise<Journal> => value(await openJournal(path, { clock }));
const rowsOf = (path: string): unknown[] => {
  const db = new Database(path);
  const rows = db.prepare('SELECT planned, changed, at, state, line FROM batch_lines ORDER BY planned').raw().all();
  db.close();
  return rows as unknown[];
};
const listed = (path: string, whole = 0) => readLinesOf(path, { clock }, (lines) => lines.select(EVERY_LINE), whole);

/** A journal with two batches, closed. */
async function filled(): Promise<string> {
  const path = folder.path();
  const journal = await create(path);
  value(await append(journal, [...LIFE, story.planned('b')]));
  await journal.close();
  return path;
}
/** So that reading all entries fails, and reading none does not. */
const breakChain = (path: string): void => tamper(path, `UPDATE entries SET hash = '${'00'.repeat(32)}' WHERE seq = 2`);

describe('a list', () => {
  it.each([
    [8, true],
    [9, false],
    [10, false],
  ])('of 9 entries, where up to %i are read and verified whole, is made of rows: %s', async (whole, isQuick) => {
    const path = await filled();
    breakChain(path);
    expect((await listed(path, whole)).ok).toBe(isQuick);
  });

  it('reads no entry where the rows are of the newest', async () => {
    const path = await filled();
    breakChain(path);
    expect(value(await listed(path)).map(({ id, state }) => [id, state])).toEqual([
      ['a', 'SIGNED'],
      ['b', 'DRAFT'],
    ]);
    expect(await openJournal(path, { clock })).toMatchObject({ ok: false, error: { tag: 'E_JOURNAL_TAMPERED' } });
  });

  it.each([
    ['the row of a batch is gone', 'DELETE FROM batch_lines WHERE planned = 2'],
    ['there is one more', "INSERT INTO batch_lines VALUES (1, 1, 1, 'DRAFT', '{}')"],
    ['the head row says nothing', `UPDATE batch_lines SET line = 'x' WHERE planned = ${HEAD_ROW}`],
    ['it names another entry', `UPDATE batch_lines SET changed = 4 WHERE planned = ${HEAD_ROW}`],
    ['an entry that changed a batch lies behind it', setHead(6)],
    ['it is of an entry that is not there', setHead(9)],
    ['it is of another hash', setHead(8, '00'.repeat(32))],
  ])('reads all entries where %s', async (_, statement) => {
    const path = await filled();
    const before = value(await listed(path));
    tamper(path, statement.replaceAll('HASH', hashAt(path, 6)));
    expect(value(await listed(path))).toEqual(before);
    breakChain(path);
    expect(await listed(path)).toMatchObject({ ok: false, error: { tag: 'E_JOURNAL_TAMPERED' } });
  });

  it('is of one moment, whoever writes in the meantime', async () => {
    const path = await filled();
    const journal = await reopened(path);
    const seen = await readLinesOf(
      path,
      { clock },
      async (lines) => {
        value(await append(journal, [story.abandoned('b'), story.planned('c')], ['a', 'b', 'c']));
        const rows = value(await lines.select(EVERY_LINE));
        return { ok: true, value: [lines.total, ...rows.map(({ id, state }) => [id, state])] };
      },
      0,
    );
    expect(value(seen)).toEqual([2, ['a', 'SIGNED'], ['b', 'DRAFT']]);
    expect(value(await listed(path)).map(({ state }) => state)).toEqual(['SIGNED', 'ABANDONED', 'DRAFT']);
    await journal.close();
  });

  it.each([
    ["line = 'no JSON'", 'planned = 2'],
    [`line = '[]'`, 'planned = 2'],
    ["state = 'DONE'", 'planned = 2'],
    ['changed = 3', 'planned = 2'],
    ['at = at + 1', 'planned = 8'],
    [`line = replace(line, '"requests":1', '"requests":"1"')`, 'planned = 2'],
    [`line = replace(line, '"spend":"91000"', '"spend":"-1"')`, 'planned = 2'],
    [`line = replace(line, '"txid":"', '"txid":7,"was":"')`, 'planned = 2'],
    [`line = replace(line, '"initiator":"alice"', '"initiator":"alice","objection":{"kind":"x"}')`, 'planned = 8'],
    [`line = replace(line, '"initiator":"alice"', '"initiator":"alice","approvals":[{}]')`, 'planned = 8'],
  ])('says so where it meets a row that was never written: %s', async (set, where) => {
    const path = await filled();
    tamper(path, `UPDATE batch_lines SET ${set} WHERE ${where}`);
    expect(await listed(path)).toMatchObject({ ok: false, error: { tag: 'E_JOURNAL_LINES', where: { file: path } } });
  });
});

describe('the rows', () => {
  it('cannot be removed by mistake', async () => {
    const path = await filled();
    expect(() => rawExec(path, 'DELETE FROM batch_lines')).toThrow('append-only');
  });

  it('that are not of this journal stay as they are, whatever is written', async () => {
    for (const statement of [
      setHead(8, '00'.repeat(32)),
      setHead(100),
      `UPDATE batch_lines SET line = 'x' WHERE planned = ${HEAD_ROW}`,
    ]) {
      const path = await filled();
      tamper(path, statement);
      const before = rowsOf(path);
      const journal = await reopened(path);
      value(await append(journal, [story.abandoned('b')]));
      await journal.close();
      expect(rowsOf(path)).toEqual(before);
      expect(value(await listed(path)).map(({ state }) => state)).toEqual(['SIGNED', 'ABANDONED']);
    }
  });

  it('that stand behind the entries of a program that keeps none are brought up to date by the next one', async () => {
    const path = await filled();
    const at6 = folder.path();
    copyFileSync(path, at6);
    tamper(at6, setHead(6).replaceAll('HASH', hashAt(at6, 6)), 'DELETE FROM batch_lines WHERE planned = 8');
    const journal = await reopened(at6);
    value(await append(journal, [story.frozen()]));
    expect(rowsOf(at6)).toHaveLength(2);
    value(await append(journal, [story.broadcast('a')]));
    await expectRows(journal);
    expect(rowsOf(at6)).toHaveLength(3);
    await journal.close();
  });

  it('are derived anew in a copy', async () => {
    const path = await filled();
    tamper(path, "UPDATE batch_lines SET state = 'SIGNED' WHERE planned = 8");
    const journal = await reopened(path);
    const to = folder.path();
    value(await copyJournal(journal, filePlace(to, 'the copy', { clock }), () => undefined));
    const copy = await reopened(to);
    await expectRows(copy);
    await copy.close();
    await journal.close();
  });
});

/** The head row moved to another entry; HASH stands for its hash. */
function setHead(seq: number, hash = 'HASH'): string {
  const row: LineRow = headRow({ seq, hash, batches: 2 });
  return `UPDATE batch_lines SET changed = ${row.changed}, line = '${row.line}' WHERE planned = ${HEAD_ROW}`;
}
function hashAt(path: string, seq: number): string {
  const db = new Database(path);
  const row = db.prepare('SELECT hash FROM entries WHERE seq = ?').raw().get(seq) as unknown[];
  db.close();
  return String(row[0]);
}

describe('a journal from before the rows were kept', () => {
  function downgrade(path: string, layout: 1 | 2): void {
    const db = new Database(path);
    db.exec(`DROP TABLE batch_lines; PRAGMA user_version = ${layout}`);
    if (layout === 1) db.exec('DROP TABLE subtrees');
    db.close();
  }

  it.each([1, 2] as const)('of layout %i has them from its next opening on', async (layout) => {
    const path = await filled();
    const due = rowsOf(path);
    downgrade(path, layout);
    const [first, second] = [await reopened(path), await reopened(path)];
    expect(rowsOf(path)).toEqual(due);
    value(await append(second, [story.broadcast('a')]));
    await expectRows(first);
    await first.close();
    await second.close();
  });

  it.each([1, 2] as const)('of layout %i is listed, and has them from then on', async (layout) => {
    const path = await filled();
    const due = value(await listed(path));
    downgrade(path, layout);
    expect(value(await listed(path))).toEqual(due);
    breakChain(path);
    expect(value(await listed(path))).toEqual(due);
  });

  it('opens while another process writes, without them; the next one writes them', async () => {
    const path = await filled();
    const due = rowsOf(path);
    tamper(path, 'DELETE FROM batch_lines');
    const busy = new Database(path);
    busy.exec('BEGIN IMMEDIATE');
    const journal = await reopened(path);
    expect(value(await journal.read()).batches.size).toBe(2);
    busy.exec('ROLLBACK');
    busy.close();
    expect(rowsOf(path)).toEqual([]);
    await journal.close();
    await (await reopened(path)).close();
    expect(rowsOf(path)).toEqual(due);
  });
});

describe('a process killed in the middle', () => {
  const blobs = ['policy', ...blobNames('a')].map((name) => Buffer.from(bytesOf(name)).toString('utf8'));
  const steps = [
    [story.policy(), story.planned('a')],
    [story.verdict('a'), story.reserved('a')],
    [story.released('a')],
  ];

  it('runs on the built program', () => {
    expect(isBuilt, 'npm run build comes first').toBe(true);
  });

  it.each(steps.flatMap((_, step) => ['before', 'inside', 'after'].map((when) => `${when} ${step}`)))(
    'leaves rows and entries together or neither: %s',
    async (dieAt) => {
      const path = folder.path();
      await (await create(path)).close();
      await runChild({ path, now: START, blobs, steps, dieAt });
      const deferred = value(deferredJournal(path, { clock }));
      await expectRows(deferred);
      await deferred.close();
      rmSync(path);
    },
  );
});
