import type { Json } from '../domain/canonical-json.js';
import { type Publication, publishSchema, type WordsByPath } from '../domain/json-schema.js';
import { schemaOf } from '../domain/source-reader.js';
import { caseFileSchema } from './bench/load.js';
import { readBookShape } from './book.js';
import { CHECKED_BETWEEN } from './consistency.js';
import { BOOK_WORDS, POLICY_WORDS } from './field-words.js';
import { NOT_ENFORCED } from './not-enforced.js';
import { readPolicyShape } from './schema.js';

/** The documents whose JSON Schema is published. */
export type PublishedKind = 'policy' | 'book' | 'case';

/** By kind: the schema that the reader of the document carries, with the words that editors show. */
export const PUBLICATIONS: Readonly<Record<PublishedKind, Publication>> = {
  policy: {
    id: 'urn:countersign:schema:policy:1',
    title: 'countersign.policy/1',
    about: 'What may leave a cold wallet, where to, and who has to agree. `countersign policy lint` reads it whole.',
    schema: schemaOf(readPolicyShape),
    words: withoutEffect(POLICY_WORDS),
    beyond: CHECKED_BETWEEN,
  },
  book: {
    id: 'urn:countersign:schema:book:1',
    title: 'countersign.book/1',
    about: 'The address book of a wallet: the only destinations that may be paid.',
    // What a network changes, the form of addresses, is beyond the schema.
    schema: schemaOf(readBookShape('main')),
    words: BOOK_WORDS,
    beyond: { prev: 'that version 1 names none here, and every other version one' },
  },
  case: {
    id: 'urn:countersign:schema:case:1',
    title: 'countersign.case/1',
    about:
      'Cases that a policy has to judge as expected: one, or several over common defaults. See docs/policy-cases.md.',
    schema: caseFileSchema(),
    words: {},
    beyond: {},
  },
};

/** Says of each field that this version does not act upon that it does not. */
function withoutEffect(words: WordsByPath): WordsByPath {
  const said = NOT_ENFORCED.map(({ field, reason }) => {
    return [field, `${words[field] ?? ''} Without effect in this version: ${reason}.`] as const;
  });
  return { ...words, ...Object.fromEntries(said) };
}

/** Where the schemas lie, seen from the shipped policies and from a workspace alike: a modeline is the same in both. */
export const SCHEMA_FOLDER = 'schema';

export function schemaFileName(kind: PublishedKind): string {
  return `countersign.${kind}-1.json`;
}

/** The comment in a YAML document by which an editor finds its schema. */
export function modeline(kind: PublishedKind): string {
  return `# yaml-language-server: $schema=${SCHEMA_FOLDER}/${schemaFileName(kind)}`;
}

/** JSON Schema, draft 2020-12. */
export function publishedSchema(kind: PublishedKind): { readonly [key: string]: Json } {
  return publishSchema(PUBLICATIONS[kind]);
}

/** The same as the text of a file. */
export function publishedText(kind: PublishedKind): string {
  return `${JSON.stringify(publishedSchema(kind), null, 2)}\n`;
}

/** Name and text of every file of the folder. */
export function publishedFiles(): readonly (readonly [name: string, text: string])[] {
  return (['policy', 'book', 'case'] as const).map((kind) => [schemaFileName(kind), publishedText(kind)] as const);
}
