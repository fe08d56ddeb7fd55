import { formatAmount, type Sats } from '../../domain/sats.js';
import { peopleOf } from '../consistency.js';
import { quorumText } from '../describe.js';
import { tierFor } from '../rules/approvals.js';
import type { ApprovalTier, PolicyDocument, Quorum } from '../types.js';
import type { ChangeKind, Difference, Order } from './order.js';
import { peopleInRole, revoked } from './people.js';
import { minus, overlap, sameSet } from './sets.js';

/** What a quorum asks for, in people instead of roles. */
export interface Demand {
  readonly people: ReadonlySet<string>;
  readonly m: number;
  /** One of these has to be among the m; null where nobody in particular has to be. */
  readonly included: ReadonlySet<string> | null;
  readonly touch: boolean;
}

function demandOf(quorum: Quorum | ApprovalTier, document: PolicyDocument): Demand {
  const people = peopleOf(quorum, document);
  const { m, include } = quorum;
  return {
    people,
    m,
    included: include === undefined ? null : overlap(peopleInRole(include, document), people),
    touch: 'touchRequired' in quorum && quorum.touchRequired,
  };
}

function canBeMet({ people, m, included }: Demand): boolean {
  return people.size >= m && (included === null || included.size > 0);
}

/** The same demand of fewer people. */
function without(demand: Demand, absent: ReadonlySet<string>): Demand {
  const { people, included } = demand;
  return { ...demand, people: minus(people, absent), included: included === null ? null : minus(included, absent) };
}

/**
 * Whether every set of people that meets `strict` meets `lax` too: exact, by the set that meets `strict` and is of the
 * least use for `lax`. What nobody can meet implies everything.
 */
export function implies(strict: Demand, lax: Demand): boolean {
  if (!canBeMet(strict)) return true;
  if (lax.touch && !strict.touch) return false;
  const strangers = minus(strict.people, lax.people);
  const oneInside = strict.included !== null && overlap(strict.included, strangers).size === 0 ? 1 : 0;
  if (Math.max(strict.m - strangers.size, oneInside) < lax.m) return false;
  if (lax.included === null) return true;
  return !canBeMet(without(strict, lax.included));
}

/** Asked of every part of a tier and of a quorum, so that the compiler refuses a part that nobody compares. */
const SAME: {
  readonly [K in keyof Required<ApprovalTier>]: (a: Partial<ApprovalTier>, b: Partial<ApprovalTier>) => boolean;
} = {
  upTo: () => true, // the range that a tier applies to is compared amount by amount
  from: (a, b) => sameSet(a.from ?? [], b.from ?? []),
  m: (a, b) => a.m === b.m,
  include: (a, b) => a.include === b.include,
  touchRequired: (a, b) => a.touchRequired === b.touchRequired,
};

function asksTheSame(a: Partial<ApprovalTier>, b: Partial<ApprovalTier>): boolean {
  return Object.values(SAME).every((same) => same(a, b));
}

const KINDS = {
  tightening: 'whoever meets the new quorum would have met the old one',
  neutral: 'the same people meet both',
  loosening: 'some people meet the new quorum who would not have met the old one',
} as const satisfies Record<ChangeKind, string>;

function kindOf(before: Demand, after: Demand): ChangeKind {
  if (!implies(after, before)) return 'loosening';
  return implies(before, after) ? 'neutral' : 'tightening';
}

/** A quorum that lets something happen. */
export const QUORUM: Order<Quorum> = {
  law: 'tighter if every set of people that meets the new quorum meets the old one: more people, from fewer roles, a role that has to be among them',
  compare: (before, after, pair) => {
    if (asksTheSame(before, after)) return [];
    const kind = kindOf(demandOf(before, pair.before.document), demandOf(after, pair.after.document));
    return [{ before: quorumText(before), after: quorumText(after), kind, why: KINDS[kind] }];
  },
};

/** A quorum that stops everything: the easier it is met, the tighter. */
export const STOPPING_QUORUM: Order<Quorum> = {
  law: 'the other way round, as it stops: tighter if every set of people that could stop before still can; people who lost every role are left out, and somebody has to remain',
  compare: (before, after, pair) => {
    if (asksTheSame(before, after)) return [];
    const remaining = without(demandOf(before, pair.before.document), revoked(pair));
    const can = demandOf(after, pair.after.document);
    const texts = { before: quorumText(before), after: quorumText(after) };
    if (!canBeMet(remaining) || !implies(remaining, can)) {
      return [{ ...texts, kind: 'loosening', why: 'some people could stop everything before and can no longer' }];
    }
    const kind = implies(can, remaining) ? 'neutral' : 'tightening';
    return [{ ...texts, kind, why: 'whoever could stop everything before still can' }];
  },
};

// ---------------------------------------------------------------- tiers

/** A range of amounts in which neither policy changes its tier, by its largest amount. */
interface Range {
  readonly above: Sats | null;
  /** Null: without an end. */
  readonly upTo: Sats | null;
}

function ranges(before: readonly ApprovalTier[], after: readonly ApprovalTier[]): Range[] {
  const bounds = new Set([...before, ...after].flatMap(({ upTo }) => (upTo === null ? [] : [upTo])));
  const ascending = [...bounds].sort((a, b) => (a < b ? -1 : 1));
  return [...ascending, null].map((upTo, index) => ({ above: ascending[index - 1] ?? null, upTo }));
}

/** An amount of the range; the tier is the same for all of them. */
const sample = ({ above, upTo }: Range): Sats => upTo ?? (above ?? 0n) + 1n;

function rangeText({ above, upTo }: Range): string {
  if (above === null) return upTo === null ? 'any amount' : `up to ${formatAmount(upTo)}`;
  return `above ${formatAmount(above)}${upTo === null ? '' : ` up to ${formatAmount(upTo)}`}`;
}

function tierText(range: Range, tier: ApprovalTier | null): string {
  if (tier === null) return `${rangeText(range)}: denied, no tier reaches so far`;
  return `${rangeText(range)}: ${quorumText(tier)}${tier.touchRequired ? ', with keys that are touched' : ''}`;
}

/** As a function from what leaves within 24 hours to the quorum that it needs. */
export const TIERS: Order<readonly ApprovalTier[]> = {
  law: 'compared amount by amount: for every amount the new quorum has to imply the old one (see change_control.sign), and a key that is touched has to stay asked for; an amount that no tier reaches is denied, which is the tightest',
  compare: (before, after, pair) =>
    ranges(before, after).flatMap((range): Difference[] => {
      const amount = sample(range);
      const old = tierFor(before, amount);
      const now = tierFor(after, amount);
      const texts = { before: tierText(range, old), after: tierText(range, now) };
      if (now === null) {
        if (old === null) return [];
        return [{ ...texts, kind: 'tightening', why: 'nobody can approve these amounts any more' }];
      }
      const part = `[${after.indexOf(now)}]`;
      if (old === null) return [{ ...texts, part, kind: 'loosening', why: 'these amounts were denied before' }];
      if (asksTheSame(old, now)) return [];
      const kind = kindOf(demandOf(old, pair.before.document), demandOf(now, pair.after.document));
      return [{ ...texts, part, kind, why: KINDS[kind] }];
    }),
};
