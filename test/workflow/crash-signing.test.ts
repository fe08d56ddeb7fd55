import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoFile, removeAll, type Session } from '../cli/session.js';
import {
  type Change,
  type Ended,
  exchangesOf,
  type Line,
  RECORDING,
  readyToSign,
  runLines,
  sentBy,
  signWords,
} from './crash-signing.js';

/** Every exchange is tried with FAULTS=all; otherwise a sample of them, and all that is durable. */
const ALL = process.env.FAULTS === 'all';
const SAMPLE = 5;

const recorded = exchangesOf(demoFile(`recordings/${RECORDING}`));
const folders: string[] = [];
const tried = new Map<string, number>();
let ready: Session;
let id = '';
let coins: readonly string[] = [];
let spend = 0n;

beforeAll(async () => {
  ({ s: ready, id } = await readyToSign());
  const { lines } = await runLines({ folder: ready.folder, now: ready.now, lines: [['batch', 'show', id, '--json']] });
  const { batch } = answerOf(lines[0]);
  coins = batch.inputs;
  spend = BigInt(batch.spend);
});
afterAll(() => {
  removeAll();
  ready.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  const sum = [...tried.values()].reduce((total, kills) => total + kills, 0);
  const each = [...tried].map(([name, kills]) => `${kills} while the device ${name}`);
  process.stdout.write(`killed a signing process ${sum} times: ${each.join(', ')}\n`);
});

function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
  folders.push(folder);
  cpSync(ready.folder, folder, { recursive: true });
  return folder;
}

interface Scenario {
  readonly name: string;
  readonly change?: Change;
  /** Exit code of the run that nobody kills. */
  readonly exit: number;
  /** Where each of its transactions leaves the batch. */
  readonly states: readonly [string, string, string, string];
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'signs', exit: 0, states: ['DRAFT', 'RESERVED', 'SENT', 'SIGNED'] },
  {
    name: 'refuses',
    change: { exchange: recorded.asks, response: '6985' },
    exit: 23,
    states: ['DRAFT', 'RESERVED', 'SENT', 'RELEASED'],
  },
  {
    name: 'gives a wrong signature',
    change: { exchange: recorded.lastYield, response: recorded.wrong },
    exit: 24,
    states: ['DRAFT', 'RESERVED', 'SENT', 'UNKNOWN'],
  },
];

const sign = (): string[] => signWords(id, '--record', 'made.apdu');
const commits = (moments: readonly string[]): number => moments.filter((one) => one === 'COMMIT: done').length;
const isExchange = (moment: string): boolean => moment.startsWith('exchange ');

/** Which moments of a run are tried: all that is durable; of the exchanges those around the asking, and a sample. */
function chosen(moments: readonly string[], first: boolean): number[] {
  const exchanges = moments.flatMap((moment, index) => (isExchange(moment) ? [index] : []));
  const every = ALL ? 1 : Math.ceil(exchanges.length / SAMPLE);
  const decisive = [`exchange ${recorded.asks}: `, `exchange ${recorded.firstYield}: `];
  // The first two transactions are the same, whatever the device answers.
  const from = first || ALL ? 0 : moments.lastIndexOf('BEGIN IMMEDIATE: before');
  return moments.flatMap((moment, index) => {
    if (index < from) return [];
    if (!isExchange(moment) || decisive.some((one) => moment.startsWith(one))) return [index];
    return exchanges.indexOf(index) % every === 0 ? [index] : [];
  });
}

const LOOKS: readonly (readonly string[])[] = [
  ['batch', 'list', '--json'],
  ['vault', 'coins', '--json'],
  ['audit', 'verify', '--json'],
  ['batch', 'plan', 'probe.csv', '--as', 'alice', '--json'],
];

// biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
type Answer = any;
const answerOf = (line: Line | undefined): Answer => JSON.parse(line?.stdout ?? 'null');

/** What a released batch whose coins another one has taken is answered. */
const LOST = 10;

