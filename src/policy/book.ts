import { toHex } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import { byPlace, documentDigest, placesOf } from '../domain/source-document.js';
import {
  addressOn,
  complain,
  field,
  integer,
  label,
  list,
  object,
  oneOf,
  optionalField,
  type Reader,
  schemaOf,
  startReading,
  withSchema,
} from '../domain/source-reader.js';
import type { SourceNode } from '../domain/source-tree.js';
import { name, previous, versionProblem } from './fields.js';
import type { BookEntry, LoadedBook } from './types.js';

/** A book and its place in the chain of its versions. */
export interface Book extends LoadedBook {
  /** The id of the wallet whose destinations it lists. */
  readonly wallet: string;
  readonly version: number;
  /** Digest of the version before; null for version 1. */
  readonly prev: string | null;
}

/**
 * Reads an address book of countersign.book/1: the destinations that may be paid, each with its script on this network.
 * A script or an id that stands there twice is refused, however its address is spelled. All faults are reported.
 */
export function loadBook(node: SourceNode, file: string, network: Network): Result<Book, readonly Fault[]> {
  const reading = startReading(file);
  const book = readBookShape(network)(node, reading);
  if (book === undefined) return err(byPlace(reading.faults));
  const prev = book.prev ?? null;
  const problem = versionProblem(book.version, prev);
  if (problem !== null) {
    return err([fault('E_BOOK_SCHEMA', `prev: ${problem}`, { where: placesOf(node, file)('prev') })]);
  }
  const { wallet, version, entries } = book;
  return ok({ wallet, version, prev, entries, digest: documentDigest(node), file });
}

/** A book of a network, field by field. What it takes is the same on every network but for the addresses. */
export function readBookShape(network: Network) {
  return object({
    schema: field('schema', oneOf(['countersign.book/1'])),
    wallet: field('wallet', name),
    version: field('version', integer(1, 1_000_000)),
    prev: optionalField('prev', previous),
    entries: field('entries', list(distinct(entryReader(network)), 0, null)),
  });
}

const AGE_FIELD = /(?:^|_)(?:age|date|since|added|created|effective|seen)(?:_|$)|_at$/;
const AGE_REMEDY =
  'remove it: the age of a destination comes from the journal, from the entry that first saw it, and never from a file';

function entryReader(network: Network): Reader<BookEntry> {
  const read = object(
    {
      id: field('id', name),
      destination: field('address', addressOn(network)),
      label: field('label', label),
      owner: field('owner', label),
      purpose: field('purpose', label),
    },
    { unknown: (unknown) => (AGE_FIELD.test(unknown) ? AGE_REMEDY : null) },
  );
  const placed: Reader<BookEntry> = (node, at) => {
    const entry = read(node, at);
    if (entry === undefined) return undefined;
    const { destination: place, ...words } = entry;
    return { ...words, ...place, where: { file: at.file, line: node.line, column: node.column } };
  };
  return withSchema(placed, () => schemaOf(read));
}

/** Refuses an entry whose id or script an earlier entry has. */
function distinct(read: Reader<BookEntry>): Reader<BookEntry> {
  const ids = new Map<string, BookEntry>();
  const scripts = new Map<string, BookEntry>();
  const once: Reader<BookEntry> = (node, at) => {
    const entry = read(node, at);
    if (entry === undefined) return undefined;
    const script = toHex(entry.script);
    const sameId = ids.get(entry.id);
    const sameScript = scripts.get(script);
    ids.set(entry.id, sameId ?? entry);
    scripts.set(script, sameScript ?? entry);
    if (sameId !== undefined) {
      return complain(at, node, 'E_BOOK_DUPLICATE', `the id ${entry.id} is also that of line ${sameId.where.line}`);
    }
    if (sameScript === undefined) return entry;
    const other = `${sameScript.id} in line ${sameScript.where.line}`;
    return complain(at, node, 'E_BOOK_DUPLICATE', `${entry.id} pays the same script as ${other}`, ONE_ENTRY);
  };
  const beyond = ['that no other entry has its id or pays the same script'];
  return withSchema(once, () => ({ ...schemaOf(read), beyond }));
}

const ONE_ENTRY = 'keep one entry: two would give one destination two caps and two ages';
