import { formatAmount, MAX_SATS, sumSats } from '../../domain/sats.js';
import { calendarOf } from '../bound/calendar.js';
import { limitsOf } from '../bound/limits.js';
import { canMeet, everybody } from '../bound/people.js';
import { isEnforced } from '../bound/powers.js';
import { MOST_STEPS, rehearse } from '../bound/rehearse.js';
import { type WorstCase, worstCase } from '../bound/schedule.js';
import type { Limits, Move } from '../bound/types.js';
import { durationText } from '../describe.js';
import type { LoadedPolicy } from '../types.js';
import { type Answer, open, type Property, proven, type Unconfirmed } from './types.js';

/** No interval of so many seconds lets more than an amount through, whoever approves. */
export function proveOutflow(
  policy: LoadedPolicy,
  { seconds, amount, book }: Extract<Property, { kind: 'max-outflow' }>,
): Answer | Unconfirmed {
  const { document } = policy;
  const people = new Set(everybody(document));
  const bookGrows = !isEnforced('destinations.book_sign') || canMeet(document.destinations.bookSign, people, document);
  const assumed = { policy, people, book, bookGrows };
  const limits = limitsOf(assumed);
  const calendar = calendarOf(document);
  const worst = worstCase(limits, calendar, seconds);
  const span = durationText(seconds);
  if (worst.atMost !== null && worst.atMost <= amount) return proven(...argument(worst, span));
  if (amount >= MAX_SATS) return proven({ text: 'there will never be more than 21,000,000 BTC', by: [] });
  const moves =
    worst.atMost === null ? boundless(limits, calendar.starts(seconds), amount) : beyond(worst.moves, amount);
  if (moves === null) {
    const [reached, atMost] = [formatAmount(worst.reached), formatAmount(worst.atMost ?? 0n)];
    return open(`within ${span} no more than ${atMost} can leave, and a schedule is known that gets to ${reached}`);
  }
  if (moves.length > MOST_STEPS) {
    return open(`a schedule of ${moves.length} batches would let more through; that is too many to rehearse`);
  }
  const { steps, allowed } = rehearse(assumed, moves, null);
  const total = formatAmount(sumSats(steps.map(({ verdict }) => verdict.spend)));
  const story = [`within ${span} ${moves.length} batches take ${total}, more than ${formatAmount(amount)}`];
  return { outcome: allowed ? 'refuted' : 'unconfirmed', story, steps };
}

function argument({ atMost, by }: WorstCase, span: string) {
  const parts = by.map(({ binding, times }) => `${times} x ${binding.field}`).join(' and ');
  const amount = formatAmount(atMost ?? 0n);
  const text =
    by.length === 0
      ? `nothing can leave at all within ${span}`
      : `the open time of any ${span} is covered by ${parts}, which let through ${amount} together`;
  return [
    { text, by: by.map(({ binding }) => binding) },
    {
      text: 'what is signed and unconfirmed counts in every window as now, so on the chain no more can arrive than was let through',
      by: [],
    },
  ];
}

/** The first batches of a schedule that take more than the amount together. */
function beyond(moves: readonly Move[], amount: bigint): readonly Move[] | null {
  let total = 0n;
  for (const [index, { spend }] of moves.entries()) {
    total += spend;
    if (total > amount) return moves.slice(0, index + 1);
  }
  return null;
}

/** Where no rule limits what leaves, one batch is enough. */
function boundless({ least }: Limits, [at]: readonly number[], amount: bigint): readonly Move[] | null {
  return at === undefined ? null : [{ at, spend: amount + 1n > least ? amount + 1n : least }];
}
