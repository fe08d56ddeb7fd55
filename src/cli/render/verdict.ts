import { groupedAddress } from '../../domain/address.js';
import type { Hex } from '../../domain/bytes.js';
import type { ExitName } from '../../domain/exit-codes.js';
import { formatPosition } from '../../domain/fault.js';
import { formatAmount, formatBtc } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import type { BatchRecord } from '../../journal/state.js';
import type { Destinations } from '../../policy/counterparties.js';
import { type MatchedPayments, matchPayments } from '../../policy/paid-requests.js';
import { entryName } from '../../policy/rules/payee.js';
import type { Finding, OutputFact, Verdict } from '../../policy/types.js';
import { canonicalVerdict } from '../../policy/verdict.js';
import type { Assessment } from '../../workflow/assess.js';
import type { Situation } from '../../workflow/situation.js';
import { type Style, sentenceWidth } from './style.js';
import { table } from './table.js';
import { plural, printable, wrap } from './text.js';

/** The whole verdict: what it says, every reason against it in full, then every rule that was asked with its numbers. */
export function verdictLines(verdict: Verdict, style: Style): string[] {
  return [...reasonsOfVerdict(verdict, style), ...rulesTable(verdict.findings, style)];
}

/** What a verdict says and why, without the rules that are content. */
export function reasonsOfVerdict(verdict: Verdict, style: Style): string[] {
  const reasons = verdict.findings.filter((finding) => finding.outcome !== 'pass');
  return [
    `${style.bold('Verdict')}  ${decisionWord(verdict, style)}   policy ${verdict.policy}`,
    `${style.dim('         evaluated at')} ${formatTime(verdict.evaluatedAt)}`,
    '',
    ...reasons.flatMap((finding) => reasonLines(finding, style)),
  ];
}

export function decisionWord(verdict: Verdict, style: Style): string {
  const count = verdict.findings.filter(({ outcome }) => outcome === 'deny').length;
  switch (verdict.decision) {
    case 'ALLOW':
      return style.good('ALLOW');
    case 'NEED':
      return style.warn(`NEED ${plural(verdict.quorum?.missing ?? 0, 'more approval')}`);
    case 'DENY':
      return style.bad(`DENY for ${plural(count, 'reason')}`);
  }
}

/** A halt is told by a code of its own, before whatever else denies. */
export function verdictExit({ decision, findings }: Pick<Verdict, 'decision' | 'findings'>): ExitName {
  switch (decision) {
    case 'ALLOW':
      return 'OK';
    case 'NEED':
      return 'APPROVALS_MISSING';
    case 'DENY':
      return findings.some(({ code, outcome }) => code === 'HALTED' && outcome === 'deny') ? 'HALTED' : 'DENIED';
  }
}

function reasonLines(finding: Finding, style: Style): string[] {
  const subject = finding.subject === undefined ? '' : ` (${printable(finding.subject)})`;
  const more = [
    finding.freesAt === undefined ? null : `frees at ${finding.freesAt}`,
    finding.remedy === undefined ? null : printable(finding.remedy),
    `rule ${finding.rule}, ${printable(formatPosition(finding.where))}`,
  ].filter((line) => line !== null);
  return [
    `  ${outcomeWord(finding.outcome, style)} ${style.bold(finding.code)}${subject}`,
    ...wrap(printable(finding.text), sentenceWidth(style, 104, 7)).map((line) => `       ${line}`),
    ...more.flatMap((line) => wrap(line, sentenceWidth(style, 104, 7))).map((line) => `       ${style.dim(line)}`),
    '',
  ];
}

/** Every rule that was asked: those with numbers in a table, the others by name. */
function rulesTable(findings: readonly Finding[], style: Style): string[] {
  const numbered = findings.filter((finding) => finding.measured !== undefined || finding.outcome !== 'pass');
  const others = findings.filter((finding) => !numbered.includes(finding)).map((finding) => finding.code);
  const rows = collapsed(numbered).map((finding) => [
    outcomeWord(finding.outcome, style),
    finding.code,
    printable(finding.subject ?? ''),
    finding.measured ?? '',
    finding.limit ?? '',
    finding.headroom ?? '',
    finding.unit ?? '',
    printable(formatPosition(finding.where)),
  ]);
  const columns = [
    { title: '' },
    { title: 'rule' },
    { title: 'about' },
    { title: 'measured', align: 'right' },
    { title: 'limit', align: 'right' },
    { title: 'headroom', align: 'right' },
    { title: 'unit' },
    { title: 'where' },
  ] as const;
  const named = wrap(`and, with nothing to count: ${[...new Set(others)].join(' ')}`, sentenceWidth(style, 104, 8));
  return [
    ...table(columns, rows, style).map((line) => `  ${line}`),
    ...(others.length === 0
      ? []
      : named.map((line, index) => `  ${index === 0 ? style.good('pass') : '    '}  ${style.dim(line)}`)),
  ];
}

