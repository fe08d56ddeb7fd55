import { formatAmount, maxSats, type Sats } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import { peopleOf } from '../consistency.js';
import type { Approval, ApprovalTier, PolicyDocument, Verdict } from '../types.js';
import { repeatedPayments } from './duplicates.js';
import { rollingDay } from './rolling.js';
import { askForPolicy, finding, listed, perVerdict, plural, type Rule, type RuleContext, type Said } from './rule.js';

interface Counted {
  /** As it applies to this batch: one person more than the document says where the batch repeats a payment. */
  readonly tier: ApprovalTier;
  readonly repeats: boolean;
  readonly basis: Sats;
  readonly approved: readonly string[];
  readonly missing: number;
  /** People with an approval that would count, had it not run out. */
  readonly expired: readonly { readonly person: string; readonly at: UnixSeconds }[];
  readonly ignored: readonly { readonly person: string; readonly why: string }[];
}

/** The tier goes by what leaves within 24 hours, this batch included: splitting a batch does not lower it. */
export function tierBasis(context: RuleContext): Sats {
  return maxSats(context.facts.spend, rollingDay(context).measured);
}

/** The lowest tier that suffices; of two with one bound the one that asks for more. Null where none reaches so far. */
export function tierFor(tiers: readonly ApprovalTier[], basis: Sats): ApprovalTier | null {
  const enough = tiers.filter(({ upTo }) => upTo === null || basis <= upTo);
  return enough.toSorted(byBound)[0] ?? null;
}

function byBound(a: ApprovalTier, b: ApprovalTier): number {
  if (a.upTo === b.upTo) return b.m - a.m;
  if (a.upTo === null || b.upTo === null) return a.upTo === null ? 1 : -1;
  return a.upTo < b.upTo ? -1 : 1;
}

/** Who counts towards the quorum: people, not keys, and never the initiator. Null where no tier reaches so far. */
const count = perVerdict((context): Counted | null => {
  const { document, state, time } = context;
  const basis = tierBasis(context);
  const named = tierFor(document.approvals.tiers, basis);
  if (named === null) return null;
  const repeats = document.approvals.duplicateGuard === 'approve' && repeatedPayments(context).length > 0;
  const tier = repeats ? { ...named, m: named.m + 1 } : named;
  const eligible = peopleOf(tier, document);
  const approved = new Set<string>();
  const expired = new Map<string, UnixSeconds>();
  const ignored = new Map<string, string>();
  for (const approval of state.approvals) {
    const { person } = approval;
    const until = expiry(approval, document);
    if (person === state.initiator) ignored.set(person, 'the initiator of a batch does not approve it');
    else if (!eligible.has(person)) ignored.set(person, `the tier asks ${tier.from.join(' and ')}`);
    else if (tier.touchRequired && !approval.touch) ignored.set(person, 'the tier asks for a key that is touched');
    else if (time < until) approved.add(person);
    else expired.set(person, Math.max(until, expired.get(person) ?? until));
  }
  for (const person of approved) {
    expired.delete(person);
    ignored.delete(person);
  }
  const lacksInclude = tier.include !== undefined && !includesOne(document, tier.include, approved);
  return {
    tier,
    repeats,
    basis,
    approved: [...approved].sort(),
    missing: Math.max(tier.m - approved.size, lacksInclude ? 1 : 0),
    expired: [...expired].sort(byPerson).map(([person, at]) => ({ person, at })),
    ignored: [...ignored].sort(byPerson).map(([person, why]) => ({ person, why })),
  };
});

