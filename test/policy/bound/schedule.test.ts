import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../../src/policy/bound/calendar.js';
import { worstCase } from '../../../src/policy/bound/schedule.js';
import type { Binding, Limits } from '../../../src/policy/bound/types.js';
import { DAY, HOUR } from '../fixture.js';

const by = (field: string): Binding => ({
  code: 'LIMIT_24H',
  field,
  where: { file: 'policy.yaml', line: 1 },
  text: field,
});
const window = (seconds: number, cap: bigint | null, name: string) => ({ seconds, bounded: { cap, by: by(name) } });

interface Given extends Partial<Omit<Limits, 'batch' | 'windows'>> {
  readonly batch?: bigint | null;
  readonly hour?: bigint | null;
  readonly day?: bigint | null;
  readonly week?: bigint | null;
}

/** Anybody may approve anything, in up to 100 batches a day of any size. */
function limits({ batch = null, hour = null, day = null, week = null, ...more }: Given = {}): Limits {
  return {
    batch: { cap: batch, by: by('batch') },
    least: 1n,
    count: 100,
    countBy: by('count'),
    basis: { cap: null, by: by('basis') },
    windows: [window(HOUR, hour, 'hour'), window(DAY, day, 'day'), window(7 * DAY, week, 'week')],
    approvable: [{ low: 0n, high: null }],
    ...more,
  };
}

/** Open always, or from hour to hour of each day; intervals begin at 0 or when they are told to. */
function open(from = 0, to = 24, starts: readonly number[] = [from * HOUR]): Calendar {
  return {
    starts: () => starts,
    spans: (begin, end) => {
      if (to - from === 24) return [{ from: begin, to: end }];
      const days = Array.from({ length: 20 }, (_, day) => day * DAY);
      return days
        .map((day) => ({ from: Math.max(day + from * HOUR, begin), to: Math.min(day + to * HOUR, end) }))
        .filter((span) => span.from < span.to);
    },
  };
}

function worst(given: Given, seconds = DAY, calendar = open()) {
  const { atMost, by: rules, reached, moves } = worstCase(limits(given), calendar, seconds);
  const names = rules.map(({ binding, times }) => `${times} ${binding.field}`).sort();
  return { atMost, by: names, reached, moves: moves.map(({ at, spend }) => [at / HOUR, Number(spend)]) };
}

