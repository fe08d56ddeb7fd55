import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex, toHex } from '../../src/domain/bytes.js';
import { feeForSize, feeForWeight, virtualSize } from '../../src/domain/feerate.js';
import { formatOutpoint } from '../../src/domain/outpoint.js';
import { type Sats, sumSats } from '../../src/domain/sats.js';
import { minimumChange } from '../../src/selection/change.js';
import { inputCost } from '../../src/selection/cost.js';
import { REPLACEABLE_SEQUENCE } from '../../src/selection/locktime.js';
import { INCREMENTAL_RELAY, planReplacement, type ReplacementInput } from '../../src/selection/replace.js';
import type { TransactionPlan } from '../../src/selection/types.js';
import { DEFAULT_LONG_TERM_FEERATE } from '../../src/selection/waste.js';
import type { VaultKind } from '../../src/vault/types.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { coinOf, LIMITS, paymentOf, scriptOf, vaultOf } from './make.js';

const CHANGE = { origin: { branch: 1, index: 7 } as const, script: scriptOf(2_000_007) };
const KINDS = ['wpkh', 'tr', 'wsh(sortedmulti)', 'pkh'] as const satisfies readonly VaultKind[];

function input(more: Partial<ReplacementInput> = {}): ReplacementInput {
  return {
    vault: vaultOf(),
    coins: [coinOf(1_000_000n, 1)],
    payments: [paymentOf(500_000n, 1)],
    more: [],
    feerate: null,
    atLeast: 1000n,
    feerateFloor: 1000n,
    outbid: { fees: 1000n, feerate: 5000n },
    change: CHANGE,
    limits: LIMITS,
    tipHeight: 840_000,
    seed: sha256Hex('seed'),
    ...more,
  };
}

function planned(more: Partial<ReplacementInput>): TransactionPlan {
  const result = planReplacement(input(more));
  if (!result.ok) throw new Error(`${result.error.tag}: ${result.error.message}`);
  return result.value;
}

const tagOf = (more: Partial<ReplacementInput>): string => {
  const result = planReplacement(input(more));
  return result.ok ? 'ok' : result.error.tag;
};

const sats = (min: bigint, max: bigint): fc.Arbitrary<Sats> => fc.bigInt({ min, max });
/** Batches whose change is large, small, none at all, or less than the fee that is asked for. */
const anyInput: fc.Arbitrary<ReplacementInput> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    values: fc.array(sats(600n, 300_000n), { minLength: 1, maxLength: 4 }),
    share: fc.integer({ min: 0, max: 1000 }),
    payees: fc.nat(3),
    more: fc.array(sats(600n, 300_000n), { maxLength: 4 }),
    feerate: fc.option(sats(500n, 60_000n)),
    atLeast: sats(1000n, 30_000n),
    floor: sats(0n, 5000n),
    fees: sats(0n, 40_000n),
    outbid: sats(0n, 40_000n),
    maxInputs: fc.integer({ min: 1, max: 8 }),
    seed: fc.nat(),
  })
  .map(({ kind, values, share, payees, more, feerate, atLeast, floor, fees, outbid, maxInputs, seed }) => {
    const total = sumSats(values);
    const each = payees === 0 ? 0n : (total * BigInt(share)) / 1000n / BigInt(payees);
    const payments = Array.from({ length: each < 600n ? 0 : payees }, (_, number) => paymentOf(each, number));
    return input({
      vault: vaultOf(kind),
      coins: values.map((value, number) => coinOf(value, number)),
      payments,
      more: more.map((value, number) => coinOf(value, 100 + number)),
      feerate,
      atLeast,
      feerateFloor: floor,
      outbid: { fees, feerate: outbid },
      limits: { ...LIMITS, maxInputs },
      seed: sha256Hex(`${seed}`),
    });
  });

/** The weight of what is planned, counted anew. */
function weightOf({ vault }: ReplacementInput, { inputs, outputs }: TransactionPlan): bigint {
  return signedTransactionWeight(
    vault,
    inputs.length,
    outputs.map(({ script }) => script),
  );
}

