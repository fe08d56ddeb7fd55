import { describe, expect, it } from 'vitest';
import { createBookIndex } from '../../src/policy/book-index.js';
import { evaluate, evaluateRules, evaluateRuling } from '../../src/policy/evaluate.js';
import { RULES } from '../../src/policy/rules/index.js';
import { finding, perVerdict, type Rule } from '../../src/policy/rules/rule.js';
import type { EvaluationInput } from '../../src/policy/types.js';
import { canonicalVerdict, sortFindings } from '../../src/policy/verdict.js';
import { createSpendIndex } from '../../src/policy/windows.js';
import { btc, change, codes, findingOf, inputOf, judge, loaded, NOW, P0, pay, spent, summary } from './fixture.js';

const rule = (tag: string, check: Rule['check']): Rule => ({ tag, codes: ['LIMIT_BATCH'], check });
const content = rule('content', (context) => [finding(context, 'LIMIT_BATCH', 'pass', 'Fine.')]);

describe('evaluation', () => {
  it('asks every rule, and every rule answers', () => {
    const verdict = judge({ batch: { change: [change(btc('1'))] } });
    expect(verdict.decision).toBe('ALLOW');
    expect(codes(verdict, 'pass').sort()).toEqual([...new Set(RULES.flatMap((one) => one.codes))].sort());
    expect(new Set(RULES.map(({ tag }) => tag)).size).toBe(RULES.length);
  });

  it('X-09 turns an exception of a rule into a denial that names the rule', () => {
    const broken = rule('broken', () => {
      throw new TypeError('no such field');
    });
    const verdict = evaluateRules([content, broken], inputOf({}));
    expect(verdict.decision).toBe('DENY');
    expect(findingOf(verdict, 'EVAL_ERROR')).toMatchObject({
      outcome: 'deny',
      subject: 'broken',
      rule: 'limits.batch',
      text: 'The rule broken could not be evaluated: no such field.',
    });
  });

  it('X-09 takes a finding that cannot be written down for a failure, and not for nothing', () => {
    const odd = rule('odd', (context) => [finding(context, 'LIMIT_BATCH', 'deny', 'No.', { subject: 5 as never })]);
    const verdict = evaluateRules([content, odd], inputOf({}));
    expect(summary(verdict)).toBe('DENY EVAL_ERROR');
    expect(canonicalVerdict(verdict)).toContain('it reported what is no text');
  });

  it('X-09 takes silence for a failure, and no rules for a denial', () => {
    expect(summary(evaluateRules([rule('silent', () => [])], inputOf({})))).toBe('DENY EVAL_ERROR');
    expect(evaluateRules([], inputOf({})).decision).toBe('DENY');
  });

  it.each([
    ['limits.batch', { limits: { ...P0.limits, batch: undefined } }, ['limit-batch']],
    ['limits.rolling', { limits: { ...P0.limits, rolling: undefined } }, ['limit-1h', 'limit-24h', 'limit-7d']],
    ['limits.output as a number', { limits: { ...P0.limits, output: 5 } }, ['limit-output']],
    ['a negative cap', { limits: { ...P0.limits, signedUnconfirmed: -1n } }, ['limit-unconfirmed']],
    ['limits.reserve_floor', { limits: { ...P0.limits, reserveFloor: null } }, ['reserve-floor']],
    ['fees.max_rate_sat_vb', { fees: { ...P0.fees, maxRate: undefined } }, ['fee-rate']],
    ['fees.max_bp_of_external', { fees: { ...P0.fees, maxBpOfExternal: 0.5 } }, ['fee-fraction']],
    ['inputs.min_value', { inputs: { ...P0.inputs, minValue: 'x' } }, ['coin-value', 'coin-forced-reuse']],
  ])('X-09 denies where %s is missing or mistyped', (_, document, tags) => {
    const input = inputOf({ batch: { pay: [pay('A', '1')] } });
    const policy = {
      ...input.policy,
      document: { ...input.policy.document, ...document },
    } as EvaluationInput['policy'];
    const verdict = evaluate({ ...input, policy });
    const failed = verdict.findings.filter(({ code }) => code === 'EVAL_ERROR').map(({ subject }) => subject);
    expect(failed).toEqual(tags.toSorted());
    expect(codes(verdict, 'deny')).toEqual(['EVAL_ERROR']);
  });

  it.each([
    ['limits.outputs_per_batch', { limits: { ...P0.limits, outputsPerBatch: undefined } }, 'LIMIT_OUTPUT_COUNT'],
    ['inputs.min_confirmations', { inputs: { ...P0.inputs, minConfirmations: undefined } }, 'INPUT_UNCONFIRMED'],
    ['inputs.max', { inputs: { ...P0.inputs, max: Number.NaN } }, 'TX_SHAPE'],
    ['destinations.cooldown', { destinations: { ...P0.destinations, cooldown: undefined } }, 'EVAL_ERROR'],
    ['clock.max_ahead_of_mtp', { clock: { ...P0.clock, maxAheadOfMtp: undefined } }, 'CLOCK_JUMP'],
    ['approvals.tiers', { approvals: { ...P0.approvals, tiers: undefined } }, 'EVAL_ERROR'],
  ])('X-09 denies where the number %s is missing', (_, document, code) => {
    const input = inputOf({});
    const policy = {
      ...input.policy,
      document: { ...input.policy.document, ...document },
    } as EvaluationInput['policy'];
    expect(codes(evaluate({ ...input, policy }), 'deny')).toContain(code);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, NOW + 0.5])('X-09 denies at the time %s, which is none', (now) => {
    const verdict = evaluate({ ...inputOf({}), now });
    expect(verdict.decision).toBe('DENY');
    expect(findingOf(verdict, 'EVAL_ERROR', 'limit-24h').outcome).toBe('deny');
    expect(canonicalVerdict(verdict)).toContain('EVAL_ERROR');
  });

  it('X-09 denies where even the place of a rule cannot be found', () => {
    const policy = {
      ...loaded(),
      where: () => {
        throw new Error('no such place');
      },
    };
    const verdict = evaluate({ ...inputOf({}), policy });
    expect(codes(verdict, 'deny')).toEqual(['EVAL_ERROR']);
    expect(verdict.findings[0]?.where).toEqual({ file: 'policies/cold.yaml' });
  });

  it('X-09 takes one finding that cannot be written down beside others for a failure', () => {
    const mixed = rule('mixed', (context) => [
      finding(context, 'LIMIT_BATCH', 'pass', 'Fine.'),
      finding(context, 'LIMIT_BATCH', 'pass', 'Fine.', { measured: 5 as never }),
    ]);
    expect(summary(evaluateRules([mixed], inputOf({})))).toBe('DENY EVAL_ERROR');
  });

  it('X-09 names the place of the rule that failed, and the file where the rule has no code', () => {
    const check = (): never => {
      throw new Error('broken');
    };
    const { policy } = inputOf({});
    const failed = (codes: Rule['codes']) => evaluateRules([{ tag: 'broken', codes, check }], inputOf({})).findings[0];
    expect(failed(['LIMIT_BATCH'])).toMatchObject({ rule: 'limits.batch', where: policy.where('limits.batch') });
    expect(failed([])).toMatchObject({ rule: 'broken', subject: 'broken' });
  });

  it('X-09 says in which policy nothing sound could be judged', () => {
    const c = inputOf({});
    const verdict = evaluate({ ...c, facts: { ...c.facts, fee: -1n } });
    expect(findingOf(verdict, 'EVAL_ERROR', 'facts').where).toEqual({ file: c.policy.file });
  });

  it('X-09 repeats no fact that is not what its type says', () => {
    const c = inputOf({});
    const odd = { ...c.facts, psbtSha256: 7, spend: '1', fee: null } as unknown as EvaluationInput['facts'];
    expect(evaluate({ ...c, facts: odd })).toMatchObject({ decision: 'DENY', psbtSha256: '', spend: 0n, fee: 0n });
    expect(evaluate(c)).toMatchObject({ psbtSha256: c.facts.psbtSha256, spend: c.facts.spend, fee: c.facts.fee });
  });

  it('looks up what was arranged before, instead of arranging it again', () => {
    const c = inputOf({ state: { spends: [spent(btc('1'))] } });
    const reads = () => {
      const list: string[] = [];
      const get = (of: object, key: string | symbol): unknown => {
        list.push(String(key));
        return Reflect.get(of, key);
      };
      return { list, watch: <T extends object>(of: T): T => new Proxy<T>(of, { get }) };
    };
    const [spends, book, other] = [reads(), reads(), reads()];
    const { network } = c.policy.document.wallet;
    evaluate(
      c,
      spends.watch(createSpendIndex(c.state.spends)),
      book.watch(createBookIndex(c.state.destinations, network)),
    );
    expect(spends.list).toContain('latest');
    expect(book.list).toEqual(expect.arrayContaining(['fault', 'addresses']));
    const copy = new Map(c.state.destinations);
    evaluate(c, other.watch(createSpendIndex([...c.state.spends])), other.watch(createBookIndex(copy, network)));
    expect(new Set(other.list)).toEqual(new Set(['spends', 'network', 'destinations']));
  });

  it('uses an index of the same spends, and no other', () => {
    const c = inputOf({ state: { spends: [spent(btc('200'))] } });
    expect(evaluate(c, createSpendIndex(c.state.spends))).toEqual(evaluate(c));
    expect(evaluate(c, createSpendIndex([]))).toEqual(evaluate(c));
    expect(evaluate(c).decision).toBe('DENY');
  });
});

