import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex, toHex } from '../../src/domain/bytes.js';
import type { Coin } from '../../src/domain/coin.js';
import { feeForSize, feeForWeight } from '../../src/domain/feerate.js';
import { formatOutpoint } from '../../src/domain/outpoint.js';
import { sumSats } from '../../src/domain/sats.js';
import { type ConsolidationInput, planConsolidation } from '../../src/selection/consolidate.js';
import { inputCost } from '../../src/selection/cost.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { coinOf, coinsOf, LIMITS, scriptOf, vaultOf } from './make.js';

const CHANGE = { origin: { branch: 1, index: 0 }, script: scriptOf(2_000_000) } as const;

const inputOf = (more: Partial<ConsolidationInput> = {}): ConsolidationInput => ({
  vault: vaultOf(),
  coins: coinsOf(5_000_000n, 5_000n, 400_000n, 90_000n),
  staying: new Set(),
  withheld: [],
  smallBelow: 10_000n,
  feerate: 20_000n,
  feerateFloor: 1_000n,
  limits: LIMITS,
  tipHeight: 840_000,
  seed: sha256Hex('seed'),
  change: CHANGE,
  ...more,
});

function valuesOf(more: Partial<ConsolidationInput> = {}): readonly bigint[] {
  const plan = planConsolidation(inputOf(more));
  if (!plan.ok) throw new Error(`${plan.error.tag}: ${plan.error.message}`);
  return plan.value.inputs.map(({ value }) => value).toSorted((a, b) => (a < b ? -1 : 1));
}

function refused(more: Partial<ConsolidationInput>) {
  const plan = planConsolidation(inputOf(more));
  if (plan.ok) throw new Error('planned');
  return plan.error;
}

/** On the script of another coin. */
const beside = (number: number, value: bigint, other: number): Coin => ({
  ...coinOf(value, number),
  script: scriptOf(other),
});

describe('a consolidation', () => {
  it('puts all coins together that fit, small ones included, and pays the feerate', () => {
    const plan = planConsolidation(inputOf());
    if (!plan.ok) throw new Error(plan.error.message);
    const { inputs, outputs, fee, weight } = plan.value;
    expect(inputs.length).toBe(4);
    expect(weight).toBe(signedTransactionWeight(vaultOf(), 4, [CHANGE.script]));
    expect(fee).toBe(feeForWeight(20_000n, weight));
    expect(outputs).toEqual([{ kind: 'change', ...CHANGE, value: 5_495_000n - fee }]);
  });

  it('takes the smallest first, where not all fit', () => {
    const limits = { ...LIMITS, maxInputs: 2 };
    expect(valuesOf({ limits })).toEqual([5_000n, 90_000n]);
    expect(valuesOf({ limits: { ...LIMITS, maxInputs: 3 } })).toEqual([5_000n, 90_000n, 400_000n]);
  });

  it('keeps to the weight that nodes relay', () => {
    const weightOf = (inputs: number) => signedTransactionWeight(vaultOf(), inputs, [CHANGE.script]);
    const within = (maxWeight: bigint) => valuesOf({ limits: { ...LIMITS, maxWeight } }).length;
    expect(within(weightOf(3))).toBe(3);
    expect(within(weightOf(3) - 1n)).toBe(2);
  });

  it('leaves a coin that its input costs, and takes one that brings a satoshi', () => {
    const inputFee = feeForWeight(20_000n, inputCost(vaultOf()).weight);
    const worth = (value: bigint) => valuesOf({ coins: coinsOf(5_000_000n, 400_000n, value) });
    expect(worth(inputFee)).toEqual([400_000n, 5_000_000n]);
    expect(worth(inputFee + 1n)).toEqual([inputFee + 1n, 400_000n, 5_000_000n]);
  });

  it('takes dust with all coins of its script, or leaves it', () => {
    const dust = beside(9, 546n, 1);
    const coins = [...coinsOf(5_000_000n, 400_000n), dust];
    expect(valuesOf({ coins })).toEqual([546n, 400_000n, 5_000_000n]);
    const staying = new Set([toHex(scriptOf(1))]);
    expect(valuesOf({ coins, staying })).toEqual([400_000n, 5_000_000n]);
    expect(valuesOf({ coins: [...coins, coinOf(60_000n, 5)], limits: { ...LIMITS, maxInputs: 2 } })).toEqual([
      60_000n,
      5_000_000n,
    ]);
  });

  it('divides a script with no small coin where not all fit', () => {
    const coins = [coinOf(50_000n, 1), beside(2, 60_000n, 1), beside(3, 70_000n, 1)];
    expect(valuesOf({ coins, limits: { ...LIMITS, maxInputs: 2 } })).toEqual([50_000n, 60_000n]);
  });

  it('refuses where there are not two, says what is not on offer, or the sum is not worth a coin', () => {
    expect(refused({ coins: [] }).tag).toBe('E_PLAN_NOTHING');
    const withheld = [{ reason: 'are frozen', coins: 3, value: 7_000n }];
    const one = refused({ coins: coinsOf(5_000_000n), withheld });
    expect(one.message).toMatch(/1 coin is on offer, of which fewer than two .*3 of 7000 sat .* that are frozen/);
    const fee = feeForWeight(20_000n, inputCost(vaultOf()).weight);
    expect(refused({ coins: coinsOf(fee + 1n, fee + 1n) }).message).toContain('not worth their fee');
    expect(refused({ limits: { ...LIMITS, maxInputs: 1 } }).tag).toBe('E_PLAN_NOTHING');
    expect(refused({ seed: 'x' }).tag).toBe('E_PLAN_SEED');
    expect(refused({ coins: coinsOf(21_000_000n * 100_000_000n, 1n) }).tag).toBe('E_AMOUNT_RANGE');
  });
});

