import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxSats } from '../../src/domain/sats.js';
import { EXACT_UP_TO, heaviestSet, type Member, weighAmong } from '../../src/policy/conflicts.js';
import { runs } from '../runs.js';

const member = fc.record({
  weight: fc.bigInt({ min: 0n, max: 100n }),
  inputs: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { minLength: 1, maxLength: 3 }),
});

function compatible(members: readonly Member[]): boolean {
  const inputs = members.flatMap((one) => one.inputs);
  return new Set(inputs).size === inputs.length;
}

/** Every subset, looked at. */
function bruteForce(members: readonly Member[]): bigint {
  let best = 0n;
  for (let mask = 0; mask < 1 << members.length; mask += 1) {
    const chosen = members.filter((_, bit) => (mask & (1 << bit)) !== 0);
    const weight = chosen.reduce((sum, one) => sum + one.weight, 0n);
    if (weight > best && compatible(chosen)) best = weight;
  }
  return best;
}

const sumOf = (members: readonly Member[]) => members.reduce((sum, one) => sum + one.weight, 0n);

describe('the heaviest set that can confirm together', () => {
  it('equals brute force for up to 12 members', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 12 }), (members) => {
        expect(heaviestSet(members)).toBe(bruteForce(members));
      }),
      { numRuns: runs(150) },
    );
  });

  it('weighs a batch among others as brute force does', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 10 }), member, (members, batch) => {
        const { together, without, beside } = weighAmong(batch, members);
        expect(together).toBe(bruteForce([...members, batch]));
        expect(without).toBe(bruteForce(members));
        expect(beside).toBe(bruteForce(members.filter((one) => compatible([one, batch]))));
        expect(together).toBe(maxSats(without, beside + batch.weight));
      }),
      { numRuns: runs(150) },
    );
  });

  it('is never below the exact answer in larger groups, and never above the sum', () => {
    const large = fc.array(member, { minLength: 21, maxLength: 26 });
    fc.assert(
      fc.property(large, (members) => {
        const weight = heaviestSet(members);
        expect(weight <= sumOf(members)).toBe(true);
        // A greedy set is one that can confirm together: the answer may not be below it.
        const greedy: Member[] = [];
        for (const one of members.toSorted((a, b) => (a.weight > b.weight ? -1 : 1))) {
          if (compatible([...greedy, one])) greedy.push(one);
        }
        expect(weight >= sumOf(greedy)).toBe(true);
      }),
      { numRuns: runs(50) },
    );
  });

  it('is exact up to 20 members and the sum from 21 on', () => {
    const star = (count: number): Member[] => Array.from({ length: count }, () => ({ weight: 5n, inputs: ['a'] }));
    expect(heaviestSet(star(EXACT_UP_TO))).toBe(5n);
    expect(heaviestSet(star(EXACT_UP_TO + 1))).toBe(105n);
    expect(weighAmong({ weight: 5n, inputs: ['a'] }, star(EXACT_UP_TO))).toEqual({
      together: 105n,
      without: 5n,
      beside: 100n,
    });
  });

  it('takes every second member of a chain of 20', () => {
    const chain = Array.from(
      { length: 20 },
      (_, index): Member => ({ weight: 1n, inputs: [`${index}`, `${index + 1}`] }),
    );
    expect(heaviestSet(chain)).toBe(10n);
  });

  it('is 0 of nothing', () => {
    expect(heaviestSet([])).toBe(0n);
  });
});
