import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feeForWeight } from '../../src/domain/feerate.js';
import { MAX_SATS, sumSats } from '../../src/domain/sats.js';
import { dustThreshold } from '../../src/domain/script.js';
import { type PlanInput, planTransactions } from '../../src/selection/plan.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { coinOf, coinsOf, LIMITS, paymentsOf, planInput, planned, refused, scriptOf, vaultOf } from './make.js';

describe('insufficient funds', () => {
  const fee = feeForWeight(20_000n, signedTransactionWeight(vaultOf(), 1, [scriptOf(0)]));

  it('begins one sat below payments and fee', () => {
    const payments = paymentsOf(1_000_000n);
    expect(planned({ payments, coins: coinsOf(1_000_000n + fee) })[0]?.fee).toBe(fee);
    expect(planned({ payments, coins: coinsOf(1_000_001n + fee) })[0]?.fee).toBe(fee + 1n);
    const short = refused({ payments, coins: coinsOf(999_999n + fee) });
    expect(short.tag).toBe('E_PLAN_INSUFFICIENT');
    expect(short.message).toContain('1 sat (0.00000001 BTC) short');
    expect(short.message).toContain(`${1_000_000n + fee} sat`);
    expect(short.message).toContain(`${999_999n + fee} sat`);
  });

  it('is short by what makes it enough, over many coins', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(5_000n, 100_000n), { minLength: 1, maxLength: 40 }),
        fc.bigInt(1_000n, 90_000n),
        (values, rate) => {
          const total = sumSats(values);
          const coins = values.map(coinOf);
          const payments = paymentsOf(total);
          const answer = refused({ coins, payments, feerate: rate });
          const missing = /: ([0-9]+) sat \([0-9.]+ BTC\) short/.exec(answer.message)?.[1];
          if (missing === undefined) throw new Error(answer.message);
          const enough = payments.map((payment) => ({ ...payment, value: payment.value - BigInt(missing) }));
          if ((enough[0]?.value ?? 0n) < 294n) return;
          expect(planned({ coins, payments: enough, feerate: rate })).toHaveLength(1);
          const over = enough.map((payment) => ({ ...payment, value: payment.value + 1n }));
          expect(refused({ coins, payments: over, feerate: rate }).message).toContain(': 1 sat (0.00000001 BTC) short');
        },
      ),
      { numRuns: 100 },
    );
  });

  it('tells what is there and not on offer, and what is not worth its fee', () => {
    const answer = refused({
      coins: coinsOf(100_000n, 500n, 600n),
      withheld: [
        { reason: 'are frozen', coins: 1, value: 7_000_000n },
        { reason: 'are unconfirmed', coins: 2, value: 300n },
        { reason: 'are in live plans', coins: 0, value: 0n },
      ],
    });
    expect(answer.message).toContain('2 coins of 1100 sat (0.00001100 BTC) that cost more to spend');
    expect(answer.message).toContain('1 coin of 7000000 sat (0.07000000 BTC) that are frozen');
    expect(answer.message).toContain('2 coins of 300 sat');
    expect(answer.message).not.toContain('live plans');
    expect(answer.remedy).toContain('release or await');
  });

  it('says so without a coin, too', () => {
    expect(refused({ coins: [] })).toMatchObject({ tag: 'E_PLAN_INSUFFICIENT' });
  });
});

