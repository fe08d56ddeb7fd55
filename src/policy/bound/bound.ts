import { maxSats, minSats, type Sats } from '../../domain/sats.js';
import { counted } from '../describe.js';
import { DAY, HOUR } from '../rules/rolling.js';
import type { Cap, LoadedBook, LoadedPolicy } from '../types.js';
import { type Calendar, calendarOf } from './calendar.js';
import { destinationsOf, highestCap } from './destinations.js';
import { type Assumed, capOf, consolidationFee, feeFor, lifetimeOf, limitsOf } from './limits.js';
import { canMeet } from './people.js';
import { isEnforced, type Power, powersOf } from './powers.js';
import { MOST_STEPS, rehearse } from './rehearse.js';
import { worstCase } from './schedule.js';
import { type Binding, type Bounded, binding, type Limits, lowest } from './types.js';

export interface BoundQuestion {
  readonly policy: LoadedPolicy;
  /** Names of people of the policy's roles: their keys are in the hands of a thief. */
  readonly compromised: ReadonlySet<string>;
  /** null: any number of destinations. */
  readonly book: LoadedBook | null;
  /** Confirmed coins of the vault; null where they are not known. */
  readonly balance: Sats | null;
}

/** One amount that the compromised people can bring about, and what stops them from bringing about more. */
export interface BoundLine {
  /** "everything together", "each young destination". */
  readonly what: string;
  /** "24 h", "one batch", "144 blocks". */
  readonly span: string;
  /** null: no rule bounds it. */
  readonly atMost: Cap;
  /** Whether a schedule is known that gets there; otherwise the true figure may be lower, and is never higher. */
  readonly exact: boolean;
  readonly by: readonly { readonly binding: Binding; readonly times: number }[];
}

export interface Bound {
  readonly compromised: readonly string[];
  readonly lines: readonly BoundLine[];
  readonly powers: readonly Power[];
}

/** From 6 confirmations on a batch no longer counts as unconfirmed. */
const SETTLED = 6;

const SPANS = [
  ['1 h', HOUR],
  ['24 h', DAY],
  ['7 d', 7 * DAY],
] as const;

/**
 * The most that a set of compromised people can make leave, by windows and by classes of destinations. They approve;
 * somebody else asks for the batch, as anybody may. Blocks come as fast or as slowly as suits them.
 */
export function bound(question: BoundQuestion): Bound {
  const { policy, compromised, book } = question;
  const { document } = policy;
  const bookGrows =
    !isEnforced('destinations.book_sign') || canMeet(document.destinations.bookSign, compromised, document);
  const assumed: Assumed = { policy, people: compromised, book, bookGrows };
  const limits = limitsOf(assumed);
  const calendar = calendarOf(document);
  const lifetime = lifetimeOf(policy);
  const lines = [
    ...SPANS.map(([span, seconds]) => overall(assumed, limits, calendar, span, seconds)),
    ...blockLines(policy, limits),
    ...(lifetime === null ? [] : [line('everything together', 'ever', lifetime)]),
    line('everything together', 'one batch', limits.batch),
    line('signed and kept back, to be broadcast at once', 'at any time', atOnce(policy, limits)),
    ...destinationLines(assumed, limits, calendar),
    line('fees to miners', '24 h', feesADay(policy, limits)),
  ].map((one) => (lifetime === null ? one : withLifetime(one, lifetime)));
  return {
    compromised: [...compromised].sort(),
    lines: question.balance === null ? lines : lines.map((one) => withFloor(policy, one, question.balance ?? 0n)),
    powers: powersOf(policy, compromised),
  };
}

function line(what: string, span: string, { cap, by }: Bounded, exact = true): BoundLine {
  return { what, span, atMost: cap, exact, by: cap === null ? [] : [{ binding: by, times: 1 }] };
}

/** A figure is called exact only when evaluate has allowed every batch of a schedule that reaches it. */
function overall(assumed: Assumed, limits: Limits, calendar: Calendar, span: string, seconds: number): BoundLine {
  const { atMost, by, moves, reached } = worstCase(limits, calendar, seconds);
  const meets = atMost !== null && reached === atMost;
  const exact = atMost === null || (meets && moves.length <= MOST_STEPS && rehearse(assumed, moves, null).allowed);
  return { what: 'everything together', span, atMost, exact, by };
}

/** The most that can be signed and unconfirmed at one moment: every window counts it as now. */
function atOnce(policy: LoadedPolicy, { batch, count, countBy, windows }: Limits): Bounded {
  const { limits } = policy.document;
  const byCount: Bounded = { cap: batch.cap === null ? null : batch.cap * BigInt(count), by: countBy };
  const unconfirmed = capOf(policy, 'LIMIT_UNCONFIRMED', 'limits.signed_unconfirmed', limits.signedUnconfirmed);
  const blocks = [...limits.rollingBlocks].map(([length, cap]) =>
    capOf(policy, 'LIMIT_BLOCKS', `limits.rolling_blocks.${length}`, cap),
  );
  const least = lowest([unconfirmed, ...windows.map(({ bounded }) => bounded), ...blocks, byCount]);
  return batch.cap === 0n ? batch : (least ?? unconfirmed);
}

/**
 * Blocks may be slow, so time windows do not help; but what is in the last 6 blocks is unconfirmed and counts as now. So
 * no 6 blocks hold more than can be unconfirmed at once.
 */
