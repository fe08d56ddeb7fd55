import { readFileSync } from 'node:fs';
import { parseJson, parseYaml } from '../../src/adapters/source-text.js';
import type { Fault } from '../../src/domain/fault.js';
import type { Result } from '../../src/domain/result.js';
import type { SourceNode } from '../../src/domain/source-tree.js';
import { loadPolicy } from '../../src/policy/load.js';
import type { LoadedPolicy } from '../../src/policy/types.js';

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };
export type Keys = readonly (string | number)[];

export function shipped(name: string): string {
  return readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8');
}

export function yamlNode(text: string, file = 'p.yaml'): SourceNode {
  const node = parseYaml(text, file);
  if (!node.ok) throw new Error(`${node.error.tag}: ${node.error.message}`);
  return node.value;
}

export function jsonNode(value: Plain): SourceNode {
  const node = parseJson(JSON.stringify(value, null, 1), 'p.json');
  if (!node.ok) throw new Error(`${node.error.tag}: ${node.error.message}`);
  return node.value;
}

export function plain(node: SourceNode): Plain {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(plain);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
  }
}

/** policies/example.yaml as a value that a test may change. */
export function exampleValue(): Plain {
  return plain(yamlNode(shipped('example.yaml')));
}

/** The value with one place set, or removed where `to` is undefined. */
export function changed(value: Plain, [key, ...rest]: Keys, to: Plain | undefined): Plain {
  if (key === undefined) return to ?? null;
  if (Array.isArray(value)) {
    if (rest.length === 0 && to === undefined) return value.filter((_, index) => index !== key);
    const copy = [...value];
    copy[Number(key)] = changed(value[Number(key)] ?? null, rest, to);
    return copy;
  }
  const object = typeof value === 'object' && value !== null ? value : {};
  if (rest.length > 0 || to !== undefined) return { ...object, [key]: changed(object[key] ?? null, rest, to) };
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

export interface Leaf {
  readonly keys: Keys;
  /** As the policy names it: approvals.tiers[0].m */
  readonly path: string;
  readonly value: Plain;
}

/** Every value of a document that is not an object or a list; an empty list or object is a leaf. */
export function leaves(value: Plain, keys: Keys = []): readonly Leaf[] {
  const children = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  if (children.length > 0) return children.flatMap(([key, child]) => leaves(child, [...keys, key]));
  const path = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  return [{ keys, path: path.slice(1), value }];
}

export function load(value: Plain): Result<LoadedPolicy, readonly Fault[]> {
  return loadPolicy(jsonNode(value), 'p.json');
}

export function loaded(value: Plain): LoadedPolicy {
  const policy = load(value);
  if (!policy.ok) throw new Error(policy.error.map(({ tag, message }) => `${tag} ${message}`).join('\n'));
  return policy.value;
}

/** "TAG message" of every fault, or an empty list. */
export function refusals(value: Plain): readonly string[] {
  const policy = load(value);
  return policy.ok ? [] : policy.error.map(({ tag, message }) => `${tag} ${message}`);
}
