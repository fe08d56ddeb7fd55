import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoFile, removeAll, type Session, stage } from '../cli/session.js';
import {
  closedCopy,
  exchangesOf,
  JOURNAL,
  type Line,
  RECORDING,
  readyToSign,
  runLines,
  type SoftEnded,
  signSoftly,
  signWords,
} from './crash-signing.js';

const recorded = exchangesOf(demoFile(`recordings/${RECORDING}`));
const PAGE = 4096;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const has = (program: string, ...words: string[]): boolean => spawnSync(program, words).status === 0;

const folders: string[] = [];
const mounts: string[] = [];
let ready: Session;
let id = '';

beforeAll(async () => {
  ({ s: ready, id } = await readyToSign());
});
afterAll(() => {
  removeAll();
  ready.remove();
  for (const mount of mounts) spawnSync('umount', [mount], { stdio: 'ignore' });
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
  folders.push(folder);
  return folder;
}

function copy(folder = folderFor()): string {
  cpSync(ready.folder, folder, { recursive: true });
  return folder;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
type Answer = any;
const answerOf = (line: Line | undefined): Answer => JSON.parse(line?.stdout ?? 'null');
const exchanges = (line: Line | undefined) => line?.moments.filter((moment) => moment.startsWith('exchange '));
const wasAsked = (line: Line | undefined): boolean =>
  line?.moments.includes(`exchange ${recorded.asks}: before`) === true;

async function run(folder: string, more: { under?: readonly string[]; uid?: number } = {}): Promise<Line> {
  const ended = await runLines({ folder, now: ready.now, lines: [signWords(id)], ...more });
  const [line] = ended.lines;
  if (line === undefined || ended.signal !== null) throw new Error(`no answer: ${ended.stderr}`);
  return line;
}

/** A refusal of a known kind, before anything was reserved or sent. */
function expectRefused(line: Line, exit: number, tag: string, words: RegExp): void {
  const [first] = answerOf(line).faults;
  expect([line.code, first.tag, first.remedy === ''], line.stdout).toEqual([exit, tag, false]);
  expect(first.message).toMatch(words);
  expect(exchanges(line)).toEqual([]);
}

const STATES = /^(DRAFT|RESERVED|RELEASED|SENT|UNKNOWN|SIGNED)$/;

/**
 * What a run on a disk without room has left, seen when there is room again: whatever was asked of the device was durable
 * before, and what the device signed is in the journal or in the answer.
 */
async function expectHonest(folder: string, line: Line, where: string): Promise<string> {
  const show = ['batch', 'show', id, '--json'];
  const after = await runLines({ folder, now: ready.now, lines: [show, ['audit', 'verify', '--json'], signWords(id)] });
  const [shown, verified, again] = after.lines;
  expect([where, shown?.code, verified?.code, after.stderr], shown?.stdout).toEqual([where, 0, 0, '']);
  const { state } = answerOf(shown).batch;
  expect(state).toMatch(STATES);
  const open = ['DRAFT', 'RESERVED', 'RELEASED'].includes(state);
  expect([where, open], line.stdout).toEqual([where, !wasAsked(line)]);
  if (open) {
    const [first] = answerOf(line).faults;
    expect([where, line.code, first.tag]).toEqual([where, 1, expect.stringMatching(/^E_JOURNAL_(IO|ROOM)$/)]);
    expect([where, again?.code]).toEqual([where, 0]);
    // Without a reservation not even the name of its app was asked of the device.
    if (state === 'DRAFT') expect([where, exchanges(line)]).toEqual([where, []]);
  } else {
    expect([where, again?.code, exchanges(again)]).toEqual([where, 15, []]);
    const kept = state === 'SIGNED' ? answerOf(shown).transaction : null;
    const said = line.code === 0 ? answerOf(line).transaction : line.stdout;
    const file = join(folder, 'batches', id, 'transaction.hex');
    const written = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    expect([where, kept !== null || written !== '' || /this is the transaction: 02[0-9a-f]+/.test(said)]).toEqual([
      where,
      true,
    ]);
  }
  return `${state} ${line.code}`;
}

/** Takes all the room that there is but so many pages. */
function fill(file: string, pages: number): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(PAGE));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
  truncateSync(file, Math.max(0, statSync(file).size - pages * PAGE));
}

