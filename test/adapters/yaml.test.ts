import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DOCUMENT_BYTES, parseJson, parseYaml } from '../../src/adapters/source-text.js';
import type { SourceNode } from '../../src/domain/source-tree.js';

const tree = (text: string): SourceNode => {
  const result = parseYaml(text, 'p.yaml');
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

/** The tag and place of a refusal: "E_PARSE 2:1". */
const refusal = (text: string): string => {
  const result = parseYaml(text, 'p.yaml');
  if (result.ok) return 'accepted';
  const { where, tag } = result.error;
  return `${tag} ${where?.file}:${where?.line}:${where?.column}`;
};

const scalar = (text: string): unknown => {
  const root = tree(`a: ${text}\n`);
  const value = root.kind === 'map' ? root.entries.get('a')?.value : undefined;
  return value?.kind === 'scalar' ? value.value : value;
};

describe('plain scalars', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['300', 300],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['true', true],
    ['false', false],
    ['~', null],
    ['null', null],
    ['', null],
  ])('%s is a value', (text, value) => {
    expect(scalar(text)).toBe(value);
  });

  it.each([
    ['9007199254740992'],
    ['1e8'],
    ['+5'],
    ['-5'],
    ['-0'],
    ['0x10'],
    ['0o10'],
    ['010'],
    ['.inf'],
    ['.nan'],
    ['1_000'],
    ['1.5'],
    ['1.0'],
    ['True'],
    ['TRUE'],
    ['yes'],
    ['no'],
    ['on'],
    ['Null'],
    ['NULL'],
    ['2026-06-01'],
    ['12:30:45'],
  ])('%s stays the text it is written as', (text) => {
    expect(scalar(text)).toBe(text);
  });

  it.each([['"1"'], ["'1'"]])('%s is a text because it is quoted', (text) => {
    expect(scalar(text)).toBe('1');
    expect(tree(text)).toMatchObject({ kind: 'scalar', quoted: true });
  });
});

