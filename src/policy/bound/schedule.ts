import { minSats, type Sats, sumSats } from '../../domain/sats.js';
import type { UnixSeconds } from '../../domain/time.js';
import { DAY, HOUR } from '../rules/rolling.js';
import type { Calendar, Span } from './calendar.js';
import type { Binding, Bounded, Limits, Move } from './types.js';

/** The most that can leave within an interval. */
export interface WorstCase {
  /** No schedule lets more through; null where no rule limits it. */
  readonly atMost: Sats | null;
  /** The rules that say so, each with how often its window covers the open part of the interval. */
  readonly by: readonly { readonly binding: Binding; readonly times: number }[];
  /** A schedule that lets `reached` through. */
  readonly moves: readonly Move[];
  readonly reached: Sats;
}

/**
 * The most that can leave within any interval of so many seconds, from both sides: a schedule, which takes whatever there
 * is as soon as it can, and a cover of the open time by windows, none of which lets more through than its cap. Where the
 * two meet, as they do unless the count of batches is what holds, the answer is exact.
 *
 * Why the greedy schedule is the best one: with running sums S, each window says S(t) <= S(t - W) + cap. Taking the
 * equality at every open moment gives the largest S at every moment at once.
 */
export function worstCase(limits: Limits, calendar: Calendar, seconds: number): WorstCase {
  const { batch } = limits;
  const nothing = batch.cap === 0n ? [{ binding: batch.by, times: 1 }] : [];
  let worst: WorstCase = { atMost: 0n, by: nothing, moves: [], reached: 0n };
  for (const start of calendar.starts(seconds)) {
    const open = calendar.spans(start, start + seconds);
    const cover = cheapestCover(limits, open);
    if (cover.atMost === null) return { ...cover, moves: [], reached: 0n };
    if (worst.atMost === null || cover.atMost > worst.atMost) worst = { ...worst, ...cover };
    const moves = greedy(limits, open);
    const reached = sumSats(moves.map(({ spend }) => spend));
    if (reached > worst.reached) worst = { ...worst, moves, reached };
  }
  return worst;
}

// ---------------------------------------------------------------- from below: a schedule

/** The batches of one moment. */
interface Moment {
  readonly at: UnixSeconds;
  readonly total: Sats;
  readonly spends: readonly Sats[];
}

function greedy(limits: Limits, open: readonly Span[]): readonly Move[] {
  const moments: Moment[] = [];
  const lengths = [...new Set([...limits.windows.map(({ seconds }) => seconds), DAY])];
  let at: UnixSeconds | null = open[0]?.from ?? null;
  while (at !== null) {
    const now: UnixSeconds = at;
    const spends = batchesAt(limits, moments, now);
    if (spends.length > 0) moments.push({ at: now, spends, total: sumSats(spends) });
    const leaving = moments.flatMap((moment) => lengths.map((length) => moment.at + length));
    at = firstOpen(open, Math.min(...leaving.filter((time) => time > now)));
  }
  return moments.flatMap((moment) => moment.spends.map((spend) => ({ at: moment.at, spend })));
}

function firstOpen(open: readonly Span[], time: UnixSeconds): UnixSeconds | null {
  const span = open.find(({ to }) => to > time);
  return span === undefined ? null : Math.max(span.from, time);
}

