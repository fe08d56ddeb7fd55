import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/domain/bytes.js';
import { branchAndBound } from '../../src/selection/bnb.js';
import { coinGrinder, leastCount } from '../../src/selection/coin-grinder.js';
import { at } from '../../src/selection/pool.js';
import { random } from '../../src/selection/random.js';
import { TOTAL_TRIES } from '../../src/selection/search.js';
import { singleRandomDraw } from '../../src/selection/srd.js';
import { coinOf, coinsOf, LIMITS, type Problem, paymentsOf, problemOf, subsets } from './make.js';

const sumOf = ({ pool }: Problem, indexes: readonly number[]): number =>
  indexes.reduce((sum, index) => sum + at(pool.values, index), 0);

const wasteOf = (problem: Problem, indexes: readonly number[]): number =>
  at(problem.demand.inputWaste, indexes.length) + sumOf(problem, indexes) - at(problem.demand.need, indexes.length);

const inWindow = (problem: Problem, indexes: readonly number[]): boolean => {
  const { demand } = problem;
  const sum = sumOf(problem, indexes);
  const count = indexes.length;
  return count <= demand.maxInputs && sum >= at(demand.need, count) && sum <= at(demand.ceiling, count);
};

/** Values close together and a target near a sum of some of them, so that windows are hit and missed about equally. */
const problems = fc
  .record({
    values: fc.oneof(
      fc.array(fc.bigInt(5_000n, 40_000n), { minLength: 1, maxLength: 12 }),
      fc.array(fc.bigInt(20_000n, 20_060n), { minLength: 1, maxLength: 12 }),
    ),
    spread: fc.constantFrom(1n, 500n),
    picked: fc.integer({ min: 1, max: 12 }),
    off: fc.bigInt(-3_000n, 9_000n),
    maxInputs: fc.integer({ min: 1, max: 12 }),
    feerate: fc.constantFrom(1_000n, 5_000n, 10_000n, 20_000n, 37_123n),
    devicePrice: fc.constantFrom(0n, 50n, 1_000n),
  })
  .map(({ values, spread, picked, off, maxInputs, feerate, devicePrice }) => {
    const rounded = values.map((value) => (value / spread) * spread + 10_000n);
    const target = rounded.slice(0, picked).reduce((sum, value) => sum + value, 0n) - 5_000n * BigInt(picked) + off;
    const payments = paymentsOf(target > 1_000n ? target : 1_000n);
    return problemOf(coinsOf(...rounded), payments, {
      limits: { ...LIMITS, maxInputs },
      terms: { feerate, devicePrice },
    });
  });

describe('branch and bound', () => {
  it('finds the changeless set of least waste, as trying every subset does', () => {
    let found = 0;
    fc.assert(
      fc.property(problems, (problem) => {
        const result = branchAndBound(problem.pool, problem.demand);
        const best = [...subsets(problem.pool.coins.length)]
          .filter((indexes) => inWindow(problem, indexes))
          .map((indexes) => wasteOf(problem, indexes))
          .toSorted((a, b) => a - b)[0];
        if (best === undefined) {
          expect(result.kind).toBe('none');
          return;
        }
        if (result.kind !== 'found') throw new Error(`missed a set of waste ${best}`);
        found++;
        expect(result.complete).toBe(true);
        expect(inWindow(problem, result.indexes)).toBe(true);
        expect(new Set(result.indexes).size).toBe(result.indexes.length);
        expect(wasteOf(problem, result.indexes)).toBe(best);
      }),
      { numRuns: 800 },
    );
    expect(found).toBeGreaterThan(50);
  });

  it('takes sums from exactly the need to exactly the ceiling, and none beside them', () => {
    const payments = paymentsOf(1_000_000n);
    const { demand } = problemOf(coinsOf(2_000_000n), payments);
    const [need, ceiling] = [BigInt(at(demand.need, 1)), BigInt(at(demand.ceiling, 1))];
    const answer = (value: bigint): string => {
      const problem = problemOf(coinsOf(value), payments);
      return branchAndBound(problem.pool, problem.demand).kind;
    };
    expect([need - 1n, need, ceiling, ceiling + 1n].map(answer)).toEqual(['none', 'found', 'found', 'none']);
  });

  it('says "exhausted" and not "none" when it stops before the end', () => {
    // Sums of seven are multiples of 10,000; the window of about 1,300 sats ends before the next one.
    const values = Array.from({ length: 40 }, (_, index) => 10_000_000n + 10_000n * BigInt((index * 37) % 101));
    const problem = problemOf(coinsOf(...values), paymentsOf(75_002_000n));
    const stopped = branchAndBound(problem.pool, problem.demand, 1_000);
    expect(stopped).toEqual({ kind: 'exhausted', tries: 1_000 });
  });

  it('does not spend its rounds on coins that are too large, nor on equal ones', () => {
    const many = Array.from({ length: 300_000 }, (_, index) => (index < 150_000 ? 90_000_000n : 3_000_000n));
    const problem = problemOf(many.map(coinOf), paymentsOf(10_000_000n));
    const result = branchAndBound(problem.pool, problem.demand);
    expect(result.kind).toBe('none');
    expect(result.tries).toBeLessThan(10);
  });
});

