import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { canonicalJson, type Json } from '../../src/domain/canonical-json.js';
import { namedBlobs } from '../../src/journal/blobs.js';
import { entryHash, sealEntry, verifyChain } from '../../src/journal/chain.js';
import type { Entry } from '../../src/journal/entries.js';
import { hashOf, story } from '../journal/story.js';
import { append, clock, create, journalFolder, LIFE, rawExec, tamper } from './journal-folder.js';

const folder = journalFolder();
const good = folder.path();
const entries: Entry[] = [];
beforeAll(async () => {
  const journal = await create(good);
  await append(journal, LIFE);
  for await (const entry of journal.entries()) entries.push(entry);
  await journal.close();
});
afterAll(folder.remove);

const copy = (): string => {
  const path = folder.path();
  copyFileSync(good, path);
  return path;
};
const outcome = async (path: string): Promise<string> => {
  const opened = await openJournal(path, { clock });
  if (!opened.ok) return `${opened.error.tag} ${opened.error.message}`;
  await opened.value.close();
  return 'ok';
};
const at = (seq: number): Entry => {
  const entry = entries[seq];
  if (entry === undefined) throw new Error(`no entry ${seq}`);
  return entry;
};
const text = (entry: Entry): string => canonicalJson(entry.body as unknown as Json).replaceAll("'", "''");
const set = ({ seq, at: time, prev, hash, ...rest }: Entry): string =>
  `UPDATE entries SET at='${time}', prev='${prev}', hash='${hash}', body='${text({ seq, at: time, prev, hash, ...rest })}' WHERE seq=${seq}`;
const insert = (entry: Entry): string =>
  `INSERT INTO entries VALUES (${entry.seq}, '${entry.at}', '${entry.prev}', '${text(entry)}', '${entry.hash}')`;

describe('rows that somebody changed', () => {
  it('are the reason why the untouched copy verifies', async () => {
    expect(await outcome(copy())).toBe('ok');
  });

  const cheaper = (): Entry => ({ ...at(2), body: story.planned('a', { amount: '1' }) });
  const rehashed = (): Entry => ({ ...cheaper(), hash: entryHash(cheaper()) });
  const cases: [string, () => string[], RegExp][] = [
    ['an edited body', () => [set(cheaper())], /entry 2 .*edited/],
    ['an edited body with its hash made anew', () => [set(rehashed())], /entry 3 .*before it/],
    ['an edited time', () => ["UPDATE entries SET at='2026-06-01T12:00:01Z' WHERE seq=3"], /entry 3 .*edited/],
    ['two rows swapped', () => [set({ ...at(3), seq: 4 }), set({ ...at(4), seq: 3 })], /entry 3 /],
    [
      'a row twice',
      () => [
        'UPDATE entries SET seq = seq + 100 WHERE seq > 3',
        'UPDATE entries SET seq = seq - 99 WHERE seq > 3',
        insert({ ...at(3), seq: 4 }),
      ],
      /entry 4 /,
    ],
    [
      'a row inserted and the ones after it linked anew',
      () => ['DELETE FROM entries WHERE seq > 2', ...forged()],
      /entry 4 .*needs/,
    ],
    ['a deleted row', () => ['DELETE FROM entries WHERE seq=3'], /entry 3 .*missing/],
    [
      'a row before the first',
      () => ["INSERT INTO entries VALUES (-1, 'x', 'x', 'x', 'x')"],
      /holds a row before its first entry/,
    ],
    ['the first row deleted', () => ['DELETE FROM entries WHERE seq=0'], /entry 0 .*missing/],
    ['all rows deleted', () => ['DELETE FROM entries'], /no entries/],
    [
      'a body with a key that stands twice',
      () => [`UPDATE entries SET body = replace(body, '{"approvers"', '{"approvers":[],"approvers"') WHERE seq=4`],
      /entry 4 .*canonical/,
    ],
    ['a body with a space', () => [`UPDATE entries SET body = body || ' ' WHERE seq=4`], /entry 4 .*canonical/],
    [
      'a number in another spelling',
      () => [`UPDATE entries SET body = replace(body, '"version":1', '"version":1.0') WHERE seq=1`],
      /entry 1 .*canonical/,
    ],
    ['a body that is not JSON', () => ["UPDATE entries SET body = 'x' WHERE seq=4"], /entry 4 .*not JSON/],
    [
      'a trigger that drops entries',
      () => ['CREATE TRIGGER quiet BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END'],
      /tables and triggers/,
    ],
    ['a trigger of ours that is gone', () => [], /tables and triggers/],
  ];
  function forged(): string[] {
    const rows: string[] = [];
    const { seq, hash } = at(2);
    let head = { seq, hash, at: clock() };
    for (const body of [story.abandoned('a'), ...LIFE.slice(2)]) {
      const entry = sealEntry(head, clock(), body);
      rows.push(insert(entry));
      head = { seq: entry.seq, hash: entry.hash, at: clock() };
    }
    return rows;
  }
  it.each(cases)('are found: %s', async (name, statements, words) => {
    const path = copy();
    tamper(path, ...statements());
    if (name === 'a trigger of ours that is gone') rawExec(path, 'DROP TRIGGER blobs_no_delete');
    const found = await outcome(path);
    expect(found).toMatch(/^E_JOURNAL_TAMPERED /);
    expect(found).toMatch(words);
  });

  it('are found by a process that has the journal open', async () => {
    for (const statement of ['DELETE FROM entries WHERE seq=7', "UPDATE entries SET hash='00' WHERE seq=7"]) {
      const path = copy();
      const opened = await openJournal(path, { clock });
      if (!opened.ok) throw new Error(opened.error.message);
      tamper(path, statement);
      expect(await opened.value.read()).toMatchObject({
        ok: false,
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('entry 7 changed or vanished') },
      });
      await opened.value.close();
    }
  });

  it('are refused by the tables themselves where nobody took the triggers away', () => {
    for (const statement of [
      'DELETE FROM entries',
      'UPDATE entries SET at = 1',
      'DELETE FROM blobs',
      "UPDATE blobs SET bytes = x'00'",
    ]) {
      expect(() => rawExec(copy(), statement)).toThrow('append-only');
    }
  });
});

