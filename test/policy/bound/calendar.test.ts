import { describe, expect, it } from 'vitest';
import { calendarOf } from '../../../src/policy/bound/calendar.js';
import type { PolicyDocument } from '../../../src/policy/types.js';
import { at, DAY, HOUR } from '../fixture.js';

const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

interface Plan extends Partial<PolicyDocument['hours']> {
  readonly effective?: string;
  readonly expires?: string;
}

/** Mondays to Fridays from 8 to 18 o'clock, from Monday 2026-06-01 to the end of Sunday 2026-06-28. */
function calendar({ effective = '2026-06-01T00:00:00Z', expires = '2026-06-29T00:00:00Z', ...hours }: Plan = {}) {
  return calendarOf({
    hours: { days: WEEK.slice(0, 5), from: 8 * HOUR, to: 18 * HOUR, closedDates: [], ...hours },
    effectiveAt: at(effective),
    expiresAt: at(expires),
  } as PolicyDocument);
}

const MONDAY = at('2026-06-01T00:00:00Z');
const span = (from: string, to: string) => ({ from: at(`2026-06-${from}Z`), to: at(`2026-06-${to}Z`) });
const spansIn = (plan: Plan, from: string, to: string) => {
  const { from: begin, to: end } = span(from, to);
  return calendar(plan).spans(begin, end);
};

describe('open spans', () => {
  it('are the hours of the working days, cut to what is asked for', () => {
    expect(spansIn({}, '05T00:00:00', '09T00:00:00')).toEqual([
      span('05T08:00:00', '05T18:00:00'),
      span('08T08:00:00', '08T18:00:00'),
    ]);
    expect(spansIn({}, '01T09:30:00', '02T08:00:01')).toEqual([
      span('01T09:30:00', '01T18:00:00'),
      span('02T08:00:00', '02T08:00:01'),
    ]);
    expect(spansIn({}, '01T18:00:00', '02T08:00:00')).toEqual([]);
  });

  it('leave out closed dates and what is not of the life of the policy', () => {
    expect(spansIn({ closedDates: ['2026-06-02'] }, '01T00:00:00', '04T00:00:00')).toEqual([
      span('01T08:00:00', '01T18:00:00'),
      span('03T08:00:00', '03T18:00:00'),
    ]);
    const short = { effective: '2026-06-02T10:00:00Z', expires: '2026-06-03T09:00:00Z' };
    expect(spansIn(short, '01T00:00:00', '30T00:00:00')).toEqual([
      span('02T10:00:00', '02T18:00:00'),
      span('03T08:00:00', '03T09:00:00'),
    ]);
  });

  it('are one where they meet', () => {
    const always = { days: WEEK, from: 0, to: DAY };
    expect(spansIn(always, '06T12:00:00', '08T12:00:00')).toEqual([span('06T12:00:00', '08T12:00:00')]);
    const weekend = { ...always, days: ['sat', 'sun'] as const };
    expect(spansIn(weekend, '01T00:00:00', '09T00:00:00')).toEqual([span('06T00:00:00', '08T00:00:00')]);
  });

  it('know the weekdays before 1970 too', () => {
    const early = calendar({ effective: '1969-12-01T00:00:00Z' });
    // 1969-12-28 was a Sunday.
    expect(early.spans(-4 * DAY, -2 * DAY)).toEqual([{ from: -3 * DAY + 8 * HOUR, to: -3 * DAY + 18 * HOUR }]);
  });
});

describe('where a worst interval may begin', () => {
  it('is open, of each weekday once, at its opening or whole hours before its last second', () => {
    const { starts } = calendar();
    const found = starts(7 * DAY);
    expect(found).toHaveLength(5 * 11);
    for (const [index, day] of [0, 1, 2, 3, 4].entries()) {
      const opening = MONDAY + day * DAY + 8 * HOUR;
      const of = found.slice(index * 11, index * 11 + 11);
      expect(of[0]).toBe(opening);
      expect(of.slice(1)).toEqual(Array.from({ length: 10 }, (_, hour) => opening + (hour + 1) * HOUR - 1));
    }
  });

  it('ascends, and names every moment once', () => {
    const found = calendar({ days: WEEK, from: 0, to: DAY }).starts(HOUR);
    expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
    expect(found[0]).toBe(MONDAY);
  });

  it('is the first such weekday whose interval no closed date and no end of the policy disturbs', () => {
    const days = (plan: Plan, seconds: number) => [
      ...new Set(
        calendar(plan)
          .starts(seconds)
          .map((time) => new Date(time * 1000).toISOString().slice(5, 10)),
      ),
    ];
    expect(days({}, DAY)).toEqual(['06-01', '06-02', '06-03', '06-04', '06-05']);
    // Each Monday to Wednesday before the closed Wednesday would see it within two days.
    expect(days({ closedDates: ['2026-06-03'] }, DAY)).toEqual(['06-01', '06-04', '06-05', '06-09', '06-10']);
    expect(days({ effective: '2026-06-01T00:00:01Z' }, DAY)).toEqual(['06-02', '06-03', '06-04', '06-05', '06-08']);
  });

  it('is any day of a weekday of which all are disturbed', () => {
    const week = { expires: '2026-06-08T00:00:00Z' };
    const days = [
      ...new Set(
        calendar(week)
          .starts(DAY)
          .map((time) => Math.floor((time - MONDAY) / DAY)),
      ),
    ];
    expect(days).toEqual([0, 1, 2, 3, 4]);
    const two = calendar({ expires: '2026-06-08T12:00:00Z' }).starts(7 * DAY);
    expect([...new Set(two.map((time) => Math.floor((time - MONDAY) / DAY)))]).toEqual([0, 1, 2, 3, 4, 7]);
  });

  it('counts back from the end of the policy as from a closing', () => {
    const found = calendar({ effective: '2026-06-01T09:15:00Z', expires: '2026-06-01T11:00:10Z' }).starts(HOUR);
    const time = (text: string) => at(`2026-06-01T${text}Z`);
    expect(found).toEqual([time('09:15:00'), time('09:59:59'), time('10:00:09'), time('10:59:59'), time('11:00:09')]);
  });

  it('counts back from the closing of the day, where the policy ends before it', () => {
    const times = (to: number) =>
      calendar({ effective: '2026-06-01T09:15:00Z', expires: '2026-06-01T11:00:10Z', to }).starts(HOUR);
    expect(times(18 * HOUR + HOUR / 2)).toContain(at('2026-06-01T09:29:59Z'));
    expect(times(18 * HOUR + HOUR / 2)).toContain(at('2026-06-01T10:29:59Z'));
    expect(times(18 * HOUR + HOUR / 4)).toContain(at('2026-06-01T10:14:59Z'));
    expect(times(18 * HOUR)).not.toContain(at('2026-06-01T10:29:59Z'));
  });

  it('is nowhere where nothing is ever open', () => {
    expect(calendar({ days: [] }).starts(DAY)).toEqual([]);
    expect(calendar({ from: 8 * HOUR, to: 8 * HOUR }).starts(DAY)).toEqual([]);
    expect(calendar({ effective: '2026-06-06T00:00:00Z', expires: '2026-06-08T00:00:00Z' }).starts(DAY)).toEqual([]);
  });
});
