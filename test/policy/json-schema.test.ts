import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../src/domain/fault.js';
import { readersAlone } from '../../src/domain/json-schema.js';
import type { Result } from '../../src/domain/result.js';
import { loadBook } from '../../src/policy/book.js';
import { loadPolicy } from '../../src/policy/load.js';
import { modeline, PUBLICATIONS, type PublishedKind, publishedSchema } from '../../src/policy/published.js';
import { changed, jsonNode, type Keys, leaves, type Plain, plain, shipped, yamlNode } from './documents-support.js';

/** The published schemas against the readers that they come from: what the one takes, the other takes, but for what is said. */

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly const?: Plain;
  readonly enum?: readonly Plain[];
  readonly type?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

const demo = (name: string): string => readFileSync(new URL(`../../examples/demo/${name}`, import.meta.url), 'utf8');

const SUBJECTS = {
  policy: {
    read: (value: Plain): Result<unknown, readonly Fault[]> => loadPolicy(jsonNode(value), 'p.json'),
    examples: [
      ...['example.yaml', 'cold-storage.yaml', 'sweep-to-hot.yaml', 'multisig-treasury.yaml'].map(shipped),
      ...['policy.yaml', 'looser.yaml'].map(demo),
    ].map((text) => plain(yamlNode(text))),
  },
  book: {
    read: (value: Plain): Result<unknown, readonly Fault[]> => loadBook(jsonNode(value), 'b.json', 'testnet3'),
    examples: [shipped('example-book.yaml'), ...['book-1.yaml', 'book-2.yaml'].map(demo)].map((text) =>
      plain(yamlNode(text)),
    ),
  },
} as const;

const KINDS = Object.keys(SUBJECTS) as PublishedKind[];

