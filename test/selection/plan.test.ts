import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/domain/bytes.js';
import { feeForSize, feeForWeight, virtualSize } from '../../src/domain/feerate.js';
import { sumSats } from '../../src/domain/sats.js';
import { dustThreshold } from '../../src/domain/script.js';
import { inputCost } from '../../src/selection/cost.js';
import { type PlanInput, planTransactions } from '../../src/selection/plan.js';
import { random } from '../../src/selection/random.js';
import type { TransactionPlan } from '../../src/selection/types.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import {
  coinOf,
  coinsOf,
  idOf,
  paymentOf,
  paymentsOf,
  planInput,
  planned,
  refused,
  scriptOf,
  vaultOf,
} from './make.js';

const changeOf = (plan: TransactionPlan): readonly bigint[] =>
  plan.outputs.flatMap((output) => (output.kind === 'change' ? [output.value] : []));

const inputs = fc
  .record({
    values: fc.array(fc.bigInt(300n, 3_000_000n), { minLength: 1, maxLength: 60 }),
    paid: fc.array(fc.bigInt(300n, 1_000_000n), { minLength: 1, maxLength: 30 }),
    feerate: fc.bigInt(1_000n, 200_000n),
    longTermFeerate: fc.bigInt(1_000n, 50_000n),
    maxInputs: fc.integer({ min: 1, max: 60 }),
    maxOutputs: fc.integer({ min: 1, max: 12 }),
    maxWeight: fc.bigInt(500n, 20_000n),
    kind: fc.constantFrom('wpkh', 'pkh', 'tr', 'sh(wpkh)', 'wsh(sortedmulti)', 'sh(wsh(sortedmulti))'),
    seed: fc.nat(),
    floorBy: fc.constantFrom(-500n, 0n, 0n, 1n, 100_000n),
  })
  .map(({ values, paid, maxInputs, maxOutputs, maxWeight, seed, kind, floorBy, ...rest }) =>
    planInput({
      ...rest,
      feerateFloor: rest.feerate + floorBy,
      vault: vaultOf(kind),
      coins: values.map(coinOf),
      payments: paid.map(paymentOf),
      limits: { maxInputs, maxOutputs, maxWeight },
      seed: sha256Hex(`${seed}`),
    }),
  );

