import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Demand, implies } from '../../src/policy/classify/quorums.js';
import { runs } from '../runs.js';

const PEOPLE = ['a', 'b', 'c', 'd', 'e'];

/** Everybody who approved, and whether with a key that is touched. */
type Approvals = ReadonlyMap<string, boolean>;

/** Every way in which five people can approve: not at all, with a key, with a key that is touched. */
const ALL_APPROVALS: readonly Approvals[] = Array.from({ length: 3 ** PEOPLE.length }, (_, code) => {
  const ways = PEOPLE.map((person, place) => [person, Math.floor(code / 3 ** place) % 3] as const);
  return new Map(ways.filter(([, way]) => way > 0).map(([person, way]) => [person, way === 2]));
});

function meets(approvals: Approvals, { people, m, included, touch }: Demand): boolean {
  const counted = [...approvals].filter(([person, touched]) => people.has(person) && (touched || !touch));
  return counted.length >= m && (included === null || counted.some(([person]) => included.has(person)));
}

const demand: fc.Arbitrary<Demand> = fc
  .record({
    people: fc.subarray(PEOPLE),
    m: fc.integer({ min: 1, max: 5 }),
    among: fc.option(fc.subarray(PEOPLE), { nil: null }),
    touch: fc.boolean(),
  })
  .map(({ people, m, among, touch }) => ({
    people: new Set(people),
    m,
    included: among === null ? null : new Set(among.filter((person) => people.includes(person))),
    touch,
  }));

const bruteForce = (strict: Demand, lax: Demand): boolean =>
  ALL_APPROVALS.every((approvals) => !meets(approvals, strict) || meets(approvals, lax));

describe('whether one quorum implies another', () => {
  it('is what all sets of approvals of five people say', () => {
    fc.assert(
      fc.property(demand, demand, (strict, lax) => {
        expect(implies(strict, lax)).toBe(bruteForce(strict, lax));
      }),
      { numRuns: runs(2000) },
    );
  });

  it('is asked of pairs that imply each other and of pairs that do not', () => {
    const pairs = fc.sample(fc.tuple(demand, demand), { numRuns: 500, seed: 3 });
    const holding = pairs.filter(([strict, lax]) => strict.people.size >= strict.m && implies(strict, lax));
    expect(holding.length).toBeGreaterThan(20);
    expect(pairs.filter(([strict, lax]) => !implies(strict, lax)).length).toBeGreaterThan(100);
  });
});
