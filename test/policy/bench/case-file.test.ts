import { describe, expect, it } from 'vitest';
import { startReading } from '../../../src/domain/source-reader.js';
import type { SourceNode } from '../../../src/domain/source-tree.js';
import { loadCases } from '../../../src/policy/bench/load.js';
import { moment, resolveMoment } from '../../../src/policy/bench/moment.js';
import { overlay, withField } from '../../../src/policy/bench/nodes.js';
import { A, P0, PAY, run, tree } from './support.js';

const NOW = 1_780_315_200;

function faultsOf(text: string): string[] {
  const cases = loadCases(tree(text), 'x.yaml');
  return cases.ok ? [] : cases.error.map(({ tag, message }) => `${tag} ${message}`);
}

describe('moments', () => {
  it.each([
    ['now', 0],
    ['2h ago', -7200],
    ['23h 59m 59s ago', -86_399],
    ['10m ahead', 600],
    ['2026-06-01T12:00:00Z', 0],
  ])('%s', (text, distance) => {
    const read = moment({ kind: 'scalar', value: text, quoted: true, line: 1, column: 1 }, startReading('x'));
    if (read === undefined) throw new Error('not read');
    expect(resolveMoment(read, NOW)).toBe(NOW + distance);
  });

  it.each(['ago', '2h', '2 h ago', '-2h ago', '1e3s ago', '2h before', '2026-06-01 12:00'])('refuses %s', (text) => {
    const reading = startReading('x');
    expect(moment({ kind: 'scalar', value: text, quoted: true, line: 1, column: 1 }, reading)).toBeUndefined();
    expect(reading.faults.map(({ tag }) => tag)).toEqual(['E_FIELD_TYPE']);
  });
});

describe('defaults and changes', () => {
  it('merges objects field by field and replaces lists', () => {
    const laid = overlay(tree('{ book: { a: x, b: y }, pay: [1, 2] }'), tree('{ book: { b: z }, pay: [3] }'));
    const plain = (node: SourceNode): unknown =>
      node.kind === 'map'
        ? Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]))
        : node.kind === 'list'
          ? node.items.map(plain)
          : node.value;
    expect(plain(laid)).toEqual({ book: { a: 'x', b: 'z' }, pay: [3] });
  });

  it('lays an object over an object, and anything else as a whole', () => {
    const plain = (node: SourceNode): unknown =>
      node.kind === 'map'
        ? Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]))
        : node.kind === 'list'
          ? node.items.map(plain)
          : node.value;
    const laid = (base: string, over: string) => plain(overlay(tree(base), tree(over)));
    expect(laid('{ a: { b: 1, c: 2 } }', '{ a: { c: 3, d: 4 } }')).toEqual({ a: { b: 1, c: 3, d: 4 } });
    expect(laid('{ a: { b: 1 } }', '{ a: 5 }')).toEqual({ a: 5 });
    expect(laid('{ a: 5 }', '{ a: { b: 1 } }')).toEqual({ a: { b: 1 } });
    expect(laid('{ a: [1] }', '{ a: { b: 1 }, c: {} }')).toEqual({ a: { b: 1 }, c: {} });
    expect(laid('{}', '{ a: 1 }')).toEqual({ a: 1 });
    expect(laid('[1]', '[2, 3]')).toEqual([2, 3]);
  });

  it('puts a value in the place that a path names', () => {
    const leaf = (path: string, at: (policy: SourceNode) => SourceNode | undefined) => {
      const changed = withField(tree(P0), path, tree('"new"'));
      const found = changed === null ? undefined : at(changed);
      return found?.kind === 'scalar' ? found.value : found?.kind;
    };
    const of = (node: SourceNode | undefined, ...steps: readonly (string | number)[]): SourceNode | undefined =>
      steps.reduce<SourceNode | undefined>((one, step) => {
        if (one?.kind === 'map') return one.entries.get(`${step}`)?.value;
        return one?.kind === 'list' ? one.items[Number(step)] : undefined;
      }, node);
    expect(leaf('version', (policy) => of(policy, 'version'))).toBe('new');
    expect(leaf('limits.rolling.24h', (policy) => of(policy, 'limits', 'rolling', '24h'))).toBe('new');
    expect(leaf('limits.rolling.24h', (policy) => of(policy, 'limits', 'rolling', '7d'))).toBe('50000000000');
    expect(leaf('approvals.tiers[1].m', (policy) => of(policy, 'approvals', 'tiers', 1, 'm'))).toBe('new');
    expect(leaf('approvals.tiers[1].m', (policy) => of(policy, 'approvals', 'tiers', 0, 'm'))).toBe(2);
    expect(leaf('approvals.tiers[2]', (policy) => of(policy, 'approvals', 'tiers', 2))).toBe('new');
    // What the policy leaves out can be written, where the field above it is there.
    expect(leaf('limits.lifetime', (policy) => of(policy, 'limits', 'lifetime'))).toBe('new');
    const many = tree(`{ a: [${Array.from({ length: 12 }, (_, index) => `[${index}]`).join(', ')}] }`);
    const changed = withField(many, 'a[11][0]', tree('x'));
    expect(of(changed ?? undefined, 'a', 11, 0)).toMatchObject({ value: 'x' });
    expect(of(changed ?? undefined, 'a', 1, 0)).toMatchObject({ value: 1 });
    for (const path of ['a[x]', 'a[1]x', '[1]a', 'a[12]', 'a[1][1]', 'a[1][0][0]', 'a[1].b', 'b[0]', 'a[0001]']) {
      expect(withField(many, path, tree('x')), path).toBeNull();
    }
  });

  it.each(['limits.bacth.x', 'approvals.tiers[9]', 'limits.batch.x', 'limits[0]', '', 'limits.[0]'])(
    'finds no place %s',
    (path) => {
      expect(withField(tree(P0), path, tree('1'))).toBeNull();
    },
  );

  it('leaves a finding where the policy has the field', () => {
    const changed = withField(tree(P0), 'limits.batch', tree('\n\n\n"5"'));
    const line = P0.split('\n').findIndex((text) => text.startsWith('  batch:')) + 1;
    const limits = changed?.kind === 'map' ? changed.entries.get('limits')?.value : undefined;
    expect(limits?.kind === 'map' ? limits.entries.get('batch')?.value : null).toMatchObject({ value: '5', line });
  });
});

