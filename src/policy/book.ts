import { type Fault, fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import { err, ok, type Result } from '../domain/result.js';
import { byPlace, documentDigest, placesOf } from '../domain/source-document.js';
import {
  addressOn,
  checkedLater,
  complain,
  field,
  integer,
  label,
  list,
  matching,
  object,
  oneOf,
  optionalField,
  type Reader,
  schemaOf,
  startReading,
  text,
  through,
  withSchema,
} from '../domain/source-reader.js';
import type { SourceNode } from '../domain/source-tree.js';
import { type Counterparty, parseCounterparty } from '../vault/counterparty.js';
import { anotherKind } from './document-kind.js';
import { name, previous, versionProblem } from './fields.js';
import { proofMessage, proofProblem } from './proof.js';
import { MOST_INDEXES, ScriptsOfBook, USUAL_MAX_INDEX } from './scripts-of-book.js';
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
 * A script or an id that stands there twice is refused, however its address is spelled and whatever descriptor
 * derives it, and so is a proof of control that is not good. All faults are reported.
 */
export function loadBook(node: SourceNode, file: string, network: Network): Result<Book, readonly Fault[]> {
  const another = anotherKind(node, file, 'countersign.book');
  if (another !== null) return err([another]);
  const reading = startReading(file);
  const book = readBookShape(network)(node, reading);
  if (book === undefined) return err(byPlace(reading.faults));
  const prev = book.prev ?? null;
  const problem = versionProblem(book.version, prev);
  if (problem !== null) {
    return err([fault('E_BOOK_SCHEMA', `prev: ${problem}`, { where: placesOf(node, file)('prev') })]);
  }
  const { wallet, version, entries } = book;
  const unproven = entries.flatMap((entry) => {
    const wrong = proofProblem(wallet, entry);
    const remedy = `ask its owner for a signature over: ${proofMessage(wallet, entry)}`;
    if (wrong === null) return [];
    return [
      fault('E_BOOK_PROOF', `the proof of ${entry.id} cannot be taken: ${wrong}`, { where: entry.where, remedy }),
    ];
  });
  if (unproven.length > 0) return err(byPlace(unproven));
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

/** Base64, with or without the prefix that BIP322 gives to simple signatures. */
const proof = matching(/^[A-Za-z0-9+/]{1,6000}={0,2}$/, 'a signature in base64');

const WORDS = {
  id: field('id', name),
  label: field('label', label),
  owner: field('owner', label),
  purpose: field('purpose', label),
  proof: optionalField('proof', checkedLater(proof, 'that it is a good signature over the message of its entry')),
};
const UNKNOWN = { unknown: (unknown: string) => (AGE_FIELD.test(unknown) ? AGE_REMEDY : null) };

/** An address, or a counterparty's descriptor: which of the two, its fields say. */
function entryReader(network: Network): Reader<BookEntry> {
  const address = object({ ...WORDS, destination: field('address', addressOn(network)) }, UNKNOWN);
  const descriptor = object(
    {
      ...WORDS,
      counterparty: field('descriptor', descriptorOn(network)),
      maxIndex: optionalField('max_index', integer(0, MOST_INDEXES)),
    },
    UNKNOWN,
  );
  const either: Reader<BookEntry> = (node, at) => {
    const where = { file: at.file, line: node.line, column: node.column };
    const fields = node.kind === 'map' ? node.entries : null;
    if (fields?.has('descriptor') === true && fields.has('address')) {
      return complain(at, node, 'E_UNKNOWN_FIELD', 'has both an address and a descriptor', ONE_OF_TWO);
    }
    if (fields?.has('descriptor') === true) {
      const entry = descriptor(node, at);
      return entry === undefined
        ? undefined
        : { kind: 'descriptor', ...entry, maxIndex: entry.maxIndex ?? USUAL_MAX_INDEX, where };
    }
    const entry = address(node, at);
    if (entry === undefined) return undefined;
    const { destination, ...words } = entry;
    return { kind: 'address', ...words, ...destination, where };
  };
  const forms = [address, descriptor].map(schemaOf);
  return withSchema(either, () => ({ form: 'With an address, or with a descriptor.', anyOf: forms }));
}

const ONE_OF_TWO = 'write an entry of its own for each: an address is one script, a descriptor is all that it derives';

function descriptorOn(network: Network): Reader<Counterparty> {
  return through(
    text,
    (written) => parseCounterparty(network, written),
    'that it is a descriptor of public keys of the network that ends in /0/* or /*, with its checksum',
  );
}

/** Refuses an entry whose id an earlier entry has, or that stands for a script that an earlier entry stands for. */
function distinct(read: Reader<BookEntry>): Reader<BookEntry> {
  const ids = new Map<string, BookEntry>();
  const scripts = new ScriptsOfBook();
  const once: Reader<BookEntry> = (node, at) => {
    const entry = read(node, at);
    if (entry === undefined) return undefined;
    const sameId = ids.get(entry.id);
    const twin = scripts.add(entry.id, entry);
    ids.set(entry.id, sameId ?? entry);
    if (sameId !== undefined) {
      return complain(at, node, 'E_BOOK_DUPLICATE', `the id ${entry.id} is also that of line ${sameId.where.line}`);
    }
    if (twin === null) return entry;
    const other = `${twin.id}${twin.index === undefined ? '' : ` /${twin.index}`} in line ${ids.get(twin.id)?.where.line}`;
    return complain(at, node, 'E_BOOK_DUPLICATE', `${entry.id} pays the same script as ${other}`, ONE_ENTRY);
  };
  const beyond = ['that no other entry has its id or stands for one of its scripts'];
  return withSchema(once, () => ({ ...schemaOf(read), beyond }));
}

const ONE_ENTRY = 'keep one entry: two would give one destination two caps and two ages';