describe('what YAML offers and a policy may not use', () => {
  it.each([
    ['an anchor', 'a: &x 1\n', 'E_YAML_FEATURE p.yaml:1:7'],
    ['an anchor on a key', '&x a: 1\n', 'E_YAML_FEATURE p.yaml:1:4'],
    ['an anchor on a list', 'a:\n  &x [1]\n', 'E_YAML_FEATURE p.yaml:2:6'],
    ['an alias', 'a: 1\nb: *x\n', 'E_YAML_FEATURE p.yaml:2:4'],
    ['an alias as a key', '*x : 1\n', 'E_YAML_FEATURE p.yaml:1:1'],
    ['a core tag', 'a: !!str 1\n', 'E_YAML_FEATURE p.yaml:1:10'],
    ['a binary tag', 'a: !!binary AAAA\n', 'E_YAML_FEATURE p.yaml:1:13'],
    ['a local tag', 'a: !x 1\n', 'E_YAML_FEATURE p.yaml:1:4'],
    ['an empty tag', 'a: ! 1\n', 'E_YAML_FEATURE p.yaml:1:6'],
    ['a tag on the document', '--- !!map\na: 1\n', 'E_YAML_FEATURE p.yaml:2:1'],
    ['a tag of an undeclared handle', 'a: !e!x 1\n', 'E_YAML_FEATURE p.yaml:1:4'],
    ['a merge key', 'a: 1\n<<: { b: 2 }\n', 'E_YAML_FEATURE p.yaml:2:1'],
    ['a version directive', '%YAML 1.1\n---\na: 1\n', 'E_YAML_FEATURE p.yaml:1:1'],
    ['a tag directive', '%TAG ! x\n---\na: 1\n', 'E_YAML_FEATURE p.yaml:1:1'],
    ['a second document', 'a: 1\n---\nb: 2\n', 'E_YAML_FEATURE p.yaml:2:1'],
    ['a key that is a list', '? [a]\n: 1\n', 'E_PARSE p.yaml:1:3'],
    ['a key that stands twice', 'a: 1\nb: 2\na: 3\n', 'E_DUPLICATE_KEY p.yaml:3:1'],
    ['a key that stands twice, once quoted', '{ "a": 1, a: 2 }\n', 'E_DUPLICATE_KEY p.yaml:1:11'],
    ['a key that stands twice deep inside', 'a:\n  - b: 1\n    b: 1\n', 'E_DUPLICATE_KEY p.yaml:3:5'],
  ])('%s', (_name, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it('accepts one explicit document, and a quoted "<<"', () => {
    expect(tree('---\na: 1\n...\n').kind).toBe('map');
    expect(tree('"<<": 1\n').kind).toBe('map');
  });
});

describe('characters', () => {
  it.each([
    ['a byte order mark', '\ufeffa: 1\n', 'E_PARSE p.yaml:1:1'],
    ['CRLF line ends', 'a: 1\r\nb: 2\r\n', 'E_PARSE p.yaml:1:5'],
    ['a lone CR that hides a limit in a comment', 'a: 1 # x\rb: 2\n', 'E_PARSE p.yaml:1:9'],
    ['NUL', 'a: 1\nb: \0\n', 'E_PARSE p.yaml:2:4'],
    ['an escape character', 'a: 1 # \u001b[2K\n', 'E_PARSE p.yaml:1:8'],
    ['a direction override in a comment', 'a: 1 # \u202e000\n', 'E_TEXT_UNSAFE p.yaml:1:8'],
    ['half a surrogate pair', 'a: "\\ud800"\n', 'E_PARSE p.yaml:1:4'],
    ['a bare half of a surrogate pair', 'a: \ud800\n', 'E_PARSE p.yaml:1:4'],
  ])('%s', (_name, text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it('keeps other scripts and emoji', () => {
    expect(scalar('"Größe 価格 🏦"')).toBe('Größe 価格 🏦');
  });
});

describe('malformed documents', () => {
  it.each([
    ['nothing', ''],
    ['comments alone', '# x\n'],
    ['an open bracket', 'a: [1, 2\n'],
    ['an open quote', 'a: "x\n'],
    ['a closing bracket too many', 'a: 1\n]\n'],
    ['a reserved character', 'a: @x\n'],
    ['a tab as indentation', 'a:\n\tb: 1\n'],
    ['two values', 'a: b: c\n'],
  ])('%s', (_name, text) => {
    expect(refusal(text)).toMatch(/^E_PARSE p\.yaml:/);
  });

  it('names the place of every node', () => {
    expect(tree('a: 1\nb:\n  - x\n  - { c: y }\n')).toEqual({
      kind: 'map',
      line: 1,
      column: 1,
      entries: new Map([
        [
          'a',
          {
            key: { line: 1, column: 1 },
            value: { kind: 'scalar', value: 1, quoted: false, line: 1, column: 4 },
          },
        ],
        [
          'b',
          {
            key: { line: 2, column: 1 },
            value: {
              kind: 'list',
              line: 3,
              column: 3,
              items: [
                { kind: 'scalar', value: 'x', quoted: false, line: 3, column: 5 },
                {
                  kind: 'map',
                  line: 4,
                  column: 5,
                  entries: new Map([
                    [
                      'c',
                      {
                        key: { line: 4, column: 7 },
                        value: { kind: 'scalar', value: 'y', quoted: false, line: 4, column: 10 },
                      },
                    ],
                  ]),
                },
              ],
            },
          },
        ],
      ]),
    });
  });

  it('leaves the prototypes alone', () => {
    const root = tree('__proto__: { polluted: 1 }\nconstructor: 1\n');
    expect(root.kind === 'map' ? [...root.entries.keys()] : []).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('bounds', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}\n`;

  it('reads 64 levels and refuses 65', () => {
    expect(tree(nested(64)).kind).toBe('list');
    expect(refusal(nested(65))).toMatch(/^E_PARSE/);
  });

  const megabytes: readonly (readonly [string, string])[] = [
    ['1000 brackets', nested(1000)],
    ['1000 dashes', `${'- '.repeat(1000)}x\n`],
    ['1000 indented objects', Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
    ['4 MB of brackets', '['.repeat(4_000_000)],
    ['4 MB of keys', Array.from({ length: 400_000 }, (_, i) => `k${i}: v\n`).join('')],
    ['4 MB of commas', `[${','.repeat(4_000_000)}]`],
    ['4 MB of exclamation marks', '!'.repeat(4_000_000)],
    ['one byte over the size', 'x'.repeat(MAX_DOCUMENT_BYTES + 1)],
  ];
  it.each(megabytes)('%s: refused, without reading on for long', (_name, text) => {
    expect(refusal(text)).toMatch(/^E_(?:PARSE|YAML_FEATURE)/);
  });

  it('reads a text of the full size', () => {
    const text = 'x'.repeat(MAX_DOCUMENT_BYTES);
    expect(tree(text)).toMatchObject({ kind: 'scalar', value: text });
  });

  it('keeps the message of a refusal short', () => {
    const result = parseYaml(`a: !${'x'.repeat(1_000_000)} 1`, 'p.yaml');
    expect(result.ok ? 0 : result.error.message.length).toBeLessThan(300);
  });
});

it('reads what JSON says as JSON does, places aside', () => {
  const value = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufeff]/u.test(text)),
      fc.nat(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 8 }), tie('node'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).node;
  fc.assert(
    fc.property(value, (sample) => {
      const text = JSON.stringify(sample);
      const fromYaml = parseYaml(text, 'f');
      const fromJson = parseJson(text, 'f');
      expect(fromYaml.ok && fromJson.ok).toBe(true);
      if (fromYaml.ok && fromJson.ok) expect(plain(fromYaml.value)).toEqual(plain(fromJson.value));
      if (fromJson.ok) expect(plain(fromJson.value)).toEqual(JSON.parse(text));
    }),
  );
});

function plain(node: SourceNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
  }
}
