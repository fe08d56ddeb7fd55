import { describe, expect, it } from 'vitest';
import { fault } from '../../../src/domain/fault.js';
import { coverageOf } from '../../../src/policy/bench/coverage.js';
import { Refusal } from '../../../src/policy/bench/refusal.js';
import { summaryOf } from '../../../src/policy/bench/run.js';
import type { CaseOutcome } from '../../../src/policy/bench/types.js';
import { CODES } from '../../../src/policy/codes.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { btc, type Case, inputOf, loaded, P0, type PolicyChange, pay } from '../fixture.js';

function outcomeOf(name: string, c: Case, problems: readonly string[] = []): CaseOutcome {
  const input = inputOf(c);
  const verdict = evaluate(input);
  const where = { file: 'x.yaml', line: 1 };
  const one = { name, file: 'x.yaml', where, policy: null, changes: new Map(), expect: null, content: tree };
  return { case: one, judged: { input, verdict }, refused: [], summary: summaryOf(verdict), problems };
}
const tree = { kind: 'map', entries: new Map(), line: 1, column: 1 } as const;
const coverage = (outcomes: readonly CaseOutcome[], policy: PolicyChange = {}) => coverageOf(loaded(policy), outcomes);
const seenIn = (of: ReturnType<typeof coverage>, name: string) =>
  of.witnesses
    .filter((one) => one.name === name)
    .map(({ aspect, seenIn: where, kind }) => `${kind} ${aspect}: ${where}`);
const amount = (name: string, sats: bigint, problems?: readonly string[]) =>
  outcomeOf(name, { batch: { pay: [pay('A', '50'), ['B', sats]] } }, problems);
const LAST = btc('49.999');

describe('what cases show of a policy', () => {
  it('is each code content and not, by the first case that shows it', () => {
    const found = coverage([amount('one', LAST), amount('two', LAST + 1n), amount('three', LAST + 1n)]);
    expect(seenIn(found, 'LIMIT_BATCH')).toEqual(['code pass: one', 'code deny: two']);
    expect(seenIn(found, 'TIME_CLOSED')).toEqual(['code pass: one', 'code deny: null']);
    expect(seenIn(found, 'SEQUENCE')).toEqual(['code pass: one', 'code warn: null']);
    expect(seenIn(found, 'EVAL_ERROR')).toEqual([]);
    const codes = found.witnesses.filter(({ kind }) => kind === 'code').map(({ name }) => name);
    expect(new Set(codes)).toEqual(new Set(Object.keys(CODES).filter((code) => code !== 'EVAL_ERROR')));
  });

  it('is each number missed by one, met and exceeded by one', () => {
    const found = coverage([amount('under', LAST - 1n), amount('at', LAST), amount('over', LAST + 1n)]);
    expect(seenIn(found, 'limits.batch')).toEqual(['limit one under: under', 'limit at: at', 'limit one over: over']);
    expect(seenIn(coverage([amount('far', 5000n)]), 'limits.batch')).toEqual([
      'limit one under: null',
      'limit at: null',
      'limit one over: null',
    ]);
  });

  it('counts what is seen, in whole percent and rounded down', () => {
    const found = coverage([amount('one', LAST)]);
    expect(found.seen).toBe(found.witnesses.filter((one) => one.seenIn !== null).length);
    expect(found.percent).toBe(Math.floor((100 * found.seen) / found.witnesses.length));
    expect(found.seen).toBeGreaterThan(40);
    expect(coverage([])).toMatchObject({ seen: 0, percent: 0, elsewhere: 0 });
  });

  it('leaves out cases that do not hold, that were refused, and that another policy judged', () => {
    const good = amount('good', LAST);
    const refused: CaseOutcome = { ...good, judged: null, refused: [fault('E_PARSE', 'x', {})] };
    const other = loaded();
    const elsewhere: CaseOutcome = {
      ...good,
      judged:
        good.judged === null
          ? null
          : { ...good.judged, input: { ...good.judged.input, policy: { ...other, digest: 'sha256:x' } } },
    };
    const bad = amount('bad', LAST, ['expected something else']);
    expect(coverage([bad, refused, elsewhere])).toMatchObject({ seen: 0, elsewhere: 3 });
    expect(coverage([bad, good])).toMatchObject({ elsewhere: 1 });
    expect(seenIn(coverage([bad, good]), 'LIMIT_BATCH')[0]).toBe('code pass: good');
  });
});

