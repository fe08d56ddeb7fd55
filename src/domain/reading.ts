import { type Fault, type FaultTag, fault, type SourcePosition } from './fault.js';
import type { JsonSchema } from './json-schema.js';
import { quoted } from './safe-text.js';
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
export interface Reader<T> {
  (node: SourceNode, at: Reading): T | undefined;
  /** What JSON Schema can say of the values that it takes; it lets every one of them through. */
  readonly schema?: () => JsonSchema;
}

/** A reader that also says what it takes. A schema may say less than the reader checks, and names that in `beyond`. */
export function withSchema<T>(read: Reader<T>, schema: () => JsonSchema): Reader<T> {
  return Object.assign((node: SourceNode, at: Reading) => read(node, at), { schema });
}

/** Of a reader that has not said what it takes, nothing is claimed. */
export function schemaOf(read: Reader<unknown>): JsonSchema {
  return read.schema?.() ?? { beyond: ['the whole value, of which this schema says nothing'] };
}

export function startReading(file: string): Reading {
  return { file, path: '', faults: [] };
}

/** Adds a fault about a node, under the name of its field. */
export function complain(at: Reading, node: Placed, tag: FaultTag, message: string, remedy?: string): undefined {
  const subject = at.path === '' ? 'the document' : at.path;
  at.faults.push(fault(tag, `${subject}: ${message}`, { remedy, where: placed(at.file, node) }));
}

export interface Placed {
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

export function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
