import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { bundleForm, decodeBundle, encodeBundle, tilePath, tilesOf, tilesOfLevel } from '../../src/journal/tiles.js';
import { encoded, readLog, rootThrough } from '../journal/tlog-tiles.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** Appends entries without the program around them: more than anybody types. */
async function append(s: Session, bodies: readonly EntryBody[]): Promise<void> {
  const opened = await openJournal(s.path('journal.sqlite'), { clock: () => Date.parse(s.now) / 1000 });
  if (!opened.ok) throw new Error(opened.error.message);
  const done = await opened.value.transact(async (tx) => ok(bodies.map((body) => tx.append(body))));
  await opened.value.close();
  if (!done.ok) throw new Error(done.error.message);
}
const frozen = (n: number, reason = 'r'): EntryBody => ({
  kind: 'coin.frozen',
  outpoint: `${n.toString(16).padStart(64, '0')}:0`,
  reason,
  by: 'alice',
});
const freeze = (s: Session, from: number, to: number): Promise<void> =>
  append(
    s,
    Array.from({ length: to - from }, (_, n) => frozen(from + n)),
  );
async function checkpoint(s: Session, name: string): Promise<number> {
  return (await s.json(0, 'audit', 'checkpoint', name, '--key', 'journal.key')).size;
}
const run = (name: string, folder = 'export'): string[] => ['audit', 'export', '--tiles', folder, '--checkpoint', name];

describe('the files of an export', () => {
  let s: Session;
  const sizes: number[] = [];
  beforeAll(async () => {
    s = await stage({ until: 'init' });
    s.now = '2026-06-01T12:00:00Z';
    await s.expect(0, 'audit', 'key', 'journal.key');
    for (const due of [1, 255, 256, 257, 700]) {
      const [size = 1] = sizes.slice(-1);
      await freeze(s, size, due);
      sizes.push(await checkpoint(s, `at-${due}`));
    }
    expect(sizes).toEqual([1, 255, 256, 257, 700]);
  });

  it('are those of the specification for every size, as a reader of its own finds them', async () => {
    for (const size of sizes) {
      const report = await s.json(0, ...run(`at-${size}`));
      const log = readLog(s.path('export'));
      expect(log.entries).toHaveLength(size);
      expect(log.files).toHaveLength(1 + report.tiles + report.bundles);
      expect([report.size, report.wide]).toEqual([size, []]);
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        expect(rootThrough(s.path('export'), index, size).equals(log.root)).toBe(true);
      }
    }
    const { entries } = await s.json(0, 'audit', 'log');
    const { origin, entries: read } = readLog(s.path('export'));
    expect(origin).toBe(`countersign/testnet3/${entries[0].hash}`);
    for (const [seq, record] of read.entries()) {
      const { hash: _, ...due } = entries[seq];
      expect(JSON.parse(record.toString())).toEqual(due);
    }
  });

  it('are written once: the same export again writes nothing, and a newer one adds to it', async () => {
    await s.expect(0, ...run('at-257', 'again'));
    const tile = s.path('again/tile/0/000');
    const before = statSync(tile).mtimeMs;
    expect(await s.json(0, ...run('at-257', 'again'))).toMatchObject({ written: 0 });
    const newer = await s.json(0, ...run('at-700', 'again'));
    // Full tile 0, its bundle and the first hash of level 1 were there.
    expect(newer.written).toBe(newer.tiles + newer.bundles - 2);
    expect(statSync(tile).mtimeMs).toBe(before);
    expect(existsSync(s.path('again/tile/0/001.p/1'))).toBe(true);
    readLog(s.path('again'));
  });

  it('end where a file says otherwise, where the folder is newer, or another journal’s', async () => {
    await s.expect(0, ...run('at-257', 'other'));
    expect(await s.faultOf(2, ...run('at-255', 'other'))).toBe('E_FILE_EXISTS');
    const changed = readFileSync(s.path('other/tile/0/000'));
    changed[5] = (changed[5] ?? 0) ^ 1;
    writeFileSync(s.path('other/tile/0/000'), changed);
    const published = s.read('other/checkpoint');
    expect(await s.faultOf(2, ...run('at-700', 'other'))).toBe('E_FILE_EXISTS');
    expect(s.read('other/checkpoint')).toBe(published);
    expect(() => readLog(s.path('other'))).toThrow('not under its leaf');
    s.write('other/checkpoint', published.replace('testnet3', 'main'));
    expect(await s.faultOf(13, ...run('at-700', 'other'))).toBe('E_CHECKPOINT_ORIGIN');
    s.write('other/checkpoint', 'x');
    expect(await s.faultOf(2, ...run('at-700', 'other'))).toBe('E_NOTE_FORM');
    for (const argv of [
      ['audit', 'export', '--tiles', 'x'],
      ['audit', 'export', '--checkpoint', 'at-1'],
    ]) {
      expect(await s.faultOf(2, ...argv)).toBe('E_USAGE');
    }
    expect(await s.faultOf(2, ...run('missing', 'x'))).toBe('E_FILE_MISSING');
    s.write('larger', s.read('at-700').replace('\n700\n', '\n701\n'));
    expect(await s.faultOf(13, ...run('larger', 'x'))).toBe('E_JOURNAL_TRUNCATED');
    expect(existsSync(s.path('x'))).toBe(false);
  });

  it('are read again by audit verify, partial bundles taken away where the full one is there', async () => {
    const held = ['audit', 'verify', '--checkpoint', 'at-257', '--trust', 'journal.key.pub', '--tiles', 'again'];
    await s.expect(0, ...held);
    rmSync(s.path('again/tile/entries/001.p/1'));
    await s.expect(0, ...held);
    rmSync(s.path('again/tile/entries/001'));
    expect(await s.faultOf(2, ...held)).toBe('E_FILE_MISSING');
  });
});

