import type { SourcePosition } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { UnixSeconds } from '../domain/time.js';
import { CODES } from './codes.js';
import { quorum } from './rules/approvals.js';
import { RULES } from './rules/index.js';
import type { Rule, RuleContext } from './rules/rule.js';
import type { Decision, EvaluationInput, Finding, Verdict } from './types.js';
import { sortFindings } from './verdict.js';
import { createSpendIndex, type SpendIndex } from './windows.js';

/**
 * The verdict on a batch: every rule is asked, every reason is reported. Pure: the same input gives the same verdict, to
 * the byte (see canonicalVerdict). Never throws: a rule that cannot be evaluated denies (EVAL_ERROR).
 *
 * `index` spares arranging the spends of an unchanged state again; one that belongs to another list is not used.
 */
export function evaluate(input: EvaluationInput, index?: SpendIndex): Verdict {
  return evaluateRules(RULES, input, index);
}

/** The same with other rules: for tests of the machinery itself. */
export function evaluateRules(rules: readonly Rule[], input: EvaluationInput, index?: SpendIndex): Verdict {
  const { policy, facts } = input;
  const context = contextOf(input, index);
  const findings = sortFindings(rules.flatMap((rule) => ask(rule, context)));
  return {
    decision: decide(findings),
    findings,
    psbtSha256: facts.psbtSha256,
    policy: policy.digest,
    spend: facts.spend,
    fee: facts.fee,
    evaluatedAt: attempt(() => context.time) ?? 0,
    quorum: attempt(() => quorum(context)),
  };
}

function contextOf(input: EvaluationInput, given: SpendIndex | undefined): RuleContext {
  const { policy, facts, requests, state, now } = input;
  let index = given?.spends === state.spends ? given : undefined;
  return {
    policy,
    document: policy.document,
    facts,
    requests,
    state,
    now,
    get time() {
      return laterOf(now, state.lastEntryAt);
    },
    get index() {
      index ??= createSpendIndex(state.spends);
      return index;
    },
    get payments() {
      return facts.outputs.filter(({ isChange }) => !isChange);
    },
    claim: (weight) => ({ weight, inputs: facts.inputs.map(({ outpoint }) => formatOutpoint(outpoint)) }),
  };
}

/** Time that is no whole number would fall out of every window: whatever asks for it must fail. */
function laterOf(now: UnixSeconds, lastEntryAt: UnixSeconds): UnixSeconds {
  const time = Math.max(now, lastEntryAt);
  if (!Number.isSafeInteger(time)) throw new Error(`${time} is no time in whole seconds`);
  return time;
}

/** A rule that fails, or that finds nothing to say, denies: silence must never be taken for consent. */
function ask(rule: Rule, context: RuleContext): readonly Finding[] {
  try {
    const findings = rule.check(context);
    return findings.length > 0 ? findings : [evaluationError(rule, context, 'it reported nothing')];
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
