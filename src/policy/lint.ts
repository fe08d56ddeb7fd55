import type { SourcePosition } from '../domain/fault.js';
import { formatAmount } from '../domain/sats.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import { peopleOf, quorumsOf } from './consistency.js';
import { durationText, listText } from './describe.js';
import { NOT_ENFORCED } from './not-enforced.js';
import { MOST_HOPS } from './screening/hits.js';
import type { Cap, LoadedBook, LoadedPolicy, PolicyDocument } from './types.js';

/** Something about a valid policy that its writer should know. A warning is most likely a mistake; a note is not. */
export interface LintFinding {
  readonly level: 'warning' | 'note';
  /** The field of the document, as in limits.rolling.24h. */
  readonly field: string;
  readonly where: SourcePosition;
  readonly text: string;
}

export interface LintContext {
  readonly now: UnixSeconds;
  /** With the address book, caps are held against the destinations that exist. */
  readonly book?: LoadedBook;
}

const EXPIRY_NOTICE = 30 * 86_400;

type Complaint = Omit<LintFinding, 'where'>;
type Lint = (policy: PolicyDocument, context: LintContext) => Iterable<Complaint>;

/** Everything that is allowed and yet looks wrong, warnings first, then in the order of the document. */
export function lintPolicy(policy: LoadedPolicy, context: LintContext): readonly LintFinding[] {
  const findings = LINTS.flatMap((lint) => [...lint(policy.document, context)]).map((complaint) => ({
    ...complaint,
    where: policy.where(complaint.field),
  }));
  const line = ({ where }: LintFinding): number => where.line ?? 0;
  const rank = ({ level }: LintFinding): number => (level === 'warning' ? 0 : 1);
  return findings.sort((a, b) => rank(a) - rank(b) || line(a) - line(b));
}

const warning = (field: string, text: string): Complaint => ({ level: 'warning', field, text });
const note = (field: string, text: string): Complaint => ({ level: 'note', field, text });

/** Every cap of the document, with its field. */
function capsOf({ destinations, limits, fees }: PolicyDocument): readonly (readonly [field: string, cap: Cap])[] {
  return [
    ['destinations.young.each_24h', destinations.young.each24h],
    ['destinations.young.all_24h', destinations.young.all24h],
    ['destinations.default_cap_24h', destinations.defaultCap24h],
    ...[...destinations.caps24h].map(([id, cap]) => [`destinations.caps_24h.${id}`, cap] as const),
    ['limits.batch', limits.batch],
    ['limits.output', limits.output],
    ['limits.rolling.1h', limits.rolling['1h']],
    ['limits.rolling.24h', limits.rolling['24h']],
    ['limits.rolling.7d', limits.rolling['7d']],
    ...[...limits.rollingBlocks].map(([blocks, cap]) => [`limits.rolling_blocks.${blocks}`, cap] as const),
    ['limits.signed_unconfirmed', limits.signedUnconfirmed],
    ...(limits.lifetime === undefined ? [] : [['limits.lifetime', limits.lifetime] as const]),
    ['fees.max_abs', fees.maxAbs],
    ['fees.max_24h', fees.max24h],
  ];
}

function* unlimited(policy: PolicyDocument): Iterable<Complaint> {
  for (const [field, cap] of capsOf(policy)) {
    if (cap === null) yield warning(field, 'is unlimited: only the other limits stand between a thief and the wallet');
  }
}

/** Pairs of which the first can never be what denies, because the second denies sooner. */
function* neverBinding(policy: PolicyDocument): Iterable<Complaint> {
  const { limits, destinations, fees } = policy;
  const pairs: readonly (readonly [string, Cap, string, Cap])[] = [
    ['limits.output', limits.output, 'limits.batch', limits.batch],
    ['limits.batch', limits.batch, 'limits.rolling.1h', limits.rolling['1h']],
    ['limits.rolling.1h', limits.rolling['1h'], 'limits.rolling.24h', limits.rolling['24h']],
    ['limits.rolling.24h', limits.rolling['24h'], 'limits.rolling.7d', limits.rolling['7d']],
    [
      'destinations.young.each_24h',
      destinations.young.each24h,
      'destinations.young.all_24h',
      destinations.young.all24h,
    ],
    ['destinations.young.all_24h', destinations.young.all24h, 'limits.rolling.24h', limits.rolling['24h']],
    ['destinations.default_cap_24h', destinations.defaultCap24h, 'limits.rolling.24h', limits.rolling['24h']],
    ['limits.signed_unconfirmed', limits.signedUnconfirmed, 'limits.rolling.7d', limits.rolling['7d']],
    ['fees.max_abs', fees.maxAbs, 'fees.max_24h', fees.max24h],
    ['limits.rolling.7d', limits.rolling['7d'], 'limits.lifetime', limits.lifetime ?? null],
    ...[...destinations.caps24h].map(
      ([id, cap]) => [`destinations.caps_24h.${id}`, cap, 'limits.rolling.24h', limits.rolling['24h']] as const,
    ),
  ];
  for (const [field, cap, other, tighter] of pairs) {
    if (cap === null || tighter === null || cap <= tighter) continue;
    yield warning(field, `never binds: ${formatAmount(cap)} is above ${other}, ${formatAmount(tighter)}`);
  }
  const { cooldown, young } = destinations;
  if (young.untilAge <= cooldown) {
    const ages = `${durationText(young.untilAge)} is not longer than the cool-down of ${durationText(cooldown)}`;
    yield warning('destinations.young.until_age', `the caps for young destinations never bind: ${ages}`);
  }
}

