import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { EntryBody } from './entries.js';
import type { JournalState } from './state.js';

const DAY = 86_400;
/** How far the clock may be ahead of the newest known median time past. */
export const AHEAD_OF_CHAIN = 30 * DAY;
/** How far it may be ahead of the newest entry, where no chain says more. */
export const AHEAD_OF_ENTRY = 400 * DAY;

/**
 * Whether an entry may be written at this moment. Time in a journal never goes back, so one entry under a clock that is
 * years ahead would hold every later one to that time: approvals would be over, limits and notices would have passed, and
 * with the right clock the policy would deny everything. E_CLOCK_AHEAD, before anything is written.
 *
 * A snapshot is judged by its own median time past: it is what shows, after a pause, that the clock is right. On regtest
 * blocks come when somebody asks for them, so its chain says nothing of the time.
 */
export function checkClock(
  { head, network, coins }: Pick<JournalState, 'head' | 'network' | 'coins'>,
  now: UnixSeconds,
  body: EntryBody,
): Result<void, Fault> {
  if (head === null) return ok(undefined);
  const tips = network === 'regtest' ? [] : knownTips(coins, body);
  if (tips.length === 0) {
    if (now <= head.at + AHEAD_OF_ENTRY) return ok(undefined);
    return ahead(now, `${AHEAD_OF_ENTRY / DAY} days after the newest entry of the journal, ${formatTime(head.at)}`);
  }
  const newest = Math.max(...tips);
  if (now <= newest + AHEAD_OF_CHAIN) return ok(undefined);
  return ahead(now, `${AHEAD_OF_CHAIN / DAY} days after the newest block that is known, ${formatTime(newest)}`);
}

function knownTips(coins: JournalState['coins'], body: EntryBody): readonly UnixSeconds[] {
  const known = coins === null ? [] : [coins.tip.medianTimePast];
  return body.kind === 'coins.imported' ? [...known, body.medianTimePast] : known;
}

function ahead(now: UnixSeconds, than: string): Result<never, Fault> {
  return fail('E_CLOCK_AHEAD', `this machine's clock says ${formatTime(now)}, more than ${than}`, {
    remedy: 'set the clock right; if it is right, import a fresh coin snapshot first: countersign coins import FILE',
  });
}