describe('a plan', () => {
  it('pays everything, in balance, at the feerate, within the limits, with no coin twice; or is refused for a reason', () => {
    const seen = { planned: 0, split: 0, changeless: 0, refused: new Set<string>() };
    fc.assert(
      fc.property(inputs, (input) => {
        const result = planTransactions(input);
        if (!result.ok) {
          seen.refused.add(result.error.tag);
          expect(['E_PLAN_INSUFFICIENT', 'E_PLAN_INFEASIBLE', 'E_PLAN_ROUNDS']).toContain(result.error.tag);
          expect(result.error.remedy).toBeTruthy();
          return;
        }
        seen.planned++;
        if (result.value.length > 1) seen.split++;
        const offered = new Map(input.coins.map((coin) => [idOf(coin), coin]));
        const cost = inputCost(input.vault);
        for (const plan of result.value) {
          const scripts = plan.outputs.map(({ script }) => script);
          const weight = signedTransactionWeight(input.vault, plan.inputs.length, scripts);
          const floored = input.feerate < (input.feerateFloor ?? 0n) ? 0n : (input.feerateFloor ?? 0n);
          const byWeight = feeForWeight(input.feerate, weight);
          const bySize = feeForSize(floored, weight);
          const due = byWeight > bySize ? byWeight : bySize;
          expect(plan.fee * 1000n >= floored * virtualSize(weight)).toBe(true);
          const spent = sumSats(plan.inputs.map(({ value }) => value));
          const changes = changeOf(plan);
          expect(spent).toBe(sumSats(plan.outputs.map(({ value }) => value)) + plan.fee);
          expect(plan.weight).toBe(weight);
          expect(weight).toBeLessThanOrEqual(input.limits.maxWeight);
          expect(plan.inputs.length).toBeLessThanOrEqual(input.limits.maxInputs);
          expect(plan.outputs.length - changes.length).toBeLessThanOrEqual(input.limits.maxOutputs);
          expect(changes.length).toBeLessThanOrEqual(1);
          for (const coin of plan.inputs) {
            expect(coin.value).toBeGreaterThan(feeForWeight(input.feerate, cost.weight));
            expect(offered.delete(idOf(coin))).toBe(true);
          }
          const least = feeForWeight(input.longTermFeerate ?? 0n, cost.weight);
          for (const change of changes) {
            expect(plan.fee).toBe(due);
            expect(change).toBeGreaterThan(least);
            expect(change).toBeGreaterThanOrEqual(dustThreshold(scriptOf(0)));
          }
          if (changes.length === 0) {
            seen.changeless++;
            const changeFee = feeForSize(input.feerate, 4n * 32n) + 1n;
            const minimum = least + 1n > 294n ? least + 1n : 294n;
            expect(plan.fee).toBeGreaterThanOrEqual(due);
            expect(plan.fee - due).toBeLessThan(changeFee + minimum);
          }
        }
        const paid = result.value.flatMap(({ outputs }) => outputs.filter(({ kind }) => kind === 'payment'));
        const byRequest = (a: { requestId: string }, b: { requestId: string }): number =>
          a.requestId < b.requestId ? -1 : 1;
        expect(
          paid.map(({ kind: _, ...payment }) => payment as PlanInput['payments'][number]).toSorted(byRequest),
        ).toEqual(input.payments.toSorted(byRequest));
      }),
      { numRuns: 1_000 },
    );
    expect(seen.planned).toBeGreaterThan(100);
    expect(seen.split).toBeGreaterThan(30);
    expect(seen.changeless).toBeGreaterThan(10);
    expect(seen.refused).toContain('E_PLAN_INSUFFICIENT');
    expect(seen.refused).toContain('E_PLAN_INFEASIBLE');
  });

  it('is the same for the same seed, in whatever order the coins come', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), (input, order) => {
        const shuffled = random(sha256Hex(`${order}`), 'input-order').shuffle(input.coins);
        const again = planTransactions({ ...input, coins: shuffled });
        expect(again).toEqual(planTransactions(input));
      }),
      { numRuns: 150 },
    );
  });

  it('is the same in whatever order coins of equal value come', () => {
    const coins = Array.from({ length: 40 }, (_, index) => coinOf(700_000n, index));
    const payments = paymentsOf(1_000_000n, 2_000_000n);
    expect(planned({ coins: coins.toReversed(), payments })).toEqual(planned({ coins, payments }));
  });

  it('is still possible with one coin more, or with wider limits', () => {
    let checked = 0;
    fc.assert(
      fc.property(inputs, fc.bigInt(300n, 3_000_000n), (input, value) => {
        const roomy = { ...input, limits: { ...input.limits, maxOutputs: 30, maxWeight: 400_000n } };
        if (!planTransactions(roomy).ok) return;
        checked++;
        expect(planTransactions({ ...roomy, coins: [...input.coins, coinOf(value, 999)] }).ok).toBe(true);
        const wider = { maxInputs: input.limits.maxInputs + 1, maxOutputs: 31, maxWeight: 400_001n };
        expect(planTransactions({ ...roomy, limits: wider }).ok).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(checked).toBeGreaterThan(50);
  });

  it('moves change and payments about with the seed', () => {
    const payments = paymentsOf(100_000n, 200_000n, 300_000n);
    const places = new Set<number>();
    for (let number = 0; number < 40; number++) {
      const [plan] = planned({ payments, seed: sha256Hex(`${number}`) });
      places.add(plan?.outputs.findIndex(({ kind }) => kind === 'change') ?? -1);
    }
    expect([...places].toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('is version 2 and replaceable, and locks at the tip or up to 99 blocks before it, never above', () => {
    const back: number[] = [];
    for (let number = 0; number < 300; number++) {
      const [plan] = planned({ seed: sha256Hex(`${number}`) });
      expect(plan).toMatchObject({ version: 2, sequence: 0xfffffffd });
      back.push(840_000 - (plan?.locktime ?? 0));
    }
    expect(Math.min(...back)).toBe(0);
    expect(Math.max(...back)).toBeLessThan(100);
    const earlier = back.filter((blocks) => blocks > 0).length;
    expect(earlier).toBeGreaterThan(10);
    expect(earlier).toBeLessThan(60);
    expect(planned({ tipHeight: 0 })[0]?.locktime).toBe(0);
  });

  it('names the seed that recomputes it, the algorithm that won and what the others said', () => {
    const [plan] = planned();
    expect(plan?.seed).toBe(planInput().seed);
    expect(plan?.selection.tried.map(({ algorithm }) => algorithm)).toEqual(['bnb', 'coin-grinder', 'srd']);
    expect(plan?.selection.tried.map(({ outcome }) => outcome)).toEqual([
      'no solution',
      '1 input after 1 round',
      '1 input after 1 round',
    ]);
  });

  it('never spends a coin that costs as much as it is worth, and takes one that is worth a sat more', () => {
    const inputFee = feeForWeight(20_000n, inputCost(vaultOf()).weight);
    const fee = feeForWeight(20_000n, signedTransactionWeight(vaultOf(), 1, [scriptOf(0)]));
    const payments = paymentsOf(1_000_000n);
    const withSmall = (value: bigint): Partial<PlanInput> => ({
      payments,
      coins: coinsOf(1_000_000n + fee - 1n, value),
    });
    expect(refused(withSmall(inputFee)).tag).toBe('E_PLAN_INSUFFICIENT');
    expect(planned(withSmall(inputFee + 1n))[0]?.inputs).toHaveLength(2);
  });
});
