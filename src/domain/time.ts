/** Seconds since 1970-01-01T00:00:00Z. All of countersign's reckoning is in whole UTC seconds. */
export type UnixSeconds = number;

/** ISO 8601 with seconds and Z: 2026-06-01T12:00:00Z. */
export function formatTime(seconds: UnixSeconds): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

const DATE = '[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])';
/** YYYY-MM-DD, where not every month has 31 days. */
export const DATE_TEXT = new RegExp(`^${DATE}$`);
/** The form of formatTime, on a day that may not exist. */
export const TIME_TEXT = new RegExp(`^${DATE}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$`);

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The exact form of formatTime, a date that exists; anything else is null. A journal holds millions: no Date is made. */
export function parseTime(text: string): UnixSeconds | null {
  if (!TIME_TEXT.test(text)) return null;
  const [year, month, day] = [twoDigits(text, 0) * 100 + twoDigits(text, 2), twoDigits(text, 5), twoDigits(text, 8)];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const last = month === 2 && isLeap ? 29 : (MONTH_DAYS[month - 1] ?? 0);
  if (day > last) return null;
  const hours = daysSince1970(year, month, day) * 24 + twoDigits(text, 11);
  return (hours * 60 + twoDigits(text, 14)) * 60 + twoDigits(text, 17);
}

const ZERO = 48;

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;
}

/** Days of the proleptic Gregorian calendar, in years that begin in March, so that a leap day is the last of its year. */
function daysSince1970(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** As many seconds, minutes, hours or days. */
export const DURATION_TEXT = /^(0|[1-9][0-9]{0,5})([smhd])$/;

/** A duration such as 90s, 30m, 72h or 30d, in seconds; null for any other spelling. */
export function parseDuration(text: string): number | null {
  const match = DURATION_TEXT.exec(text);
  const unit = UNIT_SECONDS[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
