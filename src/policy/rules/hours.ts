import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { PolicyDocument, Weekday } from '../types.js';
import { DAY, HOUR } from './rolling.js';
import { askForPolicy, finding, type Rule } from './rule.js';

type Hours = PolicyDocument['hours'];

/** 1970-01-01 was a Thursday. */
const WEEKDAYS = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'] as const satisfies readonly Weekday[];

/** A working day comes within a week, unless closed dates fill it: then the search goes on that many days. */
const SEARCH_DAYS = 8;

/** UTC, open at `from` and closed from `to` on. */
export const openHours: Rule = {
  tag: 'hours',
  codes: ['TIME_CLOSED'],
  check: (context) => {
    const { hours } = context.document;
    const { time } = context;
    const now = () => `${formatTime(time)} (${weekday(time)})`;
    if (isOpen(hours, time)) {
      const pass = () => ({ text: `${now()} lies within the hours of the policy.` });
      return [finding(context, 'TIME_CLOSED', 'pass', pass)];
    }
    const deny = () => {
      const opening = nextOpening(hours, time);
      const open = `${hours.days.join(', ') || 'never'} from ${clock(hours.from)} to ${clock(hours.to)} UTC`;
      const ways = [...(opening === null ? [] : [`wait until ${formatTime(opening)}`]), askForPolicy(context, 'hours')];
      const text = `${now()} is outside the hours of the policy: ${open}, closed dates excepted.`;
      return { text, freesAt: opening, remedy: ways.join(', or ') };
    };
    return [finding(context, 'TIME_CLOSED', 'deny', deny)];
  },
};

function isOpen(hours: Hours, time: UnixSeconds): boolean {
  const second = time % DAY;
  return opensOn(hours, time) && second >= hours.from && second < hours.to;
}

function opensOn({ days, closedDates }: Hours, time: UnixSeconds): boolean {
  const isClosed = closedDates.length > 0 && closedDates.includes(formatTime(time).slice(0, 10));
  return days.includes(weekday(time)) && !isClosed;
}

function weekday(time: UnixSeconds): Weekday {
  const day = WEEKDAYS[Math.floor(time / DAY) % 7];
  if (day === undefined) throw new Error(`no weekday at ${time}`);
  return day;
}

/** The next moment at which it opens; null if it never does. */
export function nextOpening(hours: Hours, time: UnixSeconds): UnixSeconds | null {
  if (hours.from >= hours.to) return null;
  const midnight = time - (time % DAY);
  for (let day = 0; day < SEARCH_DAYS + 7 * hours.closedDates.length; day += 1) {
    const opening = midnight + day * DAY + hours.from;
    if (opening > time && opensOn(hours, opening)) return opening;
  }
  return null;
}

function clock(second: number): string {
  const pad = (value: number): string => value.toString().padStart(2, '0');
  return `${pad(Math.floor(second / HOUR))}:${pad(Math.floor((second % HOUR) / 60))}`;
}
