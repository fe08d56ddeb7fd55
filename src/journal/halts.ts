import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { type HaltScope, haltScopeText, parseHaltScope } from '../domain/halt-scope.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody, HaltRaised, PayableRecord } from './entries.js';
import { governingPolicy } from './policies.js';
import type { SharedMap } from './shared-map.js';
import type { BatchRecord, HaltRecord, JournalState } from './state.js';

type HaltBody = Extract<EntryBody, { kind: `halt.${string}` }>;
type ResumeBody = Extract<HaltBody, { kind: 'halt.resume-approved' }>;
type ResumedBody = Extract<HaltBody, { kind: 'halt.resumed' }>;

/** The parts of the state that halts touch, open for writing. */
export interface HaltDraft {
  readonly policy: JournalState['policy'];
  readonly pendingPolicy: JournalState['pendingPolicy'];
  readonly book: JournalState['book'];
  newestHalt: JournalState['newestHalt'];
  denials: JournalState['denials'];
  readonly halts: SharedMap<HaltRecord>;
  readonly haltMarks: SharedMap<string>;
}

const NOTHING: Result<void, Fault> = ok(undefined);

/** Judges an entry of a halt and, only if all of it is in order, writes it into the draft. */
export function applyHaltEntry(
  draft: HaltDraft,
  body: HaltBody,
  { seq, hash }: Entry,
  at: UnixSeconds,
): Result<void, Fault> {
  switch (body.kind) {
    case 'halt.raised':
      return applyRaised(draft, body, { seq, hash }, at);
    case 'halt.resume-approved':
      return applyApproval(draft, body, at);
    case 'halt.resumed':
      return applyResumed(draft, body, at);
  }
}

/** What a halt is told again by: its statement, or its trigger with its evidence. It has its effect once. */
export function haltMark(body: HaltRaised): string | null {
  switch (body.source) {
    case 'person':
      return body.statement;
    case 'unverified':
      // Apart from the statement itself: a copy that somebody damaged must not use up the halt of the person who signed it.
      return body.statement === undefined ? null : `unverified ${body.statement}`;
    case 'automatic':
      return automaticMark(body.trigger, body.evidence);
  }
}

export function automaticMark(trigger: string, evidence: Hex): string {
  return `${trigger} ${evidence}`;
}

function applyRaised(
  draft: HaltDraft,
  body: HaltRaised,
  place: { readonly seq: number; readonly hash: Hex },
  at: UnixSeconds,
): Result<void, Fault> {
  const mark = haltMark(body);
  const earlier = mark === null ? undefined : draft.haltMarks.get(mark);
  if (earlier !== undefined) {
    return fail('E_HALT_REPLAY', `the same was the ground of ${earlier}: it stops once`, {
      remedy: 'if there is a new reason, raise a halt of today: countersign halt raise --reason TEXT --key FILE',
    });
  }
  const scope = parseHaltScope(body.scope);
  if (!scope.ok) return scope;
  const payable = payableOf(scope.value, draft.book);
  if (!payable.ok) return payable;
  if (body.source === 'unverified') {
    const standing = unverifiedHalt(draft.halts.share());
    if (standing !== null) {
      return fail('E_JOURNAL_ENTRY', `${standing.id} stands already, and of unverified halts one stands at a time`);
    }
    if (scope.value.kind !== 'all') return fail('E_JOURNAL_ENTRY', 'an unverified halt stops everything');
  } else {
    // Who agreed to resume did not know of this one. An unverified halt takes nobody's word back: anybody can raise it.
    for (const halt of draft.halts.share().values()) draft.halts.set(halt.id, { ...halt, resumes: [] });
    draft.newestHalt = place;
  }
  const id = `halt-${place.seq}`;
  draft.halts.set(id, {
    id,
    ...place,
    at,
    scope: scope.value,
    payable: payable.value,
    reason: body.reason,
    source: sourceOf(body),
    resumes: [],
  });
  if (mark !== null) draft.haltMarks.set(mark, id);
  // These denials have had their effect; the ones that come after it are counted from here.
  if (body.source === 'automatic' && body.trigger === REPEATED_DENIALS) draft.denials = [];
  return NOTHING;
}

function sourceOf(body: HaltRaised): HaltRecord['source'] {
  switch (body.source) {
    case 'person':
      return { kind: 'person', person: body.person };
    case 'unverified':
      return { kind: 'unverified', problem: body.problem };
    case 'automatic':
      return { kind: 'automatic', trigger: body.trigger };
  }
}

/** A destination is halted as what it stands for, so that renaming it in the book does not free it. */
function payableOf(scope: HaltScope, book: JournalState['book']): Result<PayableRecord | null, Fault> {
  if (scope.kind !== 'destination') return ok(null);
  const entry = book?.entries.get(scope.id);
  if (entry !== undefined) {
    return ok(
      'script' in entry ? { script: entry.script } : { descriptor: entry.descriptor, maxIndex: entry.maxIndex },
    );
  }
  return fail('E_HALT_SCOPE', `the address book has no destination ${scope.id}`, {
    remedy: 'name an id that countersign book show lists, or halt everything',
  });
}

function applyApproval(draft: HaltDraft, body: ResumeBody, at: UnixSeconds): Result<void, Fault> {
  const halt = draft.halts.get(body.halt);
  if (halt === undefined) return unknownHalt(body.halt);
  const validUntil = seconds(body.validUntil);
  if (validUntil <= at) {
    return fail('E_JOURNAL_ENTRY', `the word of ${body.person} for ${halt.id} ran out before it was recorded`);
  }
  if (halt.resumes.some((one) => one.statement === body.statement)) {
    return fail('E_HALT_REPLAY', `this word of ${body.person} for ${halt.id} is there already`, {
      remedy: 'people count, not signatures: another person has to agree',
    });
  }
  const { person, statement, signature } = body;
  const others = halt.resumes.filter((one) => one.person !== person);
  draft.halts.set(halt.id, { ...halt, resumes: [...others, { person, at, validUntil, statement, signature }] });
  return NOTHING;
}

