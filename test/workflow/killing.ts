import { expect } from 'vitest';
import { type Change, type exchangesOf, type Graft, type Line, runLines } from './crash-signing.js';

/**
 * A signing run that is killed at one moment after another, each time from the same start, and what every fresh process has to
 * find afterwards, whatever the vault is and wherever the journal lies.
 */
export interface Rig {
  readonly now: string;
  readonly batch: string;
  readonly coins: readonly string[];
  readonly spend: bigint;
  /** A workspace at the start, of its own; the caller does not remove it. */
  readonly fresh: () => Promise<string>;
  /** What is done with one that is not needed any more. */
  readonly done?: (folder: string) => Promise<void>;
  readonly shared?: boolean;
  readonly grafts?: Readonly<Record<string, Graft>>;
}

export interface Scenario {
  readonly name: string;
  readonly words: readonly string[];
  readonly recorded: ReturnType<typeof exchangesOf>;
  readonly change?: Change;
  /** Exit code of the run that nobody kills. */
  readonly exit: number;
  /** Where each of its transactions leaves the batch, the state before the first one to begin with. */
  readonly states: readonly string[];
}

/** Every moment is tried with FAULTS=all: everything durable, and every exchange. */
export const ALL = process.env.FAULTS === 'all';

export const isExchange = (moment: string): boolean => moment.startsWith('exchange ');

// biome-ignore lint/suspicious/noExplicitAny: the tests look into documented objects of many shapes.
export type Answer = any;
export const answerOf = (line: Line | undefined): Answer => JSON.parse(line?.stdout ?? 'null');

const job = ({ now, shared = false, grafts }: Rig) => ({ now, shared, grafts });

/** The run that nobody kills: its moments, and its answer. */
export async function wholeRun(rig: Rig, { words, change, exit, states }: Scenario): Promise<Line> {
  const folder = await rig.fresh();
  const { lines, stderr } = await runLines({ ...job(rig), folder, lines: [words], change });
  await rig.done?.(folder);
  const [run] = lines;
  expect([run?.code, stderr], `${run?.stdout}${run?.stderr}`).toEqual([exit, '']);
  if (run === undefined) throw new Error('no answer');
  expect(commits(run.moments)).toBe(states.length - 1);
  return run;
}

const commits = (moments: readonly string[]): number => moments.filter((one) => one === 'COMMIT: done').length;

export interface Sample {
  /** How many of the exchanges, beside those at which the device is asked and first signs. */
  readonly exchanges: number;
  /** How many of the moments at which something durable happens; all where it is left out. */
  readonly durable?: number;
  /** Only those from its last transaction on: what is before is the same as in the run that signs. */
  readonly last?: boolean;
}

/**
 * Which moments of a run are tried: all with FAULTS=all, else the same sample each time. What nothing durable lies between is one
 * moment: after an exchange is before the next one. What is like the run of another scenario is tried there.
 */
export function chosen(
  moments: readonly string[],
  { recorded }: Scenario,
  { exchanges: some, durable, last = false }: Sample,
): number[] {
  const from = last ? moments.findLastIndex((moment) => /^BEGIN.*: before$/.test(moment)) : 0;
  const places = moments.flatMap((one, index) => {
    const isTwice = /^exchange .*: after$/.test(one) && isExchange(moments[index + 1] ?? '');
    return index < from || isTwice ? [] : [index];
  });
  if (ALL) return places;
  const of = (wanted: boolean) => places.filter((index) => isExchange(moments[index] ?? '') === wanted);
  const spread = (all: readonly number[], count: number) => {
    const step = Math.max(1, Math.ceil(all.length / count));
    return all.filter((_, index) => index % step === 0);
  };
  const startsWith = (...starts: readonly string[]) =>
    places.filter((index) => starts.some((start) => moments[index]?.startsWith(start)));
  // A commit is what a run turns on: what stands around each is tried in any sample, and so is where the device is asked.
  const turns = startsWith('COMMIT', `exchange ${recorded.asks}: `, `exchange ${recorded.firstYield}: `);
  const kept = durable === undefined ? of(false) : spread(of(false), durable);
  return [...new Set([...kept, ...turns, ...spread(of(true), some)])].sort((a, b) => a - b);
}

/** What was found after a kill, before anything else was done with the batch. */
export interface Found {
  readonly folder: string;
  readonly where: string;
  readonly state: string;
  /** The answers to the lines that the test gave, run after the looks. */
  readonly lines: readonly Line[];
  /** Everything in the journal after all of that. */
  readonly entries: readonly Answer[];
  /** Whether a later plan took a coin of the batch. */
  readonly lost: boolean;
}

