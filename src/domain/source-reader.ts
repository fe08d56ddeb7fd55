import { decodeAddress } from './address.js';
import { type Fault, type FaultTag, fault, type SourcePosition } from './fault.js';
import { nearestName } from './nearest.js';
import type { Network } from './network.js';
import { ok, type Result } from './result.js';
import { checkLabel, quoted } from './safe-text.js';
import type { SourceNode } from './source-tree.js';

/** Where a reader stands in a document, and the list that all readers of the document add their faults to. */
export interface Reading {
  readonly file: string;
  /** "limits.rolling.24h", "approvals.tiers[0].m"; empty for the document itself. */
  readonly path: string;
  readonly faults: Fault[];
}

/**
 * Takes a typed value out of a node. `undefined` means that a fault was added; every reader goes on to the end, so that
 * one run names everything that is wrong. No value of a document is `undefined`.
 */
export type Reader<T> = (node: SourceNode, at: Reading) => T | undefined;

export function startReading(file: string): Reading {
  return { file, path: '', faults: [] };
}

/** Adds a fault about a node, under the name of its field. */
export function complain(at: Reading, node: Placed, tag: FaultTag, message: string, remedy?: string): undefined {
  const subject = at.path === '' ? 'the document' : at.path;
  at.faults.push(fault(tag, `${subject}: ${message}`, { remedy, where: placed(at.file, node) }));
}

interface Placed {
  readonly line: number;
  readonly column: number;
}

const placed = (file: string, { line, column }: Placed): SourcePosition => ({ file, line, column });

/** What a node is, in the words of a message. */
export function describeNode(node: SourceNode): string {
  switch (node.kind) {
    case 'map':
      return 'an object';
    case 'list':
      return 'a list';
    case 'scalar':
      if (node.value === null) return 'nothing';
      return typeof node.value === 'string' ? quoted(node.value, 40) : String(node.value);
  }
}

// ---------------------------------------------------------------- single values

/** A text, quoted or not, that is not empty. */
export const text: Reader<string> = (node, at) => {
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value !== '') return node.value;
  return complain(at, node, 'E_FIELD_TYPE', `a text is due here, not ${describeNode(node)}`, quoteRemedy(node));
};

function quoteRemedy(node: SourceNode): string | undefined {
  const isBare = node.kind === 'scalar' && node.value !== null && typeof node.value !== 'string';
  return isBare ? `put it in quotes: "${String(node.value)}"` : undefined;
}

export function matching(pattern: RegExp, what: string): Reader<string> {
  return (node, at) => {
    const value = text(node, at);
    if (value === undefined || pattern.test(value)) return value;
    return complain(at, node, 'E_FIELD_TYPE', `${describeNode(node)} is not ${what}`);
  };
}

/** One line that people read: visible characters only, at most 200. */
export const label: Reader<string> = (node, at) =>
  through(text, (value) => checkLabel(value, at.path.slice(at.path.lastIndexOf('.') + 1)))(node, at);

/** An address of a network, with the script that it stands for. */
export function addressOn(network: Network): Reader<{ readonly address: string; readonly script: Uint8Array }> {
  return through(label, (address) => {
    const decoded = decodeAddress(address, network);
    return decoded.ok ? ok({ address, script: decoded.value.script }) : decoded;
  });
}

/** One of a few words; `why` says what stands behind a choice of one. */
export function oneOf<const W extends string | number | boolean>(words: readonly W[], why?: string): Reader<W> {
  return (node, at) => {
    const value = node.kind === 'scalar' ? words.find((word) => word === node.value) : undefined;
    if (value !== undefined) return value;
    const due = words.length === 1 ? `${words[0]} is the only value here` : `one of ${words.join(', ')} is due here`;
    return complain(at, node, 'E_FIELD_TYPE', `${due}, not ${describeNode(node)}`, why);
  };
}

export function integer(min: number, max: number): Reader<number> {
  return (node, at) => {
    if (node.kind === 'scalar' && typeof node.value === 'number' && node.value >= min && node.value <= max) {
      return node.value;
    }
    const due = `a whole number from ${min} to ${max} is due here, without quotes`;
    return complain(at, node, 'E_FIELD_TYPE', `${due}, not ${describeNode(node)}`);
  };
}

export const boolean: Reader<boolean> = (node, at) => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  return complain(at, node, 'E_FIELD_TYPE', `true or false is due here, not ${describeNode(node)}`);
};

/** Passes a value on to a function of the domain, and puts the fault that it may return in its place. */
export function through<A, B>(read: Reader<A>, parse: (value: A) => Result<B, Fault>): Reader<B> {
  return (node, at) => {
    const value = read(node, at);
    if (value === undefined) return undefined;
    const parsed = parse(value);
    if (parsed.ok) return parsed.value;
    return complain(at, node, parsed.error.tag, parsed.error.message, parsed.error.remedy);
  };
}

/** A check that reports what is wrong with a value that has the right shape, or null. */
export function refined<T>(read: Reader<T>, tag: FaultTag, problem: (value: T) => string | null): Reader<T> {
  return (node, at) => {
    const value = read(node, at);
    const message = value === undefined ? null : problem(value);
    return message === null ? value : complain(at, node, tag, message);
  };
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
  return (node, at) => {
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
  };
}

/** A list, or one item that stands for a list of one. */
export function oneOrMany<T>(read: Reader<T>, identity?: (item: T) => string): Reader<readonly T[]> {
  const many = list(read, 1, identity);
  return (node, at) => {
    if (node.kind === 'list') return many(node, at);
    const value = read(node, at);
    return value === undefined ? undefined : [value];
  };
}

/** An object whose keys are names that the writer chose. */
export function dictionary<K, T>(
  readKey: (key: string) => K | null,
  keyForm: string,
  read: Reader<T>,
  min = 0,
): Reader<ReadonlyMap<K, T>> {
  return (node, at) => {
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
  };
}

export interface Field<T, Optional extends boolean = boolean> {
  readonly name: string;
  readonly read: Reader<T>;
  readonly optional: Optional;
}

/** A field of an object, under the name that it has in the document. */
export function field<T>(name: string, read: Reader<T>): Field<T, false> {
  return { name, read, optional: false };
}

export function optionalField<T>(name: string, read: Reader<T>): Field<T, true> {
  return { name, read, optional: true };
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
  return (node, at) => {
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
  };
}

function isEmpty(node: SourceNode): boolean {
  return node.kind === 'scalar' && (node.value === null || node.value === '');
}

function complainMissing(at: Reading, node: Placed, remedy?: string): undefined {
  return complain(at, node, 'E_MISSING_FIELD', 'is missing or empty', remedy);
}

export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
