import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import type { Result } from '../../src/domain/result.js';
import {
  decimalsUpTo,
  formatAmount,
  formatBtc,
  MAX_SATS,
  maxSats,
  minSats,
  parseBtc,
  parseSats,
  SATS_TEXT_IN_RANGE,
  sumSats,
} from '../../src/domain/sats.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

const amounts = fc.bigInt({ min: 0n, max: MAX_SATS });

describe('sats', () => {
  test.each([
    ['0', 0n],
    ['1', 1n],
    ['150000000', 150_000_000n],
    ['2100000000000000', MAX_SATS],
    ['2100000000000001', 'E_AMOUNT_RANGE'],
    ['9999999999999999', 'E_AMOUNT_RANGE'],
    ['10000000000000000', 'E_AMOUNT_SYNTAX'],
    ['', 'E_AMOUNT_SYNTAX'],
    ['00', 'E_AMOUNT_SYNTAX'],
    ['01', 'E_AMOUNT_SYNTAX'],
    ['-1', 'E_AMOUNT_SYNTAX'],
    ['+1', 'E_AMOUNT_SYNTAX'],
    ['1e8', 'E_AMOUNT_SYNTAX'],
    ['0x10', 'E_AMOUNT_SYNTAX'],
    ['0.1', 'E_AMOUNT_SYNTAX'],
    ['1.0', 'E_AMOUNT_SYNTAX'],
    ['1,000', 'E_AMOUNT_SYNTAX'],
    ['1_000', 'E_AMOUNT_SYNTAX'],
    [' 1', 'E_AMOUNT_SYNTAX'],
    ['1 ', 'E_AMOUNT_SYNTAX'],
    ['1\n', 'E_AMOUNT_SYNTAX'],
    ['\u0661', 'E_AMOUNT_SYNTAX'],
    ['\uff11', 'E_AMOUNT_SYNTAX'],
  ])('parseSats(%j) is %s', (text, expected) => {
    expect(outcome(parseSats(text))).toBe(expected);
  });
  test.each([
    ['0', 0n],
    ['1', 100_000_000n],
    ['1.5', 150_000_000n],
    ['0.00000001', 1n],
    ['20999999.99999999', MAX_SATS - 1n],
    ['21000000', MAX_SATS],
    ['21000000.00000001', 'E_AMOUNT_RANGE'],
    ['100000000', 'E_AMOUNT_SYNTAX'],
    ['0.000000001', 'E_AMOUNT_SYNTAX'],
    ['.5', 'E_AMOUNT_SYNTAX'],
    ['5.', 'E_AMOUNT_SYNTAX'],
    ['01.5', 'E_AMOUNT_SYNTAX'],
    ['1,5', 'E_AMOUNT_SYNTAX'],
    ['1e-8', 'E_AMOUNT_SYNTAX'],
    ['-0.1', 'E_AMOUNT_SYNTAX'],
  ])('parseBtc(%j) is %s', (text, expected) => {
    expect(outcome(parseBtc(text))).toBe(expected);
  });
  test('every amount has one spelling in each unit', () => {
    fc.assert(
      fc.property(amounts, (value) => {
        expect(outcome(parseSats(value.toString()))).toBe(value);
        expect(outcome(parseBtc(formatBtc(value)))).toBe(value);
      }),
    );
  });
  test('amounts are shown whole', () => {
    expect(formatBtc(1n)).toBe('0.00000001');
    expect(formatBtc(-1n)).toBe('-0.00000001');
    expect(formatBtc(-150_000_000n)).toBe('-1.50000000');
    expect(formatBtc(MAX_SATS)).toBe('21000000.00000000');
    expect(formatAmount(150_000_000n)).toBe('150000000 sat (1.50000000 BTC)');
  });
  test('sums and bounds', () => {
    expect(sumSats([])).toBe(0n);
    expect(sumSats([1n, 2n, MAX_SATS])).toBe(MAX_SATS + 3n);
    expect([minSats(1n, 2n), minSats(2n, 1n), maxSats(1n, 2n), maxSats(2n, 1n)]).toEqual([1n, 1n, 2n, 2n]);
  });
});

describe('decimalsUpTo', () => {
  test.each([0n, 1n, 9n, 10n, 19n, 20n, 99n, 100n, 101n, 109n, 110n, 999n, 1000n, 2099n, MAX_SATS])(
    'matches the digits of 0 to %s, and no other text',
    (max) => {
      const form = decimalsUpTo(max);
      const upTo = max < 3000n ? max + 30n : 3000n;
      for (let value = 0n; value <= upTo; value++) expect(form.test(value.toString()), `${value}`).toBe(value <= max);
      for (const near of [max - 1n, max, max + 1n, max * 10n + 1n]) {
        if (near >= 0n) expect(form.test(near.toString()), `${near}`).toBe(near <= max);
      }
      for (const text of ['', '-1', '00', '01', `0${max}`, `${max} `, `${max}\n`, '1.0', '1e1']) {
        expect(form.test(text), JSON.stringify(text)).toBe(false);
      }
    },
  );

  test('matches what parseSats takes', () => {
    const near = fc.bigInt({ min: MAX_SATS - 5000n, max: MAX_SATS + 5000n });
    fc.assert(
      fc.property(
        fc.oneof(near.map(String), fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String), fc.string()),
        (text) => {
          expect(SATS_TEXT_IN_RANGE.test(text)).toBe(parseSats(text).ok);
        },
      ),
    );
  });
});