describe('limits', () => {
  it('hold at the number of inputs that is needed, and are infeasible one below', () => {
    const coins = Array.from({ length: 20 }, (_, index) => coinOf(100_000n, index));
    const payments = paymentsOf(1_000_000n);
    expect(planned({ coins, payments, limits: { ...LIMITS, maxInputs: 12 } })[0]?.inputs).toHaveLength(11);
    expect(planned({ coins, payments, limits: { ...LIMITS, maxInputs: 11 } })[0]?.inputs).toHaveLength(11);
    const answer = refused({ coins, payments, limits: { ...LIMITS, maxInputs: 10 } });
    expect(answer.tag).toBe('E_PLAN_INFEASIBLE');
    expect(answer.message).toContain('request W-0');
    expect(answer.message).toContain('needs at least 11 inputs, and 10 are allowed (1 too many)');
  });

  it('hold at the weight that is needed, and are infeasible one unit below', () => {
    const coins = coinsOf(5_000_000n);
    const weight = signedTransactionWeight(vaultOf(), 1, [scriptOf(0), scriptOf(1)]);
    const at = (maxWeight: bigint): Partial<PlanInput> => ({ coins, limits: { ...LIMITS, maxWeight } });
    expect(planned(at(weight + 1n))[0]?.weight).toBe(weight);
    expect(planned(at(weight))[0]?.weight).toBe(weight);
    const noChange = refused(at(weight - 1n));
    expect(noChange.tag).toBe('E_PLAN_INFEASIBLE');
    expect(noChange.message).toContain(
      `weighs at least ${weight} weight units, and ${weight - 1n} are allowed (1 too many)`,
    );
    const bare = signedTransactionWeight(vaultOf(), 1, [scriptOf(0)]);
    expect(refused(at(bare - 1n)).message).toContain(`weighs at least ${bare} weight units`);
  });

  it('say that rounds ran out where neither a set nor a proof was found', () => {
    // Change does not fit the weight, so only an exact match would do; sums are multiples of 10,000 and miss the window.
    const coins = Array.from({ length: 60 }, (_, index) =>
      coinOf(10_000_000n + 10_000n * BigInt((index * 37) % 101), index),
    );
    const maxWeight = signedTransactionWeight(vaultOf(), 7, [scriptOf(0)]);
    const answer = refused({ coins, payments: paymentsOf(73_502_000n), limits: { ...LIMITS, maxWeight } });
    expect(answer.message).toContain('100000 rounds');
    expect(answer.tag).toBe('E_PLAN_ROUNDS');
  });

  it('of nothing are refused', () => {
    expect(refused({ limits: { ...LIMITS, maxInputs: 0 } }).tag).toBe('E_PLAN_INFEASIBLE');
    expect(refused({ limits: { ...LIMITS, maxOutputs: 0 } }).tag).toBe('E_PLAN_INFEASIBLE');
    expect(refused({ limits: { ...LIMITS, maxWeight: 0n } }).tag).toBe('E_PLAN_INFEASIBLE');
  });
});

describe('unfit input', () => {
  it('is refused by name: dust, no payment, a bad seed', () => {
    const dust = dustThreshold(scriptOf(0));
    expect(planned({ payments: paymentsOf(dust) })).toHaveLength(1);
    expect(planned({ payments: paymentsOf(dust + 1n) })).toHaveLength(1);
    const answer = refused({ payments: paymentsOf(1_000_000n, dust - 1n) });
    expect(answer.tag).toBe('E_PLAN_DUST');
    expect(answer.message).toContain('request W-1 pays 293 sat');
    expect(refused({ payments: [] }).tag).toBe('E_REQUEST_EMPTY');
    expect(refused({ seed: 'AB' }).tag).toBe('E_PLAN_SEED');
  });

  it('is refused where amounts exceed all the money there is, and planned up to it', () => {
    const all = planned({ coins: coinsOf(MAX_SATS), payments: paymentsOf(MAX_SATS - 1_000_000n) });
    expect(sumSats(all.flatMap(({ outputs, fee }) => [fee, ...outputs.map(({ value }) => value)]))).toBe(MAX_SATS);
    expect(refused({ coins: coinsOf(MAX_SATS, 1n) }).tag).toBe('E_AMOUNT_RANGE');
    expect(refused({ coins: coinsOf(1_000n, -1n) }).tag).toBe('E_AMOUNT_RANGE');
    expect(refused({ payments: paymentsOf(MAX_SATS, 1_000n) }).tag).toBe('E_AMOUNT_RANGE');
    expect(refused({ payments: paymentsOf(MAX_SATS) }).tag).toBe('E_PLAN_INSUFFICIENT');
  });

  it('is a bug of the caller where it offers a coin twice or a height that is none', () => {
    const twice = [coinOf(600_000n, 1), coinOf(600_000n, 1)];
    expect(() => planTransactions(planInput({ coins: twice }))).toThrow('offered twice');
    expect(() => planTransactions(planInput({ tipHeight: 500_000_000 }))).toThrow('not a block height');
  });
});