const drawn = fc
  .record({
    coins: fc.array(fc.tuple(fc.bigInt(300n, 200_000n), fc.integer({ min: 0, max: 12 })), { maxLength: 40 }),
    staying: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }),
    maxInputs: fc.integer({ min: 0, max: 30 }),
    feerate: fc.bigInt(1_000n, 100_000n),
    floorBy: fc.constantFrom(-500n, 0n, 700n),
    kind: fc.constantFrom('wpkh', 'pkh', 'tr', 'sh(wpkh)', 'wsh(sortedmulti)', 'sh(wsh(sortedmulti))'),
    seed: fc.nat(),
  })
  .map(({ coins, staying, maxInputs, feerate, floorBy, kind, seed }) =>
    inputOf({
      vault: vaultOf(kind),
      coins: coins.map(([value, script], index) => beside(index, value, script)),
      staying: new Set(staying.map((script) => toHex(scriptOf(script)))),
      limits: { ...LIMITS, maxInputs },
      feerate,
      feerateFloor: feerate + floorBy,
      seed: sha256Hex(`${seed}`),
    }),
  );

it('every plan is in balance, within limits, takes small coins with all of their script, and leaves no smaller one', () => {
  let plans = 0;
  fc.assert(
    fc.property(drawn, (input) => {
      const result = planConsolidation(input);
      if (!result.ok) {
        expect(result.error.tag).toBe('E_PLAN_NOTHING');
        return;
      }
      plans += 1;
      const { inputs, outputs, fee, weight } = result.value;
      const names = inputs.map(({ outpoint }) => formatOutpoint(outpoint));
      expect(new Set(names).size).toBe(inputs.length);
      expect(inputs.length).toBeGreaterThanOrEqual(2);
      expect(inputs.length).toBeLessThanOrEqual(input.limits.maxInputs);
      expect(weight).toBe(signedTransactionWeight(input.vault, inputs.length, [CHANGE.script]));
      expect(outputs.length).toBe(1);
      expect(sumSats(inputs.map(({ value }) => value))).toBe(sumSats(outputs.map(({ value }) => value)) + fee);
      expect(fee).toBeGreaterThanOrEqual(feeForWeight(input.feerate, weight));
      if (input.feerate >= input.feerateFloor) {
        expect(fee).toBeGreaterThanOrEqual(feeForSize(input.feerateFloor, weight));
      }
      for (const coin of inputs.filter(({ value }) => value < input.smallBelow)) {
        const script = toHex(coin.script);
        expect(input.staying.has(script)).toBe(false);
        const together = input.coins.filter((one) => toHex(one.script) === script);
        for (const { outpoint } of together) expect(names).toContain(formatOutpoint(outpoint));
      }
    }),
  );
  expect(plans).toBeGreaterThan(20);
});

it('does not depend on the order of coins', () => {
  fc.assert(
    fc.property(
      drawn.chain((input) =>
        fc.tuple(fc.constant(input), fc.shuffledSubarray([...input.coins], { minLength: input.coins.length })),
      ),
      ([input, shuffled]) => {
        expect(planConsolidation({ ...input, coins: shuffled })).toEqual(planConsolidation(input));
      },
    ),
  );
});
