import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import {
  feeForSize,
  feeForWeight,
  formatFeeRate,
  parseFeeRate,
  rateOf,
  virtualSize,
} from '../../src/domain/feerate.js';
import type { Result } from '../../src/domain/result.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

describe('feerate', () => {
  test.each([
    ['1', 1000n],
    ['12.5', 12_500n],
    ['0.001', 1n],
    ['999999.999', 999_999_999n],
    ['0', 'E_FEERATE_SYNTAX'],
    ['0.000', 'E_FEERATE_SYNTAX'],
    ['0.0001', 'E_FEERATE_SYNTAX'],
    ['1000000', 'E_FEERATE_SYNTAX'],
    ['', 'E_FEERATE_SYNTAX'],
    ['1.', 'E_FEERATE_SYNTAX'],
    ['.5', 'E_FEERATE_SYNTAX'],
    ['01', 'E_FEERATE_SYNTAX'],
    ['-1', 'E_FEERATE_SYNTAX'],
    ['1e2', 'E_FEERATE_SYNTAX'],
    ['1,5', 'E_FEERATE_SYNTAX'],
    ['1.2.3', 'E_FEERATE_SYNTAX'],
  ])('parseFeeRate(%j) is %s', (text, expected) => {
    expect(outcome(parseFeeRate(text))).toBe(expected);
  });
  test('is shown as it is written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 999_999_999n }), (rate) => {
        expect(outcome(parseFeeRate(formatFeeRate(rate).replace(' sat/vB', '')))).toBe(rate);
      }),
    );
    expect(formatFeeRate(1000n)).toBe('1 sat/vB');
    expect(formatFeeRate(1500n)).toBe('1.5 sat/vB');
  });
  test.each([
    [0n, 0n],
    [1n, 1n],
    [4n, 1n],
    [5n, 2n],
    [400_000n, 100_000n],
  ])('weight %i has %i vB', (weight, size) => {
    expect(virtualSize(weight)).toBe(size);
  });
  test('a fee for a weight reaches the rate, and one sat less does not', () => {
    const rates = fc.bigInt({ min: 1n, max: 1_000_000n });
    const weights = fc.bigInt({ min: 1n, max: 400_000n });
    fc.assert(
      fc.property(rates, weights, (rate, weight) => {
        const fee = feeForWeight(rate, weight);
        expect(fee * 4000n >= rate * weight).toBe(true);
        expect((fee - 1n) * 4000n < rate * weight).toBe(true);
      }),
    );
  });
  test('a fee for a size reaches the rate over whole vB, and one sat less does not', () => {
    const rates = fc.bigInt({ min: 1n, max: 1_000_000n });
    const weights = fc.bigInt({ min: 1n, max: 400_000n });
    fc.assert(
      fc.property(rates, weights, (rate, weight) => {
        const fee = feeForSize(rate, weight);
        expect(fee * 1000n >= rate * virtualSize(weight)).toBe(true);
        expect((fee - 1n) * 1000n < rate * virtualSize(weight)).toBe(true);
        expect(fee >= feeForWeight(rate, weight)).toBe(true);
      }),
    );
  });
  test('the rate of a fee is rounded down', () => {
    expect(rateOf(199n, 100n)).toBe(1990n);
    expect(rateOf(1n, 3n)).toBe(333n);
  });
});
