import {
  boolean,
  field,
  integer,
  label,
  object,
  optionalField,
  type Reader,
  schemaOf,
  text,
  withSchema,
} from '../../domain/source-reader.js';
import { MOST_INDEXES } from '../scripts-of-book.js';
import { moment } from './moment.js';
import type { CaseBookEntry, Target } from './types.js';

/** Who is paid, as a case names them; what it stands for depends on the book and the network of the case. */
export const target: Reader<Target> = withSchema(
  (node, at) => {
    const value = label(node, at);
    if (value === undefined) return undefined;
    return { text: value, where: { file: at.file, line: node.line, column: node.column } };
  },
  () => ({
    ...schemaOf(label),
    form: 'An id of the book, an id of a descriptor with an index (okx/5), an address of the network, or script: and the hexadecimal digits of one.',
    beyond: ['that the book has the id, or that the address is one of the network'],
  }),
);

/** A text that may be longer than people read in one line: a descriptor of many keys. */
const descriptor: Reader<Target> = withSchema(
  (node, at) => {
    const value = text(node, at);
    if (value === undefined) return undefined;
    return { text: value, where: { file: at.file, line: node.line, column: node.column } };
  },
  () => ({ ...schemaOf(text), beyond: ['that it is a descriptor as a book may hold it'] }),
);

const since = optionalField('since', moment, 'When the journal saw it first; 400 days ago where it is left out.');
const proven = optionalField('proven', boolean, 'Whether the book holds a proof of control; false if left out.');
const addressEntry = object({ to: field('address', target, 'Where it is paid.'), since, proven });
const descriptorEntry = object({
  descriptor: field('descriptor', descriptor, "The receiving descriptor of a counterparty: pay it as 'okx/5'."),
  maxIndex: optionalField(
    'max_index',
    integer(0, MOST_INDEXES),
    'The highest index that may be paid; 999 if left out.',
  ),
  since,
  proven,
});

/** An entry of the book: its address alone, or an address or a descriptor with when the journal saw it first. */
export const bookEntry: Reader<CaseBookEntry> = withSchema(
  (node, at) => {
    if (node.kind === 'map') return (node.entries.has('descriptor') ? descriptorEntry : addressEntry)(node, at);
    const to = target(node, at);
    return to === undefined ? undefined : { to };
  },
  () => ({
    form: 'An address, or an object with an address or a descriptor that also says since when.',
    anyOf: [schemaOf(target), schemaOf(addressEntry), schemaOf(descriptorEntry)],
  }),
);
