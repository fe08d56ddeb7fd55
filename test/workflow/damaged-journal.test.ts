import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { parseTime } from '../../src/domain/time.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { JOURNAL, type Line, readyToSign, runLines, signWords } from './crash-signing.js';

const PAGE = 4096;
const folders: string[] = [];
let ready: Session;
let id = '';
beforeAll(async () => {
  ({ s: ready, id } = await readyToSign());
});
afterAll(() => {
  removeAll();
  ready.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const clock = () => parseTime(ready.now) ?? 0;

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-damaged-'));
  folders.push(folder);
  cpSync(ready.folder, folder, { recursive: true });
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
type Answer = any;
const answerOf = (line: Line | undefined): Answer => JSON.parse(line?.stdout ?? 'null');

const LINES = (): (readonly string[])[] => [signWords(id), ['audit', 'verify', '--json'], ['batch', 'list', '--json']];

/** Every verb refuses it alike, with a remedy; no device hears anything, and the file stays as it is. */
async function expectRefused(folder: string, tag: string, exit: number, words: RegExp): Promise<void> {
  const before = readFileSync(join(folder, JOURNAL));
  const { lines, stderr } = await runLines({ folder, now: ready.now, lines: LINES() });
  expect(stderr).toBe('');
  for (const line of lines) {
    const [first] = answerOf(line).faults;
    expect([line.argv[1], line.code, first.tag], line.stdout).toEqual([line.argv[1], exit, tag]);
    expect(first.message).toMatch(words);
    expect(first.remedy).toMatch(/stop signing|name the journal|use the version/);
    expect(line.moments.filter((moment) => moment.startsWith('exchange '))).toEqual([]);
  }
  expect(readFileSync(join(folder, JOURNAL)).equals(before)).toBe(true);
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

describe('a journal whose file was cut off', () => {
  it.each([
    ['to nothing', () => 0],
    ['to one byte', () => 1],
    ['within its header', () => 99],
    ['behind its header', () => 100],
    ['to its first page', () => PAGE],
    ['to half', (size: number) => Math.floor(size / PAGE / 2) * PAGE],
    ['by its last page', (size: number) => size - PAGE],
    ['within its last page', (size: number) => size - PAGE + 8],
  ] as const)('%s is E_JOURNAL_TAMPERED to every verb', async (_, length) => {
    const folder = copy();
    const path = join(folder, JOURNAL);
    truncateSync(path, length(statSync(path).size));
    await expectRefused(folder, 'E_JOURNAL_TAMPERED', 13, /cut off|damaged|missing|header/);
  });

  it('at every page, and within every page, is not opened', async () => {
    const path = join(copy(), JOURNAL);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += PAGE) {
      for (const more of [0, 1, 511, 512, PAGE - 1]) {
        const cut = Math.min(length + more, whole.length - 1);
        writeFileSync(path, whole.subarray(0, cut));
        const opened = await openJournal(path, { clock });
        const tail = whole.subarray(cut);
        // A page that ends in zeros loses nothing where they are cut off: what is read of it is what it was.
        if (opened.ok) {
          await opened.value.close();
          expect([cut, tail.every((byte) => byte === 0)]).toEqual([cut, true]);
        } else expect([cut, opened.error.tag]).toEqual([cut, 'E_JOURNAL_TAMPERED']);
        for (const name of [`${path}-wal`, `${path}-shm`]) rmSync(name, { force: true });
      }
    }
  }, 120_000);
});

describe('a journal whose header was overwritten', () => {
  it.each([
    ['with zeros', 0, Buffer.alloc(100)],
    ['in its name', 0, Buffer.from('another format\0\0')],
    ['in the size of its pages', 16, Buffer.from([0x03, 0x07])],
    ['where it says that it is a journal', 68, Buffer.alloc(4)],
    ['with another first page', 0, Buffer.alloc(PAGE, 7)],
  ])('%s is E_JOURNAL_TAMPERED', async (_, at, bytes) => {
    const folder = copy();
    overwrite(join(folder, JOURNAL), at, bytes);
    await expectRefused(folder, 'E_JOURNAL_TAMPERED', 13, /header was overwritten|damaged|within a page/);
  });

  it('to the layout of another version is E_JOURNAL_SCHEMA', async () => {
    const folder = copy();
    overwrite(join(folder, JOURNAL), 60, Buffer.from([0, 0, 0, 9]));
    await expectRefused(folder, 'E_JOURNAL_SCHEMA', 2, /layout 9/);
  });

  it('and whose place is taken by a file of another kind: E_JOURNAL_SCHEMA', async () => {
    const folder = copy();
    writeFileSync(join(folder, JOURNAL), 'dear diary\n'.repeat(1000));
    await expectRefused(folder, 'E_JOURNAL_SCHEMA', 2, /not a journal/);
  });
});

/** A journal of which the newest entry is in the write-ahead log alone: somebody reads, so it cannot be moved yet. */
async function withLog(): Promise<{ folder: string; before: string; path: string }> {
  const folder = copy();
  const path = join(folder, JOURNAL);
  const heads = await headOf(folder);
  const reader = new Database(path);
  reader.exec('BEGIN');
  reader.prepare('SELECT max(seq) FROM entries').get();
  const opened = await openJournal(path, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  const done = await opened.value.transact(async (tx) => ({
    ok: true as const,
    value: tx.append({ kind: 'coin.frozen', outpoint: `${'7'.repeat(64)}:0`, reason: 'newest', by: 'alice' }),
  }));
  expect(done.ok).toBe(true);
  const elsewhere = copy();
  for (const end of ['', '-wal', '-shm']) copyFileSync(`${path}${end}`, join(elsewhere, `${JOURNAL}${end}`));
  reader.exec('ROLLBACK');
  reader.close();
  await opened.value.close();
  return { folder: elsewhere, before: heads, path: join(elsewhere, JOURNAL) };
}

async function headOf(folder: string): Promise<string> {
  const { lines } = await runLines({ folder, now: ready.now, lines: [['audit', 'verify', '--json']] });
  const { head } = answerOf(lines[0]);
  return `${head.seq}:${head.hash}`;
}

describe('the files beside a journal', () => {
  it('-shm removed: nothing is missing', async () => {
    const { folder, before, path } = await withLog();
    rmSync(`${path}-shm`);
    expect(await headOf(folder)).not.toBe(before);
  });

  it('-wal removed while nobody has it open: what was only there is gone, and a head noted elsewhere shows it', async () => {
    const { folder, before, path } = await withLog();
    const whole = copy();
    for (const end of ['', '-wal', '-shm']) copyFileSync(`${path}${end}`, join(whole, `${JOURNAL}${end}`));
    const noted = await headOf(whole);
    rmSync(`${path}-wal`);
    rmSync(`${path}-shm`);
    expect(await headOf(folder)).toBe(before);
    const { lines } = await runLines({
      folder,
      now: ready.now,
      lines: [['audit', 'verify', '--head', noted, '--json']],
    });
    expect([lines[0]?.code, answerOf(lines[0]).faults[0].tag]).toEqual([13, 'E_JOURNAL_TAMPERED']);
  });

  it('-wal cut off or of another journal: the entries up to there, or a refusal, and never others', async () => {
    const { before, path } = await withLog();
    const log = readFileSync(`${path}-wal`);
    const heads = new Set<string>();
    for (const bytes of [log.subarray(0, 20), log.subarray(0, log.length >> 1), Buffer.alloc(log.length, 3)]) {
      const folder = copy();
      copyFileSync(path, join(folder, JOURNAL));
      writeFileSync(join(folder, `${JOURNAL}-wal`), bytes);
      heads.add(await headOf(folder));
    }
    expect([...heads]).toEqual([before]);
  });
});

it("a journal that another vault's was put in the place of knows nothing of the batch, and a noted head shows it", async () => {
  const folder = copy();
  const noted = await headOf(folder);
  const other = await stage({ until: 'vault' });
  copyFileSync(other.path(JOURNAL), join(folder, JOURNAL));
  for (const end of ['-wal', '-shm']) {
    if (existsSync(other.path(`${JOURNAL}${end}`)))
      copyFileSync(other.path(`${JOURNAL}${end}`), join(folder, `${JOURNAL}${end}`));
  }
  const { lines } = await runLines({
    folder,
    now: ready.now,
    lines: [signWords(id), ['audit', 'verify', '--head', noted, '--json']],
  });
  const [signed, verified] = lines;
  expect([signed?.code, answerOf(signed).faults[0].tag]).toEqual([14, 'E_POLICY_MISSING']);
  expect(signed?.moments.filter((moment) => moment.startsWith('exchange '))).toEqual([]);
  expect([verified?.code, answerOf(verified).faults[0].tag]).toEqual([13, 'E_JOURNAL_TAMPERED']);
});
