import { type Fault, fault } from '../../domain/fault.js';
import type { Network } from '../../domain/network.js';
import { err, ok, type Result } from '../../domain/result.js';
import { byPlace, placesOf } from '../../domain/source-document.js';
import {
  complain,
  field,
  label,
  list,
  object,
  oneOf,
  optionalField,
  type Reader,
  startReading,
  text,
} from '../../domain/source-reader.js';
import type { SourceNode } from '../../domain/source-tree.js';
import { formatTime } from '../../domain/time.js';
import { name, time } from '../fields.js';
import { ListBuilder, type ScreeningList } from './list.js';

/** What an entry lists, with its line. */
interface Entry {
  readonly text: string;
  readonly line: number;
}

const entryShape = object({
  address: optionalField('address', text),
  script: optionalField('script', text),
  reason: optionalField('reason', label),
});

const entry: Reader<Entry> = (node, at) => {
  const read = entryShape(node, at);
  if (read === undefined) return undefined;
  const { address, script } = read;
  if (address !== undefined && script === undefined) return { text: address, line: node.line };
  if (script !== undefined && address === undefined) return { text: `script:${script}`, line: node.line };
  const message = address === undefined ? 'neither address nor script is given' : 'both address and script are given';
  return complain(at, node, 'E_SCREENING_LINE', message, 'give one of the two');
};

const document = object({
  schema: field('schema', oneOf(['countersign.screening/1'])),
  id: field('id', name),
  issuer: field('issuer', label),
  issuedAt: field('issued_at', time),
  expiresAt: optionalField('expires_at', time),
  entries: field('entries', list(entry, 0, null)),
});

/**
 * Reads a list of countersign.screening/1. Its form is strict, as that of every document; an entry that is well formed and
 * no script of this network is counted and kept, as in plain text. All faults are reported.
 */
export function loadScreening(
  node: SourceNode,
  file: string,
  network: Network,
): Result<ScreeningList, readonly Fault[]> {
  const reading = startReading(file);
  const read = document(node, reading);
  if (read === undefined) return err(byPlace(reading.faults));
  const { id, issuer, issuedAt, expiresAt = null, entries } = read;
  if (expiresAt !== null && expiresAt <= issuedAt) {
    const message = `expires_at: ${formatTime(expiresAt)} is not after issued_at, ${formatTime(issuedAt)}`;
    return err([fault('E_SCREENING_SCHEMA', message, { where: placesOf(node, file)('expires_at') })]);
  }
  const builder = new ListBuilder(network);
  for (const { text: listed, line } of entries) builder.add(listed, line);
  return ok(builder.finish({ id, issuer, issuedAt, expiresAt }));
}