describe('CoinGrinder', () => {
  it('finds the fewest inputs and then the smallest sum, as trying every subset does', () => {
    let found = 0;
    fc.assert(
      fc.property(problems, fc.integer({ min: 1_000, max: 30_000 }), (problem, change) => {
        const { pool, demand } = problem;
        const result = coinGrinder(pool, demand, change);
        const [best] = [...subsets(pool.coins.length)]
          .filter((set) => set.length <= demand.maxInputsWithChange)
          .filter((set) => sumOf(problem, set) >= at(demand.needWithChange, set.length) + change)
          .map((set) => [set.length, sumOf(problem, set)] as const)
          .toSorted(([n, a], [m, b]) => n - m || a - b);
        if (best === undefined) {
          expect(result.kind).toBe('none');
          return;
        }
        if (result.kind !== 'found') throw new Error(`missed ${best}`);
        found++;
        expect(result.complete).toBe(true);
        expect(new Set(result.indexes).size).toBe(result.indexes.length);
        expect([result.indexes.length, sumOf(problem, result.indexes)]).toEqual(best);
      }),
      { numRuns: 400 },
    );
    expect(found).toBeGreaterThan(50);
  });

  it('keeps its best set when the rounds run out, and says that the search is not finished', () => {
    const values = Array.from({ length: 60 }, (_, index) => 1_000_000n + BigInt((index * 7_919_111) % 999_983));
    const problem = problemOf(coinsOf(...values), paymentsOf(12_000_000n));
    const count = leastCount(problem.pool, problem.demand, 50_000);
    const short = coinGrinder(problem.pool, problem.demand, 50_000, 100);
    const long = coinGrinder(problem.pool, problem.demand, 50_000);
    if (short.kind !== 'found' || long.kind !== 'found') throw new Error('nothing found');
    expect(short.complete).toBe(false);
    expect(short.indexes.length).toBe(count);
    expect(sumOf(problem, long.indexes)).toBeLessThanOrEqual(sumOf(problem, short.indexes));
    expect(long.tries).toBeLessThanOrEqual(TOTAL_TRIES);
  });
});

describe('single random draw', () => {
  it('finds a set exactly when the largest coins would do, within the limits and with the change', () => {
    fc.assert(
      fc.property(problems, fc.integer({ min: 1_000, max: 30_000 }), fc.nat(), (problem, change, number) => {
        const { pool, demand } = problem;
        const result = singleRandomDraw(pool, demand, change, random(sha256Hex(`${number}`), 'single-random-draw'));
        expect(result.kind).toBe(leastCount(pool, demand, change) === null ? 'none' : 'found');
        if (result.kind !== 'found') return;
        const count = result.indexes.length;
        expect(new Set(result.indexes).size).toBe(count);
        expect(count).toBeLessThanOrEqual(demand.maxInputsWithChange);
        expect(sumOf(problem, result.indexes)).toBeGreaterThanOrEqual(at(demand.needWithChange, count) + change);
      }),
      { numRuns: 400 },
    );
  });

  it('draws other coins for another seed, and the same for the same', () => {
    const problem = problemOf(coinsOf(...Array.from({ length: 50 }, () => 2_000_000n)), paymentsOf(5_000_000n));
    const draw = (seed: string): string =>
      JSON.stringify(
        singleRandomDraw(problem.pool, problem.demand, 50_000, random(sha256Hex(seed), 'single-random-draw')),
      );
    expect(draw('a')).toBe(draw('a'));
    expect(new Set(['a', 'b', 'c', 'd'].map(draw)).size).toBeGreaterThan(1);
  });

  it('draws every coin about equally often, and with a limit every coin that is not too small', () => {
    const counts = (maxInputs: number, value: bigint): number[] => {
      const problem = problemOf(
        coinsOf(...Array.from({ length: 10 }, (_, index) => 2_000_000n - BigInt(index))),
        paymentsOf(value),
        {
          limits: { ...LIMITS, maxInputs },
        },
      );
      const drawn = Array.from({ length: 10 }, () => 0);
      for (let number = 0; number < 2_000; number++) {
        const stream = random(sha256Hex(`${number}`), 'single-random-draw');
        const result = singleRandomDraw(problem.pool, problem.demand, 1_000, stream);
        if (result.kind !== 'found') throw new Error('nothing found');
        for (const index of result.indexes) drawn[index] = (drawn[index] ?? 0) + 1;
      }
      return drawn;
    };
    for (const count of counts(50, 1_000_000n)) {
      expect(count).toBeGreaterThan(150);
      expect(count).toBeLessThan(250);
    }
    for (const count of counts(2, 3_000_000n)) {
      expect(count).toBeGreaterThan(320);
      expect(count).toBeLessThan(480);
    }
    // Only the two largest of all coins reach this, so each draw has to give back every other.
    const problem = problemOf(coinsOf(2_000_000n, 2_000_000n), paymentsOf(1_000_000n));
    const need = BigInt(at(problem.demand.needWithChange, 2)) - 1_000_000n;
    expect(counts(2, 3_999_999n - need - 1_000n)).toEqual([2_000, 2_000, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
