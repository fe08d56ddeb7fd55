import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { A, B, multisigStage, replay } from '../cli/multisig-session.js';
import { csv, NOON, type Session } from '../cli/session.js';
import { readSidecar, recordingText } from '../device/recordings.js';
import { MNEMONICS } from '../device/seeds.js';
import { closedCopy, exchangesOf, type Graft, runLines } from './crash-signing.js';
import {
  ALL,
  type Answer,
  answerOf,
  chosen,
  inTurns,
  isExchange,
  killedAt,
  type Rig,
  type Sample,
  type Scenario,
  wholeRun,
} from './killing.js';

const NAMES = { [A]: 'sign-wsh-1-a', [B]: 'sign-wsh-1-b' } as const;
type Signer = keyof typeof NAMES;

export const GRAFTS: Readonly<Record<string, Graft>> = Object.fromEntries(
  ([A, B] as const).map((signer) => [
    signer,
    { ...readSidecar<Omit<Graft, 'words'>>(`multisig-${NAMES[signer]}`), words: MNEMONICS[signer] ?? '' },
  ]),
);

export const signsWith = (id: string, signer: Signer): string[] => [
  ...['batch', 'sign', id, '--signer', signer, '--device', replay(NAMES[signer]), '--json'],
];

/** A workspace of a vault of two of three, with a batch that everybody may sign and nobody has. */
export async function readyForCosigners(): Promise<{ readonly s: Session; readonly id: string }> {
  const planned = await multisigStage('registered');
  planned.now = NOON;
  planned.write('probe.csv', csv([['PROBE', 'client-01', 1_000_000n]]));
  const id = await planned.ready('withdrawals.csv');
  return { s: await closedCopy(planned), id };
}

interface Turn extends Omit<Scenario, 'words'> {
  readonly signer: Signer;
  /** Whether the other one has signed before this begins. */
  readonly second: boolean;
}

const recordedOf = (signer: Signer) => exchangesOf(recordingText(`multisig-${NAMES[signer]}`));
const refusal = (signer: Signer) => ({ exchange: recordedOf(signer).asks, response: '6985' });
const HALF = ['PARTIAL', 'PARTIAL', 'PARTIAL', 'PARTIAL'];

const TURNS: readonly Turn[] = [
  {
    name: 'of the first cosigner signs',
    signer: A,
    second: false,
    recorded: recordedOf(A),
    exit: 0,
    states: ['DRAFT', 'RESERVED', 'SENT', 'PARTIAL'],
  },
  {
    name: 'of the last cosigner signs',
    signer: B,
    second: true,
    recorded: recordedOf(B),
    exit: 0,
    // Judged and judged again, its part, and the transaction.
    states: [...HALF, 'SIGNED'],
  },
  {
    name: 'of the first cosigner refuses',
    signer: A,
    second: false,
    recorded: recordedOf(A),
    change: refusal(A),
    exit: 23,
    states: ['DRAFT', 'RESERVED', 'SENT', 'RELEASED'],
  },
  {
    name: 'of the last cosigner refuses',
    signer: B,
    second: true,
    recorded: recordedOf(B),
    change: refusal(B),
    exit: 23,
    states: HALF,
  },
];

/** A vault of several keys: `rigOf` gives a batch that nobody has signed, or that A has. */
export function multisigSuite(
  rigOf: (second: boolean) => Rig,
  samples: { readonly signs: Sample; readonly refuses: Sample },
  tried: Map<string, number>,
): void {
  /** Kills at one moment; then whoever has not signed signs, and the journal is completed. */
  async function tryAt(rig: Rig, turn: Turn & Scenario, moments: readonly string[], dieAt: number): Promise<void> {
    const { batch } = rig;
    const then = [
      signsWith(batch, A),
      signsWith(batch, B),
      ['batch', 'combine', batch, '--json'],
      ['batch', 'show', batch, '--export', '--json'],
    ];
    const { folder, where, state, lines, entries, lost } = await killedAt(rig, turn, moments, dieAt, then);
    const [first, second, combined, shown] = lines;
    const own = turn.signer === A ? first : second;
    // What a signer's device gave is kept or not: where it is, the device is not asked again.
    const kept = entries.filter(({ kind }: Answer) => kind === 'batch.partial');
    const had = own?.moments.filter(isExchange).length === 0;
    expect([where, own?.code], own?.stdout).toEqual([where, lost ? 10 : had ? 15 : 0]);
    if (lost) return rig.done?.(folder);
    expect([where, kept.map(({ signer }: Answer) => signer)]).toEqual([where, [A, B]]);

    // One transaction, the same whatever happened; and everything that was asked for stands in the journal once.
    expect([where, shown?.code, answerOf(shown).batch.state], shown?.stdout).toEqual([where, 0, 'SIGNED']);
    const signatures = entries.filter(({ kind }: Answer) => kind === 'batch.signed');
    expect([where, signatures.length, combined?.code]).toEqual([
      where,
      1,
      signedBy(second) || state === 'SIGNED' ? 15 : 0,
    ]);
    const hex = readFileSync(join(folder, 'batches', batch, 'transaction.hex'), 'utf8');
    expect([where, answerOf(shown).transaction, hex]).toEqual([where, await reference(rig), `${hex.trim()}\n`]);
    expect([where, hex.trim()]).toEqual([where, await reference(rig)]);
    expect(entries.filter(({ kind }: Answer) => kind === 'batch.reserved').length, where).toBeLessThanOrEqual(2);
    await rig.done?.(folder);
  }

  let known: string | null = null;
  /** The transaction of a run of both that nobody kills. */
  async function reference(rig: Rig): Promise<string> {
    if (known !== null) return known;
    const folder = await rig.fresh();
    const { now, shared = false, grafts, batch } = rig;
    const run = { folder, now, shared, grafts, lines: [signsWith(batch, A), signsWith(batch, B)] };
    const { lines } = await runLines(run);
    await rig.done?.(folder);
    known = answerOf(lines.at(-1)).transaction;
    if (known === null) throw new Error(lines.at(-1)?.stdout);
    return known;
  }

  it.each(TURNS)(
    `while the device $name${ALL ? '' : ' (a sample of the moments; all with FAULTS=all)'}: an honest state, and nothing to repair`,
    async (one) => {
      const rig = rigOf(one.second);
      const turn = { ...one, words: signsWith(rig.batch, one.signer) };
      const run = await wholeRun(rig, turn);
      const dying = chosen(run.moments, turn, one.exit === 0 ? samples.signs : samples.refuses);
      await reference(rigOf(false));
      await inTurns(dying.map((dieAt) => () => tryAt(rig, turn, run.moments, dieAt)));
      tried.set(one.name, dying.length);
      expect(dying.length).toBeGreaterThanOrEqual(2);
    },
    7_200_000,
  );
}

const signedBy = (line: { readonly stdout: string } | undefined): boolean => answerOf(line as never)?.signed === true;