function blockLines(policy: LoadedPolicy, limits: Limits): readonly BoundLine[] {
  const once = atOnce(policy, limits);
  return [...policy.document.limits.rollingBlocks]
    .sort(([a], [b]) => a - b)
    .map(([blocks, cap]): BoundLine => {
      const rounds = Math.ceil(blocks / SETTLED);
      const byRounds = once.cap === null ? null : once.cap * BigInt(rounds);
      const own = capOf(policy, 'LIMIT_BLOCKS', `limits.rolling_blocks.${blocks}`, cap);
      if (byRounds !== null && (cap === null || byRounds < cap)) {
        const by = [{ binding: once.by, times: rounds }];
        return { what: 'everything together', span: counted(blocks, 'block'), atMost: byRounds, exact: true, by };
      }
      return line('everything together', counted(blocks, 'block'), own);
    });
}

// ---------------------------------------------------------------- by class of destination

function destinationLines(assumed: Assumed, limits: Limits, calendar: Calendar): readonly BoundLine[] {
  const { policy, book, bookGrows } = assumed;
  const { cooldown, young, caps24h, defaultCap24h } = policy.document.destinations;
  const destinations = destinationsOf(policy.document, book, bookGrows);
  const cap = (field: string, amount: Cap): Bounded => capOf(policy, 'DEST_CAP', `destinations.${field}`, amount);
  const most = highestCap(destinations, policy.document);
  const youngSpan = Math.max(0, young.untilAge - cooldown);
  const eachYoung = [
    capOf(policy, 'YOUNG_CAP', 'destinations.young.each_24h', young.each24h),
    cap('default_cap_24h', most),
  ];
  const allYoung = capOf(policy, 'YOUNG_AGGREGATE', 'destinations.young.all_24h', young.all24h);
  const each = lowest(eachYoung);
  const together = lowest([allYoung]);
  const owned = [...caps24h].filter(([id]) => book === null || destinations.known.some((one) => one.id === id));
  const within = (what: string, bounded: Bounded | null, span?: number) =>
    SPANS.map(([name, seconds]) =>
      classLine(what, name, Math.min(seconds, span ?? seconds), limits, calendar, bounded),
    );
  const none = (what: string, code: 'DEST_NOT_ALLOWED' | 'DEST_COOLDOWN', field: string, text: string): BoundLine =>
    line(what, 'any time', { cap: 0n, by: binding(policy, code, field, text) });
  return [
    none('what is not in the book', 'DEST_NOT_ALLOWED', 'destinations.default', 'only what the book holds is paid'),
    ...(cooldown === 0
      ? []
      : [
          none(
            'new destinations in their cool-down',
            'DEST_COOLDOWN',
            'destinations.cooldown',
            'not one satoshi before',
          ),
        ]),
    ...(youngSpan === 0
      ? []
      : [
          ...within('each destination that is young', each, youngSpan),
          ...within('all destinations that are young, together', together, youngSpan),
        ]),
    ...within('each older destination under the default cap', cap('default_cap_24h', defaultCap24h)),
    ...owned.flatMap(([id, own]) => within(`${id}, once it is older`, cap(`caps_24h.${id}`, own))),
  ];
}

/** As if a cap of 24 hours were one more rule for everything: fees are in the figure where it is not the cap that binds. */
function classLine(
  what: string,
  span: string,
  seconds: number,
  limits: Limits,
  calendar: Calendar,
  bounded: Bounded | null,
): BoundLine {
  const windows = bounded === null ? limits.windows : [{ seconds: DAY, bounded }, ...limits.windows];
  const { atMost, by, reached } = worstCase({ ...limits, windows }, calendar, seconds);
  return { what, span, atMost, exact: atMost === null || reached === atMost, by };
}

function feesADay(policy: LoadedPolicy, { batch, count, windows }: Limits): Bounded {
  const { document } = policy;
  const ofPayments = batch.cap === null ? null : feeFor(document, batch.cap);
  const most = ofPayments === null ? null : maxSats(ofPayments, consolidationFee(document));
  const each = most === null || batch.cap === null ? most : minSats(most, batch.cap);
  const fee = capOf(policy, 'FEE_ABS', 'fees.max_abs', document.fees.maxAbs);
  const byCount: Bounded = { cap: each === null ? null : each * BigInt(count), by: fee.by };
  const day = capOf(policy, 'FEE_24H', 'fees.max_24h', document.fees.max24h);
  return lowest([day, byCount, ...windows.map(({ bounded }) => bounded)]) ?? day;
}

/** No interval holds more than all time does. */
function withLifetime(one: BoundLine, { cap, by }: Bounded): BoundLine {
  if (cap === null || (one.atMost !== null && one.atMost <= cap)) return one;
  return { ...one, atMost: cap, by: [{ binding: by, times: 1 }] };
}

/** Nothing goes below the floor: the balance above it is all there is. */
function withFloor(policy: LoadedPolicy, one: BoundLine, balance: Sats): BoundLine {
  const { reserveFloor } = policy.document.limits;
  const above = balance > reserveFloor ? balance - reserveFloor : 0n;
  if (one.atMost !== null && one.atMost <= above) return one;
  const by = capOf(policy, 'RESERVE_FLOOR', 'limits.reserve_floor', reserveFloor).by;
  return { ...one, atMost: above, by: [{ binding: by, times: 1 }] };
}