/** As much as all windows leave, in batches of one size, so that none is a trifle that no node would relay. */
function batchesAt(
  { batch, least, count, windows, approvable }: Limits,
  earlier: readonly Moment[],
  now: UnixSeconds,
): Sats[] {
  const within = (seconds: number): readonly Moment[] => earlier.filter(({ at }) => now - at < seconds);
  const used = (seconds: number): Sats => sumSats(within(seconds).map(({ total }) => total));
  const free = BigInt(count - within(DAY).reduce((number, { spends }) => number + spends.length, 0));
  if (free <= 0n || batch.cap === 0n) return [];
  const rooms = windows.flatMap(({ seconds, bounded: { cap } }) => (cap === null ? [] : [cap - used(seconds)]));
  const total = [...rooms, ...(batch.cap === null ? [] : [batch.cap * free])].reduce(minSats);
  const found: Sats[] = [];
  let basis = used(DAY);
  const mayApprove = (spend: Sats): boolean =>
    approvable.some(({ low, high }) => basis + spend > low && (high === null || basis + spend <= high));
  let rest = batch.cap === null ? 1n : (total + batch.cap - 1n) / batch.cap;
  for (let left = total; left > 0n && rest > 0n; rest -= 1n) {
    const even = (left + rest - 1n) / rest;
    // A larger one, where only that leaps over a tier that the people cannot meet.
    const spend = mayApprove(even) || batch.cap === null ? even : minSats(batch.cap, left);
    if (spend < least || !mayApprove(spend)) break;
    found.push(spend);
    basis += spend;
    left -= spend;
  }
  return found;
}

// ---------------------------------------------------------------- from above: a cover

interface Cover {
  readonly atMost: Sats;
  readonly uses: readonly { readonly binding: Binding; readonly seconds: number }[];
}

function cheapestCover(limits: Limits, open: readonly Span[]): Pick<WorstCase, 'atMost' | 'by'> {
  const known = new Map<UnixSeconds, Cover | null>();
  const from = (time: UnixSeconds): Cover | null => {
    const begin = firstOpen(open, time);
    if (begin === null) return { atMost: 0n, uses: [] };
    const remembered = known.get(begin);
    if (remembered !== undefined) return remembered;
    let best: Cover | null = null;
    for (const { seconds, bounded } of coversAt(limits, open, begin)) {
      if (bounded.cap === null) continue;
      const rest = from(begin + seconds);
      if (rest === null) continue;
      const atMost = bounded.cap + rest.atMost;
      if (best === null || atMost < best.atMost) {
        best = { atMost, uses: [{ binding: bounded.by, seconds }, ...rest.uses] };
      }
    }
    known.set(begin, best);
    return best;
  };
  const cover = open[0] === undefined ? { atMost: 0n, uses: [] } : from(open[0].from);
  if (cover === null) return { atMost: null, by: [] };
  const times = new Map<Binding, number>();
  for (const { binding } of cover.uses) times.set(binding, (times.get(binding) ?? 0) + 1);
  return { atMost: cover.atMost, by: [...times].map(([binding, count]) => ({ binding, times: count })) };
}

/** Windows that could cover the time from a moment on, each with the most that it lets through. */
function* coversAt(
  limits: Limits,
  open: readonly Span[],
  begin: UnixSeconds,
): Iterable<{ readonly seconds: number; readonly bounded: Bounded }> {
  const { windows, batch, count, countBy } = limits;
  yield* windows;
  if (batch.cap === null) return;
  if (batch.cap === 0n) {
    yield { seconds: DAY, bounded: batch };
    return;
  }
  const hour = windows.find(({ seconds }) => seconds === HOUR)?.bounded.cap ?? null;
  const cap = byCount(batch.cap, BigInt(count), hour, hoursFrom(open, begin));
  yield { seconds: DAY, bounded: { cap, by: countBy } };
}

/** How many times an hour passes between open moments of a day. */
function hoursFrom(open: readonly Span[], begin: UnixSeconds): bigint {
  let hours = 0n;
  for (let at: UnixSeconds | null = begin; at !== null && at < begin + DAY; at = firstOpen(open, at + HOUR))
    hours += 1n;
  return hours;
}

/**
 * The most in a day by the number of batches alone. Each hour takes full batches first and then what is left of its
 * limit; the batches go to full ones as long as there are any.
 */
function byCount(batch: Sats, count: bigint, hour: Sats | null, hours: bigint): Sats {
  if (hour === null || hour >= batch * count) return batch * count;
  const full = hours * (hour / batch);
  const rest = count > full ? minSats(count - full, hours) : 0n;
  return minSats(count, full) * batch + rest * (hour % batch);
}
