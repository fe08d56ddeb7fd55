import type { Exchange, Transcript } from '../transcript.js';
import type { ExchangeLines, Findings } from './findings.js';

/** When something of a recording began, in ms from its first exchange, and how long the device took over it. */
export interface Span {
  readonly at: number;
  readonly took: number;
}

/** Whether any exchange has a time: files that were recorded without have none. */
export const isTimed = ({ exchanges }: Transcript): boolean => exchanges.some(({ time }) => time !== undefined);

/** From the first exchange to the end of the last one, in ms; null where the last one has no time. */
export function wholeTime({ exchanges }: Transcript): number | null {
  const time = exchanges.at(-1)?.time;
  return time === undefined ? null : time.at + time.took;
}

/** The time of `count` exchanges from the one whose request stands on a line; null where one of them has none. */
export function spanOf(
  { exchanges }: Transcript,
  lines: readonly ExchangeLines[],
  line: number,
  count: number,
): Span | null {
  const first = lines.findIndex(({ request }) => request === line);
  if (first === -1 || count === 0) return null;
  let took = 0;
  for (const { time } of exchanges.slice(first, first + count)) {
    if (time === undefined) return null;
    took += time.took;
  }
  const at = exchanges[first]?.time?.at;
  return at === undefined ? null : { at, took };
}

/**
 * Times can only be held to each other: a device has one exchange at a time, so each begins when the one before has its
 * answer; and where one has a time, all have.
 */
export function checkTimes(exchanges: readonly Exchange[], findings: Findings): void {
  if (exchanges.every(({ time }) => time === undefined)) return;
  let free = 0;
  for (const [index, { time }] of exchanges.entries()) {
    if (time === undefined) {
      findings.contradict(index, 'response', 'the exchange has no time, and others have');
      continue;
    }
    if (time.at < free) {
      findings.contradict(index, 'request', `it was asked at ${time.at} ms, and the answer before came at ${free} ms`);
    } else findings.prove('each exchange begins after the one before it has ended');
    free = Math.max(free, time.at + time.took);
  }
  findings.leave('the times', 'nothing signs them');
}
