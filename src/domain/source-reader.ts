import { decodeAddress } from './address.js';
import type { Fault, FaultTag } from './fault.js';
import type { JsonSchema } from './json-schema.js';
import { nearestName } from './nearest.js';
import type { Network } from './network.js';
import {
  complain,
  describeNode,
  joinPath,
  type Placed,
  type Reader,
  type Reading,
  schemaOf,
  withSchema,
} from './reading.js';
import { ok, type Result } from './result.js';
import { checkLabel, MAX_LABEL_LENGTH, quoted, VISIBLE } from './safe-text.js';
import type { SourceNode } from './source-tree.js';

export {
  complain,
  describeNode,
  joinPath,
  type Reader,
  type Reading,
  schemaOf,
  startReading,
  withSchema,
} from './reading.js';

/** A reader of a value that is looked at again once the whole document can be read; `beyond` as with `through`. */
export function checkedLater<T>(read: Reader<T>, beyond: string): Reader<T> {
  return withSchema(read, () => alsoChecked(read, beyond));
}

/** The same with more that the reader alone checks. */
function alsoChecked(read: Reader<unknown>, beyond: string): JsonSchema {
  const schema = schemaOf(read);
  return { ...schema, beyond: [...(schema.beyond ?? []), beyond] };
}

const MORE = 'more than a schema can say';

// ---------------------------------------------------------------- single values

/** A text, quoted or not, that is not empty. */
export const text: Reader<string> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') return node.value;
    return complain(at, node, 'E_FIELD_TYPE', `a text is due here, not ${describeNode(node)}`, quoteRemedy(node));
  },
  () => ({ type: 'string', minLength: 1 }),
);

function quoteRemedy(node: SourceNode): string | undefined {
  const isBare = node.kind === 'scalar' && node.value !== null && typeof node.value !== 'string';
  return isBare ? `put it in quotes: "${String(node.value)}"` : undefined;
}

