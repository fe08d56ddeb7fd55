import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import { type Reader, text, through, withSchema } from '../../domain/source-reader.js';
import { DURATION_TEXT, parseDuration, parseTime, TIME_TEXT, type UnixSeconds } from '../../domain/time.js';

/** A time as a case writes it: as such, or by its distance from the case's own `now`. */
export type Moment =
  | { readonly kind: 'at'; readonly time: UnixSeconds }
  /** Seconds from now; negative for what has been. */
  | { readonly kind: 'offset'; readonly seconds: number };

export const NOW: Moment = { kind: 'offset', seconds: 0 };

export const ago = (seconds: number): Moment => ({ kind: 'offset', seconds: -seconds });

export function resolveMoment(moment: Moment, now: UnixSeconds): UnixSeconds {
  return moment.kind === 'at' ? moment.time : now + moment.seconds;
}

/** "now", "2h ago", "10m ahead", "23h 1s ago" or 2026-06-01T12:00:00Z. */
export const moment: Reader<Moment> = withSchema(
  through(text, (value) => {
    const parsed = parseMoment(value);
    if (parsed !== null) return ok(parsed);
    return fail('E_FIELD_TYPE', `${quoted(value, 40)} is not a moment`, {
      remedy: 'write a distance from now ("2h ago", "23h 1s ago", "10m ahead", "now") or a time (2026-06-01T12:00:00Z)',
    });
  }),
  () => ({
    type: 'string',
    pattern: `^(?:now|${inner(TIME_TEXT)}|(?:${inner(DURATION_TEXT)} )+(?:ago|ahead))$`,
    form: 'now, "2h ago", "23h 1s ago", "10m ahead", or a UTC time such as 2026-06-01T08:00:00Z.',
    beyond: ['that there is such a day'],
  }),
);

/** A form of a whole text, as a part of another. */
const inner = ({ source }: RegExp): string => source.slice(1, -1);

function parseMoment(value: string): Moment | null {
  if (value === 'now') return NOW;
  const time = parseTime(value);
  if (time !== null) return { kind: 'at', time };
  const words = value.split(' ');
  const direction = words.pop();
  const durations = words.map(parseDuration);
  if ((direction !== 'ago' && direction !== 'ahead') || durations.length === 0) return null;
  let seconds = 0;
  for (const duration of durations) {
    if (duration === null) return null;
    seconds += duration;
  }
  return { kind: 'offset', seconds: direction === 'ago' ? -seconds : seconds };
}