describe('blobs that somebody changed', () => {
  it.each([
    ["UPDATE blobs SET bytes = x'00'", 'other bytes'],
    ['DELETE FROM blobs', 'missing'],
  ])('are found when they are read: %s', async (statement, words) => {
    const path = copy();
    tamper(path, statement);
    const opened = await openJournal(path, { clock });
    if (!opened.ok) throw new Error(opened.error.message);
    expect(await opened.value.blob(hashOf('a psbt'))).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(words) },
    });
    await opened.value.close();
  });
});

describe('files that were cut or damaged', () => {
  it('a file cut anywhere fails to open, or fails to give the blob whose page was cut', async () => {
    const bytes = readFileSync(good);
    for (let length = bytes.length - 512; length >= 0; length -= 512) {
      const path = copy();
      truncateSync(path, length);
      const opened = await openJournal(path, { clock });
      if (!opened.ok) {
        expect(opened.error.tag).toMatch(/^E_JOURNAL_(TAMPERED|SCHEMA)$/);
        continue;
      }
      const read = await Promise.all(
        entries.flatMap(({ body }) => namedBlobs(body)).map((name) => opened.value.blob(name)),
      );
      // The end of the last page may be room that nothing has used yet: SQLite reads it as the zeros that it was.
      const lost = bytes.subarray(length).some((byte) => byte !== 0);
      expect([length, read.some((blob) => !blob.ok)]).toEqual([length, lost]);
      await opened.value.close();
    }
  });

  it('pages of noise are found', async () => {
    const path = copy();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096, 12_288);
    writeFileSync(path, bytes);
    expect(await outcome(path)).toMatch(/^E_JOURNAL_(TAMPERED|SCHEMA|IO) /);
  });
});

describe('what opening cannot find', () => {
  it('rows cut off at the end: only a place noted elsewhere shows it', async () => {
    const path = copy();
    tamper(path, 'DELETE FROM entries WHERE seq > 4');
    const opened = await openJournal(path, { clock });
    if (!opened.ok) throw new Error(opened.error.message);
    const anchor = { seq: 6, hash: at(6).hash };
    expect(await verifyChain(opened.value.entries(), [anchor])).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('cut off') },
    });
    await opened.value.close();
  });

  it('a write-ahead log taken away loses nothing that a transaction has ended with', async () => {
    const path = folder.path();
    const journal = await create(path);
    await append(journal, LIFE);
    const main = folder.path();
    copyFileSync(path, main);
    expect(existsSync(`${path}-wal`)).toBe(true);
    expect(existsSync(`${main}-wal`)).toBe(false);
    expect(await outcome(main)).toBe('ok');
    await journal.close();
    rmSync(`${path}-wal`, { force: true });
    expect(await outcome(path)).toBe('ok');
  });

  it.each([
    ['removed', false],
    ['replaced', true],
  ])('a write-ahead log %s while the journal is open ends writing, and loses nothing', async (_, replaced) => {
    const path = folder.path();
    const journal = await create(path);
    await append(journal, LIFE);
    rmSync(`${path}-wal`);
    // The name alone would look the same.
    if (replaced) copyFileSync(path, `${path}-wal`);
    expect(await append(journal, [story.frozen()])).toMatchObject({
      ok: false,
      error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('write-ahead log') },
    });
    const state = await journal.read();
    expect(state.ok && state.value.head?.seq).toBe(LIFE.length);
    await journal.close();
    rmSync(`${path}-wal`, { force: true });
    expect(await outcome(path)).toBe('ok');
  });
});
