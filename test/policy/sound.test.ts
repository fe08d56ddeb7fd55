import { describe, expect, it } from 'vitest';
import { evaluate, evaluateRules } from '../../src/policy/evaluate.js';
import { foreignInput, previousTransaction } from '../../src/policy/rules/inputs.js';
import { unsoundness } from '../../src/policy/sound.js';
import type { EvaluationInput, Facts } from '../../src/policy/types.js';
import { canonicalVerdict } from '../../src/policy/verdict.js';
import { createSpendIndex } from '../../src/policy/windows.js';
import { btc, change, codes, input, inputOf, judge, NOW, pay, spent, summary, txid } from './fixture.js';

const LIST = { id: 'a', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 1 };

const sound = (): EvaluationInput =>
  inputOf({
    policy: { screening: { lists: [LIST], inputsHops: 1 } },
    batch: {
      pay: [pay('A', '1'), pay('B', '2')],
      change: [change(btc('1'))],
      inputs: [{}, { value: btc('1'), outpoint: { txid: txid('second'), vout: 1 } }],
    },
    state: {
      spends: [spent(btc('1')), spent(btc('1'), { unconfirmed: true, inputs: ['earlier'] })],
      screening: new Map([
        [
          'a',
          {
            issuedAt: NOW,
            expiresAt: NOW + 1,
            pinnedBy: 'erin',
            scripts: new Set(['51']),
            before: { scripts: 10, removed: 0 },
            own: [],
          },
        ],
      ]),
    },
  });

type Path = readonly (string | number)[];

/** Every field of what a verdict looks at besides the policy; entries of maps by their values, sets as a whole. */
function* fields(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Set) return;
  const entries: Iterable<readonly [string | number, unknown]> =
    value instanceof Map ? value : Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, part] of entries) yield* fields(part, [...path, key]);
}

/** The same with one field changed, or left out where `make` returns DELETE. */
const DELETE = Symbol('delete');
function withField(value: unknown, [key, ...rest]: Path, make: (old: unknown) => unknown): unknown {
  if (key === undefined) return make(value);
  if (value instanceof Map) {
    const copy = new Map(value);
    copy.set(key, withField(value.get(key), rest, make));
    return copy;
  }
  if (Array.isArray(value)) return value.map((part, at) => (at === key ? withField(part, rest, make) : part));
  if (typeof value !== 'object' || value === null) throw new Error(`no field ${key}`);
  const made = withField(Reflect.get(value, key), rest, make);
  if (made !== DELETE) return { ...value, [key]: made };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

const OF_EVERY_TYPE: readonly unknown[] = [undefined, null, true, -1, 0.5, Number.NaN, 7, -7n, 7n, 'x', [], {}];

/** Absence and other types. null is a value of some fields of the base, and says what they may say. */
function replacements(path: Path, old: unknown): readonly unknown[] {
  const last = path.at(-1);
  const mayBeNull = ['address', 'confirmed', 'expiresAt', 'before'].includes(`${last}`);
  const kindOf = (value: unknown): string => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);
  const wrong = OF_EVERY_TYPE.filter((value) => {
    if (value === null) return old !== null && !mayBeNull;
    return kindOf(value) !== kindOf(old) || (typeof value === 'number' && (!Number.isSafeInteger(value) || value < 0));
  });
  // Negative indexes of used change only narrow the gap, and negative versions are versions that no policy allows.
  return last === 'lastUsedChange' ? wrong.filter((value) => value !== -1) : wrong;
}

describe('facts and state that are not what their types say', () => {
  const base = sound();
  const { policy, ...judged } = base;
  const paths = [...fields(judged)];

  it('start from a batch that is allowed', () => {
    expect(summary(evaluate(base))).toBe('ALLOW');
    expect(paths.length).toBeGreaterThan(150);
  });

  it('never lead to ALLOW: no field may be missing or of another type', () => {
    const allowed: string[] = [];
    let tried = 0;
    for (const path of paths) {
      const changes: unknown[] = [];
      withField(judged, path, (old) => changes.push(...replacements(path, old)));
      for (const value of [DELETE, ...changes]) {
        // A list that lacks an entry is another list, and a map another map.
        if (value === DELETE && (typeof path.at(-1) === 'number' || path.at(-2) === 'destinations')) continue;
        const other = withField(judged, path, () => value) as Omit<EvaluationInput, 'policy'>;
        tried += 1;
        const verdict = evaluate({ ...other, policy });
        expect(canonicalVerdict(verdict)).toContain('"decision"');
        if (verdict.decision !== 'ALLOW') continue;
        allowed.push(`${path.join('.')} = ${typeof value === 'symbol' ? 'absent' : String(value)}`);
      }
    }
    expect(allowed).toEqual([]);
    expect(tried).toBeGreaterThan(1500);
  });

  it.each<[keyof Facts, bigint]>([
    ['spend', -1n],
    ['spend', 1n],
    ['fee', 1n],
    ['external', -1n],
    ['external', 1n],
  ])('%s that is off by %i is contradicted by its parts', (name, by) => {
    const { facts } = base;
    const value = facts[name];
    if (typeof value !== 'bigint') throw new Error(`${name} is no amount`);
    const verdict = evaluate({ ...base, facts: { ...facts, [name]: value + by } });
    expect(codes(verdict, 'deny')).toContain('EVAL_ERROR');
  });

  it('an output that is called change against its proof denies, and so does proven change that is not called so', () => {
    for (const [own, isChange] of [
      [{ own: false, problem: null }, true],
      [{ own: true, origin: { branch: 0, index: 1 }, claimed: true }, true],
      [{ own: true, origin: { branch: 1, index: 42 }, claimed: true }, false],
    ] as const) {
      const outputs = base.facts.outputs.map((one, at) => (at === 2 ? { ...one, own, isChange } : one));
      const verdict = evaluate({ ...base, facts: { ...base.facts, outputs } });
      expect(codes(verdict, 'deny')).toContain('EVAL_ERROR');
    }
  });

  it('earlier spends are looked at unless they were when they were arranged', () => {
    const spends = [{ ...spent(1n), reservedAt: 'yesterday' as never }];
    const broken = { ...base, state: { ...base.state, spends } };
    expect(codes(evaluate(broken), 'deny')).toContain('EVAL_ERROR');
    const index = createSpendIndex(base.state.spends);
    expect(codes(evaluate(broken, index), 'deny')).toContain('EVAL_ERROR');
    expect(summary(evaluate(base, index))).toBe('ALLOW');
  });

  it('a foreign input may make spend less than the fee, and is denied as such alone', () => {
    const verdict = judge({ batch: { inputs: [{ origin: null }] } });
    expect(codes(verdict, 'deny')).toEqual(['INPUT_FOREIGN']);
  });
});

