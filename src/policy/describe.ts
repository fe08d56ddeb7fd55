import { formatAmount } from '../domain/sats.js';
import { parsePublicKey } from './public-key.js';
import type { Cap, Quorum } from './types.js';

/** "no limit", or both spellings of an amount; of zero it says what it means. */
export function capText(cap: Cap): string {
  if (cap === null) return 'no limit at all';
  return cap === 0n ? `${formatAmount(cap)}, which means nothing` : formatAmount(cap);
}

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** A duration in the largest unit that says it exactly: 3 days, 36 hours, 90 seconds. */
export function durationText(seconds: number): string {
  for (const [unit, size] of UNITS) if (seconds > 0 && seconds % size === 0) return counted(seconds / size, unit);
  return counted(seconds, 'second');
}

/** 07:00, from seconds since midnight. */
export function timeOfDayText(seconds: number): string {
  const two = (value: number): string => value.toString().padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** "a, b and c"; "none" for an empty list. */
export function listText(items: readonly string[], last = 'and'): string {
  const [only, ...others] = items;
  if (only === undefined) return 'none';
  const end = others.at(-1);
  return end === undefined ? only : `${[only, ...others.slice(0, -1)].join(', ')} ${last} ${end}`;
}

/** "3 different people of the roles officers and compliance, at least one of them of compliance". */
export function quorumText({ from, m, include }: Quorum): string {
  const people = m === 1 ? '1 person' : `${m} different people`;
  const roles = `${from.length === 1 ? 'the role' : 'the roles'} ${listText(from)}`;
  return `${people} of ${roles}${include === undefined ? '' : `, at least one of them of ${include}`}`;
}

/** A key as `ssh-keygen -l` names it, so that people can compare it with their own. */
export function keyText(line: string): string {
  const key = parsePublicKey(line);
  if (!key.ok) throw new Error('a loaded policy holds only keys that can be read');
  const { type, fingerprint, comment } = key.value;
  return `${type} ${fingerprint}${comment === '' ? '' : ` (${comment})`}`;
}

const WEEKDAYS: Readonly<Record<string, string>> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

export function weekdayText(day: string): string {
  return WEEKDAYS[day] ?? day;
}