describe('what a policy cannot give', () => {
  const beyond = (policy: PolicyChange) => coverage([], policy).beyond.map(({ code }) => code);
  const usual = [
    'LIMIT_BLOCKS',
    'LIMIT_LIFETIME',
    'BOOK_PROOF',
    'DATA_MISSING',
    'DATA_INVALID',
    'DEST_SANCTIONED',
    'OWN_LISTED',
    'INPUT_TAINTED',
    'INPUT_UNSCREENED',
    'APPROVALS_NO_TIER',
  ];
  const without = (...codes: string[]) => usual.filter((code) => !codes.includes(code));
  const list = { id: 'ofac', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 0 };
  const rolling = (change: Partial<typeof P0.limits.rolling>) => ({ rolling: { ...P0.limits.rolling, ...change } });

  it.each<[string, PolicyChange, readonly string[]]>([
    ['as it is', {}, usual],
    ['batch', { limits: { batch: null } }, ['LIMIT_BATCH', ...usual]],
    ['output', { limits: { output: null } }, ['LIMIT_OUTPUT', ...usual]],
    ['1h', { limits: rolling({ '1h': null }) }, ['LIMIT_1H', ...usual]],
    ['24h', { limits: rolling({ '24h': null }) }, ['LIMIT_24H', ...usual]],
    ['7d', { limits: rolling({ '7d': null }) }, ['LIMIT_7D', ...usual]],
    ['a window of blocks', { limits: { rollingBlocks: new Map([[6, 1n]]) } }, without('LIMIT_BLOCKS')],
    [
      'one of two windows',
      {
        limits: {
          rollingBlocks: new Map([
            [6, null],
            [7, 1n],
          ]),
        },
      },
      without('LIMIT_BLOCKS'),
    ],
    ['a window without a cap', { limits: { rollingBlocks: new Map([[6, null]]) } }, usual],
    ['unconfirmed', { limits: { signedUnconfirmed: null } }, [...usual, 'LIMIT_UNCONFIRMED']],
    ['lifetime', { limits: { lifetime: 1n } }, without('LIMIT_LIFETIME')],
    ['lifetime unlimited', { limits: { lifetime: null } }, usual],
    ['floor', { limits: { reserveFloor: 0n } }, [...usual, 'RESERVE_FLOOR']],
    ['caps', { destinations: { defaultCap24h: null } }, usual],
    ['no caps', { destinations: { defaultCap24h: null, caps24h: new Map([['x', null]]) } }, [...usual, 'DEST_CAP']],
    ['proofs', { destinations: { proof: 'required' } }, without('BOOK_PROOF')],
    ['young each', { destinations: { young: { ...P0.destinations.young, each24h: null } } }, [...usual, 'YOUNG_CAP']],
    [
      'young all',
      { destinations: { young: { ...P0.destinations.young, all24h: null } } },
      [...usual, 'YOUNG_AGGREGATE'],
    ],
    ['fee', { fees: { maxAbs: null } }, [...usual, 'FEE_ABS', 'FEE_REPLACEMENTS']],
    ['fees of a day', { fees: { max24h: null } }, [...usual, 'FEE_24H']],
    [
      'a list',
      { screening: { lists: [list], inputsHops: 0 } },
      without('DATA_MISSING', 'DATA_INVALID', 'DEST_SANCTIONED', 'OWN_LISTED'),
    ],
    [
      'a list and sources',
      { screening: { lists: [list], inputsHops: 1 } },
      ['LIMIT_BLOCKS', 'LIMIT_LIFETIME', 'BOOK_PROOF', 'APPROVALS_NO_TIER'],
    ],
    [
      'a last tier',
      { approvals: { tiers: [{ upTo: 1n, from: ['officers'], m: 1, touchRequired: false }] } },
      without('APPROVALS_NO_TIER'),
    ],
  ])('%s', (_, policy, expected) => {
    expect([...beyond(policy)].sort()).toEqual([...expected].sort());
  });

  it('is not asked for, with the reason', () => {
    const found = coverage([], { limits: { batch: null } });
    expect(found.beyond[0]).toEqual({ code: 'LIMIT_BATCH', why: 'the policy sets no bound in limits.batch' });
    expect(seenIn(found, 'LIMIT_BATCH')).toEqual(['code pass: null']);
    expect(seenIn(found, 'limits.batch')).toEqual([]);
  });
});

it('a refusal says the first of its faults', () => {
  expect(new Refusal([fault('E_PARSE', 'the first', {}), fault('E_PARSE', 'the second', {})]).message).toBe(
    'the first',
  );
  expect(new Refusal([]).message).toBe('refused');
});