describe('a book that was arranged before', () => {
  const c = inputOf({ batch: { pay: [pay('A', '1')] } });
  const { network } = c.policy.document.wallet;
  const [[script, entry] = ['', null]] = c.state.destinations;

  it('is used for the very same map and network, and no other', () => {
    const book = createBookIndex(c.state.destinations, network);
    expect(evaluate(c, undefined, book)).toEqual(evaluate(c));
    const broken = new Map([...c.state.destinations, ['51', { ...entry, since: 'yesterday' } as never]]);
    const verdict = evaluate({ ...c, state: { ...c.state, destinations: broken } }, undefined, book);
    expect(codes(verdict, 'deny')).toContain('EVAL_ERROR');
    expect(evaluate(c, undefined, { ...book, network: 'regtest', addresses: [] })).toEqual(evaluate(c));
  });

  it.each([{ id: 7 }, { label: null }, { script: undefined }, { since: 0.5 }, { since: -1 }])(
    'denies with an entry of %j, in the words of a verdict without it',
    (wrong) => {
      const destinations = new Map([[script, { ...entry, ...wrong } as never]]);
      const judged = { ...c, state: { ...c.state, destinations } };
      const verdict = evaluate(judged, undefined, createBookIndex(destinations, network));
      const soundness = (one: typeof verdict) => one.findings.find(({ subject }) => subject === 'facts');
      expect(soundness(verdict)?.text).toContain(`state.destinations[${script}]`);
      expect(soundness(verdict)).toEqual(soundness(evaluate(judged)));
    },
  );
});

