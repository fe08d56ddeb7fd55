import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { demoFile } from '../cli/session.js';
import { exchangesOf, RECORDING, sentBy, signWords } from './crash-signing.js';
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

const recorded = exchangesOf(demoFile(`recordings/${RECORDING}`));

const SCENARIOS: readonly Omit<Scenario, 'words'>[] = [
  { name: 'signs', recorded, exit: 0, states: ['DRAFT', 'RESERVED', 'SENT', 'SIGNED'] },
  {
    name: 'refuses',
    recorded,
    change: { exchange: recorded.asks, response: '6985' },
    exit: 23,
    states: ['DRAFT', 'RESERVED', 'SENT', 'RELEASED'],
  },
  {
    name: 'gives a wrong signature',
    recorded,
    change: { exchange: recorded.lastYield, response: recorded.wrong },
    exit: 24,
    states: ['DRAFT', 'RESERVED', 'SENT', 'UNKNOWN'],
  },
];

/** What a released batch whose coins another one has taken is answered. */
const LOST = 10;

/** A vault of one key: the same over each store. */
export function oneKeySuite(
  rigOf: () => Rig,
  samples: { readonly signs: Sample; readonly others: Sample },
  tried: Map<string, number>,
): void {
  let reference = '';

  /** Kills at one moment, looks from a fresh process, and signs again. */
  async function tryAt(rig: Rig, scenario: Scenario, moments: readonly string[], dieAt: number): Promise<void> {
    const then = [scenario.words, ['batch', 'show', rig.batch, '--export', '--json']];
    const { folder, where, state, lines, entries, lost } = await killedAt(rig, scenario, moments, dieAt, then);
    const [signed, exported] = lines;
    expect([where, exported?.code]).toEqual([where, 0]);

    // Signed again, or refused by name: and then the device heard nothing.
    const free = ['DRAFT', 'RESERVED', 'RELEASED'].includes(state) && !lost;
    const made = moments.slice(0, dieAt + 1).includes('link made.apdu.part: done');
    if (free && !made) expect([where, signed?.code, answerOf(signed).signed]).toEqual([where, 0, true]);
    else expect([where, signed?.moments.filter(isExchange)]).toEqual([where, []]);
    if (free && made)
      expect([where, signed?.code, answerOf(signed).faults[0].tag]).toEqual([where, 2, 'E_FILE_EXISTS']);
    if (!free && !lost)
      expect([where, signed?.code, answerOf(signed).faults[0].tag]).toEqual([where, 15, 'E_BATCH_STATE']);
    if (lost) expect([where, signed?.code]).toEqual([where, LOST]);

    // One transaction of the batch at most, and it is the one that anybody gets.
    const signatures = entries.filter(({ kind }: Answer) => kind === 'batch.signed');
    expect([where, signatures.length]).toEqual([where, (free && !made) || state === 'SIGNED' ? 1 : 0]);
    if (signatures.length === 1) {
      const hex = readFileSync(join(folder, 'batches', rig.batch, 'transaction.hex'), 'utf8');
      expect([where, answerOf(exported).transaction, hex]).toEqual([where, reference, `${reference}\n`]);
    }
    await rig.done?.(folder);
  }

  it.each(SCENARIOS)(
    `while the device $name${ALL ? '' : ' (a sample of the moments; all with FAULTS=all)'}: an honest state, and nothing to repair`,
    async (one) => {
      const rig = rigOf();
      const scenario = { ...one, words: signWords(rig.batch, '--record', 'made.apdu') };
      const run = await wholeRun(rig, scenario);
      const isFirst = scenario.exit === 0;
      if (isFirst) {
        reference = answerOf(run).transaction;
        expect(run.moments.filter((moment) => sentBy(moment) !== null)).toHaveLength(recorded.count);
      }
      const dying = chosen(run.moments, scenario, isFirst ? samples.signs : samples.others);
      await inTurns(dying.map((dieAt) => () => tryAt(rig, scenario, run.moments, dieAt)));
      tried.set(scenario.name, dying.length);
      expect(dying.length).toBeGreaterThanOrEqual(3);
    },
    7_200_000,
  );
}
