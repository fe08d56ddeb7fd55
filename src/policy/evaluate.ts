import type { SourcePosition } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { UnixSeconds } from '../domain/time.js';
import { type BookIndex, createBookIndex } from './book-index.js';
import { CODES } from './codes.js';
import { quorum } from './rules/approvals.js';
import { RULES } from './rules/index.js';
import type { Rule, RuleContext } from './rules/rule.js';
import { unsoundness } from './sound.js';
import type { Decision, EvaluationInput, Finding, PolicyState, Verdict } from './types.js';
import { sortFindings } from './verdict.js';
import { createSpendIndex, type SpendIndex } from './windows.js';

/** What spares arranging anew what did not change since the verdict before. Each belongs to the state it was made from. */
export interface Arranged {
  readonly spends?: SpendIndex | undefined;
  readonly book?: BookIndex | undefined;
}

/**
 * The verdict on a batch: every rule is asked, every reason is reported. Pure: the same input gives the same verdict, to
 * the byte (see canonicalVerdict). Never throws: a rule that cannot be evaluated denies (EVAL_ERROR).
 *
 * `index` spares arranging the spends of an unchanged state again; one that belongs to another list is not used. So does
 * `book` for the addresses of an unchanged book.
 */
export function evaluate(input: EvaluationInput, index?: SpendIndex, book?: BookIndex): Verdict {
  return evaluateRules(RULES, input, index, book);
}

/** The same with other rules: for tests of the machinery itself. */
export function evaluateRules(
  rules: readonly Rule[],
  input: EvaluationInput,
  index?: SpendIndex,
  book?: BookIndex,
): Verdict {
  const { policy, facts } = input;
  const arranged = { spends: index, book };
  const context = contextOf(input, arranged, true);
  const findings = sortFindings(findingsOf(rules, input, arranged, context));
  return {
    decision: decide(findings),
    findings,
    psbtSha256: stated(() => facts.psbtSha256, ''),
    policy: policy.digest,
    spend: stated(() => facts.spend, 0n),
    fee: stated(() => facts.fee, 0n),
    evaluatedAt: attempt(() => context.time) ?? 0,
    quorum: attempt(() => quorum(context)),
  };
}

/** What a verdict comes to, without a word of why: no text, no number, nothing that a person or the journal could keep. */
export interface Ruling {
  readonly decision: Decision;
  /** Of every finding that denies or needs, each once, sorted. */
  readonly codes: readonly string[];
}

/**
 * Decision and codes of the verdict that `evaluate` gives on the same input, by the very same rules, of which only the
 * sentences are left unmade: several times faster, for whoever judges a hundred thousand batches and reads none of them.
 * Nothing may be signed on it: what is signed rests on a verdict that the journal keeps.
 */
export function evaluateRuling(input: EvaluationInput, arranged: Arranged = {}): Ruling {
  const findings = findingsOf(RULES, input, arranged, contextOf(input, arranged, false));
  const codes = new Set<string>();
  for (const { code, outcome } of findings) if (outcome === 'deny' || outcome === 'need') codes.add(code);
  return { decision: decide(findings), codes: [...codes].sort() };
}

function findingsOf(
  rules: readonly Rule[],
  input: EvaluationInput,
  arranged: Arranged,
  context: RuleContext,
): readonly Finding[] {
  const findings: Finding[] = [...distrust(input, arranged)];
  for (const rule of rules) findings.push(...ask(rule, context));
  return findings;
}

function contextOf(input: EvaluationInput, arranged: Arranged, wordy: boolean): RuleContext {
  const { policy, kind, facts, requests, state, now } = input;
  let index = isOf(arranged.spends, state) ? arranged.spends : undefined;
  let book = isOfBook(arranged.book, input) ? arranged.book : undefined;
  let payments: RuleContext['payments'] | undefined;
  let spent: readonly string[] | undefined;
  return {
    policy,
    document: policy.document,
    kind,
    facts,
    requests,
    state,
    now,
    wordy,
    get time() {
      return laterOf(now, state.lastEntryAt);
    },
    get index() {
      index ??= createSpendIndex(state.spends);
      return index;
    },
    get book() {
      book ??= createBookIndex(state.destinations, policy.document.wallet.network);
      return book;
    },
    get payments() {
      payments ??= facts.outputs.filter(({ isChange }) => !isChange);
      return payments;
    },
    claim: (weight) => {
      spent ??= facts.inputs.map(({ outpoint }) => formatOutpoint(outpoint));
      return { weight, inputs: spent };
    },
  };
}