/** Runs a check over inputs for which there is a plan, and sees to it that these are many. */
function holds(check: (input: ReplacementInput, plan: TransactionPlan) => void): void {
  let count = 0;
  fc.assert(
    fc.property(anyInput, (one) => {
      const plan = planReplacement(one);
      if (!plan.ok) return;
      count += 1;
      check(one, plan.value);
    }),
    { numRuns: 1500 },
  );
  expect(count).toBeGreaterThan(200);
}

describe('whatever is replaced', () => {
  it('the payments are the same, to the sat, and nothing else is paid but change', () => {
    holds(({ payments }, { outputs }) => {
      const made = outputs.flatMap((one) =>
        one.kind === 'payment' ? [`${one.requestId} ${toHex(one.script)} ${one.value}`] : [],
      );
      expect(made.sort()).toEqual(payments.map((one) => `${one.requestId} ${toHex(one.script)} ${one.value}`).sort());
      const own = outputs.filter(({ kind }) => kind === 'change');
      expect(own.length).toBeLessThanOrEqual(1);
      for (const { script } of own) expect(toHex(script)).toBe(toHex(CHANGE.script));
    });
  });

  it('every coin of the batch is spent, further ones come from the offer, and none twice', () => {
    holds(({ coins, more, limits }, { inputs, sequence }) => {
      const spent = inputs.map(({ outpoint }) => formatOutpoint(outpoint));
      expect(new Set(spent).size).toBe(spent.length);
      for (const { outpoint } of coins) expect(spent).toContain(formatOutpoint(outpoint));
      const offered = new Set([...coins, ...more].map(({ outpoint }) => formatOutpoint(outpoint)));
      expect(spent.filter((one) => !offered.has(one))).toEqual([]);
      expect(inputs.length).toBeLessThanOrEqual(Math.max(limits.maxInputs, coins.length));
      expect(sequence).toBe(REPLACEABLE_SEQUENCE);
    });
  });

  it('the fee is what is left, and nodes take it: more than all that is driven out, 1 sat/vB besides, a higher feerate', () => {
    holds((one, plan) => {
      const { inputs, outputs, fee } = plan;
      expect(sumSats(inputs.map(({ value }) => value))).toBe(sumSats(outputs.map(({ value }) => value)) + fee);
      const weight = weightOf(one, plan);
      expect(plan.weight).toBe(weight);
      const size = virtualSize(weight);
      expect(fee).toBeGreaterThanOrEqual(one.outbid.fees + size);
      expect(fee * 1000n).toBeGreaterThan(one.outbid.feerate * size);
      if (one.feerate === null) expect(fee).toBeGreaterThanOrEqual(feeForWeight(one.atLeast, weight));
    });
  });

  it('change is worth its own spending and never dust', () => {
    holds(({ vault }, { outputs }) => {
      const least = minimumChange(CHANGE.script, inputCost(vault).weight, DEFAULT_LONG_TERM_FEERATE);
      for (const { kind, value } of outputs) if (kind === 'change') expect(value).toBeGreaterThanOrEqual(least);
    });
  });

  it('a cancellation pays the vault alone, once', () => {
    holds(({ payments }, { outputs }) => {
      if (payments.length > 0) return;
      expect(outputs.map(({ kind, script }) => [kind, toHex(script)])).toEqual([['change', toHex(CHANGE.script)]]);
    });
  });

  it('the same is planned however the coins on offer are listed', () => {
    holds((one, plan) => {
      expect(planReplacement({ ...one, more: [...one.more].reverse() })).toEqual({ ok: true, value: plan });
    });
  });
});