describe('the most that can leave within an interval', () => {
  it('is what one window lets through, as often as it fits, begun ones counted', () => {
    expect(worst({ day: 100n }, DAY)).toEqual({ atMost: 100n, by: ['1 day'], reached: 100n, moves: [[0, 100]] });
    expect(worst({ day: 100n }, DAY + 1)).toEqual({
      atMost: 200n,
      by: ['2 day'],
      reached: 200n,
      moves: [
        [0, 100],
        [24, 100],
      ],
    });
    expect(worst({ hour: 10n }, 3 * HOUR)).toMatchObject({ atMost: 30n, by: ['3 hour'], reached: 30n });
  });

  it('is the cheapest cover by windows of different lengths', () => {
    expect(worst({ hour: 30n, day: 100n, week: 250n }, HOUR)).toMatchObject({ atMost: 30n, by: ['1 hour'] });
    expect(worst({ hour: 30n, day: 100n, week: 250n }, 3 * HOUR)).toMatchObject({ atMost: 90n, by: ['3 hour'] });
    expect(worst({ hour: 30n, day: 100n, week: 250n }, 4 * HOUR)).toMatchObject({ atMost: 100n, by: ['1 day'] });
    expect(worst({ hour: 30n, day: 100n, week: 250n }, DAY + HOUR)).toMatchObject({
      atMost: 130n,
      by: ['1 day', '1 hour'],
      reached: 130n,
    });
    expect(worst({ hour: 30n, day: 100n, week: 250n }, 7 * DAY)).toMatchObject({ atMost: 250n, by: ['1 week'] });
    expect(worst({ hour: 30n, day: 100n, week: 250n }, 7 * DAY + 1)).toMatchObject({
      atMost: 280n,
      by: ['1 hour', '1 week'],
      reached: 280n,
    });
  });

  it('is no number where nothing limits it, and nothing where a batch may take nothing', () => {
    expect(worst({})).toEqual({ atMost: null, by: [], reached: 0n, moves: [] });
    expect(worst({ week: 5n, day: null }, 8 * DAY)).toMatchObject({ atMost: 10n, by: ['2 week'] });
    expect(worst({ batch: 0n, day: 100n })).toEqual({ atMost: 0n, by: ['1 batch'], reached: 0n, moves: [] });
    expect(worst({ day: 100n }, DAY, { starts: () => [], spans: () => [] })).toEqual({
      atMost: 0n,
      by: [],
      reached: 0n,
      moves: [],
    });
    expect(worst({ day: 100n }, DAY, { starts: () => [0], spans: () => [] })).toMatchObject({ atMost: 0n, by: [] });
  });

  it('skips what is closed: a window that ends at night reaches to the morning', () => {
    expect(worst({ day: 100n }, 2 * DAY, open(8, 18))).toEqual({
      atMost: 200n,
      by: ['2 day'],
      reached: 200n,
      moves: [
        [8, 100],
        [32, 100],
      ],
    });
    expect(worst({ hour: 10n }, DAY, open(8, 18))).toMatchObject({ atMost: 100n, by: ['10 hour'], reached: 100n });
  });

  it('is the worst of all beginnings, from above and from below', () => {
    // From noon on, an interval of a day touches two afternoons' hours of a day each; from the opening only one.
    const early = worst({ day: 100n }, DAY - HOUR, open(8, 18, [8 * HOUR]));
    const both = worst({ day: 100n }, DAY + 2 * HOUR, open(8, 18, [8 * HOUR, 17 * HOUR]));
    expect(early).toMatchObject({ atMost: 100n, reached: 100n });
    expect(both).toMatchObject({ atMost: 200n, reached: 200n });
    const late = worst({ hour: 10n }, 3 * HOUR, open(8, 18, [17 * HOUR, 8 * HOUR]));
    expect(late).toMatchObject({ atMost: 30n, by: ['3 hour'], reached: 30n });
    const first = worst({ hour: 10n }, 3 * HOUR, open(8, 18, [8 * HOUR, 17 * HOUR]));
    expect(first).toMatchObject({
      atMost: 30n,
      by: ['3 hour'],
      reached: 30n,
      moves: [
        [8, 10],
        [9, 10],
        [10, 10],
      ],
    });
  });

  it('by the number of batches, where that is what holds', () => {
    expect(worst({ batch: 10n, count: 3 })).toEqual({
      atMost: 30n,
      by: ['1 count'],
      reached: 30n,
      moves: [
        [0, 10],
        [0, 10],
        [0, 10],
      ],
    });
    expect(worst({ batch: 10n, count: 3 }, 2 * DAY)).toMatchObject({ atMost: 60n, by: ['2 count'], reached: 60n });
    expect(worst({ batch: 10n, count: 0 })).toMatchObject({ atMost: 0n, reached: 0n });
  });

  it('by the number of batches and the hour: full ones first, then what an hour leaves', () => {
    // Each hour takes two full batches and one of 5.
    const hour = (count: number, hours: number) =>
      worst({ batch: 10n, hour: 25n, count }, DAY, open(8, 8 + hours)).atMost;
    expect(hour(2, 1)).toBe(20n);
    expect(hour(3, 1)).toBe(25n);
    expect(hour(4, 1)).toBe(25n);
    expect(hour(4, 2)).toBe(40n);
    expect(hour(5, 2)).toBe(45n);
    expect(hour(6, 2)).toBe(50n);
    expect(hour(9, 3)).toBe(75n);
    expect(hour(3, 2)).toBe(30n);
    // Only the hours of one day count for what is in one day.
    expect(worst({ batch: 10n, hour: 25n, count: 9 }, 2 * DAY, open(8, 11)).atMost).toBe(150n);
    expect(worst({ batch: 10n, hour: 30n, count: 3 }, DAY, open(8, 10)).atMost).toBe(30n);
  });
});

