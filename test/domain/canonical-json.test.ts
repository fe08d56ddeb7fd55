import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, isCanonicalText, type Json } from '../../src/domain/canonical-json.js';

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

describe('the text of a value that is in order already', () => {
  const key = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('10', '9', 'a', 'ud800', '\\ud800', '__proto__'),
  );
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('\\ud800', '\\\\ud', '\u2028', '\ud83d\ude00'),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(key, tie('json'), { maxKeys: 4 }),
    ),
  }));

  test('is the one that the library writes, and recognised as such; any other is not', () => {
    fc.assert(
      fc.property(json, fc.nat(), (value, at) => {
        const due = canonicalize(value) ?? '';
        const parsed: Json = JSON.parse(due);
        expect([canonicalJson(value), canonicalJson(parsed)]).toEqual([due, due]);
        expect(isCanonicalText(due, parsed)).toBe(true);
        for (const other of [JSON.stringify(value), JSON.stringify(value, null, 1), `${due} `]) {
          expect(isCanonicalText(other, JSON.parse(other))).toBe(other === due);
        }
        const characters = [...due];
        const spaced = characters.toSpliced(at % (characters.length + 1), 0, ' ').join('');
        try {
          expect(isCanonicalText(spaced, JSON.parse(spaced))).toBe(canonicalize(JSON.parse(spaced)) === spaced);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    '{"a":1,"a":1}',
    '{"b":1,"a":1}',
    '{"a":1.0}',
    '{"a":-0}',
    '{"a":"\\u0061"}',
    '[1, 2]',
    '{"10":1,"9":1 }',
  ])('is not %s', (text) => {
    expect(isCanonicalText(text, JSON.parse(text))).toBe(false);
  });

  test('of a lone surrogate there is none, however it is spelt', () => {
    expect(() => isCanonicalText('"\\ud800"', JSON.parse('"\\ud800"'))).toThrow('surrogate');
    expect(() => isCanonicalText('{"a":"\\udfff"}', JSON.parse('{"a":"\\udfff"}'))).toThrow('surrogate');
  });
});