describe('a disk that is full', () => {
  it('for files beyond a size: nothing is asked of the device that is not durable', async (context) => {
    if (!has('prlimit', '--version')) return context.skip('this system has no prlimit');
    const size = statSync(ready.path(JOURNAL)).size;
    const seen = new Set<string>();
    for (const limit of [
      0,
      1,
      4 * PAGE,
      8 * PAGE,
      9 * PAGE,
      12 * PAGE,
      20 * PAGE,
      size - PAGE,
      size + PAGE,
      size + 4 * PAGE,
    ]) {
      const folder = copy();
      const line = await run(folder, { under: ['prlimit', `--fsize=${limit}`] });
      if (line.code !== 0) seen.add(await expectHonest(folder, line, `limit ${limit}`));
    }
    expect([...seen]).toContain('DRAFT 1');
  }, 240_000);

  /** A file system of a few megabytes with the workspace on it, and nothing else; null where nobody may make one. */
  function smallDisk(): string | null {
    const [known] = mounts;
    if (known !== undefined) {
      for (const name of readdirSync(known)) rmSync(join(known, name), { recursive: true });
      return copy(known);
    }
    const mount = folderFor();
    if (!isRoot || !has('mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mount)) return null;
    mounts.push(mount);
    return copy(mount);
  }

  it('with less and less room: nothing is reserved and no device is asked, or all of it is kept', async (context) => {
    if (smallDisk() === null) return context.skip('only root may mount a small file system');
    const seen = new Map<string, number>();
    for (const pages of [0, 1, 24, 150, 200, 220, 235, 250, 280, 400]) {
      const mount = smallDisk() ?? '';
      fill(join(mount, 'filler'), pages);
      const line = await run(mount);
      rmSync(join(mount, 'filler'));
      if (line.code === 0) seen.set('signed', (seen.get('signed') ?? 0) + 1);
      else {
        const state = await expectHonest(mount, line, `${pages} pages left`);
        expect([pages, wasAsked(line)]).toEqual([pages, false]);
        seen.set(state, (seen.get(state) ?? 0) + 1);
      }
    }
    expect([...seen.keys()]).toEqual(expect.arrayContaining(['DRAFT 1', 'signed']));
  }, 240_000);

  it.for([
    ['while it is asked to sign', recorded.asks],
    ['while it signs', recorded.firstYield],
    ['before its last signature', recorded.lastYield],
  ] as const)(
    'by somebody else, %s: what it signs is in the journal and in the files all the same',
    async ([, exchange], context) => {
      const mount = smallDisk();
      if (mount === null) return context.skip('only root may mount a small file system');
      const filler = join(mount, 'filler');
      const at = `exchange ${exchange}: before`;
      const ended = await runLines({
        folder: mount,
        now: ready.now,
        lines: [signWords(id)],
        fill: { at, file: filler },
      });
      const [line] = ended.lines;
      expect([line?.code, ended.stderr], line?.stdout).toEqual([0, '']);
      expect(statSync(filler).size).toBeGreaterThan(0);
      for (const name of ['signed.psbt', 'transaction.hex'])
        expect(existsSync(join(mount, 'batches', id, name))).toBe(true);
      // There is no room for anything else: it could not have been kept without what was set aside.
      expect(() => appendFileSync(filler, Buffer.alloc(2 ** 20))).toThrow('ENOSPC');
      rmSync(filler);
      const after = await runLines({
        folder: mount,
        now: ready.now,
        lines: [
          ['batch', 'show', id, '--json'],
          ['audit', 'verify', '--json'],
        ],
      });
      expect(after.lines.map(({ code }) => code)).toEqual([0, 0]);
      expect(answerOf(after.lines[0]).batch.state).toBe('SIGNED');
    },
  );
});

it('a folder that may not be written to is refused before the device is asked', async (context) => {
  if (process.getuid === undefined) return context.skip('this system has no permissions of that kind');
  const folder = copy();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o555 : 0o444);
  }
  chmodSync(folder, 0o555);
  if (isRoot) chownSync(folder, 0, 0);
  const line = await run(folder, isRoot ? { uid: NOBODY } : {});
  expectRefused(line, 1, 'E_JOURNAL_IO', /cannot be (written|opened)/);
});

describe('a write-ahead log that is removed while a signing process has the journal open', () => {
  it.each([
    ['and nobody makes another', false],
    ['and another process makes a new one', true],
  ])('%s: refused before the device is asked to sign', async (_, another) => {
    const planned = await stage();
    const [id, other] = [await planned.ready('withdrawals.csv'), await planned.ready('second.csv')];
    const s = await closedCopy(planned);
    folders.push(s.folder);
    const seconds: Promise<SoftEnded>[] = [];
    let isRemoved = false;
    const first = await signSoftly(s, id, another ? 8_000 : 500, (text) => {
      if (isRemoved || !text.includes('reserved:')) return;
      isRemoved = true;
      rmSync(s.path(`${JOURNAL}-wal`));
      if (another) seconds.push(signSoftly(s, other, 0));
    });
    expect([isRemoved, first.code], first.said).toEqual([true, 13]);
    expect(first.said).toContain('E_JOURNAL_TAMPERED');
    expect(first.said).toContain('write-ahead log');
    const [second] = await Promise.all(seconds);

    // What was durable is there; both batches can go on as soon as nobody has the journal open.
    const show = (batch: string) => ['batch', 'show', batch, '--json'];
    const { lines } = await runLines({
      folder: s.folder,
      now: s.now,
      lines: [['audit', 'verify', '--json'], show(id), show(other)],
    });
    const [verified, ofFirst, ofOther] = lines;
    expect(verified?.code, verified?.stdout).toBe(0);
    expect(answerOf(ofFirst).batch.state).toBe('RESERVED');
    if (second !== undefined) expect(second.code, second.said).toBe(0);
    expect(answerOf(ofOther).batch.state).toBe(another ? 'SIGNED' : 'DRAFT');
    expect((await signSoftly(s, id, 0)).code).toBe(0);
  });
});
