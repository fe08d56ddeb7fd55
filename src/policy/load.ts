import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { byPlace, documentDigest, placesOf } from '../domain/source-document.js';
import { startReading } from '../domain/source-reader.js';
import type { SourceNode } from '../domain/source-tree.js';
import { checkConsistency } from './consistency.js';
import { anotherKind } from './document-kind.js';
import { readPolicyShape } from './schema.js';
import type { LoadedPolicy, PolicyDocument } from './types.js';

/**
 * Reads a document of countersign.policy/1, strictly. All faults are reported, in the order of the document: of single
 * fields first, and of fields that contradict each other once every field can be read.
 */
export function loadPolicy(node: SourceNode, file: string): Result<LoadedPolicy, readonly Fault[]> {
  const another = anotherKind(node, file, 'countersign.policy');
  if (another !== null) return err([another]);
  const reading = startReading(file);
  const shape = readPolicyShape(node, reading);
  if (shape === undefined) return err(byPlace(reading.faults));
  const document: PolicyDocument = { ...shape, prev: shape.prev ?? null };
  const where = placesOf(node, file);
  const contradictions = checkConsistency(document, where);
  if (contradictions.length > 0) return err(byPlace(contradictions));
  return ok({ document, digest: documentDigest(node), file, where });
}
