import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Sats } from '../../src/domain/sats.js';
import { createBookIndex } from '../../src/policy/book-index.js';
import { evaluate, evaluateRules, evaluateRuling } from '../../src/policy/evaluate.js';
import { RULES } from '../../src/policy/rules/index.js';
import { rollingLimits } from '../../src/policy/rules/rolling.js';
import type { EvaluationInput, PolicyDocument, SpendRecord } from '../../src/policy/types.js';
import { canonicalVerdict } from '../../src/policy/verdict.js';
import { createSpendIndex } from '../../src/policy/windows.js';
import { runs } from '../runs.js';
import {
  ADDRESSES,
  approvedBy,
  btc,
  type Case,
  DAY,
  HOUR,
  inputOf,
  NOW,
  type Pay,
  type PolicyChange,
  type SpendChange,
  spent,
  TIP,
  txid,
} from './fixture.js';

const amount = (most: string): fc.Arbitrary<Sats> => fc.bigInt({ min: 100_000n, max: btc(most) });
const someone = fc.constantFrom(...(Object.keys(ADDRESSES) as (keyof typeof ADDRESSES)[]));

// Cases lie near the limits, and most of them break few: a case that breaks many says nothing about any of them.
const payment: fc.Arbitrary<Pay> = fc.oneof(
  { arbitrary: fc.tuple(fc.constantFrom('A', 'B', 'C', 'D', 'E'), amount('22')), weight: 20 },
  { arbitrary: fc.tuple(fc.constant('F'), amount('4')), weight: 4 },
  { arbitrary: fc.tuple(someone, amount('51')), weight: 1 },
);
const feeOf = fc.oneof(
  { arbitrary: fc.constant(1_000n), weight: 8 },
  fc.constantFrom(399n, 120_000n, 120_001n, 1_000_001n),
);
const QUORUM = ['alice', 'bob', 'carol', 'erin'];
const approvers = fc.oneof(
  { arbitrary: fc.constant(QUORUM), weight: 3 },
  fc.subarray([...QUORUM, 'dave', 'ivan', 'mallory']),
);

/** Coins u0 to u5: earlier batches and this one may want the same. */
const coinName = fc.integer({ min: 0, max: 5 }).map((index) => `u${index}`);

const spendOptions: fc.Arbitrary<SpendChange> = fc.oneof(
  fc.record({ ago: fc.integer({ min: 1, max: 9 * DAY }), to: someone }),
  fc.record({
    unconfirmed: fc.constant(true),
    to: someone,
    inputs: fc.uniqueArray(coinName, { minLength: 1, maxLength: 2 }),
  }),
);
const earlier = fc
  .array(fc.tuple(amount('70'), spendOptions), { maxLength: 6 })
  .map((list) => list.map(([sats, options]) => spent(sats, options)));

const coin = (value: Sats) => ({ confirmations: 9, coinbase: false, value, leftOnScript: 0 });

const cases: fc.Arbitrary<Case> = fc
  .record({
    pay: fc.array(payment, { minLength: 1, maxLength: 5 }),
    fee: feeOf,
    inputs: fc.uniqueArray(coinName, { minLength: 1, maxLength: 3 }),
    spends: earlier,
    approvers,
  })
  .map(({ pay, fee, inputs, spends, approvers }) => ({
    batch: {
      pay,
      fee,
      inputs: inputs.map((name, index) => ({
        outpoint: { txid: txid(name), vout: 0 },
        ...(index === 0 ? {} : { value: 20_000n, coin: coin(20_000n) }),
      })),
    },
    state: { spends, approvals: approvedBy(...approvers) },
  }));

const shuffledMap = <K, V>(map: ReadonlyMap<K, V>): fc.Arbitrary<ReadonlyMap<K, V>> =>
  fc.shuffledSubarray([...map], { minLength: map.size }).map((entries) => new Map(entries));
const shuffled = <T>(list: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...list], { minLength: list.length });