/** Zeros and empty lists are legal and let nothing through, which their writer may not have meant. */
function* lettingNothingThrough(policy: PolicyDocument): Iterable<Complaint> {
  const { limits, inputs, destinations, hours, approvals } = policy;
  const nothing = 'nothing may leave under it';
  for (const [field, cap] of capsOf(policy)) {
    if (cap === 0n) yield warning(field, `is 0, so ${nothing}`);
  }
  if (limits.batches24h === 0) yield warning('limits.batches_24h', `is 0, so ${nothing}`);
  if (limits.outputsPerBatch === 0) yield warning('limits.outputs_per_batch', `is 0, so ${nothing}`);
  if (inputs.max === 0) yield warning('inputs.max', `is 0, so ${nothing}`);
  if (approvals.validFor === 0) yield warning('approvals.valid_for', `is 0, so no approval ever counts and ${nothing}`);
  if (destinations.scriptTypes.length === 0) yield warning('destinations.script_types', `is empty, so ${nothing}`);
  if (hours.days.length === 0) yield warning('hours.days', `is empty, so ${nothing}`);
}

function* weak(policy: PolicyDocument): Iterable<Complaint> {
  const { limits, destinations, inputs, approvals } = policy;
  if (limits.rollingBlocks.size === 0) {
    yield warning('limits.rolling_blocks', 'is empty: who can set the clock of this machine can refill every window');
  }
  if (destinations.cooldown === 0)
    yield warning('destinations.cooldown', 'is 0: a new destination can be paid at once');
  if (destinations.proof !== 'required') {
    yield note('destinations.proof', 'is not required: nobody has shown that they control the destinations');
  }
  if (limits.lifetime === undefined) {
    yield note('limits.lifetime', 'is left out: there is no limit on all that ever leaves');
  }
  if (limits.reserveFloor === 0n) yield note('limits.reserve_floor', 'is 0: the wallet may be emptied');
  if (inputs.minConfirmations === 0) {
    yield warning('inputs.min_confirmations', 'is 0: a coin that may yet vanish can be spent');
  }
  for (const [index, { m }] of approvals.tiers.entries()) {
    if (m > 1) continue;
    yield warning(`approvals.tiers[${index}].m`, 'is 1: coins would move on one word beside that of who asked for it');
  }
}

function* tierReach({ approvals, limits }: PolicyDocument): Iterable<Complaint> {
  const day = limits.rolling['24h'];
  for (const [index, { upTo }] of approvals.tiers.entries()) {
    const below = approvals.tiers[index - 1]?.upTo ?? null;
    if (day !== null && below !== null && below >= day) {
      const text = `is never reached: the tier before it covers limits.rolling.24h, ${formatAmount(day)}`;
      yield note(`approvals.tiers[${index}]`, text);
    }
    if (index === approvals.tiers.length - 1 && upTo !== null && (day === null || upTo < day)) {
      yield warning(
        `approvals.tiers[${index}].up_to`,
        `above ${formatAmount(upTo)} no tier applies, so more is denied`,
      );
    }
  }
}

function* people(policy: PolicyDocument): Iterable<Complaint> {
  for (const [field, quorum] of quorumsOf(policy)) {
    const number = peopleOf(quorum, policy).size;
    if (quorum.m > 1 && quorum.m === number && !field.startsWith('approvals.')) {
      const text = `${quorum.m} of ${number} people are needed: one absence, or one lost key, and it can never be met`;
      yield warning(`${field}.m`, text);
    }
  }
  for (const [index, tier] of policy.approvals.tiers.entries()) {
    const field = `approvals.tiers[${index}].m`;
    const all = [...peopleOf(tier, policy)];
    const able = tier.touchRequired ? all.filter((person) => hasTouchKey(person, policy)) : all;
    const who = `${able.length} people${tier.touchRequired ? ' with a key that has to be touched' : ''}`;
    if (tier.m > able.length) {
      yield warning(field, `can never be met: it needs ${tier.m}, and there are ${who}`);
    } else if (policy.approvals.duplicateGuard === 'approve' && tier.m + 1 > able.length - 1) {
      const text = `with duplicate_guard: approve a repeated payment needs ${tier.m + 1} of ${who}, and who asks does not count: it can never be met`;
      yield warning(field, text);
    } else if (tier.m >= able.length - 1) {
      const consequence =
        tier.m === able.length
          ? 'none of them may be absent, nor ask'
          : 'when one of them asks, no other may be absent';
      yield warning(field, `needs ${tier.m} of ${who}, and who asks for a withdrawal does not count: ${consequence}`);
    }
  }
  const rolesOf = new Map<string, string[]>();
  for (const [role, members] of policy.roles) {
    for (const person of members.keys()) rolesOf.set(person, [...(rolesOf.get(person) ?? []), role]);
  }
  for (const [person, roles] of rolesOf) {
    if (roles.length < 2) continue;
    const text = `${person} is in the roles ${listText(roles)}: those duties are not separated`;
    yield warning(`roles.${roles.at(-1)}.${person}`, text);
  }
}

