import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bound } from '../../src/policy/bound/bound.js';
import { calendarOf } from '../../src/policy/bound/calendar.js';
import { limitsOf } from '../../src/policy/bound/limits.js';
import { worstCase } from '../../src/policy/bound/schedule.js';
import { prove } from '../../src/policy/prove/prove.js';
import type { Answer, Property } from '../../src/policy/prove/types.js';
import type { LoadedPolicy } from '../../src/policy/types.js';
import { runs } from '../runs.js';
import { allows, bruteMost, ONE_PAYEE, PEOPLE, policyOf, type Small, UNIT } from './bound-brute.js';
import { at, DAY, HOUR } from './fixture.js';

type Done = Parameters<typeof allows>[1];

const some = (most: number) => fc.integer({ min: 0, max: most });
const orNull = (most: number) => fc.option(some(most), { freq: 3 });

/** Ascending tiers; the higher ones usually ask for more, but not always. */
const tiers: fc.Arbitrary<Small['tiers']> = fc
  .record({
    bounds: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 2 }),
    top: fc.option(fc.constant(6), { freq: 2 }),
    asks: fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()), { minLength: 3, maxLength: 3 }),
  })
  .map(({ bounds, top, asks }) =>
    [...bounds.sort((a, b) => a - b), top].map((upTo, index) => {
      const [m, include] = asks[index] ?? [1, false];
      return { upTo, m, ...(include ? { include: 'compliance' } : {}) };
    }),
  );

const small: fc.Arbitrary<Small> = fc.record({
  batch: orNull(4),
  hour: orNull(4),
  day: some(5),
  week: orNull(8),
  pending: orNull(6),
  count: fc.constantFrom(1, 2, 3, 9),
  tiers,
  nights: fc.constant(true),
});
const people = fc.subarray([...PEOPLE], { minLength: 1 });

const MONDAY = at('2026-06-01T00:00:00Z');
const answer = (policy: LoadedPolicy, property: Property): Answer => {
  const found = prove(policy, property);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
};

/** In units; bound() shows the same figure, of which evaluate then confirms the schedule. */
function figure(policy: LoadedPolicy, compromised: readonly string[], seconds: number) {
  const limits = limitsOf({ policy, people: new Set(compromised), book: null, bookGrows: true });
  const { atMost, reached } = worstCase(limits, calendarOf(policy.document), seconds);
  if (atMost === null) throw new Error('no figure');
  return { units: Number(atMost) / Number(UNIT), exact: reached === atMost };
}

