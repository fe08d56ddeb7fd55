import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDifference, ownValue, parsedJson } from '../../src/domain/json-difference.js';

describe('jsonDifference', () => {
  it.each<[unknown, unknown, string | null]>([
    [{ a: 1, b: [1, { c: 'x' }] }, { b: [1, { c: 'x' }], a: 1 }, null],
    [{ b: [1, { c: 'x' }] }, { b: [1, { c: 'y' }] }, 'b[1].c: "x", not "y"'],
    [{ a: 1 }, {}, 'a: 1, not nothing'],
    [{}, { a: null }, 'a: nothing, not null'],
    [[1], [1, 2], '[1]: nothing, not 2'],
    [[], {}, ': [], not {}'],
    [{ z: 1, a: 1 }, { z: 2, a: 2 }, 'a: 1, not 2'],
    ['hello', {}, ': "hello", not {}'],
  ])('of %j and %j', (found, due, says) => {
    const difference = jsonDifference(found, due);
    expect(difference && `${difference.path}: ${difference.found}, not ${difference.due}`).toBe(says);
  });

  it('is none exactly where two values are the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(jsonDifference(a, structuredClone(a))).toBeNull();
        const one = JSON.parse(JSON.stringify(a));
        const other = JSON.parse(JSON.stringify(b));
        let same = true;
        try {
          expect(one).toStrictEqual(other);
        } catch {
          same = false;
        }
        expect(jsonDifference(one, other) === null).toBe(same);
      }),
    );
  });
});

describe('JSON from outside', () => {
  it('answers for nothing by way of a prototype', () => {
    expect(ownValue({}, 'toString')).toBeUndefined();
    expect(ownValue({ a: 1 }, 'a')).toBe(1);
    expect(ownValue(null, 'a')).toBeUndefined();
  });

  it('is null where the bytes are none', () => {
    expect(parsedJson(Uint8Array.of(0xff))).toBeNull();
    expect(parsedJson(Buffer.from('{"a":'))).toBeNull();
    expect(parsedJson(Buffer.from('{"a":1}'))).toEqual({ a: 1 });
  });
});

describe('what stands there', () => {
  const shownFor = (found: unknown): string | undefined => jsonDifference({ a: found }, { a: 'due' })?.found;

  it('is told by its kind where it is a list or an object, however deep or long', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    expect(shownFor(deep)).toBe('a list');
    expect(shownFor({ b: deep })).toBe('an object');
  });

  it('is cut where it is a long text, and shows what is invisible', () => {
    expect(shownFor('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(120)}"...`);
    expect(shownFor('a\u202eb')).toBe('"a\\u{202e}b"');
    expect([undefined, null, true, 7].map(shownFor)).toEqual(['nothing', 'null', 'true', '7']);
  });
});
