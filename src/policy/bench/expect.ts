import { FAULTS } from '../../domain/fault.js';
import { nearestName } from '../../domain/nearest.js';
import { quoted } from '../../domain/safe-text.js';
import {
  complain,
  field,
  list,
  matching,
  object,
  oneOf,
  optionalField,
  type Reader,
  type Reading,
  refined,
  schemaOf,
  text,
  withSchema,
} from '../../domain/source-reader.js';
import type { SourceNode } from '../../domain/source-tree.js';
import { CODES } from '../codes.js';
import type { Decision, Finding } from '../types.js';
import type { Expectation, ExpectedFinding } from './types.js';

const DECISIONS = ['ALLOW', 'NEED', 'DENY'] as const;

const code = withSchema(
  refined(text, 'E_FIELD_TYPE', (value) =>
    Object.hasOwn(CODES, value)
      ? null
      : `${quoted(value, 40)} is no reason code${didYouMean(value, Object.keys(CODES))}`,
  ),
  () => ({
    type: 'string',
    pattern: '^[A-Z0-9_]+$',
    form: 'A reason code: see `countersign help reasons`.',
    beyond: ['that there is such a code'],
  }),
);

function didYouMean(value: string, names: readonly string[]): string {
  const near = nearestName(value, names);
  return near === null ? '' : `; did you mean ${near}?`;
}

const digits = matching(/^-?[0-9]+(?:\.[0-9]+)?$/, 'a number in quotes');

const expectedFinding: Reader<ExpectedFinding> = object({
  code: field('code', code, 'The code of the finding.'),
  subject: optionalField('subject', text, 'What it is about.'),
  outcome: optionalField('outcome', oneOf(['pass', 'warn', 'need', 'deny']), 'What the rule said.'),
  measured: optionalField('measured', digits, 'What the rule measured.'),
  limit: optionalField('limit', digits, 'What it compared with.'),
  headroom: optionalField('headroom', digits, 'What is left up to the limit.'),
  freesAt: optionalField('frees_at', text, 'When more may leave, UTC.'),
});

const asObject = object({
  decision: field('decision', oneOf(DECISIONS), 'The verdict.'),
  codes: optionalField('codes', list(code, 0), 'All codes that deny or need.'),
  warns: optionalField('warns', list(code, 0), 'All codes that warn; left out, warnings are not looked at.'),
  findings: optionalField(
    'findings',
    list(expectedFinding, 0, null),
    'Findings with their numbers; others may stand beside.',
  ),
});

/** "DENY LIMIT_24H WARN LOOKALIKE", "REFUSED E_AMOUNT_SYNTAX", or an object where numbers of a finding matter too. */
export const expectation: Reader<Expectation> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar') return shortForm(node, at);
    const read = asObject(node, at);
    if (read === undefined) return undefined;
    const { decision, codes = [], warns = null, findings = [] } = read;
    if (!goTogether(node, at, decision, codes)) return undefined;
    return { kind: 'verdict', decision, codes, warns, findings };
  },
  () => ({
    form: 'ALLOW, "DENY LIMIT_24H", "ALLOW WARN LOOKALIKE", "REFUSED E_AMOUNT_SYNTAX", or an object where numbers matter too.',
    beyond: ['that there are such codes, and that they go with the decision'],
    anyOf: [{ type: 'string', pattern: `^(?:${DECISIONS.join('|')}|REFUSED)(?: [A-Z0-9_]+)*$` }, schemaOf(asObject)],
  }),
);

/** Whether a decision and its codes can go together: an expectation that no verdict can meet is a slip. */
function goTogether(node: SourceNode, at: Reading, decision: Decision, codes: readonly string[]): boolean {
  const has = (outcome: Finding['outcome']): boolean =>
    codes.some((name) =>
      Object.entries(CODES).some(([known, meaning]) => known === name && meaning.outcome === outcome),
    );
  const due = decision === 'ALLOW' ? codes.length === 0 : has(decision === 'DENY' ? 'deny' : 'need');
  if (due && !(decision === 'NEED' && has('deny')) && !has('warn')) return true;
  const remedy =
    'ALLOW stands alone, NEED with codes that need, DENY with at least one that denies; warnings after WARN';
  complain(at, node, 'E_FIELD_TYPE', `${decision} does not go with ${codes.join(' ') || 'no code'}`, remedy);
  return false;
}

function shortForm(node: SourceNode, at: Reading): Expectation | undefined {
  const value = text(node, at);
  if (value === undefined) return undefined;
  const [word, ...names] = value.split(' ');
  if (word === 'REFUSED') {
    const unknown = names.find((name) => !Object.hasOwn(FAULTS, name));
    if (names.length > 0 && unknown === undefined) return { kind: 'refused', faults: names };
    return complain(at, node, 'E_FIELD_TYPE', 'REFUSED wants the tags of faults, such as E_AMOUNT_SYNTAX');
  }
  const decision = DECISIONS.find((known) => known === word);
  if (decision === undefined) {
    const remedy = 'for example ALLOW, "DENY LIMIT_24H", "ALLOW WARN LOOKALIKE" or "REFUSED E_AMOUNT_SYNTAX"';
    return complain(at, node, 'E_FIELD_TYPE', 'ALLOW, NEED, DENY or REFUSED is due first', remedy);
  }
  const split = names.indexOf('WARN');
  const codes = split === -1 ? names : names.slice(0, split);
  const warns = split === -1 ? null : names.slice(split + 1);
  for (const name of [...codes, ...(warns ?? [])]) {
    if (code({ ...node, kind: 'scalar', value: name, quoted: true }, at) === undefined) return undefined;
  }
  if (!goTogether(node, at, decision, codes)) return undefined;
  return { kind: 'verdict', decision, codes, warns, findings: [] };
}