/** The same case with everything in another order that may be in another order. */
function reordered(input: EvaluationInput): fc.Arbitrary<EvaluationInput> {
  const { facts, state, policy } = input;
  const { document } = policy;
  return fc
    .record({
      inputs: shuffled(facts.inputs),
      outputs: shuffled(facts.outputs),
      requests: shuffled(input.requests),
      spends: shuffled(state.spends),
      approvals: shuffled(state.approvals),
      destinations: shuffledMap(state.destinations),
      roles: shuffledMap(document.roles),
      tiers: shuffled(document.approvals.tiers),
      caps24h: shuffledMap(document.destinations.caps24h),
    })
    .map((other) => ({
      ...input,
      facts: {
        ...facts,
        inputs: other.inputs.map((fact, index) => ({ ...fact, index })),
        outputs: other.outputs.map((fact, index) => ({ ...fact, index })),
      },
      requests: other.requests,
      state: { ...state, spends: other.spends, approvals: other.approvals, destinations: other.destinations },
      policy: {
        ...policy,
        document: {
          ...document,
          roles: other.roles,
          approvals: { ...document.approvals, tiers: other.tiers },
          destinations: { ...document.destinations, caps24h: other.caps24h },
        },
      },
    }));
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)) {
    Object.freeze(value);
    const parts = value instanceof Map ? [...value.values()] : Object.values(value);
    for (const part of parts) frozen(part);
  }
  return value;
}

describe('the generated cases', () => {
  it('reach every decision often enough to say something', () => {
    const decisions = fc.sample(cases, { numRuns: 300, seed: 7 }).map((c) => evaluate(inputOf(c)).decision);
    for (const decision of ['ALLOW', 'NEED', 'DENY']) {
      expect(decisions.filter((one) => one === decision).length).toBeGreaterThan(20);
    }
  });
});

const bytes = (input: EvaluationInput): string => canonicalVerdict(evaluate(input));