describe('the bound is what an enumeration of all schedules finds', () => {
  /** Holds the figure against the enumeration, for as many policies; nearly all figures have to be called exact. */
  const holds = (seconds: number, moments: readonly number[], arbitrary: fc.Arbitrary<Small>, numRuns: number) => {
    const exact: boolean[] = [];
    fc.assert(
      fc.property(arbitrary, people, (given, who) => {
        const policy = policyOf(given);
        const most = bruteMost(policy, who, moments, Math.max(given.day ?? 5, 1));
        const said = figure(policy, who, seconds);
        exact.push(said.exact);
        if (said.exact) expect(said.units).toBe(most);
        else expect(said.units).toBeGreaterThan(most);
      }),
      { numRuns: runs(numRuns) },
    );
    expect(exact.filter(Boolean).length).toBeGreaterThanOrEqual(0.8 * exact.length);
  };

  it('in an hour', () => holds(HOUR, [MONDAY, MONDAY + HOUR - 1], small, 30));

  it('in a day, where hours and counts hold as well', () => {
    const moments = [0, 1, 2, 3, 4].map((hour) => MONDAY + hour * HOUR);
    holds(DAY, moments, small, 10);
  });

  it('in a week with nights and weekends, into which six days of windows fit', () => {
    const office = fc.record({
      batch: fc.constantFrom(null, 1),
      hour: fc.constant(null),
      day: fc.integer({ min: 1, max: 2 }),
      week: fc.constantFrom(null, 7, 11),
      pending: fc.constant(null),
      count: fc.constantFrom(2, 9),
      tiers: fc.constant([{ upTo: null, m: 2 }]),
      nights: fc.constant(false),
    });
    const late = ['2026-06-03', '2026-06-04', '2026-06-05'].map((day) => at(`${day}T18:59:59Z`));
    const early = ['2026-06-08', '2026-06-09', '2026-06-10'].map((day) => at(`${day}T07:00:00Z`));
    holds(7 * DAY, [...late, ...early], office, 4);
  });

  it('in a day to the only destination of a book, whose cap holds as well', () => {
    fc.assert(
      fc.property(small, fc.integer({ min: 0, max: 4 }), (given, cap) => {
        const policy = policyOf({ ...given, cap });
        const moments = [MONDAY, MONDAY + HOUR];
        const people = new Set(PEOPLE);
        const limits = limitsOf({ policy, people, book: ONE_PAYEE, bookGrows: false });
        const { atMost, reached } = worstCase(limits, calendarOf(policy.document), 2 * HOUR);
        const most = BigInt(bruteMost(policy, [...PEOPLE], moments, 5)) * UNIT;
        if (reached === atMost) expect(atMost).toBe(most);
        else expect(atMost).toBeGreaterThan(most);
      }),
      { numRuns: runs(15) },
    );
  });

  it('six times the day, not five and not seven, between nine to five and nine to five', () => {
    const policy = policyOf({
      batch: 1,
      hour: null,
      day: 1,
      week: null,
      pending: null,
      count: 9,
      tiers: [{ upTo: null, m: 1 }],
      nights: false,
    });
    expect(figure(policy, ['alice'], 7 * DAY)).toEqual({ units: 6, exact: true });
    expect(figure(policy, ['alice'], 5 * DAY)).toEqual({ units: 5, exact: true });
    const always = policyOf({
      batch: 1,
      hour: null,
      day: 1,
      week: null,
      pending: null,
      count: 9,
      tiers: [{ upTo: null, m: 1 }],
      nights: true,
    });
    expect(figure(always, ['alice'], 7 * DAY)).toEqual({ units: 7, exact: true });
    expect(figure(always, ['alice'], 7 * DAY + 1)).toEqual({ units: 8, exact: true });
  });

  it('bound() shows these figures, and calls exact what evaluate allowed', () => {
    fc.assert(
      fc.property(small, people, (given, who) => {
        const policy = policyOf(given);
        const { lines } = bound({ policy, compromised: new Set(who), book: null, balance: null });
        for (const [span, seconds] of [
          ['1 h', HOUR],
          ['24 h', DAY],
        ] as const) {
          const line = lines.find((one) => one.what === 'everything together' && one.span === span);
          const { units, exact } = figure(policy, who, seconds);
          expect(line).toMatchObject({ atMost: BigInt(units) * UNIT, exact });
        }
      }),
      { numRuns: runs(5) },
    );
  });
});

