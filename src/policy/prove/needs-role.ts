import { formatAmount, type Sats, sumSats } from '../../domain/sats.js';
import { calendarOf } from '../bound/calendar.js';
import { limitsOf } from '../bound/limits.js';
import { ableIn, canApprove, everybody, type TierRange, tierRanges } from '../bound/people.js';
import { MOST_STEPS, rehearse } from '../bound/rehearse.js';
import { worstCase } from '../bound/schedule.js';
import { binding, type Limits, type Move } from '../bound/types.js';
import { peopleOf } from '../consistency.js';
import { listText, quorumText } from '../describe.js';
import { DAY } from '../rules/rolling.js';
import type { LoadedPolicy } from '../types.js';
import { type Answer, type Argument, open, type Property, proven, type Unconfirmed } from './types.js';

/** Every batch that spends more than an amount is approved by somebody of a role; what is asked for in it spends less. */
export function proveNeedsRole(
  policy: LoadedPolicy,
  { over, role }: Extract<Property, { kind: 'needs-role' }>,
): Answer | Unconfirmed {
  const { document } = policy;
  const all = new Set(everybody(document));
  const ofRole = peopleOf({ from: [role], m: 1 }, document);
  const others = new Set([...all].filter((person) => !ofRole.has(person)));
  const limits = limitsOf({ policy, people: all, book: null, bookGrows: true });
  const { cap, by } = limits.batch;
  if (cap !== null && cap <= over) {
    return proven({ text: `no batch spends more than ${formatAmount(cap)}, whoever approves`, by: [by] });
  }
  const above = tierRanges(document).filter(({ high }) => high === null || high > over);
  const argument: Argument[] = above.map((range) => argumentOf(policy, range, others, role));
  let doubt: Answer | Unconfirmed | null = null;
  for (const range of above) {
    if (!canApprove(range.tier, others, document)) continue;
    const answer = counterexample(policy, limits, range, over, [...others], role);
    if (answer === null)
      argument.push({ text: `approvals.tiers[${range.index}] is never reached by such a batch`, by: [] });
    else if (answer.outcome === 'refuted') return answer;
    else doubt ??= answer;
  }
  if (doubt !== null) return doubt;
  const last = above.at(-1);
  const end = last === undefined || last.high !== null ? 'above the last tier nothing may leave' : null;
  return proven(...argument, ...(end === null ? [] : [{ text: end, by: [noTier(policy)] }]));
}

function noTier(policy: LoadedPolicy) {
  const field = `approvals.tiers[${policy.document.approvals.tiers.length - 1}].up_to`;
  return binding(policy, 'APPROVALS_NO_TIER', field, `${field} is the highest`);
}

function argumentOf(policy: LoadedPolicy, range: TierRange, others: ReadonlySet<string>, role: string): Argument {
  const { tier, index } = range;
  const field = `approvals.tiers[${index}]`;
  const able = ableIn(tier, others, policy.document);
  const who = able.length === 0 ? 'nobody counts' : `only ${listText(able)} count`;
  return {
    text: `${field} asks for ${quorumText(tier)}; without ${role} ${who}`,
    by: [binding(policy, 'APPROVALS_MISSING', field, `${field} asks for ${quorumText(tier)}`)],
  };
}

/**
 * A batch of more than the amount in a tier that others can meet. Where the tier begins above it, earlier batches, which
 * everybody approves, lift the basis first. Null where no schedule leads there.
 */
function counterexample(
  policy: LoadedPolicy,
  limits: Limits,
  { low, high, index }: TierRange,
  over: Sats,
  others: readonly string[],
  role: string,
): Answer | Unconfirmed | null {
  const floor = [low, over, limits.least - 1n].reduce((most, value) => (value > most ? value : most)) + 1n;
  const { cap } = limits.batch;
  const smallest = over + 1n > limits.least ? over + 1n : limits.least;
  const assumed = { policy, people: new Set(everybody(policy.document)), book: null, bookGrows: true };
  const story = [
    `a batch of more than ${formatAmount(over)} is allowed in approvals.tiers[${index}] without anybody of ${role}`,
  ];
  // Of payments none is so small; the fee of a batch that pays nobody may be, and was not tried.
  if (high !== null && high < smallest) {
    return open(
      `approvals.tiers[${index}] ends below the smallest payment: a consolidation without ${role} may get there`,
    );
  }
  const calendar = calendarOf(policy.document);
  if (cap === null || floor <= cap) {
    const [at] = calendar.starts(1);
    if (at === undefined) return null;
    const { steps, allowed } = rehearse(assumed, [{ at, spend: floor, approvedBy: others }], null);
    return { outcome: allowed ? 'refuted' : 'unconfirmed', story, steps };
  }
  const { moves, atMost, reached } = worstCase(limits, calendar, DAY);
  if (atMost !== null && atMost < floor) return null;
  for (const schedule of lifted(moves, floor, smallest, cap, high)) {
    if (schedule.length > MOST_STEPS) break;
    const last = schedule.at(-1);
    if (last === undefined) continue;
    const made = [...schedule.slice(0, -1), { ...last, approvedBy: others }];
    const { steps, allowed } = rehearse(assumed, made, null);
    if (allowed) return { outcome: 'refuted', story, steps };
  }
  return open(
    `approvals.tiers[${index}] can be met without ${role}, and no schedule was found that leads a batch there (known schedules take ${formatAmount(reached)} in 24 h)`,
  );
}

/** Schedules of which the last batch is over the amount and brings the basis into the tier. */
function* lifted(
  moves: readonly Move[],
  floor: Sats,
  smallest: Sats,
  cap: Sats,
  high: Sats | null,
): Iterable<readonly Move[]> {
  for (let length = 0; length < moves.length; length += 1) {
    const before = moves.slice(0, length);
    const basis = sumSats(before.map(({ spend }) => spend));
    const needed = floor - basis > smallest ? floor - basis : smallest;
    const last = moves[length];
    if (last === undefined || needed > cap || (high !== null && basis + needed > high)) continue;
    yield [...before, { at: last.at, spend: needed }];
  }
}