describe('section 19: properties', () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it('a ruling is the decision and the codes of the verdict, whatever was arranged for it before', () => {
    fc.assert(
      fc.property(cases.map(inputOf), (input) => {
        const { decision, findings } = evaluate(input);
        const denying = findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need');
        const ruling = { decision, codes: [...new Set(denying.map(({ code }) => code))].sort() };
        const { state, policy } = input;
        const spends = createSpendIndex(state.spends);
        const book = createBookIndex(state.destinations, policy.document.wallet.network);
        expect(evaluateRuling(input)).toEqual(ruling);
        expect(evaluateRuling(input, { spends, book })).toEqual(ruling);
        expect(canonicalVerdict(evaluate(input, spends, book))).toBe(bytes(input));
      }),
      { numRuns: runs(200) },
    );
  });

  it('1: no order of anything changes verdict or reasons', () => {
    const pairs = cases.map(inputOf).chain((input) => fc.tuple(fc.constant(input), reordered(input), shuffled(RULES)));
    fc.assert(
      fc.property(pairs, ([input, other, rules]) => {
        expect(canonicalVerdict(evaluateRules(rules, other))).toBe(bytes(input));
      }),
      { numRuns: runs(150) },
    );
  });

  // A floor, a fraction and a minimum are cured by adding: they are switched off, everything else is on.
  const GROWING: PolicyChange = { fees: { minRate: 0n, bpAppliesAbove: btc('1000') } };

  const growth = fc.oneof(
    payment.map(
      (added) =>
        (c: Case): Case => ({ ...c, batch: { ...c.batch, pay: [...(c.batch?.pay ?? []), added] } }),
    ),
    amount('20').map((more) => (c: Case): Case => {
      const [[to, value] = ['A', 0n] as const, ...rest] = c.batch?.pay ?? [];
      return { ...c, batch: { ...c.batch, pay: [[to, value + more], ...rest] } };
    }),
    fc.bigInt({ min: 1n, max: 1_000_000n }).map(
      (more) =>
        (c: Case): Case => ({ ...c, batch: { ...c.batch, fee: (c.batch?.fee ?? 0n) + more } }),
    ),
    fc.tuple(amount('70'), spendOptions).map(([sats, options]) => (c: Case): Case => {
      const added = spent(sats, options);
      return { ...c, state: { ...c.state, spends: [...(c.state?.spends ?? []), added] } };
    }),
  );

  it('2: adding an output, an amount, a fee or an earlier spend never turns DENY into ALLOW, nor NEED into ALLOW', () => {
    fc.assert(
      fc.property(cases, growth, (before, grow) => {
        const c = { ...before, policy: GROWING };
        const [first, second] = [evaluate(inputOf(c)), evaluate(inputOf(grow(c)))];
        if (first.decision === 'DENY') expect(second.decision).toBe('DENY');
        if (first.decision === 'NEED') expect(second.decision).not.toBe('ALLOW');
      }),
      { numRuns: runs(300) },
    );
  });

  const less = (sats: Sats | null): Sats => (sats ?? btc('100')) / 3n;
  const tightenings: readonly ((document: PolicyDocument) => PolicyChange)[] = [
    ({ limits }) => ({ limits: { batch: less(limits.batch) } }),
    ({ limits }) => ({ limits: { output: less(limits.output) } }),
    ({ limits: { rolling } }) => ({ limits: { rolling: { ...rolling, '1h': less(rolling['1h']) } } }),
    ({ limits: { rolling } }) => ({ limits: { rolling: { ...rolling, '24h': less(rolling['24h']) } } }),
    ({ limits: { rolling } }) => ({ limits: { rolling: { ...rolling, '7d': less(rolling['7d']) } } }),
    ({ limits }) => ({ limits: { signedUnconfirmed: less(limits.signedUnconfirmed) } }),
    ({ limits }) => ({ limits: { reserveFloor: limits.reserveFloor * 5n } }),
    () => ({ limits: { batches24h: 2, outputsPerBatch: 2 } }),
    ({ destinations }) => ({ destinations: { cooldown: 2 * destinations.cooldown } }),
    ({ destinations: { young } }) => ({ destinations: { young: { ...young, untilAge: 500 * DAY } } }),
    ({ destinations: { young } }) => ({ destinations: { young: { ...young, all24h: less(young.all24h) } } }),
    () => ({ destinations: { defaultCap24h: btc('5'), caps24h: new Map() } }),
    ({ approvals }) => ({ approvals: { tiers: approvals.tiers.map((tier) => ({ ...tier, m: tier.m + 1 })) } }),
    ({ approvals }) => ({ approvals: { tiers: approvals.tiers.slice(1) } }),
    () => ({ fees: { maxAbs: 1000n, max24h: 1000n } }),
    () => ({ hours: { days: ['tue'] } }),
  ];

  it('3: a tighter policy never turns DENY or NEED into ALLOW', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...tightenings), (c, tighten) => {
        const { document } = inputOf(c).policy;
        const [first, second] = [evaluate(inputOf(c)), evaluate(inputOf({ ...c, policy: tighten(document) }))];
        if (first.decision === 'DENY') expect(second.decision).toBe('DENY');
        if (first.decision === 'NEED') expect(second.decision).not.toBe('ALLOW');
      }),
      { numRuns: runs(300) },
    );
  });

  it('4: splitting a batch lets no more through, and does not lower the tier', () => {
    const pieces = fc.array(fc.tuple(fc.constantFrom('A', 'B', 'C', 'F'), amount('30')), {
      minLength: 2,
      maxLength: 5,
    });
    const policy: PolicyChange = { ...GROWING, limits: { batch: null, output: null, batches24h: 100 } };
    const fee = 1000n;
    fc.assert(
      fc.property(pieces, earlier, (pay, spends) => {
        let done: readonly SpendRecord[] = spends;
        let denied = false;
        let tier = 0;
        for (const piece of pay) {
          const part = evaluate(inputOf({ policy, batch: { pay: [piece], fee }, state: { spends: done } }));
          denied ||= part.decision === 'DENY';
          tier = Math.max(tier, part.quorum?.tier.m ?? 0);
          done = [...done, spent(piece[1] + fee, { fee, to: piece[0], unconfirmed: true })];
        }
        const whole = evaluate(inputOf({ policy, batch: { pay, fee: fee * BigInt(pay.length) }, state: { spends } }));
        if (whole.decision === 'DENY') expect(denied).toBe(true);
        expect(tier).toBeGreaterThanOrEqual(whole.quorum?.tier.m ?? 0);
      }),
      { numRuns: runs(150) },
    );
  });

  interface Step {
    readonly wait: number;
    readonly sats: Sats;
    readonly inputs: readonly string[];
    /** Seconds until it confirms, if no rival does before. */
    readonly confirmsIn: number;
    /** Seconds after its confirmation until it has 6. */
    readonly settlesIn: number;
  }

  const step: fc.Arbitrary<Step> = fc.record({
    wait: fc.integer({ min: 0, max: 12 * HOUR }),
    sats: amount('90'),
    inputs: fc.uniqueArray(
      fc.integer({ min: 0, max: 30 }).map((index) => `u${index}`),
      { minLength: 1, maxLength: 2 },
    ),
    confirmsIn: fc.integer({ min: 60, max: 40 * HOUR }),
    settlesIn: fc.integer({ min: HOUR, max: 3 * HOUR }),
  });

  it('5: whatever is allowed and however late it confirms, no interval on the chain holds more than its limit', () => {
    const windows = [HOUR, DAY, 7 * DAY] as const;
    const limits = [btc('120'), btc('200'), btc('500')] as const;
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        const allowed: (Step & { readonly record: SpendRecord; readonly confirmsAt: number })[] = [];
        const confirmedOf = (): typeof allowed => {
          const inChain: typeof allowed = [];
          for (const one of allowed.toSorted((a, b) => a.confirmsAt - b.confirmsAt)) {
            const taken = new Set(inChain.flatMap(({ record }) => record.inputs));
            if (!one.record.inputs.some((name) => taken.has(name))) inChain.push(one);
          }
          return inChain;
        };
        let now = NOW;
        for (const next of steps) {
          now += next.wait;
          const chain = confirmedOf().filter(({ confirmsAt }) => confirmsAt <= now);
          const spentCoins = new Set(chain.flatMap(({ record }) => record.inputs));
          if (next.inputs.some((name) => spentCoins.has(`${txid(name)}:0`))) continue;
          const spends = allowed.map((one) => {
            const settled = chain.includes(one) && one.confirmsAt + one.settlesIn <= now;
            return settled ? { ...one.record, confirmed: { at: one.confirmsAt, height: TIP } } : one.record;
          });
          const inputs = next.inputs.map((name, index) => ({
            outpoint: { txid: txid(name), vout: 0 },
            ...(index === 0 ? {} : { value: 10_000n }),
          }));
          const batch = { pay: [['A', next.sats] as const], fee: 0n, inputs };
          const verdict = evaluateRules(rollingLimits, inputOf({ batch, now, state: { spends, lastEntryAt: now } }));
          if (verdict.decision !== 'ALLOW') continue;
          const record = spent(next.sats, { unconfirmed: true, inputs: next.inputs });
          allowed.push({ ...next, record, confirmsAt: now + next.confirmsIn });
        }
        const chain = confirmedOf();
        for (const { confirmsAt } of chain) {
          for (const [index, window] of windows.entries()) {
            const held = chain.filter((one) => one.confirmsAt > confirmsAt - window && one.confirmsAt <= confirmsAt);
            const outflow = held.reduce((sum, { sats }) => sum + sats, 0n);
            expect(outflow <= (limits[index] ?? 0n)).toBe(true);
          }
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it('6: the same input gives the same bytes, in any time zone, and is left as it was', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom('UTC', 'Pacific/Auckland', 'America/St_Johns'), (c, zoneName) => {
        const input = frozen(inputOf(c));
        const first = bytes(input);
        process.env.TZ = zoneName;
        expect(bytes(input)).toBe(first);
        expect(bytes(inputOf(c))).toBe(first);
      }),
      { numRuns: runs(100) },
    );
  });
});
