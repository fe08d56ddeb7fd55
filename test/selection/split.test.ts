import { describe, expect, it } from 'vitest';
import { feeForWeight } from '../../src/domain/feerate.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { coinOf, LIMITS, paymentOf, planned, refused, vaultOf } from './make.js';

describe('a split plan', () => {
  const payments = (count: number, value = 500_000n) =>
    Array.from({ length: count }, (_, index) => paymentOf(value, index));
  const coins = (count: number, value: bigint) => Array.from({ length: count }, (_, index) => coinOf(value, index));

  it('begins one payment above the limit, in parts of even length, in the given order', () => {
    const offer = coins(10, 20_000_000n);
    expect(planned({ payments: payments(20), coins: offer })).toHaveLength(1);
    const parts = planned({ payments: payments(21), coins: offer });
    const requests = parts.map(({ outputs }) =>
      outputs
        .flatMap((output) => (output.kind === 'payment' ? [Number(output.requestId.slice(2))] : []))
        .toSorted((a, b) => a - b),
    );
    expect(requests).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    ]);
    expect(new Set(parts.map(({ seed }) => seed)).size).toBe(2);
  });

  it('gives each change a fresh place, without gaps', () => {
    const parts = planned({ payments: payments(60), coins: coins(10, 20_000_000n) });
    const places = parts.flatMap(({ outputs }) =>
      outputs.flatMap((output) => (output.kind === 'change' ? [output.origin.index] : [])),
    );
    expect(places).toEqual([0, 1, 2]);
  });

  it('takes fewer payments where the inputs do not suffice for more', () => {
    const parts = planned({ payments: payments(10), coins: coins(30, 400_000n), limits: { ...LIMITS, maxInputs: 6 } });
    expect(parts.length).toBeGreaterThan(2);
    for (const { inputs } of parts) expect(inputs.length).toBeLessThanOrEqual(6);
  });

  it('divides otherwise where even parts would tie up too much in change', () => {
    // 24 BTC from three coins of 10: two even parts need two coins each.
    const plan = planned({ payments: payments(40, 60_000_000n), coins: coins(3, 1_000_000_000n) });
    expect(plan).toHaveLength(3);
  });

  it('is infeasible with fewer coins than transactions, and tells how much is bound in change', () => {
    const answer = refused({ payments: payments(21), coins: coins(1, 90_000_000n) });
    expect(answer.tag).toBe('E_PLAN_INFEASIBLE');
    expect(answer.message).toContain('at least 2 transactions');
    expect(answer.message).toContain('are bound in change');
    expect(answer.remedy).toContain('plan the first 11 now');
  });

  it('is out of rounds, not infeasible, where another division might exist', () => {
    const answer = refused({
      payments: payments(2, 6_000_000n),
      coins: coins(3, 4_100_000n),
      limits: { ...LIMITS, maxOutputs: 1 },
    });
    expect(answer.tag).toBe('E_PLAN_ROUNDS');
    expect(answer.message).toContain('request W-1');
  });

  it('names the request that no transaction can pay, wherever it stands', () => {
    const answer = refused({
      payments: [paymentOf(100_000n, 0), paymentOf(2_000_000n, 1)],
      coins: coins(30, 400_000n),
      limits: { maxInputs: 2, maxOutputs: 1, maxWeight: 400_000n },
    });
    expect(answer.tag).toBe('E_PLAN_INFEASIBLE');
    expect(answer.message).toContain('request W-1');
    expect(answer.message).toContain('needs at least 6 inputs, and 2 are allowed (4 too many)');
  });

  it('is short where all coins together do not pay for the least fees', () => {
    const answer = refused({ payments: payments(40), coins: coins(40, 500_100n) });
    expect(answer.tag).toBe('E_PLAN_INSUFFICIENT');
  });

  it('is short from one sat below what two parts with one coin each need', () => {
    const scripts = payments(20).map(({ script }) => script);
    const each = 10_000_000n + feeForWeight(20_000n, signedTransactionWeight(vaultOf(), 1, scripts));
    const exact = planned({ payments: payments(40), coins: [coinOf(each, 0), coinOf(each, 1)] });
    expect(exact.map(({ inputs, outputs }) => [inputs.length, outputs.length])).toEqual([
      [1, 20],
      [1, 20],
    ]);
    const answer = refused({ payments: payments(40), coins: [coinOf(each, 0), coinOf(each - 1n, 1)] });
    expect(answer.tag).toBe('E_PLAN_INSUFFICIENT');
    expect(answer.message).toContain(': 1 sat (0.00000001 BTC) short');
  });
});
