import { type Fault, fault, formatPosition } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { startReading } from '../../domain/source-reader.js';
import type { SourceNode } from '../../domain/source-tree.js';
import { createDeriver } from '../../vault/derive.js';
import { parseVault } from '../../vault/descriptor.js';
import type { Deriver } from '../../vault/types.js';
import { evaluate } from '../evaluate.js';
import { loadPolicy } from '../load.js';
import type { EvaluationInput, Finding, LoadedPolicy, Verdict } from '../types.js';
import { factsOf, type Ground } from './build.js';
import { readContent } from './fields.js';
import { withField } from './nodes.js';
import { Refusal } from './refusal.js';
import { bookOf, requestsOf, stateOf } from './state.js';
import type { Case, CaseOutcome, CaseReaders, ExpectedFinding } from './types.js';

/** A policy as it stands in its file, which a case may change in places. */
export interface PolicySource {
  readonly node: SourceNode;
  readonly file: string;
}

export interface CaseRunner {
  /** Judges one case; its policy is the one that it names, or the one given on the command line. */
  run(one: Case, policy: PolicySource): CaseOutcome;
}

/** Runs cases. One runner for all of them remembers the scripts of each vault, of which deriving is the slow part. */
export function createCaseRunner(readers: CaseReaders): CaseRunner {
  const derivers = new Map<string, Deriver>();
  const deriverOf = ({ document }: LoadedPolicy): Result<Deriver, Fault> => {
    const { id, network, descriptor } = document.wallet;
    const key = [id, network, descriptor].join(' ');
    const known = derivers.get(key);
    if (known !== undefined) return ok(known);
    const vault = parseVault(id, network, descriptor);
    if (!vault.ok) return vault;
    const deriver = createDeriver(vault.value);
    derivers.set(key, deriver);
    return ok(deriver);
  };
  return {
    run: (one, policy) => {
      const built = inputOf(one, policy, readers, deriverOf);
      const verdict = built.ok ? evaluate(built.value) : null;
      const judged = built.ok && verdict !== null ? { input: built.value, verdict } : null;
      const refused = built.ok ? [] : built.error;
      const summary = verdict === null ? `REFUSED ${tags(refused).join(' ')}` : summaryOf(verdict);
      return { case: one, judged, refused, summary, problems: compare(one, verdict, refused, summary) };
    },
  };
}

function inputOf(
  one: Case,
  source: PolicySource,
  readers: CaseReaders,
  deriverOf: (policy: LoadedPolicy) => Result<Deriver, Fault>,
): Result<EvaluationInput, readonly Fault[]> {
  const policy = changedPolicy(one, source);
  if (!policy.ok) return policy;
  const reading = startReading(one.file);
  const content = readContent(one.content, reading);
  if (content === undefined) return err(reading.faults);
  const deriver = deriverOf(policy.value);
  if (!deriver.ok) return err([deriver.error]);
  const bare: Ground = { policy: policy.value, deriver: deriver.value, book: new Map() };
  const file = `${one.file}, ${one.name}`;
  try {
    const ground = { ...bare, book: bookOf(content, bare) };
    const requests = requestsOf(content, ground, readers, file);
    const facts = factsOf(content, one.name, ground, readers, file);
    const state = stateOf(content, ground, { facts, requests });
    const kind = content.kind ?? 'withdrawal';
    return ok({ policy: policy.value, kind, requests, facts, state, now: content.now });
  } catch (error) {
    if (error instanceof Refusal) return err(error.faults);
    throw error;
  }
}

function changedPolicy({ changes, where }: Case, { node, file }: PolicySource): Result<LoadedPolicy, readonly Fault[]> {
  let changed = node;
  for (const [path, value] of changes) {
    const next = withField(changed, path, value);
    if (next === null) {
      const remedy = 'write the path of a field as the policy has it, for example limits.rolling.24h';
      return err([fault('E_UNKNOWN_FIELD', `with: the policy ${file} has no place ${path}`, { where, remedy })]);
    }
    changed = next;
  }
  return loadPolicy(changed, file);
}