describe.each(KINDS)('the schema of %s', (kind) => {
  const { read, examples } = SUBJECTS[kind];
  const schema = publishedSchema(kind) as Schema;
  const validate = new Ajv2020({ strict: true, allErrors: false }).compile(schema);
  const alone = [...readersAlone(PUBLICATIONS[kind]).keys()].map(
    (path) =>
      new RegExp(
        `^${path
          .replace(/[.[\]]/g, '\\$&')
          .replaceAll('\\[\\]', '\\[\\d+\\]')
          .replaceAll('*', '[^.[]+')}$`,
      ),
  );
  const pathOf = ({ message }: Fault): string =>
    /^the document: /.test(message) ? '' : (message.split(': ')[0] ?? '');

  /** Holds schema and reader together on one document; says what both of them did. */
  function compare(value: Plain): 'both take it' | 'both refuse it' | 'the reader alone refuses it' {
    const isRead = read(value);
    const isValid = validate(value);
    if (isRead.ok) {
      expect(validate.errors, JSON.stringify(value)).toBeNull();
      return 'both take it';
    }
    if (!isValid) return 'both refuse it';
    for (const fault of isRead.error) {
      const path = pathOf(fault);
      expect(
        alone.some((known) => known.test(path)),
        `the schema takes what the reader refuses, and does not say so: ${fault.message}`,
      ).toBe(true);
    }
    return 'the reader alone refuses it';
  }

  const [example = null] = examples;
  const places = leaves(example);
  const at = (path: string): Keys => places.find((leaf) => leaf.path === path)?.keys ?? [];
  const objects = (value: Plain, keys: Keys = []): Keys[] => {
    if (typeof value !== 'object' || value === null) return [];
    const below = Object.entries(value).flatMap(([key, child]) =>
      objects(child, [...keys, Array.isArray(value) ? Number(key) : key]),
    );
    return Array.isArray(value) ? below : [keys, ...below];
  };

  it('takes every example', () => {
    for (const value of examples) expect(compare(value)).toBe('both take it');
  });

  it('has words for every place, and words for no other', () => {
    const titles = new Set<string>();
    const visit = (part: Schema): void => {
      if (part.title !== undefined) titles.add(part.title);
      for (const one of Object.values(part.properties ?? {})) {
        expect(one.description, `${one.title} has no words: see field-words.ts`).toMatch(/\S/);
      }
      const below = [...Object.values({ ...part.properties, ...part.patternProperties }), ...(part.anyOf ?? [])];
      for (const one of part.items === undefined ? below : [...below, part.items]) visit(one);
    };
    visit(schema);
    const { words, beyond } = PUBLICATIONS[kind];
    for (const path of [...Object.keys(words), ...Object.keys(beyond)]) expect([...titles]).toContain(path);
  });

  it('refuses, as the reader does, a document without one of its mandatory fields', () => {
    let count = 0;
    const visit = (part: Schema, keys: Keys): void => {
      for (const name of part.required ?? []) {
        expect(compare(changed(example, [...keys, name], undefined)), [...keys, name].join('.')).toBe('both refuse it');
        expect(compare(changed(example, [...keys, name], null)), [...keys, name].join('.')).toBe('both refuse it');
        count += 1;
      }
      for (const [name, one] of Object.entries(part.properties ?? {})) {
        if (one.type === 'object') visit(one, [...keys, name]);
        if (one.items?.type === 'object' && valueAt(example, [...keys, name, 0]) !== undefined) {
          visit(one.items, [...keys, name, 0]);
        }
      }
    };
    visit(schema, []);
    expect(count).toBeGreaterThan(8);
  });

  it('refuses, as the reader does, a field that nobody knows, in every object', () => {
    for (const keys of objects(example)) {
      const name = 'No such field';
      expect(compare(changed(example, [...keys, name], '1')), [...keys, name].join('.')).toBe('both refuse it');
    }
  });

  it('refuses, as the reader does, numbers just out of range and words that are none of the list', () => {
    let count = 0;
    for (const { keys, path } of places) {
      for (const part of partsAt(schema, keys)) {
        const { minimum, maximum } = part;
        const outside = [
          ...(minimum === undefined || minimum === 0 ? [] : [minimum - 1]),
          ...(maximum === undefined ? [] : [maximum + 1]),
          ...(part.enum === undefined && part.const === undefined ? [] : ['no such word']),
        ];
        for (const value of outside) {
          expect(compare(changed(example, keys, value)), `${path}: ${value}`).toBe('both refuse it');
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(1);
  });

  it('takes, as the reader does, numbers at the ends of their range', () => {
    for (const { keys, path } of places) {
      for (const { minimum, maximum } of partsAt(schema, keys)) {
        for (const value of [minimum, maximum]) {
          if (value !== undefined) expect(compare(changed(example, keys, value)), path).not.toBe('both refuse it');
        }
      }
    }
  });

  const value = arbitraryValue(example);

  it('says the same as the reader of whatever stands in one place, but for what it names', () => {
    fc.assert(
      fc.property(fc.constantFrom(...places), value, ({ keys }, to) => void compare(changed(example, keys, to))),
      {
        numRuns: 1500,
      },
    );
  });

  it('says the same as the reader after several changes, but for what it names', () => {
    const change = fc.tuple(
      fc.constantFrom(...places, ...objects(example).map((keys) => ({ keys }))),
      fc.option(value),
    );
    fc.assert(
      fc.property(fc.constantFrom(...examples), fc.array(change, { minLength: 1, maxLength: 4 }), (start, changes) => {
        compare(changes.reduce<Plain>((document, [{ keys }, to]) => changed(document, keys, to ?? undefined), start));
      }),
      { numRuns: 600 },
    );
  });

  if (kind === 'policy') {
    it.each([
      '1e8',
      '+5',
      '-1',
      '1,000',
      '1_000',
      '010',
      '0x10',
      '1.5',
      ' 1',
      '1 ',
      '',
      '١',
      '2100000000000001',
      'Unlimited',
    ])('refuses, as the reader does, the amount "%s" wherever one is due', (text) => {
      const amounts = places.filter(({ value: one }) => typeof one === 'string' && /^[0-9]+$|^unlimited$/.test(one));
      expect(amounts.length).toBeGreaterThan(15);
      for (const { keys, path } of amounts) {
        expect(compare(changed(example, keys, text)), path).toBe('both refuse it');
        expect(compare(changed(example, keys, 100)), path).toBe('both refuse it');
      }
    });

    it('refuses a private key', () => {
      const descriptor = 'wpkh([f5acc2fd/84h/1h/0h]tprv8ZgxMBicQKsPdQXJz5N4j8deLh8Tt/<0;1>/*)';
      expect(compare(changed(example, at('wallet.descriptor'), descriptor))).toBe('both refuse it');
    });

    it.each<readonly [string, Plain]>([
      ['engine', '>=2 <3'],
      ['prev', `sha256:${'7'.repeat(64)}`],
      ['effective_at', '2026-06-31T08:00:00Z'],
      ['expires_at', '2026-01-01T00:00:00Z'],
      ['wallet.device.app', 'Bitcoin'],
      ['change_control.sign.m', 3],
      ['change_control.sign.from', 'nobody'],
      ['roles.auditors.frank', 'ssh-ed25519 AAAA'],
      ['approvals.tiers[0].up_to', 'unlimited'],
      ['hours.from', '20:00'],
      ['fees.min_rate_sat_vb', 301],
      ['log.witnesses.m', 3],
    ])('takes %s: %j, which the reader alone refuses', (path, to) => {
      expect(at(path)).not.toEqual([]);
      expect(compare(changed(example, at(path), to))).toBe('the reader alone refuses it');
    });
  }
});

it.each([
  ['example.yaml', 'policy'],
  ['cold-storage.yaml', 'policy'],
  ['sweep-to-hot.yaml', 'policy'],
  ['multisig-treasury.yaml', 'policy'],
  ['example-book.yaml', 'book'],
] as const)('%s says in its first line where its schema is', (name, kind) => {
  const [first = ''] = shipped(name).split('\n');
  expect(first).toBe(modeline(kind));
  expect(JSON.parse(shipped(first.split('$schema=')[1] ?? ''))).toMatchObject({ $id: PUBLICATIONS[kind].id });
});

function valueAt(value: Plain, [key, ...rest]: Keys): Plain | undefined {
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const child = Array.isArray(value) ? value[Number(key)] : value[key];
  return child === undefined ? undefined : valueAt(child, rest);
}

/** What the schema says of a place: all forms that its value may have. */
function partsAt(schema: Schema, keys: Keys): readonly Schema[] {
  const here = schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap((one) => partsAt(one, []));
  const [key, ...rest] = keys;
  if (key === undefined) return here;
  return here.flatMap((part) => {
    const named = Object.entries(part.patternProperties ?? {}).find(([name]) => new RegExp(name).test(String(key)));
    const child = typeof key === 'number' ? part.items : (part.properties?.[key] ?? named?.[1]);
    return child === undefined ? [] : partsAt(child, rest);
  });
}

/** Values that are right somewhere, nearly right, or of another kind. */
function arbitraryValue(example: Plain): fc.Arbitrary<Plain> {
  const texts = leaves(example).map(({ value }) => value);
  const digits = fc.bigInt({ min: 0n, max: 3_000_000_000_000_000n }).map(String);
  const time = fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((date) => date.toISOString());
  const scalar = fc.oneof(
    fc.constantFrom(...texts),
    digits,
    fc.nat({ max: 1_100_000 }),
    fc.boolean(),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !/\p{Cs}/u.test(text)),
    time.map((text) => text.replace(/\.\d+Z$/, 'Z')),
    time.map((text) => text.slice(0, 10)),
    time.map((text) => text.slice(11, 16)),
    fc.tuple(fc.nat({ max: 2_000_000 }), fc.constantFrom('s', 'm', 'h', 'd', 'w', '')).map((parts) => parts.join('')),
    fc.tuple(fc.nat({ max: 2_000_000 }), fc.nat({ max: 20_000 })).map((parts) => parts.join('.')),
    fc.constantFrom(
      'unlimited',
      'none',
      'auditors',
      'officers',
      '',
      '24:00',
      '2026-02-30',
      'x'.repeat(200),
      'x'.repeat(201),
    ),
  );
  const mutilated = fc
    .tuple(fc.constantFrom(...texts), fc.nat({ max: 200 }), fc.string({ maxLength: 2 }))
    .map(([text, index, put]) => {
      const whole = String(text);
      const cut = index % (whole.length + 1);
      return whole.slice(0, cut) + put + whole.slice(cut + 1);
    });
  const single = fc.oneof(scalar, mutilated, fc.constant(null));
  return fc.oneof(
    { weight: 6, arbitrary: single },
    { weight: 2, arbitrary: fc.array(single, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), single, { maxKeys: 2 }) },
  );
}
