import { sha256Hex } from './bytes.js';
import { canonicalJson, type Json } from './canonical-json.js';
import type { Fault, SourcePosition } from './fault.js';
import { joinPath } from './source-reader.js';
import type { SourceNode } from './source-tree.js';

/** "sha256:" and the hash of the RFC 8785 text of a document: comments, key order and quotes of texts do not change it. */
export function documentDigest(node: SourceNode): string {
  return `sha256:${sha256Hex(canonicalJson(toJson(node)))}`;
}

function toJson(node: SourceNode): Json {
  switch (node.kind) {
    case 'list':
      return node.items.map(toJson);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toJson(value)]));
    case 'scalar':
      if (node.value === null) throw new Error('a document that was read has no empty values');
      return node.value;
  }
}

/** Finds the place of a field by its path; where the path leads nowhere, the nearest field above it that exists. */
export function placesOf(root: SourceNode, file: string): (path: string) => SourcePosition {
  const at = ({ line, column }: { line: number; column: number }): SourcePosition => ({ file, line, column });
  const places = new Map<string, SourcePosition>([['', at(root)]]);
  const visit = (node: SourceNode, path: string): void => {
    if (node.kind === 'map') {
      for (const [name, { key, value }] of node.entries) {
        places.set(joinPath(path, name), at(key));
        visit(value, joinPath(path, name));
      }
    } else if (node.kind === 'list') {
      for (const [index, item] of node.items.entries()) {
        places.set(`${path}[${index}]`, at(item));
        visit(item, `${path}[${index}]`);
      }
    }
  };
  visit(root, '');
  return (path) => {
    for (let name = path; ; name = name.slice(0, Math.max(name.lastIndexOf('.'), name.lastIndexOf('['), 0))) {
      const place = places.get(name);
      if (place !== undefined) return place;
    }
  };
}

/** Faults in the order of the document. */
export function byPlace(faults: readonly Fault[]): readonly Fault[] {
  const line = ({ where }: Fault): number => where?.line ?? 0;
  const column = ({ where }: Fault): number => where?.column ?? 0;
  return [...faults].sort((a, b) => line(a) - line(b) || column(a) - column(b));
}
