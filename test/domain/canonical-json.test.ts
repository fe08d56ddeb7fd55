import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/domain/canonical-json.js';

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
