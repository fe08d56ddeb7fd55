import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfirmedSpends } from '../../src/policy/confirmed-spends.js';
import { GrowingSeries, mergedSeries, NO_SERIES, sumAbove } from '../../src/policy/series.js';
import type { SpendRecord } from '../../src/policy/types.js';
import { createSpendIndex, indexOver, tallyBlocks, tallyScripts, tallyWindow } from '../../src/policy/windows.js';

const point = fc.record({ key: fc.integer({ min: 0, max: 9 }), amount: fc.bigInt({ min: 0n, max: 9n }) });

describe('a series', () => {
  it('adds up what it holds, whatever came and went before', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (points, leaving) => {
        const series = new GrowingSeries();
        const held = [...points];
        for (const { key, amount } of points) series.add(key, amount);
        for (const pick of leaving) {
          const [gone] = held.length === 0 ? [] : held.splice(pick % held.length, 1);
          if (gone !== undefined) series.remove(gone.key, gone.amount);
        }
        expect(series.keys).toEqual(held.map(({ key }) => key).sort((a, b) => a - b));
        for (let from = -1; from <= 10; from += 1) {
          const above = held.filter(({ key }) => key > from).reduce((sum, { amount }) => sum + amount, 0n);
          expect(sumAbove(series, from)).toBe(above);
        }
      }),
    );
  });

  it.each([
    [1, 7n],
    [2, 5n],
    [0, 5n],
    [3, 5n],
  ])('has nothing to take away at %i of %s', (key, amount) => {
    const series = new GrowingSeries();
    series.add(1, 5n);
    series.add(2, 6n);
    expect(() => series.remove(key, amount)).toThrow('to take away');
    expect(sumAbove(series, 0)).toBe(11n);
  });
});

const spend = (index: number): fc.Arbitrary<SpendRecord & { confirmed: NonNullable<SpendRecord['confirmed']> }> =>
  fc
    .record({
      outputs: fc.array(fc.record({ script: fc.constantFrom('aa', 'bb'), amount: fc.bigInt({ min: 0n, max: 9n }) }), {
        maxLength: 3,
      }),
      fee: fc.bigInt({ min: 0n, max: 3n }),
      confirmed: fc.record({ at: fc.integer({ min: 0, max: 12 }), height: fc.integer({ min: 0, max: 12 }) }),
    })
    .map((one) => ({
      ...one,
      batch: `b${index}`,
      spend: one.outputs.reduce((sum, { amount }) => sum + amount, one.fee),
      inputs: [`coin ${index}`],
      reservedAt: 0,
    }));

describe('confirmed spends', () => {
  const claim = { weight: 1n, inputs: ['new'] };

  it('that come and go one by one are those that are arranged at once', () => {
    const drawn = fc.tuple(...Array.from({ length: 10 }, (_, index) => spend(index)));
    fc.assert(
      fc.property(drawn, fc.array(fc.nat({ max: 9 })), (all, leaving) => {
        const arranged = new ConfirmedSpends();
        const held = new Set(all);
        for (const one of all) arranged.add(one);
        for (const pick of leaving) {
          const one = all[pick];
          if (one !== undefined && held.delete(one)) arranged.remove(one);
        }
        const grown = indexOver([...held], { confirmed: arranged, longAgo: 0n, isGone: () => false }, []);
        const fresh = createSpendIndex([...held]);
        const byName = ({ batch }: SpendRecord) => batch;
        expect(grown.confirmed.records.map(byName).sort()).toEqual(fresh.confirmed.records.map(byName).sort());
        const times = grown.confirmed.records.map(({ confirmed }) => confirmed.at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(grown.latest).toBeGreaterThanOrEqual(fresh.latest);
        for (let time = 5; time < 20; time += 1) {
          for (const dimension of ['spend', 'fee', 'count'] as const) {
            const [a, b] = [grown, fresh].map((index) => tallyWindow(index, dimension, claim, time, 5));
            expect(a?.measured).toBe(b?.measured);
            expect(a?.freesAt(3n)).toBe(b?.freesAt(3n));
          }
          expect(tallyBlocks(grown, claim, time, 5).measured).toBe(tallyBlocks(fresh, claim, time, 5).measured);
          for (const script of ['aa', 'bb', 'cc']) {
            const [a, b] = [grown, fresh].map((index) => tallyScripts(index, [script], claim, time, 5));
            expect(a?.measured).toBe(b?.measured);
          }
        }
      }),
    );
  });

  it('take away nothing that they do not hold', () => {
    const [one] = fc.sample(spend(0), 1);
    const [other] = fc.sample(spend(1), 1);
    if (one === undefined || other === undefined) throw new Error('nothing was drawn');
    const arranged = new ConfirmedSpends();
    arranged.add(one);
    expect(() => arranged.remove(other)).toThrow('not among the confirmed');
    expect(() => arranged.remove({ ...one })).toThrow('not among the confirmed');
    arranged.remove(one);
    expect(arranged.records).toEqual([]);
  });
});

describe('several series as one', () => {
  it('has every amount at its key, in order, and begins at nothing', () => {
    const one = { keys: [10, 30], sums: [100n, 101n, 105n] };
    const other = { keys: [20, 40], sums: [0n, 2n, 10n] };
    const merged = mergedSeries([one, NO_SERIES, other]);
    expect(merged).toEqual({ keys: [10, 20, 30, 40], sums: [0n, 1n, 3n, 7n, 15n] });
    expect([5, 10, 20, 30, 40].map((key) => sumAbove(merged, key))).toEqual([15n, 14n, 12n, 8n, 0n]);
  });

  it('is the one that there is, or none', () => {
    const one = { keys: [10], sums: [0n, 1n] };
    expect(mergedSeries([NO_SERIES, one])).toBe(one);
    expect(mergedSeries([NO_SERIES, NO_SERIES])).toBe(NO_SERIES);
    expect(mergedSeries([])).toBe(NO_SERIES);
  });
});