const LOOKS: readonly (readonly string[])[] = [
  ['batch', 'list', '--json'],
  ['vault', 'coins', '--json'],
  ['audit', 'verify', '--json'],
  ['batch', 'plan', 'probe.csv', '--as', 'alice', '--json'],
];

/** Kills at one moment, looks from a fresh process, goes on with `then`, and looks again. */
export async function killedAt(
  rig: Rig,
  scenario: Scenario,
  moments: readonly string[],
  dieAt: number,
  then: readonly (readonly string[])[],
): Promise<Found> {
  const folder = await rig.fresh();
  const { batch: id, coins, spend } = rig;
  const name = moments[dieAt] ?? '';
  const where = `killed while the device ${scenario.name}, at moment ${dieAt}, ${name}`;
  const { words, change } = scenario;
  const killed = await runLines({ ...job(rig), folder, lines: [words], dieAt, change });
  expect([where, killed.signal, killed.stderr]).toEqual([where, 'SIGKILL', '']);

  const show = ['batch', 'show', id, '--json'];
  const after = [['audit', 'log', '--json'], ...LOOKS.slice(0, 3)];
  const again = await runLines({ ...job(rig), folder, lines: [show, ...LOOKS, ...then, ...after] });
  expect([where, again.signal, again.stderr]).toEqual([where, null, '']);
  const looks = again.lines.slice(0, 1 + LOOKS.length);
  const [shown, listed, listedCoins, , probe] = looks;
  const [log, ...last] = again.lines.slice(-after.length);

  // What the fresh process sees is what was durable, and every verb that reads works.
  for (const line of [...looks, log, ...last]) {
    expect([where, line?.argv, line?.code, line?.stderr.match(/^fault.*/m)]).toEqual([where, line?.argv, 0, null]);
  }
  const { state } = answerOf(shown).batch;
  const kept = commits(moments.slice(0, dieAt + 1));
  // A commit that is on its way to a server may be durable or not: whichever, it is said.
  const due = name === 'COMMIT: sent' ? scenario.states.slice(kept, kept + 2) : [scenario.states[kept]];
  expect(due, where).toContain(state);
  const rows = answerOf(listed).batches.map((row: Answer) => [row.id, row.state]);
  expect([where, rows]).toEqual([where, [[id, state]]]);
  for (const coin of answerOf(listedCoins).coins) {
    const held = state !== 'RELEASED' && coins.includes(coin.outpoint) ? 'in a batch' : 'available';
    expect([where, coin.outpoint, coin.status]).toEqual([where, coin.outpoint, held]);
  }

  // The budget, as a new batch sees it: debited from the reservation on, and for good once the device was asked.
  const [planned] = answerOf(probe).batches;
  const row = planned.verdict.findings.find(({ code }: Answer) => code === 'LIMIT_24H');
  const debited = BigInt(row.measured) - BigInt(planned.spend);
  expect([where, debited]).toEqual([where, state === 'DRAFT' || state === 'RELEASED' ? 0n : spend]);
  const asked = moments.slice(0, dieAt).includes(`exchange ${scenario.recorded.asks}: before`);
  if (asked && state !== 'RELEASED') expect([where, debited]).toEqual([where, spend]);

  // A coin is in one live batch: only what was released may be taken by the next plan.
  const entries = answerOf(log).entries.map(({ body }: Answer) => body);
  const newest = entries.findLast(({ kind }: Answer) => kind === 'batch.planned');
  const lost = newest.inputs.some((outpoint: string) => coins.includes(outpoint));
  expect([where, newest.batch, newest.inputs.length > 0]).toEqual([where, planned.id, true]);
  if (lost) expect([where, state]).toEqual([where, 'RELEASED']);
  return { folder, where, state, lines: again.lines.slice(looks.length, -after.length), entries, lost };
}

/** Two at a time: the machine that runs this has two cores, or waits. */
export async function inTurns(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
  };
  await Promise.all([worker(), worker()]);
}

/** For afterAll: how often a process was killed, by what it was doing. */
export function told(what: string, tried: ReadonlyMap<string, number>): void {
  const sum = [...tried.values()].reduce((total, kills) => total + kills, 0);
  const each = [...tried].map(([name, kills]) => `${kills} while the device ${name}`);
  process.stdout.write(`${what}: killed a signing process ${sum} times: ${each.join(', ')}\n`);
}
