import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../../src/adapters/chain/exact-json.js';

const read = (text: string): unknown => {
  const parsed = parseExactJson(text, 'a node');
  return parsed.ok ? parsed.value : parsed.error.tag;
};

describe('JSON with exact numbers', () => {
  it.each([
    ['0.10000000', '0.10000000'],
    ['20999999.97690000', '20999999.97690000'],
    ['-1', '-1'],
    ['1E-8', '1E-8'],
    ['9007199254740993', '9007199254740993'],
    ['{"a":[1,{"b":2.50}],"c":"1"}', { a: ['1', { b: '2.50' }], c: '1' }],
    ['"a \\"1\\" 2"', 'a "1" 2'],
    ['["\\\\",1]', ['\\', '1']],
    ['{"1":2}', { '1': '2' }],
    ['[true,false,null]', [true, false, null]],
  ])('%s', (text, value) => {
    expect(read(text)).toEqual(value);
  });

  it.each(['', '<html>', '{"a":1', '[1 2]', '{"a":-}', '1"a"', 'NaN', "{'a':1}", '"a\nb"'])('%j is no JSON', (text) => {
    expect(read(text)).toBe('E_CHAIN_ANSWER');
  });

  it('is what JSON.parse reads, with numbers as texts', () => {
    const texts = (value: unknown): unknown => {
      if (typeof value === 'number') return JSON.stringify(value);
      if (Array.isArray(value)) return value.map(texts);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, texts(one)]));
    };
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(read(text)).toEqual(texts(JSON.parse(text)));
      }),
    );
  });

  it('reads a text of 40 MB, and a million numbers', () => {
    expect(read(`{"hex":"${'ab'.repeat(20_000_000)}"}`)).toHaveProperty('hex.length', 40_000_000);
    expect(read(`[${'1,'.repeat(999_999)}1]`)).toHaveLength(1_000_000);
  });

  it.each([
    ['a string that never ends', `"${'\\"'.repeat(500_000)}`, 'E_CHAIN_ANSWER'],
    ['strings that begin and never end', '"\\'.repeat(500_000), 'E_CHAIN_ANSWER'],
    ['backslashes and no end', `"${'\\'.repeat(1_000_000)}`, 'E_CHAIN_ANSWER'],
    ['minus signs', '-'.repeat(1_000_000), 'E_CHAIN_ANSWER'],
    ['ten million escapes', `"${'\\n'.repeat(10_000_000)}"`, '\n'.repeat(10_000_000)],
  ])('is read in time that grows with its length: %s', (_, text, due) => {
    const started = performance.now();
    const value = read(text);
    expect(value === due).toBe(true);
    // Seconds are what a machine with other work may take; going back for each character takes a quarter of an hour.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('a name that objects have by themselves is a field like others', () => {
    const value = read('{"__proto__":{"polluted":1}}');
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
    expect({}).not.toHaveProperty('polluted');
  });

  it('repeats no more than 60 characters, and no escape, of what is no JSON', () => {
    const parsed = parseExactJson(`\u001b[2J${'x'.repeat(1000)}`, 'a node');
    expect(parsed.ok || parsed.error.message).toMatch(/^a node answers "\\u\{1b\}\[2Jx{56}"\.\.\., which is not JSON$/);
  });

  it('a million brackets are an answer or a fault, and no crash', () => {
    expect(read('['.repeat(1_000_000))).toBe('E_CHAIN_ANSWER');
  });
});
