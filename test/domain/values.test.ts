import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, fromHex, hash160, hash256, sha256Hex, toHex, trustedHex, utf8 } from '../../src/domain/bytes.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import { type Coin, confirmations } from '../../src/domain/coin.js';
import type { Fault } from '../../src/domain/fault.js';
import { feeForWeight, formatFeeRate, parseFeeRate, rateOf, virtualSize } from '../../src/domain/feerate.js';
import { NETWORKS, networkParameters, parseNetwork } from '../../src/domain/network.js';
import { formatOutpoint, parseOutpoint } from '../../src/domain/outpoint.js';
import { equalPaths, formatPath, hardened, isHardened, parsePath } from '../../src/domain/path.js';
import type { Result } from '../../src/domain/result.js';
import {
  formatAmount,
  formatBtc,
  MAX_SATS,
  maxSats,
  minSats,
  parseBtc,
  parseSats,
  sumSats,
} from '../../src/domain/sats.js';
import { formatTime, parseDuration, parseTime } from '../../src/domain/time.js';

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
  test('the rate of a fee is rounded down', () => {
    expect(rateOf(199n, 100n)).toBe(1990n);
    expect(rateOf(1n, 3n)).toBe(333n);
  });
});

describe('network', () => {
  test.each(NETWORKS)('%s names itself', (network) => {
    expect(outcome(parseNetwork(network))).toBe(network);
  });
  test.each(['mainnet', 'testnet', 'Main', ' main', '', 'constructor'])('%j is none', (text) => {
    expect(outcome(parseNetwork(text))).toBe('E_NETWORK_UNKNOWN');
  });
  test('only main has coin type 0 and the main app', () => {
    const mains = NETWORKS.filter((network) => networkParameters(network).coinType === 0);
    expect(mains).toEqual(['main']);
    expect(networkParameters('main')).toMatchObject({ ledgerApp: 'Bitcoin', bech32: 'bc', xpubVersion: 0x0488b21e });
    expect(networkParameters('regtest')).toMatchObject({ ledgerApp: 'Bitcoin Test', bech32: 'bcrt' });
  });
});