/** FIDO2 keys attest that somebody touched them; the names of their types begin with sk-. */
function hasTouchKey(person: string, { roles }: PolicyDocument): boolean {
  return [...roles.values()].some((people) => people.get(person)?.some((line) => line.startsWith('sk-')) ?? false);
}

function* life({ effectiveAt, expiresAt }: PolicyDocument, { now }: LintContext): Iterable<Complaint> {
  const left = expiresAt - now;
  if (left <= 0) yield warning('expires_at', `the policy expired at ${formatTime(expiresAt)}: nothing may leave`);
  else if (left < EXPIRY_NOTICE) {
    const days = Math.floor(left / 86_400);
    yield warning(
      'expires_at',
      `the policy expires in ${days} days, at ${formatTime(expiresAt)}; write its successor now`,
    );
  }
  if (effectiveAt > now) yield note('effective_at', `the policy does not apply before ${formatTime(effectiveAt)}`);
}

function* unknownDestinations({ destinations }: PolicyDocument, { book }: LintContext): Iterable<Complaint> {
  if (book === undefined) return;
  const known = new Set(book.entries.map(({ id }) => id));
  for (const id of destinations.caps24h.keys()) {
    if (known.has(id)) continue;
    yield warning(`destinations.caps_24h.${id}`, `the address book has no destination ${id}: the cap is for nobody`);
  }
}

/** A list younger than this is seldom at hand: most are issued once a day. */
const USUAL_LIST_AGE = 24 * 3600;

function* screened({ screening, roles }: PolicyDocument): Iterable<Complaint> {
  const { lists, inputsHops } = screening;
  if (inputsHops > MOST_HOPS) {
    const text = `asks for ${inputsHops} hops, and a coin snapshot tells where coins come from over ${MOST_HOPS}`;
    const then =
      lists.length === 0 ? 'with the first list that is named every batch will be denied' : 'so every batch is denied';
    yield warning('screening.inputs_hops', `${text}: ${then}`);
  }
  if (lists.length === 0) {
    const unused = inputsHops === 0 ? '' : ', and inputs_hops has nothing to compare coins with';
    yield note('screening.lists', `names no list: nothing is screened${unused}`);
  } else if (inputsHops === 0) {
    yield note('screening.inputs_hops', 'is 0: only destinations are screened, and not where coins come from');
  }
  for (const [index, { pinnedBy, maxAge, maxShrinkBp }] of lists.entries()) {
    const field = `screening.lists[${index}]`;
    if (maxAge < USUAL_LIST_AGE) {
      yield warning(
        `${field}.max_age`,
        `is ${durationText(maxAge)}: without a newer list as often, every batch is denied`,
      );
    }
    if (maxShrinkBp === 10_000) yield warning(`${field}.max_shrink_bp`, 'lets a list lose all of its entries at once');
    if (roles.get(pinnedBy)?.size === 1) {
      yield note(
        `${field}.sha256_pinned_by`,
        `is a role of one person: while they are away the list grows old, and then every batch is denied`,
      );
    }
  }
}

function* notEnforced(): Iterable<Complaint> {
  for (const { field, reason } of NOT_ENFORCED) yield note(field, `is read but not enforced: ${reason}`);
}

function* halts(policy: PolicyDocument): Iterable<Complaint> {
  const { raise, resume, auto, denials } = policy.halt;
  if (raise.m > 1) {
    yield warning(
      'halt.raise.m',
      `is ${raise.m}, and one of them is enough all the same: a halt never waits for a second word`,
    );
  }
  if (resume.notBefore === 0) {
    yield warning('halt.resume.not_before', 'is 0: a halt can be lifted before anybody has looked into it');
  }
  if (resume.m === 1) yield warning('halt.resume.m', 'is 1: one person can undo the halt of another');
  if (!auto.includes('ledger_tamper')) {
    yield note('halt.auto', 'leaves out ledger_tamper; a journal that does not verify stops everything all the same');
  }
  if (denials?.within === 0) {
    yield warning('halt.denials.within', 'is 0, so no number of denials halts anything');
  }
}

const LINTS: readonly Lint[] = [
  unlimited,
  neverBinding,
  lettingNothingThrough,
  weak,
  tierReach,
  people,
  life,
  unknownDestinations,
  screened,
  halts,
  notEnforced,
];