function byPerson([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** An approval ends when it says so, or sooner where the policy now allows less. */
function expiry({ at, validUntil }: Approval, { approvals }: PolicyDocument): UnixSeconds {
  return Math.min(validUntil, at + approvals.validFor);
}

function includesOne(document: PolicyDocument, role: string, approved: ReadonlySet<string>): boolean {
  return [...peopleOf({ from: [role], m: 1 }, document)].some((person) => approved.has(person));
}

/** The quorum for the verdict; null where no tier reaches so far. */
export function quorum(context: RuleContext): Verdict['quorum'] {
  const counted = count(context);
  if (counted === null) return null;
  const { tier, basis, approved, missing } = counted;
  return { tier, basis, approved, missing };
}

export const tierExists: Rule = {
  tag: 'approval-tier',
  codes: ['APPROVALS_NO_TIER'],
  check: (context) => {
    const basis = tierBasis(context);
    const tier = tierFor(context.document.approvals.tiers, basis);
    const said = (): Said => {
      const shown = { measured: basis.toString(), unit: 'sat' } as const;
      const leaves = `What leaves within 24 hours, ${formatAmount(basis)},`;
      if (tier !== null) {
        const bound = tier.upTo === null ? 'without an upper bound' : `up to ${formatAmount(tier.upTo)}`;
        return { ...shown, text: `${leaves} falls into the approval tier ${bound}.`, limit: tier.upTo?.toString() };
      }
      const text = `${leaves} is above the highest approval tier: nobody may approve it.`;
      const remedy = `split the batch over several days, or ${askForPolicy(context, 'approvals.tiers')}`;
      return { ...shown, text, remedy };
    };
    return [finding(context, 'APPROVALS_NO_TIER', tier === null ? 'deny' : 'pass', said)];
  },
};

export const quorumComplete: Rule = {
  tag: 'approval-quorum',
  codes: ['APPROVALS_MISSING'],
  check: (context) => {
    const counted = count(context);
    if (counted === null) {
      return [finding(context, 'APPROVALS_MISSING', 'pass', 'No tier applies, so no quorum is counted.')];
    }
    const { tier, repeats, basis, approved, missing } = counted;
    const said = (): Said => {
      const shown = { measured: `${approved.length}`, limit: `${tier.m}`, unit: 'people' } as const;
      const include = tier.include === undefined ? '' : `, at least one of them ${tier.include}`;
      const asks = `${formatAmount(basis)} within 24 hours asks for ${tier.m} of ${tier.from.join(' and ')}${include}${tier.touchRequired ? ', each with a key that is touched' : ''}${repeats ? ', one of them because it repeats a payment' : ''}`;
      const have = approved.length === 0 ? 'nobody has approved' : `approved by ${approved.join(', ')}`;
      if (missing === 0) return { ...shown, text: `${asks}; ${have}.` };
      const text = `${asks}; ${have}, ${plural(missing, 'approval')} missing.`;
      return { ...shown, text, remedy: `ask for ${plural(missing, 'more approval')} (countersign batch approve)` };
    };
    return [finding(context, 'APPROVALS_MISSING', missing === 0 ? 'pass' : 'need', said)];
  },
};

/** Speaks only where the quorum lacks what ran out. */
export const notRunOut: Rule = {
  tag: 'approval-expiry',
  codes: ['APPROVAL_EXPIRED'],
  check: (context) => {
    const counted = count(context);
    const lacking = counted === null || counted.missing === 0 ? [] : counted.expired;
    return listed(
      context,
      'APPROVAL_EXPIRED',
      'The quorum lacks no approval that has run out.',
      lacking.map(({ person, at }) => ({
        subject: person,
        text: `The approval of ${person} ran out at ${formatTime(at)}.`,
        remedy: `ask ${person} to look at the batch and approve it again`,
      })),
    );
  },
};

/** The initiator's own is always named; others only where the quorum would need them. */
export const everyoneCounts: Rule = {
  tag: 'approval-counted',
  codes: ['APPROVAL_IGNORED'],
  check: (context) => {
    const { ignored = [], missing = 0 } = count(context) ?? {};
    return listed(
      context,
      'APPROVAL_IGNORED',
      'No approval that the quorum needs was left out.',
      ignored
        .filter(({ person }) => missing > 0 || person === context.state.initiator)
        .map(({ person, why }) => ({
          subject: person,
          text: `The approval of ${person} does not count: ${why}.`,
          remedy: 'ask somebody else of the tier',
        })),
    );
  },
};