describe('path', () => {
  const standard = [hardened(84), hardened(1), hardened(0)];
  test.each(["84'/1'/0'", '84h/1h/0h', '84H/1H/0H', "m/84'/1h/0H"])('%s is one path', (text) => {
    expect(outcome(parsePath(text))).toEqual(standard);
  });
  test.each([
    ['', []],
    ['m', []],
    ['0', [0]],
    ['2147483647', [0x7fffffff]],
    ["2147483647'", [0xffffffff]],
  ])('%j is %j', (text, path) => {
    expect(outcome(parsePath(text))).toEqual(path);
  });
  test.each([
    'm/',
    '/',
    '/0',
    '0/',
    '0//1',
    'M/0',
    'm/m',
    '2147483648',
    "2147483648'",
    '4294967296',
    "0''",
    "00'",
    '01',
    '-1',
    '+1',
    '0x1',
    ' 0',
    '0 ',
    '*',
    '99999999999999999999',
  ])('%j is none', (text) => {
    expect(outcome(parsePath(text))).toBe('E_PATH_SYNTAX');
  });
  test('is written with apostrophes, and reads back', () => {
    expect(formatPath([...standard, 1, 42])).toBe("84'/1'/0'/1/42");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 10 }), (path) => {
        expect(outcome(parsePath(formatPath(path)))).toEqual(path);
        expect(equalPaths(path, [...path])).toBe(true);
        expect(equalPaths(path, [...path, 0])).toBe(false);
        expect(equalPaths([...path, 1], [...path, hardened(1)])).toBe(false);
      }),
    );
  });
  test('hardened means the top bit', () => {
    expect([isHardened(0x7fffffff), isHardened(0x80000000), hardened(hardened(5)) === hardened(5)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('outpoint', () => {
  const txid = 'ab'.repeat(32);
  test.each([
    [`${txid}:0`, { txid, vout: 0 }],
    [`${txid}:4294967295`, { txid, vout: 4294967295 }],
    [`${txid}:4294967296`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:01`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:-1`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:`, 'E_OUTPOINT_SYNTAX'],
    [txid, 'E_OUTPOINT_SYNTAX'],
    [`${txid.toUpperCase()}:0`, 'E_OUTPOINT_SYNTAX'],
    [`${txid.slice(1)}:0`, 'E_OUTPOINT_SYNTAX'],
    [`${txid}:0\n`, 'E_OUTPOINT_SYNTAX'],
    [` ${txid}:0`, 'E_OUTPOINT_SYNTAX'],
  ])('%j', (text, expected) => {
    expect(outcome(parseOutpoint(text))).toEqual(expected);
  });
  test('reads back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (id, vout) => {
          const outpoint = { txid: toHex(id), vout };
          expect(outcome(parseOutpoint(formatOutpoint(outpoint)))).toEqual(outpoint);
        },
      ),
    );
  });
});

describe('confirmations', () => {
  const coin = (height: number | null): Coin => ({
    outpoint: { txid: '00'.repeat(32), vout: 0 },
    value: 1n,
    script: new Uint8Array(),
    origin: { branch: 0, index: 0 },
    height,
    coinbase: false,
  });
  test.each([
    [null, 0],
    [101, 0],
    [100, 1],
    [95, 6],
    [96, 5],
  ])('at tip 100 of a coin at height %s: %i', (height, count) => {
    expect(confirmations(coin(height), { height: 100, hash: '', medianTimePast: 0 })).toBe(count);
  });
});

describe('time', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2026-06-01T12:00:00Z', 1_780_315_200],
    ['2024-02-29T00:00:00Z', 1_709_164_800],
    ['2025-02-29T00:00:00Z', null],
    ['2026-13-01T00:00:00Z', null],
    ['2026-06-31T00:00:00Z', null],
    ['2026-06-01T24:00:00Z', null],
    ['2026-06-01T12:00:60Z', null],
    ['2026-06-01T12:00Z', null],
    ['2026-06-01T12:00:00', null],
    ['2026-06-01T12:00:00z', null],
    ['2026-06-01T12:00:00.000Z', null],
    ['2026-06-01T12:00:00+00:00', null],
    ['2026-06-01 12:00:00Z', null],
    ['2026-6-1T12:00:00Z', null],
    ['1780315200', null],
    ['', null],
  ])('parseTime(%j) is %s', (text, seconds) => {
    expect(parseTime(text)).toBe(seconds);
  });
  test('reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseTime(formatTime(seconds))).toBe(seconds);
      }),
    );
  });
  test.each([
    ['0s', 0],
    ['90s', 90],
    ['30m', 1800],
    ['72h', 259_200],
    ['30d', 2_592_000],
    ['999999d', 86_399_913_600],
    ['1000000d', null],
    ['1w', null],
    ['1.5h', null],
    ['01h', null],
    ['-1h', null],
    ['1 h', null],
    ['1H', null],
    ['h', null],
    ['60', null],
    ['', null],
  ])('parseDuration(%j) is %s', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });
});

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

describe('canonical JSON (RFC 8785)', () => {
  test('sorts keys by UTF-16 code units and writes no space', () => {
    expect(canonicalJson({ b: ['x', true, 7], a: { '\u20ac': '1', '\r': '2', '1': '3' } })).toBe(
      '{"a":{"\\r":"2","1":"3","\u20ac":"1"},"b":["x",true,7]}',
    );
  });
  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual({ ...value });
      }),
    );
  });
  test.each([
    ['null', null],
    ['undefined', undefined],
    ['a fraction', 0.5],
    ['an unsafe integer', 2 ** 53],
    ['NaN', Number.NaN],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['bytes', new Uint8Array(2)],
    ['a Map', new Map([['a', 'b']])],
    ['a Date', new Date(0)],
    ['a lone surrogate', '\ud800'],
  ])('%s has no place in it, however deep', (_, value) => {
    expect(() => canonicalJson(value as never)).toThrow();
    expect(() => canonicalJson({ a: [value] } as never)).toThrow();
  });
});