const tags = (faults: readonly Fault[]): string[] => [...new Set(faults.map(({ tag }) => tag))].sort();

/** "ALLOW", "DENY LIMIT_24H WARN LOOKALIKE": the decision, every code that denies or needs, every one that warns. */
export function summaryOf(verdict: Verdict): string {
  const warnings = codesOf(verdict, ['warn']);
  return [
    verdict.decision,
    ...codesOf(verdict, ['deny', 'need']),
    ...(warnings.length === 0 ? [] : ['WARN', ...warnings]),
  ].join(' ');
}

/** The codes with one of these outcomes, each once, sorted. */
export function codesOf({ findings }: Verdict, outcomes: readonly Finding['outcome'][]): readonly string[] {
  return [...new Set(findings.filter(({ outcome }) => outcomes.includes(outcome)).map(({ code }) => code))].sort();
}

function compare(one: Case, verdict: Verdict | null, refused: readonly Fault[], summary: string): readonly string[] {
  const { expect } = one;
  if (expect === null) return [];
  if (expect.kind === 'refused') {
    const found = tags(refused);
    const due = [...new Set(expect.faults)].sort();
    if (verdict === null && due.join(' ') === found.join(' ')) return [];
    return [`expected REFUSED ${due.join(' ')}, got ${summary}`, ...refused.map(faultLine)];
  }
  const warned = expect.warns === null || expect.warns.length === 0 ? '' : ` WARN ${expect.warns.join(' ')}`;
  const due = [expect.decision, ...[...expect.codes].sort()].join(' ') + warned;
  if (verdict === null) return [`expected ${due}, got ${summary}`, ...refused.map(faultLine)];
  const codes = difference(verdict, ['deny', 'need'], expect.codes);
  const warns = expect.warns === null ? [] : difference(verdict, ['warn'], expect.warns);
  const numbers = expect.findings.flatMap((finding) => lacking(verdict, finding));
  const isSame = verdict.decision === expect.decision && codes.length === 0 && warns.length === 0;
  return [...(isSame ? [] : [`expected ${due}, got ${summary}`]), ...codes, ...warns, ...numbers];
}

function faultLine({ tag, message, where }: Fault): string {
  return `${tag}: ${where === undefined ? '' : `${formatPosition(where)}: `}${message}`;
}

/** For each code that is there or missing against expectation, what its rule says. */
function difference(verdict: Verdict, outcomes: readonly Finding['outcome'][], due: readonly string[]): string[] {
  const found = codesOf(verdict, outcomes);
  const says = (code: string, word: string, wanted: readonly Finding['outcome'][]): string[] =>
    verdict.findings
      .filter((finding) => finding.code === code && wanted.includes(finding.outcome))
      .slice(0, 1)
      .map(({ text, where }) => `${word} ${code}: ${text} (${formatPosition(where)})`);
  return [
    ...found.filter((code) => !due.includes(code)).flatMap((code) => says(code, 'unexpected', outcomes)),
    ...due
      .filter((code) => !found.includes(code))
      .flatMap((code) => {
        const said = says(code, 'missing', ['pass', 'warn', 'need', 'deny']);
        return said.length > 0 ? said : [`missing ${code}: no rule spoke of it`];
      }),
  ];
}

function lacking({ findings }: Verdict, due: ExpectedFinding): string[] {
  const parts = Object.entries(due).filter(([, value]) => value !== undefined);
  const same = findings.filter(({ code, subject }) => code === due.code && (due.subject ?? subject) === subject);
  if (same.some((finding) => parts.every(([key, value]) => finding[key as keyof ExpectedFinding] === value))) return [];
  const said = same.map((finding) => parts.map(([key]) => `${key} ${finding[key as keyof ExpectedFinding] ?? '-'}`));
  const wanted = parts.map(([key, value]) => `${key} ${value}`).join(', ');
  return [`expected a finding with ${wanted}; got ${said.map((one) => one.join(', ')).join(' / ') || 'none'}`];
}