describe('prove says what an enumeration finds', () => {
  it('max-outflow', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(small, fc.integer({ min: 0, max: 5 }), (given, amount) => {
        const policy = policyOf(given);
        const most = bruteMost(
          policy,
          [...PEOPLE],
          [0, 1].map((hour) => MONDAY + hour * HOUR),
          5,
        );
        const { outcome } = answer(policy, {
          kind: 'max-outflow',
          seconds: 2 * HOUR,
          amount: BigInt(amount) * UNIT,
          book: null,
        });
        outcomes.add(outcome);
        if (outcome === 'proven') expect(most).toBeLessThanOrEqual(amount);
        if (outcome === 'refuted') expect(most).toBeGreaterThan(amount);
        if (outcome === 'open') expect(most).toBeLessThanOrEqual(amount);
      }),
      { numRuns: runs(20) },
    );
    expect([...outcomes].sort()).toEqual(expect.arrayContaining(['proven', 'refuted']));
  });

  it('needs-role', () => {
    const outcomes = new Set<string>();
    const roomy = fc.record({
      batch: fc.integer({ min: 1, max: 4 }),
      hour: fc.constantFrom(null, 2, 4),
      day: fc.integer({ min: 2, max: 5 }),
      week: fc.constant(null),
      pending: fc.constant(null),
      count: fc.constantFrom(1, 2, 9),
      tiers,
      nights: fc.constant(true),
    });
    fc.assert(
      fc.property(roomy, fc.integer({ min: 0, max: 3 }), (given, over) => {
        const policy = policyOf(given);
        const others = ['alice', 'bob'];
        // Earlier batches by everybody, an hour before and up to now; then one that is over the amount, by the others.
        const reachable = (done: Done, index: number): boolean => {
          const last = [MONDAY, MONDAY + HOUR][index];
          if (last === undefined) return false;
          for (let number = 1; number <= 5; number += 1) {
            const next = { at: last, units: number };
            if (number > over && allows(policy, done, next, others)) return true;
            if (allows(policy, done, next, [...PEOPLE]) && reachable([...done, next], index)) return true;
          }
          return reachable(done, index + 1);
        };
        const { outcome } = answer(policy, { kind: 'needs-role', over: BigInt(over) * UNIT, role: 'compliance' });
        outcomes.add(outcome);
        expect(outcome).toBe(reachable([], 0) ? 'refuted' : 'proven');
      }),
      { numRuns: runs(15) },
    );
    expect([...outcomes].sort()).toEqual(['proven', 'refuted']);
  });

  it('separation', () => {
    const outcomes = new Set<string>();
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 2 }), (given, m) => {
        const policy = policyOf(given, { from: ['officers', 'compliance'], m });
        const pays = PEOPLE.some((person) =>
          [1, 2, 3, 4, 5].some((units) => allows(policy, [], { at: MONDAY, units }, [person])),
        );
        const { outcome } = answer(policy, { kind: 'separation' });
        outcomes.add(outcome);
        expect(outcome).toBe(pays && m === 1 ? 'refuted' : 'proven');
      }),
      { numRuns: runs(20) },
    );
    expect([...outcomes].sort()).toEqual(['proven', 'refuted']);
  });

  it('refines', () => {
    const outcomes = new Map<string, number>();
    const changes: fc.Arbitrary<Partial<Small>> = fc.oneof(
      fc.record({ batch: orNull(4) }),
      fc.record({ day: some(5) }),
      fc.record({ week: orNull(8) }),
      fc.record({ pending: orNull(6) }),
      fc.record({ count: fc.constantFrom(1, 2, 3) }),
      fc.record({ tiers }),
    );
    const groups = [['alice'], ['bob'], ['erin'], ['alice', 'bob'], ['alice', 'erin'], [...PEOPLE]];
    const earlier = [0, 1, 3].flatMap((units) => [MONDAY + 2 * DAY - 60, MONDAY].map((time) => ({ at: time, units })));
    fc.assert(
      fc.property(small, changes, (given, change) => {
        const [before, after] = [policyOf(given), policyOf({ ...given, ...change })];
        const now = MONDAY + 2 * DAY;
        const breaks = earlier.some((one) =>
          [1, 2, 3, 4, 5].some((units) =>
            groups.some((group) => {
              const done = one.units === 0 ? [] : [one];
              const next = { at: now, units };
              return allows(after, done, next, group) && !allows(before, done, next, group);
            }),
          ),
        );
        const { outcome } = answer(after, { kind: 'refines', before });
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (breaks) expect(outcome).toBe('refuted');
        else expect(['proven', 'open', 'refuted']).toContain(outcome);
      }),
      { numRuns: runs(15) },
    );
    expect(outcomes.get('proven')).toBeGreaterThan(0);
  });
});
