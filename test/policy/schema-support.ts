import fc from 'fast-check';
import { changed, type Keys, leaves, type Plain } from './documents-support.js';

/** What the tests look at in a published schema. */
export interface Schema {
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

export function valueAt(value: Plain, [key, ...rest]: Keys): Plain | undefined {
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const child = Array.isArray(value) ? value[Number(key)] : value[key];
  return child === undefined ? undefined : valueAt(child, rest);
}

/** What the schema says of a place: all forms that its value may have. */
export function partsAt(schema: Schema, keys: Keys): readonly Schema[] {
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
export function arbitraryValue(example: Plain): fc.Arbitrary<Plain> {
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

/** Puts in what a document leaves out, where the reader takes some value for it. */
export function withEveryField(start: Plain, schema: Schema, isRead: (value: Plain) => boolean): Plain {
  const fill = (document: Plain, keys: Keys): Plain => {
    const here = valueAt(document, keys);
    if (typeof here !== 'object' || here === null) return document;
    const children = Array.isArray(here) ? [...here.keys()] : Object.keys(here);
    const filled = children.reduce<Plain>((whole, key) => fill(whole, [...keys, key]), document);
    if (Array.isArray(here)) return filled;
    return partsAt(schema, keys)
      .flatMap(({ properties = {} }) => Object.entries(properties))
      .filter(([name]) => !(name in here))
      .reduce((whole, [name, part]) => {
        const candidates = valuesFor(part).map((value) => changed(whole, [...keys, name], value));
        const put = candidates.find(isRead);
        return put === undefined ? whole : fill(put, [...keys, name]);
      }, filled);
  };
  return fill(start, []);
}

const WORDS = [
  '1',
  'all',
  '1h',
  'none',
  'officers',
  'auditors',
  'alice',
  'now',
  '1/1',
  'hot-1',
  'x',
  '2026-06-01T12:00:00Z',
];

/** Values that a schema takes: a few texts, or the simplest that there is. */
function valuesFor(part: Schema): readonly Plain[] {
  if (part.anyOf !== undefined) return part.anyOf.flatMap(valuesFor);
  if (part.const !== undefined) return [part.const];
  if (part.enum !== undefined) return part.enum;
  switch (part.type) {
    case 'boolean':
      return [true];
    case 'integer':
      return [part.minimum ?? 0];
    case 'string':
      return WORDS.filter((word) => new RegExp(part.pattern ?? '', 'u').test(word));
    case 'array':
      return [...valuesFor(part.items ?? {}).map((item) => [item]), []];
    default: {
      const entries = (part.required ?? []).map((name) => [name, valuesFor(part.properties?.[name] ?? {})[0] ?? null]);
      return [Object.fromEntries(entries)];
    }
  }
}