/** Kills at one moment, looks from a fresh process, and signs again. */
async function killedAt(scenario: Scenario, moments: readonly string[], dieAt: number): Promise<void> {
  const folder = copy();
  const { now } = ready;
  const name = moments[dieAt] ?? '';
  const where = `killed while the device ${scenario.name}, at moment ${dieAt}, ${name}`;
  const killed = await runLines({ folder, now, lines: [sign()], dieAt, change: scenario.change });
  expect([where, killed.signal, killed.stderr]).toEqual([where, 'SIGKILL', '']);

  const show = ['batch', 'show', id, '--json'];
  const again = await runLines({
    folder,
    now,
    lines: [
      show,
      ...LOOKS,
      sign(),
      ['batch', 'show', id, '--export', '--json'],
      ...LOOKS.slice(0, 3),
      ['audit', 'log', '--json'],
    ],
  });
  expect([where, again.signal, again.stderr]).toEqual([where, null, '']);
  const [shown, listed, listedCoins, verified, probe, signed, exported, ...after] = again.lines;
  const state = scenario.states[commits(moments.slice(0, dieAt + 1))] ?? '';

  // What the fresh process sees is what was durable, and every verb that reads works.
  for (const line of [shown, listed, listedCoins, verified, probe, exported, ...after]) {
    expect([where, line?.argv, line?.code, line?.stderr.match(/^fault.*/m)]).toEqual([where, line?.argv, 0, null]);
  }
  expect([where, answerOf(shown).batch.state]).toEqual([where, state]);
  const rows = answerOf(listed).batches.map((row: Answer) => [row.id, row.state]);
  expect([where, rows]).toEqual([where, [[id, state]]]);
  for (const coin of answerOf(listedCoins).coins) {
    const due = state !== 'RELEASED' && coins.includes(coin.outpoint) ? 'in a batch' : 'available';
    expect([where, coin.outpoint, coin.status]).toEqual([where, coin.outpoint, due]);
  }

  // The budget, as a new batch sees it: debited from the reservation on, and for good once the device was asked.
  const [planned] = answerOf(probe).batches;
  const row = planned.verdict.findings.find(({ code }: Answer) => code === 'LIMIT_24H');
  const debited = BigInt(row.measured) - BigInt(planned.spend);
  expect([where, debited]).toEqual([where, state === 'DRAFT' || state === 'RELEASED' ? 0n : spend]);
  const asked = moments.slice(0, dieAt).includes(`exchange ${recorded.asks}: before`);
  if (asked && state !== 'RELEASED') expect([where, debited]).toEqual([where, spend]);

  // A coin is in one live batch: what was released may be taken by the next plan, and then it is not signed again.
  const entries = answerOf(after.at(-1)).entries.map(({ body }: Answer) => body);
  const newest = entries.findLast(({ kind }: Answer) => kind === 'batch.planned');
  const lost = newest.inputs.some((outpoint: string) => coins.includes(outpoint));
  expect([where, newest.batch, newest.inputs.length > 0]).toEqual([where, planned.id, true]);
  if (lost) expect([where, state]).toEqual([where, 'RELEASED']);

  // Signed again, or refused by name: and then the device heard nothing.
  const free = ['DRAFT', 'RESERVED', 'RELEASED'].includes(state) && !lost;
  const made = moments.slice(0, dieAt + 1).includes('link made.apdu.part: done');
  if (free && !made) expect([where, signed?.code, answerOf(signed).signed]).toEqual([where, 0, true]);
  else expect([where, signed?.moments.filter(isExchange)]).toEqual([where, []]);
  if (free && made) expect([where, signed?.code, answerOf(signed).faults[0].tag]).toEqual([where, 2, 'E_FILE_EXISTS']);
  if (!free && !lost)
    expect([where, signed?.code, answerOf(signed).faults[0].tag]).toEqual([where, 15, 'E_BATCH_STATE']);
  if (lost) expect([where, signed?.code]).toEqual([where, LOST]);

  // One transaction of the batch at most, and it is the one that anybody gets.
  const signatures = entries.filter(({ kind }: Answer) => kind === 'batch.signed');
  expect([where, signatures.length]).toEqual([where, (free && !made) || state === 'SIGNED' ? 1 : 0]);
  if (signatures.length === 1) {
    const hex = readFileSync(join(folder, 'batches', id, 'transaction.hex'), 'utf8');
    expect([where, answerOf(exported).transaction, hex]).toEqual([where, reference, `${reference}\n`]);
  }
}

let reference = '';

/** Two at a time: the machine that runs this has two cores, or waits. */
async function inTurns(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await job();
  };
  await Promise.all([worker(), worker()]);
}

describe('a whole signing run, killed at every durable write and at exchanges with the device', () => {
  it.each(SCENARIOS)(
    'while the device $name: an honest state, and nothing to repair',
    async (scenario) => {
      const whole: Ended = await runLines({ folder: copy(), now: ready.now, lines: [sign()], change: scenario.change });
      const [run] = whole.lines;
      expect([run?.code, whole.stderr], run?.stderr).toEqual([scenario.exit, '']);
      const moments = run?.moments ?? [];
      expect(commits(moments)).toBe(3);
      const first = scenario.exit === 0;
      if (first) {
        reference = answerOf(run).transaction;
        expect(moments.filter((moment) => sentBy(moment) !== null)).toHaveLength(recorded.count);
      }
      const dying = chosen(moments, first);
      await inTurns(dying.map((dieAt) => () => killedAt(scenario, moments, dieAt)));
      tried.set(scenario.name, dying.length);
      expect(dying.length).toBeGreaterThanOrEqual(5);
    },
    1_800_000,
  );
});
