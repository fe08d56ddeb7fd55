import type { Json } from './canonical-json.js';

/**
 * What JSON Schema (draft 2020-12) can say of a value, as the readers of documents carry it, with the words that people
 * see in an editor. It describes the value as a reader gets it, not its spelling in YAML.
 */
export interface JsonSchema {
  /** What the value is for. */
  readonly about?: string | undefined;
  /** How it is written. */
  readonly form?: string | undefined;
  /** What its reader checks and JSON Schema cannot say; each continues "countersign also checks ". */
  readonly beyond?: readonly string[];

  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number | boolean)[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly not?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly uniqueItems?: true;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** Keyed by the pattern of the names that a writer may choose. */
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: false | JsonSchema;
  readonly minProperties?: number;
}

/** Words for the places of a document, by path: "limits.batch", "approvals.tiers[].m", "roles.*.*". */
export type WordsByPath = Readonly<Record<string, string>>;

export interface Publication {
  /** An absolute URI that names the schema; nothing is to be found there. */
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly schema: JsonSchema;
  /** What each place is for, where its reader is shared by several places and cannot know. */
  readonly words: WordsByPath;
  /** What is checked between places once all of them can be read. */
  readonly beyond: WordsByPath;
}

/** The schema as it is published: plain draft 2020-12, every place with its path for a title and its words for a description. */
export function publishSchema({ id, title, about, schema, words, beyond }: Publication): {
  readonly [key: string]: Json;
} {
  const { description, ...rest } = publishAt({ ...schema, about }, '', { words, beyond });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title,
    ...(description === undefined ? {} : { description }),
    ...rest,
  };
}

interface Notes {
  readonly words: WordsByPath;
  readonly beyond: WordsByPath;
}

function publishAt(schema: JsonSchema, path: string, notes: Notes): { readonly [key: string]: Json } {
  const titled = path === '' ? {} : { title: path };
  const description = descriptionOf({ ...schema, about: notes.words[path] ?? schema.about }, notes.beyond[path]);
  return { ...titled, ...(description === '' ? {} : { description }), ...keywordsOf(schema, path, notes) };
}

/** An editor shows the words of a place or those of the one form that fits, so the place speaks for all of its forms. */
function descriptionOf({ about, form, beyond = [], anyOf = [] }: JsonSchema, between?: string): string {
  const ofForms = anyOf.flatMap((one) => one.beyond ?? []);
  const checks = [...beyond, ...ofForms, ...(between === undefined ? [] : [between])];
  const also = checks.length === 0 ? [] : [`countersign also checks ${checks.join('; and ')}.`];
  return [about, form, ...also].filter((part) => part !== undefined).join('\n');
}

/** Every keyword but the words; the parts below carry words of their own. */
function keywordsOf(schema: JsonSchema, path: string, notes: Notes): { readonly [key: string]: Json } {
  const { about, form, beyond, not, anyOf, items, properties, patternProperties, additionalProperties, ...plain } =
    schema;
  const below = (part: JsonSchema, step: string): Json => publishAt(part, step, notes);
  return {
    ...simple(plain),
    ...(not === undefined ? {} : { not: keywordsOf(not, path, notes) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map((part) => keywordsOf(part, path, notes)) }),
    ...(items === undefined ? {} : { items: below(items, `${path}[]`) }),
    ...(properties === undefined
      ? {}
      : { properties: mapped(properties, (part, name) => below(part, path === '' ? name : `${path}.${name}`)) }),
    ...(patternProperties === undefined
      ? {}
      : { patternProperties: mapped(patternProperties, (part) => below(part, `${path}.*`)) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: additionalProperties && below(additionalProperties, `${path}.*`) }),
  };
}

function simple(keywords: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(keywords).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

function mapped(parts: Readonly<Record<string, JsonSchema>>, publish: (part: JsonSchema, name: string) => Json): Json {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, publish(part, name)]));
}

/** What the readers alone check, by path, in the order of the document. */
export function readersAlone({ schema, beyond }: Publication): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (part: JsonSchema, path: string): void => {
    const between = path in beyond ? [beyond[path] ?? ''] : [];
    const checks = [...(part.beyond ?? []), ...(found.has(path) ? [] : between)];
    if (checks.length > 0) found.set(path, [...(found.get(path) ?? []), ...checks]);
    for (const one of part.anyOf ?? []) visit(one, path);
    if (part.items !== undefined) visit(part.items, `${path}[]`);
    for (const [name, one] of Object.entries(part.properties ?? {})) visit(one, path === '' ? name : `${path}.${name}`);
    for (const one of Object.values(part.patternProperties ?? {})) visit(one, `${path}.*`);
    if (part.additionalProperties) visit(part.additionalProperties, `${path}.*`);
  };
  visit(schema, '');
  return found;
}
