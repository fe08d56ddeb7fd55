import type { BatchKind } from '../../domain/batch-kind.js';
import { toHex } from '../../domain/bytes.js';
import type { SourcePosition } from '../../domain/fault.js';
import type { WithdrawalRequest } from '../../domain/request.js';
import { formatAmount, type Sats } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { BookIndex } from '../book-index.js';
import { CODES, type Code } from '../codes.js';
import type { Cap, Facts, Finding, LoadedPolicy, OutputFact, PolicyDocument, PolicyState } from '../types.js';
import type { Claim, SpendIndex, Tally } from '../windows.js';

/** One thing that is checked. A rule always reports, also when it is content. */
export interface Rule {
  /** Stable name, for EVAL_ERROR and for coverage. */
  readonly tag: string;
  /** The codes that it can report. */
  readonly codes: readonly Code[];
  check(context: RuleContext): readonly Finding[];
}

/** What every rule sees. Nothing in it changes while rules run, so their order cannot matter. */
export interface RuleContext {
  readonly policy: LoadedPolicy;
  readonly document: PolicyDocument;
  readonly kind: BatchKind;
  readonly facts: Facts;
  readonly requests: readonly WithdrawalRequest[];
  readonly state: PolicyState;
  /** The wall clock as it was given. */
  readonly now: UnixSeconds;
  /** The later of wall clock and newest journal entry: the time that windows, ages and hours go by. */
  readonly time: UnixSeconds;
  /** Earlier spends, arranged on first use. */
  readonly index: SpendIndex;
  /** Addresses of the book, arranged on first use. */
  readonly book: BookIndex;
  /** Outputs that are not proven change. */
  readonly payments: readonly OutputFact[];
  /** An amount of this batch, with the inputs by which it may replace an earlier one. */
  claim(amount: bigint): Claim;
  /** Whether anybody will read what the findings say. A ruling asks for outcomes alone, and no sentence is made for it. */
  readonly wordy: boolean;
}

/**
 * What several rules ask of one verdict, worked out for the first of them. Nothing in a context changes, so neither does
 * the answer; a failure is not kept, and fails every rule that asks. Verdicts are given one after the other, so the answer
 * for the newest one is enough.
 */
export function perVerdict<T>(work: (context: RuleContext) => T): (context: RuleContext) => T {
  let newest: { readonly context: RuleContext; readonly answer: T } | null = null;
  return (context) => {
    if (newest === null || newest.context !== context) newest = { context, answer: work(context) };
    return newest.answer;
  };
}

export interface FindingMore {
  readonly subject?: string | undefined;
  readonly measured?: string | undefined;
  readonly limit?: string | undefined;
  readonly headroom?: string | undefined;
  readonly unit?: Finding['unit'] | undefined;
  readonly freesAt?: UnixSeconds | null | undefined;
  readonly remedy?: string | undefined;
}

/** All that a finding says besides its code and its outcome. */
export type Said = FindingMore & { readonly text: string; readonly field?: string };

/** Words are made unless it is said that nobody reads them. */
type Speaker = Pick<RuleContext, 'policy'> & Partial<Pick<RuleContext, 'wordy'>>;

/** Findings of which nobody reads more than code and outcome: one object of each. */
const bare = new Map<Code, Map<Finding['outcome'], Finding>>();

function unread(code: Code, outcome: Finding['outcome']): Finding {
  const known = bare.get(code)?.get(outcome);
  if (known !== undefined) return known;
  const fresh = Object.freeze({ code, rule: CODES[code].rule, outcome, where: { file: '' }, text: '' });
  const ofCode = bare.get(code) ?? new Map<Finding['outcome'], Finding>();
  bare.set(code, ofCode.set(outcome, fresh));
  return fresh;
}

/**
 * A finding of a code at a field of the policy; the field of the code's registry entry unless another is given. Whatever
 * decides the outcome is worked out before; what is said of it may be given as a function, which is called only where
 * somebody reads it.
 */
export function finding(
  context: Speaker,
  code: Code,
  outcome: Finding['outcome'],
  said: string | (() => Said),
  more: Omit<Said, 'text'> = {},
): Finding {
  if (context.wordy === false) return unread(code, outcome);
  return spoken(context, code, outcome, typeof said === 'string' ? { ...more, text: said } : said());
}

function spoken(context: Speaker, code: Code, outcome: Finding['outcome'], said: Said): Finding {
  const { field, subject, measured, limit, headroom, unit, freesAt, text, remedy } = said;
  const rule = field ?? CODES[code].rule;
  const spelled: { -readonly [K in keyof Finding]: Finding[K] } = {
    code,
    rule,
    outcome,
    where: position(context.policy, rule),
    text,
  };
  if (subject !== undefined) spelled.subject = subject;
  if (measured !== undefined) spelled.measured = measured;
  if (limit !== undefined) spelled.limit = limit;
  if (headroom !== undefined) spelled.headroom = headroom;
  if (unit !== undefined) spelled.unit = unit;
  if (freesAt !== undefined && freesAt !== null) spelled.freesAt = formatTime(freesAt);
  if (remedy !== undefined) spelled.remedy = remedy;
  return spelled;
}

