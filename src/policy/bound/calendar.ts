import { formatTime, type UnixSeconds } from '../../domain/time.js';
import { DAY, HOUR } from '../rules/rolling.js';
import type { PolicyDocument, Weekday } from '../types.js';

/** Moments from `from` on, before `to`. */
export interface Span {
  readonly from: UnixSeconds;
  readonly to: UnixSeconds;
}

/** 1970-01-01 was a Thursday. */
const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const satisfies readonly Weekday[];

/** When the policy lets anything leave: its hours, within its life. */
export interface Calendar {
  /** Open spans that touch [from, to), ascending; those that meet are one. */
  spans(from: UnixSeconds, to: UnixSeconds): readonly Span[];
  /** Moments of which one begins a worst interval of that many seconds. */
  starts(seconds: number): readonly UnixSeconds[];
}

export function calendarOf({ hours, effectiveAt, expiresAt }: PolicyDocument): Calendar {
  const closed = new Set(hours.closedDates);
  const lastDay = Math.floor((expiresAt - 1) / DAY);
  const firstDay = Math.floor(effectiveAt / DAY);
  const weekdayOpen = (day: number): boolean => hours.days.some((name) => name === WEEKDAYS[((day % 7) + 7) % 7]);
  const isClosed = (day: number): boolean => closed.has(formatTime(day * DAY).slice(0, 10));

  const spans = (from: UnixSeconds, to: UnixSeconds): readonly Span[] => {
    const found: { from: number; to: number }[] = [];
    for (let day = Math.floor(from / DAY); day * DAY < to; day += 1) {
      if (!weekdayOpen(day) || isClosed(day)) continue;
      const opens = Math.max(day * DAY + hours.from, effectiveAt, from);
      const closes = Math.min(day * DAY + hours.to, expiresAt, to);
      if (opens >= closes) continue;
      const last = found.at(-1);
      if (last !== undefined && last.to === opens) last.to = closes;
      else found.push({ from: opens, to: closes });
    }
    return found;
  };

  /** A day after which neither closed dates nor the end of the policy change anything for as long as the interval lasts. */
  const undisturbed = (day: number, length: number): boolean => {
    if (day * DAY < effectiveAt || (day + length) * DAY > expiresAt) return false;
    for (let one = day; one < day + length; one += 1) if (isClosed(one)) return false;
    return true;
  };

  /** Closing a day only takes moments away, so of each weekday one undisturbed day stands for all. */
  const days = (seconds: number): readonly number[] => {
    const length = Math.ceil(seconds / DAY) + 1;
    const firstOf = new Map<number, number>();
    for (let day = firstDay; day <= lastDay && firstOf.size < 7; day += 1) {
      if (!firstOf.has(day % 7) && undisturbed(day, length)) firstOf.set(day % 7, day);
    }
    const others: number[] = [];
    if (firstOf.size < 7) {
      for (let day = firstDay; day <= lastDay; day += 1) if (!firstOf.has(day % 7)) others.push(day);
    }
    return [...firstOf.values(), ...others].filter(weekdayOpen);
  };

  /**
   * In a worst schedule every batch follows another by whole windows, or comes at an opening; windows are whole hours.
   * Putting it off costs nothing until a batch would fall past a closing. So it begins at an opening, or a whole number
   * of hours before the last second of a span.
   */
  const starts = (seconds: number): readonly UnixSeconds[] => {
    const found = new Set<UnixSeconds>();
    for (const day of days(seconds)) {
      const [span] = spans(day * DAY, (day + 1) * DAY);
      if (span === undefined) continue;
      found.add(span.from);
      for (const end of [day * DAY + hours.to, expiresAt, span.to]) {
        const offset = (((end - 1 - span.from) % HOUR) + HOUR) % HOUR;
        for (let at = span.from + offset; at < span.to; at += HOUR) found.add(at);
      }
    }
    return [...found].sort((a, b) => a - b);
  };
  return { spans, starts };
}
