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

/** The exact form of formatTime, a date that exists; anything else is null. */
export function parseTime(text: string): UnixSeconds | null {
  if (!TIME_TEXT.test(text)) return null;
  const seconds = Date.parse(text) / 1000;
  return Number.isInteger(seconds) && formatTime(seconds) === text ? seconds : null;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const DURATION_TEXT = /^(0|[1-9][0-9]{0,5})([smhd])$/;

/** A duration such as 90s, 30m, 72h or 30d, in seconds; null for any other spelling. */
export function parseDuration(text: string): number | null {
  const match = DURATION_TEXT.exec(text);
  const unit = UNIT_SECONDS[match?.[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
