import { type Fault, fault } from '../domain/fault.js';
import type { SourceNode } from '../domain/source-tree.js';

/** The documents that people have beside each other, by what their `schema` says before the version. */
const KINDS: Readonly<Record<string, string>> = {
  'countersign.policy': 'a policy',
  'countersign.book': 'an address book',
  'countersign.case': 'a file of policy cases',
  'countersign.requests': 'a file of withdrawals',
  'countersign.snapshot': 'a coin snapshot',
  'countersign.screening': 'a screening list',
  'countersign.workspace': 'the settings of a workspace',
};

/**
 * The one thing to say of a document that is of another kind than is due, such as a book where a policy is read; each field
 * that it lacks would be told otherwise. Null where it is of the kind that is due, of any version, or of none that is known.
 */
export function anotherKind(node: SourceNode, file: string, due: string): Fault | null {
  const schema = node.kind === 'map' ? node.entries.get('schema')?.value : undefined;
  if (schema?.kind !== 'scalar' || typeof schema.value !== 'string') return null;
  const kind = schema.value.replace(/\/[0-9]+$/, '');
  const found = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (found === undefined || kind === due) return null;
  return fault('E_FIELD_TYPE', `this is ${found} (${schema.value}), and ${KINDS[due] ?? due} is due here`, {
    where: { file, line: schema.line, column: schema.column },
    remedy: 'check the name of the file, or use the command for what it is',
  });
}