describe('the frame of a file', () => {
  it.each([
    ['another schema', 'schema: countersign.case/2\nname: a', 'E_FIELD_TYPE'],
    ['a case without a name', 'schema: countersign.case/1\nexpect: ALLOW', 'E_MISSING_FIELD'],
    ['no case', 'schema: countersign.case/1\ncases: []', 'E_MISSING_FIELD'],
    ['one name twice', 'schema: countersign.case/1\ncases: [{ name: a }, { name: a }]', 'E_FIELD_TYPE'],
    ['an unknown code', 'schema: countersign.case/1\nname: a\nexpect: DENY LIMIT_24', 'E_FIELD_TYPE'],
    ['an unknown decision', 'schema: countersign.case/1\nname: a\nexpect: MAYBE', 'E_FIELD_TYPE'],
    ['an unknown fault', 'schema: countersign.case/1\nname: a\nexpect: REFUSED E_NOTHING', 'E_FIELD_TYPE'],
    ['ALLOW with a reason', 'schema: countersign.case/1\nname: a\nexpect: ALLOW LIMIT_24H', 'E_FIELD_TYPE'],
    ['DENY without one', 'schema: countersign.case/1\nname: a\nexpect: DENY', 'E_FIELD_TYPE'],
    ['DENY for a need alone', 'schema: countersign.case/1\nname: a\nexpect: DENY APPROVALS_MISSING', 'E_FIELD_TYPE'],
    [
      'NEED with a denial',
      'schema: countersign.case/1\nname: a\nexpect: NEED APPROVALS_MISSING LIMIT_1H',
      'E_FIELD_TYPE',
    ],
    ['a warning among reasons', 'schema: countersign.case/1\nname: a\nexpect: DENY LIMIT_1H SEQUENCE', 'E_FIELD_TYPE'],
  ])('refuses %s', (_, text, tag) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${tag} `));
  });
});

describe('what a case comes to', () => {
  it('holds where decision and codes are the expected ones', () => {
    expect(run(`${PAY}expect: ALLOW`).problems).toEqual([]);
  });

  it('says what came in place of what, with the words of the rules', () => {
    const { problems, summary } = run(`${PAY}fee: "1000001"\nvsize: 4000\nexpect: DENY LIMIT_24H`);
    expect(summary).toBe('DENY FEE_ABS FEE_FRACTION');
    expect(problems[0]).toBe('expected DENY LIMIT_24H, got DENY FEE_ABS FEE_FRACTION');
    expect(problems.filter((line) => line.startsWith('unexpected FEE_ABS: The fee comes to'))).toHaveLength(1);
    expect(problems.filter((line) => line.startsWith('missing LIMIT_24H: What leaves within 24 hours'))).toHaveLength(
      1,
    );
  });

  it('does not hold where only a warning or a number differs', () => {
    expect(run(`${PAY}expect: ALLOW WARN SEQUENCE`).problems).not.toEqual([]);
    expect(run(`${PAY}expect: { decision: ALLOW, warns: [] }`).problems).toEqual([]);
    const finding = (headroom: string) =>
      run(`${PAY}fee: "400"\nexpect: { decision: ALLOW, findings: [{ code: LIMIT_BATCH, headroom: "${headroom}" }] }`);
    expect(finding('9899999600').problems).toEqual([]);
    expect(finding('9899999601').problems[0]).toContain('got code LIMIT_BATCH, headroom 9899999600');
  });

  it('does not take a refusal for a denial, nor a denial for a refusal', () => {
    expect(run('pay: [{ to: nobody, amount: "1" }]\nexpect: DENY DEST_DUST').problems[0]).toContain(
      'got REFUSED E_FIELD_TYPE',
    );
    expect(run(`${PAY}expect: REFUSED E_AMOUNT_SYNTAX`).problems[0]).toBe(
      'expected REFUSED E_AMOUNT_SYNTAX, got ALLOW',
    );
    expect(run('pay: [{ to: nobody, amount: 1 }]\nexpect: REFUSED E_AMOUNT_SYNTAX').problems).toEqual([]);
  });

  it('names the ids that the book has where one is misspelt', () => {
    const { refused } = run(`book: { warm-1: ${A} }\npay: [{ to: warm1, amount: "1" }]`);
    expect(refused[0]).toMatchObject({ tag: 'E_FIELD_TYPE', where: { file: 'x.yaml', line: 5 } });
    expect(refused[0]?.remedy).toContain('warm-1');
  });

  it('says where a changed field is not in the policy', () => {
    expect(run(`${PAY}with: { limits.rollin.24h: "0" }`).refused[0]).toMatchObject({ tag: 'E_UNKNOWN_FIELD' });
  });
});