describe('a ruling', () => {
  it('asks for no place and makes no sentence', () => {
    const c = inputOf({ batch: { pay: [pay('A', '60')] } });
    const mute = {
      ...c.policy,
      where: () => {
        throw new Error('nobody reads it');
      },
    };
    expect(evaluateRuling({ ...c, policy: mute })).toEqual({
      decision: 'DENY',
      codes: codes(evaluate(c), 'deny').toSorted(),
    });
  });
});

describe('a ruling of several codes', () => {
  it('names what denies and what is needed, sorted', () => {
    const c = inputOf({ batch: { pay: [pay('A', '60')] }, state: { approvals: [] } });
    const verdict = evaluate(c);
    const due = [...codes(verdict, 'deny'), ...codes(verdict, 'need')].toSorted();
    expect(due.length).toBeGreaterThan(1);
    expect(due).toContain('APPROVALS_MISSING');
    expect(evaluateRuling(c)).toEqual({ decision: verdict.decision, codes: due });
  });
});

describe('what several rules ask of one verdict', () => {
  it('is worked out once a context, and a failure is not kept', () => {
    let calls = 0;
    const asked = perVerdict(() => {
      calls += 1;
      if (calls === 1) throw new Error('not yet');
      return calls;
    });
    const twice = rule('twice', (context) => [
      finding(context, 'FEE_ABS', 'pass', `${asked(context)} ${asked(context)}`),
    ]);
    expect(codes(evaluateRules([twice], inputOf({})), 'deny')).toEqual(['EVAL_ERROR']);
    expect(evaluateRules([twice], inputOf({})).findings[0]?.text).toBe('2 2');
    expect(evaluateRules([twice], inputOf({})).findings[0]?.text).toBe('3 3');
  });
});

