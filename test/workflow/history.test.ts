import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BatchRecord } from '../../src/journal/state.js';
import { createSpendIndex, tallyLifetime, tallyWindow } from '../../src/policy/windows.js';
import { History, spendOf } from '../../src/workflow/history.js';

const DAY = 86_400;
const NOW = 1_000 * DAY;
const TIP = 200_000;

function record(index: number, days: number | null, spend: bigint): BatchRecord {
  return {
    id: `batch-${index}`,
    kind: 'withdrawal',
    state: days === null ? 'SIGNED' : 'CONFIRMED',
    plannedAt: 0,
    plannedSeq: index,
    plannedHash: '',
    changedSeq: 0,
    psbt: '',
    plan: '',
    requests: [],
    inputs: [`coin ${index}`],
    outputs: [],
    spend,
    fee: 1n,
    initiator: 'ivan',
    parts: [],
    replaces: null,
    lineage: [],
    replacedBy: null,
    childOf: null,
    plannedHeight: 0,
    settled: null,
    approvals: [],
    objections: [],
    partials: [],
    verdict: null,
    reservedAt: 1,
    signed: null,
    broadcastAt: null,
    confirmed: days === null ? null : { at: NOW - days * DAY, height: TIP - days * 144 },
    reason: null,
  };
}

const drawn = fc.array(fc.tuple(fc.option(fc.integer({ min: 0, max: 400 }), { nil: null }), fc.bigInt(1n, 10n ** 9n)), {
  maxLength: 12,
});
const claim = { weight: 5n, inputs: ['coin of the batch'] };

it('what is past every window counts in the lifetime and nowhere else, however often it is put in', () => {
  fc.assert(
    fc.property(drawn, fc.integer({ min: 0, max: 11 }), (list, again) => {
      const batches = list.map(([days, spend], index) => record(index, days, spend));
      const history = new History(6, 144, 20);
      for (const batch of batches) history.put(batch);
      history.spends('none', NOW, TIP, []);
      const twice = batches[again];
      if (twice !== undefined) history.put(twice);
      const kept = history.spends('none', NOW, TIP, []);
      const all = createSpendIndex(batches.map(spendOf));
      // What was arranged step by step, and what its list comes to when it is arranged at once.
      for (const index of [kept, createSpendIndex(kept.spends)]) {
        expect(tallyLifetime(index, claim).measured).toBe(tallyLifetime(all, claim).measured);
        for (const dimension of ['spend', 'fee', 'count'] as const) {
          for (const span of [DAY, 7 * DAY]) {
            expect(tallyWindow(index, dimension, claim, NOW, span).measured).toBe(
              tallyWindow(all, dimension, claim, NOW, span).measured,
            );
          }
        }
      }
      // A week of days, those that are not confirmed, and the sum of the rest.
      const within = list.filter(([days]) => days === null || days < 7).length;
      expect(kept.spends.length).toBeLessThanOrEqual(within + 1);
    }),
  );
});

it('leaves out the batch that is judged, and adds the parts before it', () => {
  fc.assert(
    fc.property(drawn, fc.integer({ min: 0, max: 11 }), fc.bigInt(1n, 100n), (list, own, part) => {
      const batches = list.map(([days, spend], index) => record(index, days !== null && days > 6 ? 6 : days, spend));
      const history = new History(6, 144, 20);
      for (const batch of batches) history.put(batch);
      const pending = [spendOf(record(99, null, part))];
      const kept = history.spends(`batch-${own}`, NOW, TIP, pending);
      const others = [...batches.filter(({ id }) => id !== `batch-${own}`).map(spendOf), ...pending];
      expect(new Set(kept.spends)).toEqual(new Set(others));
      const [a, b] = [kept, createSpendIndex(others)].map((index) => tallyWindow(index, 'spend', claim, NOW, 7 * DAY));
      expect(a?.measured).toBe(b?.measured);
    }),
  );
});

it('holds a batch for gone that lost its coin to another one, however long ago', () => {
  const history = new History(6, 144, 20);
  const coin = ['contested'];
  history.put({ ...record(0, 100, 7n), inputs: coin });
  history.put({ ...record(1, null, 9n), inputs: coin });
  for (const time of [NOW - 99 * DAY, NOW, NOW]) {
    const { pending, confirmedTotal } = history.spends('none', time, TIP, []);
    expect(pending).toEqual([]);
    expect(confirmedTotal).toBe(7n);
  }
});