/**
 * Quorum and delay are in the policy, which is judged before the entry is written and by `audit verify`. What the journal
 * knows by itself: that the halt stands, that each of these people agreed and still does, and which policy was in force.
 */
function applyResumed(draft: HaltDraft, body: ResumedBody, at: UnixSeconds): Result<void, Fault> {
  const halt = draft.halts.get(body.halt);
  if (halt === undefined) return unknownHalt(body.halt);
  const absent = body.approvers.find(
    (person) => !halt.resumes.some((one) => one.person === person && at < one.validUntil),
  );
  if (absent !== undefined) {
    return fail(
      'E_JOURNAL_ENTRY',
      `${halt.id} is resumed upon the word of ${absent}, who has not agreed, or no longer does`,
    );
  }
  if (body.policy !== governingPolicy(draft, at)?.digest) {
    return fail('E_JOURNAL_ENTRY', `${halt.id} is resumed by another policy than the one in force`, {
      remedy: 'run the command again: it is counted by the policy in force then',
    });
  }
  draft.halts.delete(halt.id);
  return NOTHING;
}

export function unknownHalt(id: string): Result<never, Fault> {
  return fail('E_HALT_UNKNOWN', `no halt ${id} stands`, { remedy: 'countersign halt status shows those that do' });
}

function seconds(time: string): UnixSeconds {
  const parsed = parseTime(time);
  if (parsed === null) throw new Error(`the body was not checked: ${time} is not a time`);
  return parsed;
}

// ---------------------------------------------------------------- what is halted

export function unverifiedHalt(halts: JournalState['halts']): HaltRecord | null {
  return [...halts.values()].find(({ source }) => source.kind === 'unverified') ?? null;
}

type Haltable = Pick<BatchRecord, 'outputs' | 'initiator'>;

/**
 * Which destination of the book a script is. The scripts of descriptors are not derived in this room: without somebody who
 * does, a halted descriptor stops nothing here, and it is the rule of the policy that denies.
 */
export type DestinationOf = (script: Hex) => string | undefined;

/** The halts that stand against a batch: while there is one, it is neither signed nor released. Oldest first. */
export function haltsAgainst(
  { halts, book }: Pick<JournalState, 'halts' | 'book'>,
  batch: Haltable,
  destinationOf: DestinationOf = () => undefined,
): readonly HaltRecord[] {
  return [...halts.values()].filter((halt) => stops(halt, batch, book, destinationOf));
}

/** The names that a halted destination has in the book of now: its own, and those of whatever stands for the same. */
export function haltedNames({ scope, payable }: HaltRecord, book: JournalState['book']): readonly string[] {
  if (scope.kind !== 'destination') return [];
  const same = [...(book?.entries.values() ?? [])].filter((entry) => payable !== null && samePayable(entry, payable));
  return [...new Set([scope.id, ...same.map(({ id }) => id)])];
}

function samePayable(a: PayableRecord, b: PayableRecord): boolean {
  if ('script' in a) return 'script' in b && a.script === b.script;
  return 'descriptor' in b && a.descriptor === b.descriptor;
}

function stops(
  halt: HaltRecord,
  { outputs, initiator }: Haltable,
  book: JournalState['book'],
  destinationOf: DestinationOf,
): boolean {
  const { scope, payable } = halt;
  switch (scope.kind) {
    case 'all':
      return true;
    case 'destination': {
      const names = haltedNames(halt, book);
      const payables = [payable, ...names.map((name) => book?.entries.get(name) ?? null)];
      const scripts = payables.flatMap((one) => (one !== null && 'script' in one ? [one.script] : []));
      return outputs.some(
        ({ change, script }) =>
          change === null && (scripts.includes(script) || names.includes(destinationOf(script) ?? '')),
      );
    }
    case 'initiator':
      return initiator === scope.person;
  }
}

/** E_HALTED where a halt stands against the batch. */
export function notHalted(
  state: Pick<JournalState, 'halts' | 'book'>,
  batch: Haltable & { readonly id: string },
  destinationOf?: DestinationOf,
): Result<void, Fault> {
  const [halt, ...others] = haltsAgainst(state, batch, destinationOf);
  if (halt === undefined) return NOTHING;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return fail(
    'E_HALTED',
    `${halt.id} stops ${haltScopeText(halt.scope)} since ${formatTime(halt.at)}${more}: batch ${batch.id} stays as it is`,
    { remedy: 'countersign halt status says who can resume it, and from when on' },
  );
}

// ---------------------------------------------------------------- repeated denials

export const REPEATED_DENIALS = 'repeated_denials';

/** Denials that are kept in mind: no policy counts more. */
export const MOST_DENIALS = 100;

/**
 * The denials of late after one more entry. Parts of one plan are denied together, which is one denial; what a halt
 * denies is none, or each look at a halted batch would be a reason to halt again.
 */
export function nextDenials(
  denials: JournalState['denials'],
  body: EntryBody,
  { seq }: Pick<Entry, 'seq'>,
  at: UnixSeconds,
  parts: readonly string[],
): JournalState['denials'] {
  if (body.kind !== 'batch.verdict' || body.decision !== 'DENY' || body.codes.includes('HALTED')) return denials;
  const plan = body.stage === 'plan' ? (parts[0] ?? body.batch) : null;
  if (plan !== null && denials.some((one) => one.plan === plan)) return denials;
  return [...denials, { seq, at, plan }].slice(-MOST_DENIALS);
}
