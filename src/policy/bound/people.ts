import { formatAmount, type Sats } from '../../domain/sats.js';
import { peopleOf } from '../consistency.js';
import { quorumText } from '../describe.js';
import type { ApprovalTier, Cap, LoadedPolicy, PolicyDocument, Quorum } from '../types.js';
import { type Bounded, binding, type Range } from './types.js';

/** Everybody whom the policy names, in its order. */
export function everybody({ roles }: PolicyDocument): readonly string[] {
  return [...new Set([...roles.values()].flatMap((people) => [...people.keys()]))];
}

/** FIDO2 keys attest that somebody touched them; the names of their types begin with sk-. */
export function canTouch(person: string, { roles }: PolicyDocument): boolean {
  return [...roles.values()].some((people) => people.get(person)?.some((line) => line.startsWith('sk-')) ?? false);
}

/** Those of the people who count towards a quorum. */
export function ableIn(
  quorum: Quorum & { readonly touchRequired?: boolean },
  people: ReadonlySet<string>,
  document: PolicyDocument,
): readonly string[] {
  return [...peopleOf(quorum, document)].filter(
    (person) => people.has(person) && (quorum.touchRequired !== true || canTouch(person, document)),
  );
}

/** Whether the people can complete a quorum by themselves. */
export function canMeet(
  quorum: Quorum & { readonly touchRequired?: boolean },
  people: ReadonlySet<string>,
  document: PolicyDocument,
): boolean {
  const able = ableIn(quorum, people, document);
  if (able.length < quorum.m) return false;
  if (quorum.include === undefined) return true;
  const needed = peopleOf({ from: [quorum.include], m: 1 }, document);
  return able.some((person) => needed.has(person));
}

/**
 * In whose name the people can have a batch asked for: somebody's of the policy, as everywhere. Nobody signs for it, so
 * the name of somebody else will do; only where everybody is among them does one of them have to forgo approving.
 */
export function initiators(people: ReadonlySet<string>, document: PolicyDocument): readonly string[] {
  const all = everybody(document);
  const other = all.find((person) => !people.has(person));
  return other === undefined ? all : [other];
}

/** Whether the people can complete a tier by themselves, the initiator left out. */
export function canApprove(tier: ApprovalTier, people: ReadonlySet<string>, document: PolicyDocument): boolean {
  return initiators(people, document).some((initiator) =>
    canMeet(tier, new Set([...people].filter((person) => person !== initiator)), document),
  );
}

/** A tier with the range of the basis that it is chosen for: above the bound of the tier before it, up to its own. */
export interface TierRange extends Range {
  readonly tier: ApprovalTier;
  /** Its place in the document. */
  readonly index: number;
}

/** In ascending order. The reader of policies holds that the tiers ascend and that only the last may be unlimited. */
export function tierRanges({ approvals }: PolicyDocument): readonly TierRange[] {
  return approvals.tiers.map((tier, index) => ({
    tier,
    index,
    low: approvals.tiers[index - 1]?.upTo ?? 0n,
    high: tier.upTo,
  }));
}

/** Ranges of the basis that the people may approve by themselves, neighbours joined. */
export function approvable(people: ReadonlySet<string>, document: PolicyDocument): readonly Range[] {
  const ranges: Range[] = [];
  for (const { tier, low, high } of tierRanges(document)) {
    if (!canApprove(tier, people, document)) continue;
    const before = ranges.at(-1);
    if (before !== undefined && before.high === low) ranges[ranges.length - 1] = { low: before.low, high };
    else ranges.push({ low, high });
  }
  return ranges;
}

/**
 * The highest basis that the people can get to with batches that they approve by themselves, from empty windows. A tier
 * above one that they cannot meet is within reach only for a batch that is large enough to leap over the gap, and only if
 * the other limits of a day, `day`, reach so far.
 */
export function highestBasis(policy: LoadedPolicy, people: ReadonlySet<string>, batch: Cap, day: Cap): Bounded {
  const { document } = policy;
  let reached: Sats = 0n;
  for (const { low, high } of approvable(people, document)) {
    if ((batch !== null && reached + batch <= low) || (day !== null && day <= low)) break;
    if (high === null) return { cap: null, by: tierBinding(policy, people, null) };
    reached = high;
  }
  return { cap: reached, by: tierBinding(policy, people, reached) };
}

function lacks(tier: ApprovalTier, people: ReadonlySet<string>, document: PolicyDocument): string {
  return canMeet(tier, people, document) ? 'the one who asks for the batch' : `somebody of ${tier.include}`;
}

/** Why not more: the tier above asks for people who are not among these, or there is none. */
function tierBinding(policy: LoadedPolicy, people: ReadonlySet<string>, reached: Cap): Bounded['by'] {
  const { document } = policy;
  const above = tierRanges(document).find(({ high }) => reached !== null && (high === null || high > reached));
  if (above === undefined) {
    const index = document.approvals.tiers.length - 1;
    const field = `approvals.tiers[${index}].up_to`;
    return binding(policy, 'APPROVALS_NO_TIER', field, `above ${field} there is no tier`);
  }
  const { tier, index } = above;
  const field = `approvals.tiers[${index}]`;
  const able = ableIn(tier, people, document).length;
  const from = reached === null || reached === 0n ? 'any amount' : `more than ${formatAmount(reached)}`;
  const touch = tier.touchRequired ? ', each with a key that is touched' : '';
  const has =
    able < tier.m
      ? `${able} of these can give it`
      : canApprove(tier, people, document)
        ? 'they could, but no batch gets there past the tiers that they cannot meet'
        : `${able} of these can give it, but not without ${lacks(tier, people, document)}`;
  return binding(
    policy,
    'APPROVALS_MISSING',
    field,
    `${from} within 24 h asks for ${quorumText(tier)}${touch} (${field}); ${has}`,
  );
}