describe('an entry that is too long for the form of the specification', () => {
  it('is exported at an address of its own, and read from there', async () => {
    const s = await stage({ until: 'policy' });
    s.now = '2026-06-01T12:00:00Z';
    await s.expect(0, 'audit', 'key', 'journal.key');
    const opened = await openJournal(s.path('journal.sqlite'), { clock: () => Date.parse(s.now) / 1000 });
    if (!opened.ok) throw new Error(opened.error.message);
    const state = await opened.value.read();
    const under = state.ok ? (state.value.policy?.digest ?? '') : '';
    const label = 'x'.repeat(20_000);
    const added = ['a', 'b', 'c', 'd'].map((id) => ({ id, script: `0014${'ab'.repeat(20)}`, label }));
    const done = await opened.value.transact(async (tx) => {
      const document = tx.keep(Buffer.from('book'));
      const signatures = [{ person: 'bob', signature: 's' }];
      const body = { kind: 'book.changed', digest: document, version: 1, document, under, signatures } as const;
      return ok(tx.append({ ...body, added, removed: [] }));
    });
    await opened.value.close();
    if (!done.ok) throw new Error(done.error.message);
    const size = await checkpoint(s, 'one');
    const report = await s.json(0, ...run('one'));
    expect(report.wide).toEqual([`tile/wide-entries/000.p/${size}`]);
    expect(existsSync(s.path('export/tile/entries'))).toBe(false);
    const held = ['audit', 'verify', '--read-only', '--checkpoint', 'one', '--tiles', 'export'];
    const { faults } = await s.json(13, ...held);
    // The made-up book is no book; the rows are those of the export.
    expect(faults.map(({ tag }: { tag: string }) => tag)).toEqual(['E_JOURNAL_TAMPERED']);
  });

  it('decides the form of its bundle: at 65,535 bytes not yet, at one more', () => {
    const most = new Uint8Array(65_535);
    expect([bundleForm([most]), bundleForm([new Uint8Array(65_536)]), bundleForm([])]).toEqual([
      'standard',
      'wide',
      'standard',
    ]);
    for (const form of ['standard', 'wide'] as const) {
      const bytes = encodeBundle([most, new Uint8Array(0)], form);
      expect(decodeBundle(bytes, form)?.map(({ length }) => length)).toEqual([65_535, 0]);
      expect(decodeBundle(bytes.subarray(0, -1), form)).toBeNull();
    }
  });
});

describe('the paths of tiles', () => {
  it('are those of the examples in the specification', () => {
    expect(tilePath({ level: 0, n: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    const tiles = tilesOf(70_000);
    const of = (level: number) => tiles.filter((tile) => tile.level === level);
    expect(of(0).filter(({ width }) => width === 256)).toHaveLength(273);
    expect(of(0).at(-1)).toEqual({ level: 0, n: 273, width: 112 });
    expect(of(1)).toEqual([
      { level: 1, n: 0, width: 256 },
      { level: 1, n: 1, width: 17 },
    ]);
    expect(of(2)).toEqual([{ level: 2, n: 0, width: 1 }]);
    expect(tilesOf(256)).toEqual([
      { level: 0, n: 0, width: 256 },
      { level: 1, n: 0, width: 1 },
    ]);
    expect(tilesOf(0)).toEqual([]);
  });

  it('are the same from both sides', () => {
    for (const n of [0, 1, 9, 10, 999, 1000, 1001, 123_456, 999_999, 1_000_000, 4_294_967_296]) {
      expect(tilePath({ level: 3, n, width: 256 })).toBe(`tile/3/${encoded(n)}`);
      expect(tilePath({ level: 3, n, width: 7 })).toBe(`tile/3/${encoded(n)}.p/7`);
    }
    expect(tilesOfLevel(1, 3)).toEqual([{ level: 1, n: 0, width: 3 }]);
  });
});