/** A text of a form; `what` is the form in words. The pattern is one of ECMA-262 that means the same with the flag u. */
export function matching(pattern: RegExp, what: string): Reader<string> {
  return withSchema(
    (node, at) => {
      const value = text(node, at);
      if (value === undefined || pattern.test(value)) return value;
      return complain(at, node, 'E_FIELD_TYPE', `${describeNode(node)} is not ${what}`);
    },
    () => ({ type: 'string', minLength: 1, pattern: pattern.source, form: sentence(what) }),
  );
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** One line that people read: visible characters only, at most 200. */
export const label: Reader<string> = withSchema(
  (node, at) => through(text, (value) => checkLabel(value, at.path.slice(at.path.lastIndexOf('.') + 1)))(node, at),
  () => ({
    type: 'string',
    minLength: 1,
    maxLength: MAX_LABEL_LENGTH,
    pattern: VISIBLE.source,
    form: `One line of visible characters, at most ${MAX_LABEL_LENGTH}.`,
  }),
);

/** An address of a network, with the script that it stands for. */
export function addressOn(network: Network): Reader<{ readonly address: string; readonly script: Uint8Array }> {
  const parse = (address: string): Result<{ readonly address: string; readonly script: Uint8Array }, Fault> => {
    const decoded = decodeAddress(address, network);
    return decoded.ok ? ok({ address, script: decoded.value.script }) : decoded;
  };
  return through(label, parse, 'that it is an address of the network, with its checksum');
}

/** One of a few words; `why` says what stands behind a choice of one. */
export function oneOf<const W extends string | number | boolean>(words: readonly W[], why?: string): Reader<W> {
  const [only] = words;
  return withSchema(
    (node, at) => {
      const value = node.kind === 'scalar' ? words.find((word) => word === node.value) : undefined;
      if (value !== undefined) return value;
      const due = words.length === 1 ? `${only} is the only value here` : `one of ${words.join(', ')} is due here`;
      return complain(at, node, 'E_FIELD_TYPE', `${due}, not ${describeNode(node)}`, why);
    },
    () => ({
      ...(words.length === 1 && only !== undefined ? { const: only } : { enum: words }),
      ...(why === undefined ? {} : { form: sentence(why) }),
    }),
  );
}

export function integer(min: number, max: number): Reader<number> {
  return withSchema(
    (node, at) => {
      if (node.kind === 'scalar' && typeof node.value === 'number' && node.value >= min && node.value <= max) {
        return node.value;
      }
      const due = `a whole number from ${min} to ${max} is due here, without quotes`;
      return complain(at, node, 'E_FIELD_TYPE', `${due}, not ${describeNode(node)}`);
    },
    () => ({ type: 'integer', minimum: min, maximum: max, form: `A whole number from ${min} to ${max}.` }),
  );
}

export const boolean: Reader<boolean> = withSchema(
  (node, at) => {
    if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
    return complain(at, node, 'E_FIELD_TYPE', `true or false is due here, not ${describeNode(node)}`);
  },
  () => ({ type: 'boolean' }),
);

/**
 * Passes a value on to a function of the domain, and puts the fault that it may return in its place. `beyond` continues
 * "countersign also checks": what the function looks at that the schema of `read` does not say; null where it says all.
 */
export function through<A, B>(
  read: Reader<A>,
  parse: (value: A) => Result<B, Fault>,
  beyond: string | null = MORE,
): Reader<B> {
  return withSchema(
    (node, at) => {
      const value = read(node, at);
      if (value === undefined) return undefined;
      const parsed = parse(value);
      if (parsed.ok) return parsed.value;
      return complain(at, node, parsed.error.tag, parsed.error.message, parsed.error.remedy);
    },
    () => (beyond === null ? schemaOf(read) : alsoChecked(read, beyond)),
  );
}

/** A check that reports what is wrong with a value that has the right shape, or null; `beyond` as with `through`. */
export function refined<T>(
  read: Reader<T>,
  tag: FaultTag,
  problem: (value: T) => string | null,
  beyond = MORE,
): Reader<T> {
  return withSchema(
    (node, at) => {
      const value = read(node, at);
      const message = value === undefined ? null : problem(value);
      return message === null ? value : complain(at, node, tag, message);
    },
    () => alsoChecked(read, beyond),
  );
}

// ---------------------------------------------------------------- lists and objects

/**
 * A list; `identity` says what makes two items the same (by default their own text), and `null` that the reader of the
 * items sees to that itself.
 */
export function list<T>(
  read: Reader<T>,
  min: number,
  identity: ((item: T) => string) | null = String,
): Reader<readonly T[]> {
  return withSchema(
    (node, at) => {
      if (node.kind !== 'list') {
        return complain(at, node, 'E_FIELD_TYPE', `a list is due here, not ${describeNode(node)}`);
      }
      const values: T[] = [];
      const seen = new Map<string, SourceNode>();
      const before = at.faults.length;
      for (const [index, item] of node.items.entries()) {
        const here = { ...at, path: `${at.path}[${index}]` };
        const value = read(item, here);
        if (value === undefined) continue;
        values.push(value);
        if (identity === null) continue;
        const first = seen.get(identity(value));
        if (first !== undefined) {
          complain(here, item, 'E_FIELD_TYPE', `stands in this list twice, first in line ${first.line}`);
        }
        seen.set(identity(value), first ?? item);
      }
      if (node.items.length < min) return complain(at, node, 'E_MISSING_FIELD', `at least ${min} item is due here`);
      return at.faults.length === before ? values : undefined;
    },
    () => listSchema(schemaOf(read), min, identity),
  );
}

function listSchema(items: JsonSchema, min: number, identity: ((item: never) => string) | null): JsonSchema {
  const isOwnText = identity === null || identity === String;
  const same = 'that no item before it in the list is the same thing';
  return {
    type: 'array',
    items: isOwnText ? items : { ...items, beyond: [...(items.beyond ?? []), same] },
    ...(min === 0 ? {} : { minItems: min }),
    ...(identity === null ? {} : { uniqueItems: true }),
  };
}

/** A list, or one item that stands for a list of one. */
export function oneOrMany<T>(read: Reader<T>, identity?: (item: T) => string): Reader<readonly T[]> {
  const many = list(read, 1, identity);
  return withSchema(
    (node, at) => {
      if (node.kind === 'list') return many(node, at);
      const value = read(node, at);
      return value === undefined ? undefined : [value];
    },
    () => {
      const { about, form, ...one } = schemaOf(read);
      return {
        about,
        form: [form, 'One, or a list of several.'].filter(Boolean).join('\n'),
        anyOf: [one, schemaOf(many)],
      };
    },
  );
}

/** Reads a name that the writer of a document chose; null where it cannot be one. */
export interface KeyReader<K> {
  (key: string): K | null;
  /** What JSON Schema can say of the names; where it stands, every other name is refused. */
  readonly pattern?: string;
}

/** Names of a form, each turned into what it stands for. */
export function keyMatching<K>(form: RegExp, meaning: (key: string) => K): KeyReader<K> {
  return Object.assign((key: string) => (form.test(key) ? meaning(key) : null), { pattern: form.source });
}

function namesOf({ pattern }: KeyReader<unknown>, value: JsonSchema): JsonSchema {
  if (pattern === undefined) return { additionalProperties: value, beyond: ['the names'] };
  return { patternProperties: { [pattern]: value }, additionalProperties: false };
}

/** An object whose keys are names that the writer chose. */
export function dictionary<K, T>(
  readKey: KeyReader<K>,
  keyForm: string,
  read: Reader<T>,
  min = 0,
): Reader<ReadonlyMap<K, T>> {
  return withSchema(
    (node, at) => {
      if (node.kind !== 'map') {
        return complain(at, node, 'E_FIELD_TYPE', `an object is due here, not ${describeNode(node)}`);
      }
      const values = new Map<K, T>();
      let complete = true;
      for (const [name, entry] of node.entries) {
        const key = readKey(name);
        if (key === null) {
          complete = false;
          complain(at, entry.key, 'E_UNKNOWN_FIELD', `${quoted(name, 40)} cannot be a name here`, `write ${keyForm}`);
          continue;
        }
        const here = { ...at, path: joinPath(at.path, name) };
        const value = isEmpty(entry.value) ? complainMissing(here, entry.key) : read(entry.value, here);
        if (value === undefined) complete = false;
        else values.set(key, value);
      }
      if (node.entries.size < min) return complain(at, node, 'E_MISSING_FIELD', `at least ${min} entry is due here`);
      return complete ? values : undefined;
    },
    () => ({
      type: 'object',
      ...(min === 0 ? {} : { minProperties: min }),
      ...namesOf(readKey, schemaOf(read)),
      form: `Names that you choose: ${keyForm}.`,
    }),
  );
}

export interface Field<T, Optional extends boolean = boolean> {
  readonly name: string;
  readonly read: Reader<T>;
  readonly optional: Optional;
  /** What the field is for, in the published schema. */
  readonly about?: string | undefined;
}

/** A field of an object, under the name that it has in the document, and what it is for. */
export function field<T>(name: string, read: Reader<T>, about?: string): Field<T, false> {
  return { name, read, optional: false, about };
}

export function optionalField<T>(name: string, read: Reader<T>, about?: string): Field<T, true> {
  return { name, read, optional: true, about };
}

function schemaOfField({ read, about }: Field<unknown>): JsonSchema {
  const schema = schemaOf(read);
  return { ...schema, about: about ?? schema.about };
}

type Shape = Readonly<Record<string, Field<unknown>>>;
type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The object that a shape reads: its keys are the shape's, and optional fields may be absent. */
export type ShapeValue<S extends Shape> = {
  readonly [K in keyof S as S[K] extends Field<unknown, true> ? never : K]: ValueOf<S[K]>;
} & { readonly [K in keyof S as S[K] extends Field<unknown, true> ? K : never]?: ValueOf<S[K]> };

export interface ObjectWords {
  /** Why a field may not be missing. */
  readonly missing?: string;
  /** A remedy for an unknown field that is better than the nearest name; null where there is none. */
  readonly unknown?: (name: string) => string | null;
}

/** An object with exactly these fields. A field that is there but empty counts as missing: blank never means "unlimited". */
export function object<S extends Shape>(shape: S, words: ObjectWords = {}): Reader<ShapeValue<S>> {
  const fields = Object.entries(shape);
  const names = fields.map(([, { name }]) => name);
  return withSchema(
    (node, at) => {
      if (node.kind !== 'map') {
        return complain(at, node, 'E_FIELD_TYPE', `an object is due here, not ${describeNode(node)}`);
      }
      const before = at.faults.length;
      for (const [name, { key }] of node.entries) {
        if (names.includes(name)) continue;
        const meant = nearestName(name, names);
        const known = meant === null ? `known here: ${names.join(', ')}` : `did you mean ${meant}?`;
        const remedy = words.unknown?.(name) ?? known;
        complain(at, key, 'E_UNKNOWN_FIELD', `the schema has no field ${quoted(name, 40)} here`, remedy);
      }
      const values: Record<string, unknown> = {};
      for (const [property, { name, read, optional }] of fields) {
        const entry = node.entries.get(name);
        const here = { ...at, path: joinPath(at.path, name) };
        if (entry === undefined && optional) continue;
        const isMissing = entry === undefined || isEmpty(entry.value);
        if (isMissing) complainMissing(here, entry?.key ?? node, words.missing);
        const value = isMissing ? undefined : read(entry.value, here);
        if (value !== undefined) values[property] = value;
      }
      // Every field of the shape was read without a fault, so the object has all of them, of the types their readers return.
      return at.faults.length === before ? (values as ShapeValue<S>) : undefined;
    },
    () => objectSchema(fields.map(([, one]) => one)),
  );
}

function objectSchema(fields: readonly Field<unknown>[]): JsonSchema {
  const required = fields.flatMap(({ name, optional }) => (optional ? [] : [name]));
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((one) => [one.name, schemaOfField(one)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function isEmpty(node: SourceNode): boolean {
  return node.kind === 'scalar' && (node.value === null || node.value === '');
}

function complainMissing(at: Reading, node: Placed, remedy?: string): undefined {
  return complain(at, node, 'E_MISSING_FIELD', 'is missing or empty', remedy);
}