describe('the rules by themselves', () => {
  const only = (facts: Facts, ...rules: readonly (typeof foreignInput)[]) =>
    codes(evaluateRules(rules, { ...sound(), facts }), 'deny');

  it.each([undefined, 'trusted', null])('take the proof %s for none', (proof) => {
    const facts = { ...sound().facts, inputs: [input(1n, { proof: proof as never })] };
    expect(only(facts, previousTransaction)).toContain('INPUT_NO_PREVTX');
  });

  it.each([undefined, null, 'ours', 1])('take the origin %s for foreign', (origin) => {
    const facts = { ...sound().facts, inputs: [input(1n, { origin: origin as never })] };
    expect(only(facts, foreignInput)).toContain('INPUT_FOREIGN');
  });
});

describe('the place of what is unsound', () => {
  const base = sound();
  const [entry] = [...base.state.destinations];
  const problem = (path: Path, value: unknown): string | null => {
    const other = withField({ ...base }, path, () => value) as EvaluationInput;
    return unsoundness(other, { spends: false, book: undefined });
  };

  it.each<[Path, unknown]>([
    [['facts', 'psbtSha256'], `${'ab'.repeat(32)}0`],
    [['facts', 'psbtSha256'], `0${'ab'.repeat(32)}`],
    [['facts', 'psbtSha256'], 'AB'.repeat(32)],
    [['facts', 'psbtSha256'], 'ab'.repeat(31)],
    [['facts', 'psbtSha256'], ['ab'.repeat(32)]],
    [['facts', 'vsize'], 0n],
    [['facts', 'vsize'], -1n],
    [['facts', 'vsize'], 400],
    [['facts', 'fee'], 100_000],
    [['facts', 'spend'], '1'],
    [['facts', 'external'], -1n],
    [['facts', 'external'], 1],
    [['facts', 'locktime'], 0x100000000],
    [['facts', 'locktime'], -1],
    [['facts', 'locktime'], '5'],
    [['facts', 'vault', 'id'], 5],
    [['facts', 'vault', 'network'], null],
    [['facts', 'vault', 'descriptor'], undefined],
    [['facts', 'inputs', 0, 'value'], -1n],
    [['facts', 'inputs', 0, 'sequence'], 0x100000000],
    [['facts', 'outputs', 1, 'value'], 1],
    [['state', 'tip', 'height'], -1],
    [['state', 'tip', 'medianTimePast'], 0.5],
    [['state', 'confirmedBalance'], -1n],
    [['state', 'lastEntryAt'], Number.MAX_SAFE_INTEGER + 1],
    [['requests', 0, 'amount'], -1n],
    [['now'], Number.NaN],
  ])('%j = %s', (path, value) => {
    const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
    expect(problem(path, value)).toBe(`${name.slice(1)} is missing or mistyped`);
  });

  it.each<[Path, unknown]>([
    [['facts', 'psbtSha256'], '0f'.repeat(32)],
    [['facts', 'vsize'], 1n],
    [['facts', 'locktime'], 0xffffffff],
    [['facts', 'locktime'], 0],
    [['facts', 'inputs', 0, 'sequence'], 0xffffffff],
    [['state', 'tip', 'height'], 0],
    [['state', 'confirmedBalance'], 0n],
    [['now'], 0],
  ])('is none in %j = %s', (path, value) => {
    expect(problem(path, value)).toBeNull();
  });

  it('is named of a book by the script, and no script is a number', () => {
    if (entry === undefined) throw new Error('the book holds something');
    const book = (key: unknown, value: unknown) => problem(['state', 'destinations'], new Map([[key, value]]));
    expect(book(entry[0], entry[1])).toBeNull();
    expect(book(5, entry[1])).toBe('state.destinations[5] is missing or mistyped');
    expect(book(entry[0], { ...entry[1], since: '5' })).toBe(
      `state.destinations[${entry[0]}].since is missing or mistyped`,
    );
  });

  it('is named of earlier spends by the number', () => {
    const spends = [spent(1n), { ...spent(1n), fee: 1 as never }];
    expect(problem(['state', 'spends'], spends)).toBe('state.spends[1].fee is missing or mistyped');
    expect(problem(['state', 'spends'], [{ ...spent(1n), spend: -1n }])).toBe(
      'state.spends[0].spend is missing or mistyped',
    );
  });
});