describe('the schedule that gets there', () => {
  it('takes what there is in batches of one size, none of them a trifle', () => {
    expect(worst({ batch: 10n, day: 25n })).toMatchObject({
      reached: 25n,
      moves: [
        [0, 9],
        [0, 8],
        [0, 8],
      ],
    });
    expect(worst({ batch: 10n, day: 21n, least: 7n })).toMatchObject({ atMost: 21n, reached: 21n });
    expect(worst({ batch: 10n, day: 11n, least: 6n })).toMatchObject({ atMost: 11n, reached: 6n });
    expect(worst({ day: 5n, least: 6n })).toMatchObject({ atMost: 5n, reached: 0n, moves: [] });
    expect(worst({ day: 6n, least: 6n })).toMatchObject({ reached: 6n });
  });

  it('spends again as soon as a window lets go of something', () => {
    expect(worst({ hour: 10n, day: 25n }, DAY + HOUR)).toMatchObject({
      reached: 35n,
      moves: [
        [0, 10],
        [1, 10],
        [2, 5],
        [24, 10],
      ],
    });
  });

  it('has no more batches in 24 hours than may be, and goes on when one of them is older', () => {
    expect(worst({ batch: 10n, count: 2, hour: 10n }, DAY + 2 * HOUR).moves).toEqual([
      [0, 10],
      [1, 10],
      [24, 10],
      [25, 10],
    ]);
  });

  it('has no batch at all where none may be, though nothing bounds one', () => {
    expect(worst({ day: 10n, count: 0 }).moves).toEqual([]);
    expect(worst({ hour: 10n, count: 1 }, 2 * HOUR).moves).toEqual([[0, 10]]);
  });

  it('keeps to any of the ranges that the people may approve', () => {
    const ranges = [
      { low: 0n, high: 10n },
      { low: 20n, high: 40n },
    ];
    expect(worst({ batch: 10n, day: 10n, approvable: ranges })).toMatchObject({ reached: 10n });
    expect(worst({ batch: 30n, day: 30n, approvable: ranges })).toMatchObject({ reached: 30n });
    expect(worst({ batch: 15n, day: 15n, approvable: ranges })).toMatchObject({ reached: 0n });
  });

  it('keeps to what the people may approve', () => {
    const approvable = [{ low: 0n, high: 30n }];
    expect(worst({ batch: 20n, day: 100n, approvable }).moves).toEqual([[0, 20]]);
    expect(worst({ batch: 20n, day: 30n, approvable })).toMatchObject({ reached: 30n });
    expect(worst({ batch: 20n, day: 31n, approvable: [{ low: 0n, high: 31n }] })).toMatchObject({ reached: 31n });
  });

  it('leaps over a tier that they cannot meet with a batch that is large enough', () => {
    const above = [{ low: 10n, high: 40n }];
    expect(worst({ batch: 25n, day: 40n, approvable: above })).toMatchObject({
      reached: 40n,
      moves: [
        [0, 20],
        [0, 20],
      ],
    });
    // Even batches would be of 10 and not get over it; the largest one does.
    expect(worst({ batch: 15n, day: 20n, approvable: above })).toMatchObject({
      reached: 20n,
      moves: [
        [0, 15],
        [0, 5],
      ],
    });
    expect(worst({ batch: 10n, day: 20n, approvable: above })).toMatchObject({ reached: 0n, moves: [] });
    expect(worst({ day: 11n, approvable: above })).toMatchObject({ reached: 11n });
    expect(worst({ day: 10n, approvable: above })).toMatchObject({ reached: 0n });
  });
});
