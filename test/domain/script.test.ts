import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trustedHex } from '../../src/domain/bytes.js';
import { compactSizeLength, dustThreshold, PAYABLE_KINDS, scriptKind } from '../../src/domain/script.js';

const H20 = '11'.repeat(20);
const H32 = '22'.repeat(32);
/** The x coordinate of the curve's generator. */
const POINT = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

/** Kinds as Core's Solver has them; thresholds as its GetDustThreshold at 3 sat/vB. */
const rows = [
  ['p2pkh', `76a914${H20}88ac`, 546n],
  ['p2sh', `a914${H20}87`, 540n],
  ['p2wpkh', `0014${H20}`, 294n],
  ['p2wsh', `0020${H32}`, 330n],
  ['p2tr', `5120${POINT}`, 330n],
  ['p2tr_off_curve', `5120${'ff'.repeat(32)}`, 330n],
  ['p2a', '51024e73', 240n],
  ['op_return', '6a', 0n],
  ['op_return', `6a14${H20}`, 0n],
  ['witness_unknown', `5114${H20}`, 294n],
  ['witness_unknown', `5220${H32}`, 330n],
  ['witness_unknown', '60020000', 240n],
  ['witness_unknown', `5128${'00'.repeat(40)}`, 354n],
  ['nonstandard', `5129${'00'.repeat(41)}`, 600n],
  ['nonstandard', '510100', 480n],
  // Version 0 has two lengths; with another one it is a witness program that can never be spent.
  ['nonstandard', `0015${'00'.repeat(21)}`, 297n],
  ['nonstandard', `0013${'00'.repeat(19)}`, 291n],
  ['nonstandard', '', 471n],
  ['nonstandard', `21${'02'.repeat(33)}ac`, 576n],
  ['nonstandard', `76a914${H20}88ad`, 546n],
  ['nonstandard', `76a914${H20}88`, 543n],
  ['nonstandard', `a914${H20}88`, 540n],
  ['nonstandard', `0014${H20}00`, 540n],
  ['nonstandard', `61${'14'}${H20}`, 537n],
  ['nonstandard', `5014${H20}`, 537n],
] as const;

test.each(rows)('%s: %s has the dust threshold %i', (kind, hex, dust) => {
  expect(scriptKind(trustedHex(hex))).toBe(kind);
  expect(dustThreshold(trustedHex(hex))).toBe(dust);
});

test('payable kinds are the first five', () => {
  const first = [...new Set(rows.map(([kind]) => kind))].slice(0, 5);
  expect([...PAYABLE_KINDS]).toEqual(first);
});

test('the length of a large script counts', () => {
  expect(dustThreshold(new Uint8Array(252).fill(0x51))).toBe(BigInt((8 + 1 + 252 + 148) * 3));
  expect(dustThreshold(new Uint8Array(253).fill(0x51))).toBe(BigInt((8 + 3 + 253 + 148) * 3));
});

test('every script has a kind and a threshold', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (script) => {
      expect(typeof scriptKind(script)).toBe('string');
      expect(dustThreshold(script) >= 0n).toBe(true);
    }),
  );
});

describe('compactSizeLength', () => {
  test.each([
    [0, 1],
    [252, 1],
    [253, 3],
    [65_535, 3],
    [65_536, 5],
    [4_294_967_295, 5],
    [4_294_967_296, 9],
  ])('of %i is %i', (value, length) => {
    expect(compactSizeLength(value)).toBe(length);
  });
});
