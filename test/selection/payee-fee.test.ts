import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/domain/bytes.js';
import { mostBorne } from '../../src/domain/fee-share.js';
import { feeForWeight } from '../../src/domain/feerate.js';
import { sumSats } from '../../src/domain/sats.js';
import { dustThreshold } from '../../src/domain/script.js';
import { planTransactions } from '../../src/selection/plan.js';
import type { Payment, TransactionPlan } from '../../src/selection/types.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { coinOf, coinsOf, paymentOf, planInput, planned, refused, vaultOf } from './make.js';

const bearing = (value: bigint, number: number): Payment => ({ ...paymentOf(value, number), feePayer: 'payee' });
const paymentsOf = ({ outputs }: TransactionPlan) =>
  outputs.flatMap((output) => (output.kind === 'payment' ? [output] : []));

const inputs = fc
  .record({
    values: fc.array(fc.bigInt(300n, 3_000_000n), { minLength: 1, maxLength: 40 }),
    paid: fc.array(fc.tuple(fc.bigInt(300n, 400_000n), fc.boolean()), { minLength: 1, maxLength: 20 }),
    feerate: fc.bigInt(1_000n, 200_000n),
    maxOutputs: fc.integer({ min: 1, max: 12 }),
    kind: fc.constantFrom('wpkh', 'pkh', 'tr', 'sh(wpkh)', 'wsh(sortedmulti)', 'sh(wsh(sortedmulti))'),
    seed: fc.nat(),
  })
  .map(({ values, paid, feerate, maxOutputs, kind, seed }) =>
    planInput({
      feerate,
      vault: vaultOf(kind),
      coins: values.map(coinOf),
      payments: paid.map(([value, isBearing], number) => (isBearing ? bearing : paymentOf)(value, number)),
      limits: { maxInputs: 60, maxOutputs, maxWeight: 400_000n },
      seed: sha256Hex(`${seed}`),
    }),
  );

describe('payees that bear their share of the fee', () => {
  it('balance to the sat, are never left with dust, and bear no more than an equal share of the fee that is due', () => {
    const seen = { planned: 0, borne: 0, refused: new Set<string>() };
    fc.assert(
      fc.property(inputs, (input) => {
        const result = planTransactions(input);
        if (!result.ok) {
          seen.refused.add(result.error.tag);
          expect(['E_PLAN_INSUFFICIENT', 'E_PLAN_INFEASIBLE', 'E_PLAN_ROUNDS', 'E_PLAN_DUST']).toContain(
            result.error.tag,
          );
          return;
        }
        seen.planned++;
        const asked = new Map(input.payments.map((payment) => [payment.requestId, payment]));
        for (const plan of result.value) {
          expect(sumSats(plan.inputs.map(({ value }) => value))).toBe(
            sumSats(plan.outputs.map(({ value }) => value)) + plan.fee,
          );
          const scripts = plan.outputs.map(({ script }) => script);
          const due = feeForWeight(input.feerate, signedTransactionWeight(input.vault, plan.inputs.length, scripts));
          expect(plan.fee).toBeGreaterThanOrEqual(due);
          const payments = paymentsOf(plan);
          for (const payment of payments) {
            const request = asked.get(payment.requestId);
            asked.delete(payment.requestId);
            expect(payment.value).toBeGreaterThanOrEqual(dustThreshold(payment.script));
            if (request?.feePayer === undefined) {
              expect(payment.value).toBe(request?.value);
              expect(payment.asked).toBeUndefined();
              continue;
            }
            seen.borne++;
            expect(payment.asked).toBe(request.value);
            const share = request.value - payment.value;
            expect(share).toBeGreaterThanOrEqual(0n);
            expect(share).toBeLessThanOrEqual(mostBorne(due, payments.length));
          }
        }
        expect(asked.size).toBe(0);
      }),
      { numRuns: 400 },
    );
    expect(seen.planned).toBeGreaterThan(50);
    expect(seen.borne).toBeGreaterThan(50);
    expect([...seen.refused]).toContain('E_PLAN_INSUFFICIENT');
  });

  it('empty a vault of one coin: the payee gets what is left', () => {
    const [plan] = planned({ coins: coinsOf(1_000_000n), payments: [bearing(1_000_000n, 0)] });
    const [only] = plan === undefined ? [] : paymentsOf(plan);
    expect(plan?.outputs).toHaveLength(1);
    expect(plan?.fee).toBeGreaterThan(0n);
    expect(only).toMatchObject({ value: 1_000_000n - (plan?.fee ?? 0n), asked: 1_000_000n });
    expect(refused({ coins: coinsOf(1_000_000n), payments: [bearing(1_000_001n, 0)] }).tag).toBe('E_PLAN_INSUFFICIENT');
    expect(refused({ coins: coinsOf(1_000_000n), payments: [paymentOf(1_000_000n, 0)] }).tag).toBe(
      'E_PLAN_INSUFFICIENT',
    );
  });

  it('is refused where a sat less than dust would be left, and not at dust', () => {
    const dust = dustThreshold(paymentOf(1n, 0).script);
    const [plan] = planned({ payments: [bearing(1_000_000n, 0)] });
    // The same shape at every amount: one coin, the payment, change.
    const fee = plan?.fee ?? 0n;
    const [least] = planned({ payments: [bearing(dust + fee, 0)] });
    expect(least === undefined ? [] : paymentsOf(least)).toMatchObject([{ value: dust }]);
    const { tag, message, remedy } = refused({ payments: [bearing(dust + fee - 1n, 0)] });
    expect(tag).toBe('E_PLAN_DUST');
    expect(message).toContain(`bears ${fee} sat`);
    expect(remedy).toContain('fee_payer');
  });

  it('bear nothing of what is left over because change is not worth its output', () => {
    const [withChange] = planned({ payments: [bearing(1_000_000n, 0)], coins: coinsOf(5_000_000n) });
    const [without] = planned({ payments: [bearing(1_000_000n, 0)], coins: coinsOf(1_000_200n) });
    const share = (plan: TransactionPlan | undefined): bigint =>
      plan === undefined ? 0n : 1_000_000n - (paymentsOf(plan)[0]?.value ?? 0n);
    expect(without?.outputs).toHaveLength(1);
    expect(without?.fee).toBe(share(without) + 200n);
    expect(share(without)).toBeLessThan(share(withChange));
  });
});