/** Most that one rule may say of different subjects before a content one is shown by its nearest subject alone. */
const SHOWN_SUBJECTS = 4;

/** Where a content rule speaks of many subjects, the one with the least headroom stands for all of them. */
function collapsed(findings: readonly Finding[]): Finding[] {
  const passes = findings.filter(({ outcome }) => outcome === 'pass');
  return findings.flatMap((finding) => {
    const alike = passes.filter(({ code }) => code === finding.code);
    if (finding.outcome !== 'pass' || alike.length <= SHOWN_SUBJECTS) return [finding];
    const nearest = alike.reduce((least, one) => (headroomOf(one) < headroomOf(least) ? one : least));
    if (finding !== nearest) return [];
    return [{ ...finding, subject: `${finding.subject ?? ''}, the nearest of ${alike.length}` }];
  });
}

function headroomOf({ headroom }: Finding): bigint {
  return headroom !== undefined && /^[0-9]+$/.test(headroom) ? BigInt(headroom) : 0n;
}

function outcomeWord(outcome: Finding['outcome'], style: Style): string {
  switch (outcome) {
    case 'pass':
      return style.good('pass');
    case 'warn':
      return style.warn('warn');
    case 'need':
      return style.warn('need');
    case 'deny':
      return style.bad('deny');
  }
}

/** What is judged: its id, its state, and what it is, where it is no withdrawal. */
export function batchTitle({ id, state, kind }: Pick<BatchRecord, 'id' | 'state' | 'kind'>): string {
  return `Batch ${id}  ${state}${kind === 'withdrawal' ? '' : `, a ${kind}: it pays nobody`}`;
}

/** What the transaction pays, from its bytes: full addresses in groups of four, the change last. */
export function paymentLines({ facts, requests }: Assessment, situation: Situation, style: Style): string[] {
  const rows = facts.outputs.map((output) => {
    const script = Buffer.from(output.script).toString('hex');
    const to = output.address === null ? `script ${script}` : groupedAddress(output.address);
    return [
      `${output.index + 1}`,
      `${output.value}`,
      formatBtc(output.value),
      output.isChange ? 'change' : nameInBook(situation.destinations, { script }),
      to,
    ];
  });
  const columns = [
    { title: '#', align: 'right' as const },
    { title: 'sat', align: 'right' as const },
    { title: 'BTC', align: 'right' as const },
    { title: 'to' },
    { title: 'address' },
  ];
  return [
    ...table(columns, rows, style).map((line) => `  ${line}`),
    ...matchPayments(requests, facts.outputs, facts.fee, requests.length).pairs.flatMap(borneLine),
    '',
    `  external ${formatAmount(facts.external)}, fee ${formatAmount(facts.fee)}, leaves the vault ${formatAmount(facts.spend)}`,
    `  ${plural(facts.inputs.length, 'input')}, ${plural(facts.outputs.length, 'output')}, at most ${facts.vsize} vB signed`,
  ];
}

/** What was asked for stands in no byte of the transaction where the payee bears its share of the fee. */
function borneLine({ request, output }: MatchedPayments<OutputFact>['pairs'][number]): string[] {
  if (request.feePayer === undefined) return [];
  const { id, amount } = request;
  return [
    `  request ${printable(id)} asks for ${formatAmount(amount)}; its payee bears ${formatAmount(amount - output.value)} of the fee, output ${output.index + 1}`,
  ];
}

/** "warm-1", "okx /5": an index of a descriptor is one that was derived and found to be this script. */
export function nameInBook(destinations: Destinations, { script, index }: { script: Hex; index?: number }): string {
  const entry = destinations.find(script, index);
  return entry === null ? 'not in the book' : printable(entryName(entry));
}

export function verdictJson(verdict: Verdict): Record<string, unknown> {
  return JSON.parse(canonicalVerdict(verdict)) as Record<string, unknown>;
}
