import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, fromHex, hash160, hash256, sha256Hex, toHex, trustedHex, utf8 } from '../../src/domain/bytes.js';
import type { Fault } from '../../src/domain/fault.js';
import type { Result } from '../../src/domain/result.js';

/** The value, or the tag of the fault. */
function outcome<T>(result: Result<T, Fault>): T | string {
  return result.ok ? result.value : result.error.tag;
}

describe('bytes', () => {
  test.each(['0', 'AB', 'zz', ' 00', '00 ', '0x00', '00\n', 'a\u0308b'])('%j is no hexadecimal', (text) => {
    expect(outcome(fromHex(text))).toBe('E_HEX_SYNTAX');
  });
  test('hexadecimal reads back, views and all', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(outcome(fromHex(toHex(bytes)))).toEqual(bytes);
        expect(toHex(bytes.subarray(1))).toBe(toHex(bytes).slice(2));
        expect(equalBytes(bytes, Uint8Array.from(bytes))).toBe(true);
        expect(equalBytes(bytes, Uint8Array.of(...bytes, 0))).toBe(false);
      }),
    );
  });
  test('hexadecimal of 4 MB, a whole block, is read', () => {
    expect(fromHex('ab'.repeat(4_000_000)).ok).toBe(true);
  });
  test('trusted hexadecimal that is none is a bug', () => {
    expect(() => trustedHex('xy')).toThrow(/hexadecimal/);
  });
  test('hashes are those of Bitcoin', () => {
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    // The header of the genesis block, and the key hash of BIP143's first P2WPKH example.
    const header = `01000000${'00'.repeat(32)}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c`;
    const genesis = '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f';
    expect(toHex(hash256(trustedHex(header)).reverse())).toBe(genesis);
    const key = trustedHex('025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357');
    expect(toHex(hash160(key))).toBe('1d0f172a0ecb48aee1be1f2687d2963ae33f71a1');
    expect(toHex(utf8('ü'))).toBe('c3bc');
  });
});