/** Time that is no whole number would fall out of every window: whatever asks for it must fail. */
function laterOf(now: UnixSeconds, lastEntryAt: UnixSeconds): UnixSeconds {
  const time = Math.max(now, lastEntryAt);
  if (!Number.isSafeInteger(time)) throw new Error(`${time} is no time in whole seconds`);
  return time;
}

function isOf(index: SpendIndex | undefined, state: PolicyState): boolean {
  return index !== undefined && index.spends === attempt(() => state.spends);
}

function isOfBook(book: BookIndex | undefined, { state, policy }: EvaluationInput): boolean {
  return (
    book !== undefined &&
    book.network === attempt(() => policy.document.wallet.network) &&
    book.destinations === attempt(() => state.destinations)
  );
}

/** A fact as the verdict repeats it; what is not there, or of another type, is repeated as nothing and denied anyway. */
function stated<T extends string | bigint>(read: () => T, nothing: T): T {
  const value = attempt(read);
  return typeof value === typeof nothing && value !== null ? value : nothing;
}

/** A rule that repeats something mistyped says nothing that could be written down. */
function isPlain({ subject, measured, limit, headroom, freesAt }: Finding): boolean {
  return isText(subject) && isText(measured) && isText(limit) && isText(headroom) && isText(freesAt);
}

const isText = (part: unknown): boolean => part === undefined || typeof part === 'string';

/** Rules compare what they are given; that it is what its type says is asked once, before them. */
function distrust(input: EvaluationInput, { spends, book }: Arranged): readonly Finding[] {
  const { policy, state } = input;
  const problem = unsoundness(input, {
    spends: isOf(spends, state),
    book: isOfBook(book, input) ? book : undefined,
  });
  if (problem === null) return [];
  return [
    {
      code: 'EVAL_ERROR',
      rule: 'facts',
      outcome: 'deny',
      subject: 'facts',
      where: { file: policy.file },
      text: `There is nothing sound to judge: ${problem}.`,
      remedy: 'report it: facts and state are made by the program itself, and are wrong',
    },
  ];
}

/** A rule that fails, or that finds nothing to say, denies: silence must never be taken for consent. */
function ask(rule: Rule, context: RuleContext): readonly Finding[] {
  try {
    const findings = rule.check(context);
    if (findings.length === 0) return [evaluationError(rule, context, 'it reported nothing')];
    return findings.every(isPlain) ? findings : [evaluationError(rule, context, 'it reported what is no text')];
  } catch (error) {
    return [evaluationError(rule, context, error instanceof Error ? error.message : String(error))];
  }
}

function evaluationError(rule: Rule, { policy }: RuleContext, why: string): Finding {
  const [code] = rule.codes;
  const field = code === undefined ? '' : CODES[code].rule;
  const where: SourcePosition = attempt(() => policy.where(field)) ?? { file: policy.file };
  return {
    code: 'EVAL_ERROR',
    rule: field === '' ? rule.tag : field,
    outcome: 'deny',
    subject: rule.tag,
    where,
    text: `The rule ${rule.tag} could not be evaluated: ${why}.`,
    remedy: 'report it: a rule must be able to judge whatever passed the readers of policy, book and journal',
  };
}

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** DENY over NEED over ALLOW. */
function decide(findings: readonly Finding[]): Decision {
  if (findings.length === 0 || findings.some(({ outcome }) => outcome === 'deny')) return 'DENY';
  return findings.some(({ outcome }) => outcome === 'need') ? 'NEED' : 'ALLOW';
}
