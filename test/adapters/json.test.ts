import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DOCUMENT_BYTES, parseJson } from '../../src/adapters/source-text.js';

const refusal = (text: string): string => {
  const result = parseJson(text, 'r.json');
  if (result.ok) return 'accepted';
  const { where, tag } = result.error;
  return `${tag} ${where?.line}:${where?.column}`;
};

describe('numbers', () => {
  it.each([['0'], ['1'], ['9007199254740991']])('%s is a value', (text) => {
    expect(parseJson(text, 'f')).toMatchObject({ ok: true, value: { value: Number(text), quoted: false } });
  });

  it.each([
    ['9007199254740992'],
    ['9007199254740993'],
    ['1e8'],
    ['1E8'],
    ['1.5'],
    ['1.0'],
    ['-1'],
    ['-0'],
    ['01'],
    ['+5'],
    ['.5'],
  ])('%s is refused before anything could round it', (text) => {
    const result = parseJson(`{ "amount": ${text} }`, 'r.json');
    expect(result).toMatchObject({
      ok: false,
      error: { tag: 'E_AMOUNT_SYNTAX', where: { file: 'r.json', line: 1, column: 13 } },
    });
    expect(result.ok ? '' : result.error.remedy).toContain('string of digits');
  });
});

describe('form', () => {
  it.each([
    ['nothing', '', 'E_PARSE 1:1'],
    ['a key twice', '{"amount":"1",\n "amount":"9999999999"}', 'E_DUPLICATE_KEY 2:2'],
    ['a key twice, once escaped', '{"a":1,"\\u0061":2}', 'E_DUPLICATE_KEY 1:8'],
    ['a comma at the end of an object', '{"a":1,}', 'E_PARSE 1:8'],
    ['a comma at the end of a list', '[1,]', 'E_PARSE 1:4'],
    ['single quotes', "{'a':1}", 'E_PARSE 1:2'],
    ['a comment', '{} // x', 'E_PARSE 1:4'],
    ['a second document', '{}\n{}', 'E_PARSE 2:1'],
    ['an open object', '{"a":1', 'E_PARSE 1:7'],
    ['an open string', '"abc', 'E_PARSE 1:5'],
    ['a line break in a string', '"a\nb"', 'E_PARSE 1:3'],
    ['a tab in a string', '"a\tb"', 'E_PARSE 1:3'],
    ['an unknown escape', '"\\x41"', 'E_PARSE 1:3'],
    ['a short escape', '"\\u12"', 'E_PARSE 1:3'],
    ['half a surrogate pair', '"\\ud800"', 'E_PARSE 1:9'],
    ['True', 'True', 'E_PARSE 1:1'],
    ['NaN', 'NaN', 'E_PARSE 1:1'],
    ['a byte order mark', '\ufeff{}', 'E_PARSE 1:1'],
    ['CRLF', '{\r\n}', 'E_PARSE 1:2'],
    ['NUL', '{}\0', 'E_PARSE 1:3'],
    ['a missing colon', '{"a" 1}', 'E_PARSE 1:6'],
    ['a missing value', '{"a":}', 'E_PARSE 1:6'],
  ])('%s', (_name, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it('reads escapes, and knows its places', () => {
    expect(parseJson('{\n  "a": ["x\\n\\u20ac\\"", true, null]\n}\n', 'f')).toEqual({
      ok: true,
      value: {
        kind: 'map',
        line: 1,
        column: 1,
        entries: new Map([
          [
            'a',
            {
              key: { line: 2, column: 3 },
              value: {
                kind: 'list',
                line: 2,
                column: 8,
                items: [
                  { kind: 'scalar', value: 'x\n€"', quoted: true, line: 2, column: 9 },
                  { kind: 'scalar', value: true, quoted: false, line: 2, column: 24 },
                  { kind: 'scalar', value: null, quoted: false, line: 2, column: 30 },
                ],
              },
            },
          ],
        ]),
      },
    });
  });

  it('accepts nothing that JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '0',
      '12',
      'true',
      'null',
      ' ',
      '\n',
      '\\',
      'u0041',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        if (parseJson(text, 'f').ok) expect(() => JSON.parse(text)).not.toThrow();
        else expect(refusal(text)).toMatch(/^E_/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bounds', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

  it('reads 64 levels and refuses 65', () => {
    expect(refusal(nested(64))).toBe('accepted');
    expect(refusal(nested(65))).toBe('E_PARSE 1:65');
  });

  it.each([
    ['1000 levels', nested(1000)],
    ['4 MB of brackets', '['.repeat(4_000_000)],
    ['4 MB of objects', '{"a":'.repeat(800_000)],
    ['one byte over the size', `"${'x'.repeat(MAX_DOCUMENT_BYTES - 1)}"`],
  ])('%s: refused, without reading on for long', (_name, text) => {
    expect(refusal(text)).toMatch(/^E_PARSE/);
  });

  it('reads a full file, and more where the caller says so', () => {
    const items = Array.from({ length: 400_000 }, (_, i) => `{"a":"${i}"}`).join(',\n');
    expect(parseJson(`[${items.slice(0, 4_900_000).replace(/,[^,]*$/, '')}]`, 'f').ok).toBe(true);
    expect(refusal(`[${items}]`)).toMatch(/^E_PARSE/);
    expect(parseJson(`[${items}]`, 'f', { maxBytes: 10_000_000 }).ok).toBe(true);
  });
});