describe('the canonical verdict', () => {
  it('is RFC 8785 text without the name of the policy file', () => {
    const c = inputOf({});
    const text = canonicalVerdict(evaluate(c));
    const elsewhere = {
      ...c.policy,
      file: '/mnt/usb/cold.yaml',
      where: (field: string) => ({ ...c.policy.where(field), file: '/mnt/usb/cold.yaml' }),
    };
    expect(canonicalVerdict(evaluate({ ...c, policy: elsewhere }))).toBe(text);
    expect(
      text.startsWith('{"decision":"ALLOW","evaluated_at":"2026-06-01T12:00:00Z","fee":"100000","findings":['),
    ).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      schema: 'countersign.verdict/1',
      spend: '100100000',
      quorum: {
        basis: '100100000',
        missing: 0,
        tier: { up_to: '1000000000', m: 2, from: ['officers'], touch_required: false },
      },
    });
  });

  it('says "unlimited" of a tier without bound and leaves out a quorum that there is none of', () => {
    const high = judge({ batch: { pay: [pay('A', '40'), pay('C', '40')] }, now: NOW });
    expect(JSON.parse(canonicalVerdict(high))).toMatchObject({
      quorum: { tier: { up_to: 'unlimited', include: 'compliance' } },
    });
    const none = judge({ policy: { approvals: { tiers: [] } } });
    expect(JSON.parse(canonicalVerdict(none))).not.toHaveProperty('quorum');
  });

  it('sorts by outcome, then code, then subject, and says equal things once', () => {
    const context = { policy: loaded() };
    const pass = finding(context, 'FEE_ABS', 'pass', 'a');
    const warn = finding(context, 'LOOKALIKE', 'warn', 'a');
    const denyB = finding(context, 'LIMIT_OUTPUT', 'deny', 'a', { subject: 'b' });
    const denyA = finding(context, 'LIMIT_OUTPUT', 'deny', 'a', { subject: 'a' });
    const bare = finding(context, 'LIMIT_OUTPUT', 'deny', 'a');
    const need = finding(context, 'APPROVALS_MISSING', 'need', 'a');
    const sorted = sortFindings([pass, denyB, warn, denyA, need, bare, { ...denyA }]);
    expect(sorted).toEqual([bare, denyA, denyB, need, warn, pass]);
  });

  it('sorts what only its content tells apart by its content, whatever order it came in', () => {
    const context = { policy: loaded() };
    const said = ['c', 'a', 'b'].map((text) => finding(context, 'FEE_ABS', 'pass', text));
    const texts = (findings: typeof said) => sortFindings(findings).map(({ text }) => text);
    expect(texts(said)).toEqual(['a', 'b', 'c']);
    expect(texts(said.toReversed())).toEqual(['a', 'b', 'c']);
    expect(texts([...said, ...said])).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [{ file: 'p.yaml' }, {}],
    [{ file: 'p.yaml', line: 3 }, { line: 3 }],
    [
      { file: 'p.yaml', line: 3, column: 5 },
      { line: 3, column: 5 },
    ],
    [{ file: 'p.yaml', column: 5 }, {}],
  ])('keeps of the place %j what says where in the text', (where, kept) => {
    const verdict = judge({});
    const [first] = verdict.findings;
    if (first === undefined) throw new Error('it finds something');
    const [said] = JSON.parse(canonicalVerdict({ ...verdict, findings: [{ ...first, where }] })).findings;
    expect({ line: said.line, column: said.column }).toEqual({ line: undefined, column: undefined, ...kept });
  });

  it('leaves no trace of a field that is absent', () => {
    const verdict = judge({});
    const [first] = verdict.findings;
    if (first === undefined) throw new Error('it finds something');
    const odd = { ...first, subject: undefined } as unknown as typeof first;
    expect(canonicalVerdict({ ...verdict, findings: [odd] })).not.toContain('subject');
  });
});