describe('a feerate that was asked for', () => {
  it('is refused where it does not replace, with the least that does: that one is taken, and a thousandth less is not', () => {
    let count = 0;
    fc.assert(
      fc.property(anyInput, sats(1n, 60_000n), (any, feerate) => {
        // With change enough, so that nothing but the feerate decides.
        const one = { ...any, feerate, feerateFloor: 0n, more: [], coins: [...any.coins, coinOf(50_000_000n, 99)] };
        const refused = planReplacement(one);
        if (refused.ok) return;
        count += 1;
        expect(refused.error.tag).toBe('E_REPLACE_FEE');
        const [, whole = '', decimals = ''] = /--feerate (\d+)(?:\.(\d+))?/.exec(refused.error.remedy ?? '') ?? [];
        const least = BigInt(whole) * 1000n + BigInt(decimals.padEnd(3, '0'));
        expect(tagOf({ ...one, feerate: least })).toBe('ok');
        expect(tagOf({ ...one, feerate: least - 1n })).toBe('E_REPLACE_FEE');
      }),
      { numRuns: 500 },
    );
    expect(count).toBeGreaterThan(50);
  });

  it('that pays less than a sat for each vB of its own size is never enough', () => {
    const outbid = { fees: 0n, feerate: 0n };
    expect(tagOf({ feerate: INCREMENTAL_RELAY, outbid })).toBe('ok');
    expect(tagOf({ feerate: (INCREMENTAL_RELAY * 99n) / 100n, outbid })).toBe('E_REPLACE_FEE');
  });
});

describe('change that does not suffice', () => {
  const payments = [paymentOf(500_000n, 1)];
  const vault = vaultOf();
  const bare = signedTransactionWeight(vault, 1, [paymentOf(0n, 1).script]);
  const full = signedTransactionWeight(vault, 1, [paymentOf(0n, 1).script, CHANGE.script]);
  const outbid = { fees: 2000n, feerate: 1000n };
  const least = (weight: bigint): Sats => outbid.fees + feeForSize(INCREMENTAL_RELAY, weight);
  const tag = (rest: Sats): string => tagOf({ coins: [coinOf(500_000n + rest, 1)], payments, outbid });

  it('goes to the fee where that replaces without it: at the limit, one sat over, one under', () => {
    expect(tag(least(bare))).toBe('ok');
    expect(tag(least(bare) + 1n)).toBe('ok');
    expect(tag(least(bare) - 1n)).toBe('E_PLAN_INSUFFICIENT');
  });

  it('at a feerate that just replaces with change, that feerate alone is too little without: the same limits hold', () => {
    const feerate = (least(full) * 4000n) / full + 1n;
    expect(tagOf({ coins: [coinOf(600_000n, 1)], payments, outbid, feerate })).toBe('ok');
    const at = (rest: Sats): string => tagOf({ coins: [coinOf(500_000n + rest, 1)], payments, outbid, feerate });
    expect(feeForSize(feerate, bare)).toBeLessThan(least(bare) - 100n);
    expect([least(bare), least(bare) + 1n].map(at)).toEqual(['ok', 'ok']);
    expect([least(bare) - 1n, feeForSize(feerate, bare)].map(at)).toEqual(Array(2).fill('E_PLAN_INSUFFICIENT'));
  });

  it('stays where it is the least that is worth keeping, and not one sat below', () => {
    const smallest = minimumChange(CHANGE.script, inputCost(vault).weight, DEFAULT_LONG_TERM_FEERATE);
    const withRest = (rest: Sats) => planned({ coins: [coinOf(500_000n + rest, 1)], payments, outbid });
    expect(withRest(least(full) + smallest).outputs).toHaveLength(2);
    expect(withRest(least(full) + smallest - 1n).outputs).toHaveLength(1);
  });

  it('is helped by the smallest coin that suffices', () => {
    const more = [50_000n, 9000n, 1000n].map((value, number) => coinOf(value, 100 + number));
    const { inputs } = planned({ coins: [coinOf(500_000n, 1)], payments, outbid, more });
    expect(inputs.map(({ value }) => value).sort()).toEqual([500_000n, 9000n]);
  });

  it('of a cancellation is the whole of it: at the least worth keeping, and one sat below', () => {
    const alone = signedTransactionWeight(vault, 1, [CHANGE.script]);
    const smallest = minimumChange(CHANGE.script, inputCost(vault).weight, DEFAULT_LONG_TERM_FEERATE);
    const cancel = (value: Sats): string => tagOf({ coins: [coinOf(value, 1)], payments: [], outbid });
    expect(cancel(least(alone) + smallest)).toBe('ok');
    expect(cancel(least(alone) + smallest - 1n)).toBe('E_PLAN_INSUFFICIENT');
  });
});
