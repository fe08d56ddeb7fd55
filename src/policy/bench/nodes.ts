import type { SourceMap, SourceNode } from '../../domain/source-tree.js';

/** A case laid over the defaults of its file: objects field by field, everything else as a whole. */
export function overlay(base: SourceNode, over: SourceNode): SourceNode {
  if (base.kind !== 'map' || over.kind !== 'map') return over;
  const entries = new Map(base.entries);
  for (const [name, entry] of over.entries) {
    const below = entries.get(name);
    entries.set(name, below === undefined ? entry : { key: entry.key, value: overlay(below.value, entry.value) });
  }
  return { ...over, entries };
}

/** A map without some of its fields. */
export function without(node: SourceMap, names: readonly string[]): SourceMap {
  return { ...node, entries: new Map([...node.entries].filter(([name]) => !names.includes(name))) };
}

/**
 * A policy with one field put in another's place: "limits.rolling.24h", "approvals.tiers[0].m". The field above it must
 * exist; null where it does not. The new value takes the place in the text that the old one had, so that a finding still
 * points into the policy.
 */
export function withField(root: SourceNode, path: string, value: SourceNode): SourceNode | null {
  return replaced(root, path.split('.').flatMap(stepsOf), value);
}

type Step = string | number;

function stepsOf(part: string): Step[] {
  const match = /^([^[\]]+)((?:\[[0-9]{1,3}\])*)$/.exec(part);
  if (match?.[1] === undefined) return [''];
  const indexes = [...(match[2] ?? '').matchAll(/\[([0-9]+)\]/g)].map(([, digits]) => Number(digits));
  return [match[1], ...indexes];
}

function replaced(node: SourceNode, [step, ...rest]: readonly Step[], value: SourceNode): SourceNode | null {
  if (step === undefined) return placedAt(value, node);
  if (typeof step === 'number') {
    if (node.kind !== 'list') return null;
    const item = node.items[step];
    const changed = item === undefined ? null : replaced(item, rest, value);
    if (changed === null) return null;
    return { ...node, items: node.items.map((old, index) => (index === step ? changed : old)) };
  }
  if (node.kind !== 'map' || step === '') return null;
  const entry = node.entries.get(step);
  if (entry === undefined && rest.length > 0) return null;
  const changed = entry === undefined ? placedAt(value, node) : replaced(entry.value, rest, value);
  if (changed === null) return null;
  const key = entry?.key ?? { line: node.line, column: node.column };
  return { ...node, entries: new Map([...node.entries, [step, { key, value: changed }]]) };
}

function placedAt(node: SourceNode, { line, column }: { readonly line: number; readonly column: number }): SourceNode {
  const place = { line, column };
  switch (node.kind) {
    case 'scalar':
      return { ...node, ...place };
    case 'list':
      return { ...node, ...place, items: node.items.map((item) => placedAt(item, place)) };
    case 'map': {
      const entries = [...node.entries].map(
        ([name, { value }]) => [name, { key: place, value: placedAt(value, place) }] as const,
      );
      return { ...node, ...place, entries: new Map(entries) };
    }
  }
}