function position(policy: LoadedPolicy, rule: string): SourcePosition {
  return rule === '' ? { file: policy.file } : policy.where(rule);
}

/** The content of a rule that lists faults: each one as a finding, or a single pass. */
export function listed(
  context: Speaker,
  code: Code,
  passText: string | (() => string),
  faults: readonly Said[],
): Finding[] {
  if (faults.length === 0) {
    return [finding(context, code, 'pass', typeof passText === 'string' ? passText : () => ({ text: passText() }))];
  }
  return faults.map(({ text, ...more }) => finding(context, code, CODES[code].outcome, text, more));
}

export interface CapCheck {
  readonly code: Code;
  readonly field?: string;
  readonly subject?: string;
  /** Begins the sentence: "The batch, fee included,". */
  readonly what: string;
  readonly cap: Cap;
  readonly tally: Pick<Tally, 'measured' | 'room' | 'freesAt'>;
  /** A way out besides waiting and asking for another policy. */
  readonly remedy?: string;
}

/** An inclusive cap in sats: a pass says what is left after this batch, a denial what could go in its place. */
export function capped(context: RuleContext, check: CapCheck): Finding {
  const { code, field = CODES[code].rule, cap, tally } = check;
  if (cap !== null) assertAmount(cap, field);
  const within = cap === null || tally.measured <= cap;
  return finding(context, code, within ? 'pass' : 'deny', () => saidOfCap(context, check, field));
}

function saidOfCap(context: RuleContext, { subject, what, cap, tally, remedy }: CapCheck, field: string): Said {
  const { measured } = tally;
  const shown = { field, subject, unit: 'sat', measured: measured.toString() } as const;
  const comes = `${what} comes to ${formatAmount(measured)}`;
  if (cap === null) return { ...shown, text: `${comes}; the policy sets no limit.` };
  const limited = { ...shown, limit: cap.toString() };
  if (measured <= cap) {
    const left = cap - measured;
    const text = `${comes}, within the limit of ${formatAmount(cap)}; ${formatAmount(left)} remain.`;
    return { ...limited, text, headroom: left.toString() };
  }
  const room = tally.room(cap);
  const freesAt = tally.freesAt(cap);
  const ways = [
    ...(freesAt === null ? [] : [`wait until ${formatTime(freesAt)}`]),
    ...(room > 0n ? [`stay within ${formatAmount(room)} now`] : []),
    ...(remedy === undefined ? [] : [remedy]),
    askForPolicy(context, field),
  ];
  const text = `${comes}, ${formatAmount(measured - cap)} above the limit of ${formatAmount(cap)}.`;
  return { ...limited, text, headroom: room.toString(), freesAt, remedy: ways.join(', or ') };
}

/** A tally of something that has no history. */
export function single(measured: Sats): CapCheck['tally'] {
  return { measured, room: (limit) => (limit > 0n ? limit : 0n), freesAt: () => null };
}

/** A mistyped limit must never let anything through: it ends as EVAL_ERROR. */
export function assertAmount(value: unknown, field: string): asserts value is bigint {
  if (typeof value !== 'bigint' || value < 0n) throw new Error(`${field} is not an amount`);
}

/** Who can lift a limit, and how long that takes. */
export function askForPolicy({ document }: Pick<RuleContext, 'document'>, field: string): string {
  const { sign, looseningNotice } = document.changeControl;
  const people = `${sign.m} of ${sign.from.join(' and ')}`;
  return `let ${people} sign a new policy version with another ${field}, which takes effect ${formatSpan(looseningNotice)} later`;
}

const SPANS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** A span of seconds in the largest units that render it exactly: "3 d", "1 h 30 min". */
export function formatSpan(seconds: number): string {
  let rest = seconds;
  const parts: string[] = [];
  for (const [unit, size] of SPANS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.length === 0 ? '0 s' : parts.join(' ');
}

/** How an output is called wherever the order of outputs may not matter: by address, or by script where it has none. */
export function outputName({ address, script }: Pick<OutputFact, 'address' | 'script'>): string {
  return address ?? `script ${toHex(script) || '(empty)'}`;
}

/** "1 output", "3 outputs". */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : many}`;
}

/** The values that occur more than once. */
export function repeated(values: readonly string[]): Set<string> {
  const seen = new Set<string>();
  return new Set(values.filter((value) => seen.size === seen.add(value).size));
}
