import { script } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { decodeDer, inRange, isLowS } from '../../src/psbt/ecdsa.js';

const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const HALF = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0';
const ONE = '01'.padStart(64, '0');
const pair = (r: string, s: string): Uint8Array => trustedHex(r + s);
/** One more, in hex of the same length. */
const next = (hex: string): string => (BigInt(`0x${hex}`) + 1n).toString(16).padStart(64, '0');
const previous = (hex: string): string => (BigInt(`0x${hex}`) - 1n).toString(16).padStart(64, '0');

describe('DER (BIP66)', () => {
  test('what bitcoinjs-lib writes is read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (signature) => {
        const der = script.signature.encode(signature, 1).subarray(0, -1);
        expect(toHex(decodeDer(der) ?? new Uint8Array())).toBe(toHex(signature));
      }),
    );
  });

  test('of any bytes exactly those are read that bitcoinjs-lib calls canonical', () => {
    const edits = fc.array(fc.tuple(fc.nat({ max: 75 }), fc.nat({ max: 255 })), { maxLength: 2 });
    const cut = fc.integer({ min: -2, max: 2 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), edits, cut, (signature, changes, extra) => {
        const der = [...script.signature.encode(signature, 1).subarray(0, -1)];
        for (const [at, byte] of changes) if (at < der.length) der[at] = byte;
        const bytes = Uint8Array.from(
          extra > 0 ? [...der, ...new Array<number>(extra).fill(0)] : der.slice(0, der.length + extra),
        );
        const canonical = script.isCanonicalScriptSignature(Uint8Array.of(...bytes, 1));
        // bitcoinjs-lib lets numbers of more than 32 bytes through here and throws on them later.
        if (canonical && fits(bytes)) expect(decodeDer(bytes)).not.toBeNull();
        else expect(decodeDer(bytes)).toBeNull();
      }),
      { numRuns: 3_000 },
    );
  });

  function fits(der: Uint8Array): boolean {
    const r = der[3] ?? 0;
    const s = der[5 + r] ?? 0;
    return (r < 33 || (r === 33 && der[4] === 0)) && (s < 33 || (s === 33 && der[6 + r] === 0));
  }

  test.each([
    ['a negative number', '3006020180020101'],
    ['a padded number', '300702020001020101'],
    ['an empty number', '30050200020101'],
    ['a long form length', '308106020101020101'],
    ['bytes after s', '300702010102010100'],
    ['no second number', '3003020101'],
    ['nothing', ''],
  ])('%s is refused', (_name, hex) => {
    expect(decodeDer(trustedHex(hex))).toBeNull();
  });

  test('the shortest signature is read', () => {
    expect(toHex(decodeDer(trustedHex('3006020101020101')) ?? new Uint8Array())).toBe(ONE + ONE);
  });
});

test('numbers go from 1 to the order less 1', () => {
  const zero = '00'.repeat(32);
  expect(inRange(pair(ONE, ONE))).toBe(true);
  expect(inRange(pair(previous(ORDER), previous(ORDER)))).toBe(true);
  expect(inRange(pair(zero, ONE))).toBe(false);
  expect(inRange(pair(ONE, zero))).toBe(false);
  expect(inRange(pair(ORDER, ONE))).toBe(false);
  expect(inRange(pair(ONE, ORDER))).toBe(false);
});

test('S is low up to half of the order', () => {
  expect(BigInt(`0x${HALF}`)).toBe((BigInt(`0x${ORDER}`) - 1n) / 2n);
  expect(isLowS(pair(ONE, HALF))).toBe(true);
  expect(isLowS(pair(ONE, previous(HALF)))).toBe(true);
  expect(isLowS(pair(ONE, next(HALF)))).toBe(false);
});
