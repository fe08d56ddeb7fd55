import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { stateOf } from '../../src/adapters/sqlite-place.js';
import { openStore } from '../../src/adapters/sqlite-store.js';
import { unlocked } from '../../src/adapters/sqlite-unlocked.js';
import { fault } from '../../src/domain/fault.js';
import { parseTime } from '../../src/domain/time.js';
import { removeAll, type Session } from '../cli/session.js';
import { JOURNAL, type Line, readyToSign, runLines, signWords } from './crash-signing.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const hasPermissions = process.getuid !== undefined;

const folders: string[] = [];
let ready: Session;
let id = '';
beforeAll(async () => {
  ({ s: ready, id } = await readyToSign());
});
afterAll(() => {
  removeAll();
  ready.remove();
  for (const folder of folders) {
    for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chmodSync(path, 0o755);
    rmSync(folder, { recursive: true, force: true });
  }
});

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-reading-'));
  folders.push(folder);
  cpSync(ready.folder, folder, { recursive: true });
  return folder;
}

/** Nobody but root may write there, and the processes of these tests are not root's. */
function close(folder: string): string {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o555 : 0o444);
  }
  chmodSync(folder, 0o555);
  if (isRoot) chownSync(folder, 0, 0);
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
type Answer = any;
const answerOf = (line: Line | undefined): Answer => JSON.parse(line?.stdout ?? 'null');

async function run(
  folder: string,
  lines: readonly (readonly string[])[],
  uid: { uid?: number } = isRoot ? { uid: NOBODY } : {},
): Promise<readonly Line[]> {
  const ended = await runLines({ folder, now: ready.now, lines: lines.map((words) => [...words, '--json']), ...uid });
  expect([ended.signal, ended.stderr]).toEqual([null, '']);
  return ended.lines;
}

describe.skipIf(!hasPermissions)(
  'a workspace that may not be written to (skipped without permissions of that kind)',
  () => {
    const READING: readonly (readonly string[])[] = [
      ['batch', 'list'],
      ['batch', 'show', 'ID'],
      ['batch', 'check', 'ID'],
      ['batch', 'review', 'ID'],
      ['vault', 'show'],
      ['vault', 'coins'],
      ['vault', 'balance'],
      ['book', 'show'],
      ['policy', 'explain'],
      ['halt', 'status'],
      ['audit', 'log'],
      ['audit', 'verify'],
      ['audit', 'replay'],
      ['audit', 'payments'],
    ];

    it('is read and audited as one that may, and nothing is left beside it', async () => {
      const folder = copy();
      const words = READING.map((line) => line.map((word) => (word === 'ID' ? id : word)));
      const open = await run(folder, words, {});
      const names = readdirSync(close(folder));
      const closed = await run(folder, words);
      for (const [index, line] of closed.entries()) {
        expect([line.argv, line.code], line.stderr + line.stdout).toEqual([words[index]?.concat('--json'), 0]);
        expect(answerOf(line)).toEqual(answerOf(open[index]));
      }
      expect(readdirSync(folder)).toEqual(names);
    });

    it.each([
      ['batch sign', () => signWords(id).filter((word) => word !== '--json')],
      ['batch abandon', () => ['batch', 'abandon', id, '--reason', 'r', '--as', 'alice']],
      ['halt raise', () => ['halt', 'raise', '--unsigned', '--reason', 'something is wrong']],
    ])('takes no %s: it says that it can be read and not written, and no device is asked', async (_, words) => {
      const [line] = await run(close(copy()), [words()]);
      expect(line?.code, line?.stdout).toBe(1);
      expect(answerOf(line).faults[0]).toMatchObject({
        tag: 'E_JOURNAL_IO',
        message: expect.stringMatching(/cannot be written/),
        remedy: expect.stringMatching(/allow writing|can be read and written/),
      });
      expect(line?.moments.filter((moment) => moment.startsWith('exchange '))).toEqual([]);
    });

    it('is not read past a log that cannot be read: a copy of both, where one may write, has every entry', async () => {
      const folder = copy();
      const killed = await runLines({ folder, now: ready.now, lines: [signWords(id)], dieAt: 8 });
      expect([killed.signal, statSync(join(folder, `${JOURNAL}-wal`)).size > 0]).toEqual(['SIGKILL', true]);
      rmSync(join(folder, `${JOURNAL}-shm`));
      const [line] = await run(close(folder), [['audit', 'log']]);
      expect(line?.code, line?.stdout).toBe(1);
      expect(answerOf(line).faults[0]).toMatchObject({
        tag: 'E_JOURNAL_IO',
        message: expect.stringContaining('-wal'),
        remedy: expect.stringContaining('together with its -wal'),
      });
      const elsewhere = copy();
      for (const name of [JOURNAL, `${JOURNAL}-wal`]) {
        copyFileSync(join(folder, name), join(elsewhere, name));
        chmodSync(join(elsewhere, name), 0o644);
      }
      const { lines } = await runLines({ folder: elsewhere, now: ready.now, lines: [['audit', 'verify', '--json']] });
      expect(lines[0]?.code, lines[0]?.stdout).toBe(0);
    });

    it('is read while somebody who may write has it open, with the newest entry', async () => {
      const folder = copy();
      const clock = () => parseTime(ready.now) ?? 0;
      const opened = await openJournal(join(folder, JOURNAL), { clock });
      if (!opened.ok) throw new Error(opened.error.message);
      const done = await opened.value.transact(async (tx) => ({
        ok: true as const,
        value: tx.append({ kind: 'coin.frozen', outpoint: `${'7'.repeat(64)}:0`, reason: 'newest', by: 'alice' }),
      }));
      expect(done.ok).toBe(true);
      expect(existsSync(join(folder, `${JOURNAL}-wal`))).toBe(true);
      const [line] = await run(close(folder), [['audit', 'log']]);
      await opened.value.close();
      expect(line?.code, line?.stdout).toBe(0);
      expect(answerOf(line).entries.at(-1).body).toMatchObject({ kind: 'coin.frozen', reason: 'newest' });
    });
  },
);

it('what was read without a lock is good only while nobody writes', async () => {
  const path = join(copy(), JOURNAL);
  const clock = () => parseTime(ready.now) ?? 0;
  const opened = openStore(path);
  if (!opened.ok) throw new Error(opened.error.message);
  const why = fault('E_JOURNAL_IO', 'it is on a stick');
  // The name by which it is opened needs a folder that is closed; what is looked at between two reads does not.
  const store = unlocked(opened.value, path, stateOf(path), why);
  expect(await store.hasBefore(0)).toBe(false);
  await expect(store.begin()).rejects.toMatchObject({
    fault: { tag: 'E_JOURNAL_IO', message: 'it can be read and cannot be written: it is on a stick' },
  });
  const writer = await openJournal(path, { clock });
  if (!writer.ok) throw new Error(writer.error.message);
  await writer.value.transact(async (tx) => ({
    ok: true as const,
    value: tx.append({ kind: 'coin.frozen', outpoint: `${'7'.repeat(64)}:0`, reason: 'meanwhile', by: 'alice' }),
  }));
  for (const read of [() => store.hasBefore(0), () => store.page(0), () => store.blob('00'), () => store.blobNames()]) {
    await expect(read()).rejects.toMatchObject({ fault: { tag: 'E_JOURNAL_LOCKED' } });
  }
  await writer.value.close();
  await store.close();
});
