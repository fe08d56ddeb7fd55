import type { Fault } from '../../domain/fault.js';
import type { JsonSchema } from '../../domain/json-schema.js';
import { err, ok, type Result } from '../../domain/result.js';
import { byPlace } from '../../domain/source-document.js';
import {
  complain,
  field,
  label,
  list,
  object,
  oneOf,
  optionalField,
  type Reader,
  type Reading,
  schemaOf,
  startReading,
  text,
  withSchema,
} from '../../domain/source-reader.js';
import type { SourceMap, SourceNode } from '../../domain/source-tree.js';
import { anotherKind } from '../document-kind.js';
import { expectation } from './expect.js';
import { readContent } from './fields.js';
import { overlay, without } from './nodes.js';
import type { Case } from './types.js';

const anyNode: Reader<SourceNode> = (node) => node;

const anyMap: Reader<SourceMap> = (node, at) =>
  node.kind === 'map' ? node : complain(at, node, 'E_FIELD_TYPE', 'an object is due here');

/** Dotted fields of the policy to the values that take their places. */
const changes: Reader<ReadonlyMap<string, SourceNode>> = withSchema(
  (node, at) => {
    const map = anyMap(node, at);
    return map === undefined ? undefined : new Map([...map.entries].map(([path, { value }]) => [path, value]));
  },
  () => ({
    type: 'object',
    form: 'The path of a field, and the value in its place: { limits.rolling.24h: "0", "approvals.tiers[0].m": 3 }.',
    beyond: ['that the policy has such a place, and that it can be read with the value'],
  }),
);

const FRAME = {
  name: field('name', label, 'What the case is called; no other case of the file is called so.'),
  about: optionalField('about', label, 'What the case shows.'),
  policy: optionalField('policy', text, 'The file of the policy, from the folder of this file on.'),
  with: optionalField('with', changes, "Other values in the place of the policy's own, for this case."),
  expect: optionalField('expect', expectation, 'The verdict that it has to come to.'),
};

const SCHEMA = { schema: field('schema', oneOf(['countersign.case/1']), 'Which kind of document this is.') };
const frame = object(FRAME);

const file = object({
  ...SCHEMA,
  defaults: optionalField('defaults', withSchema(anyMap, inPart), 'What is laid under every case.'),
  cases: field('cases', list(withSchema(anyNode, laidOver), 1, null), 'The cases.'),
});

/** The schema of a file of cases: one case, or with `cases` several of them. */
export function caseFileSchema(): JsonSchema {
  const head = schemaOf(object(SCHEMA));
  return { anyOf: [schemaOf(file), joined([head, ...wholeCase()])] };
}

/** What is read at once, and what is read when the case is judged. */
const wholeCase = (): readonly JsonSchema[] => [schemaOf(frame), schemaOf(readContent)];

function joined(parts: readonly JsonSchema[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
    required: parts.flatMap(({ required = [] }) => required),
    additionalProperties: false,
  };
}

/** A case as it may stand over defaults: what is mandatory may come from there, and objects are merged field by field. */
function inPart(): JsonSchema {
  return partial(joined(wholeCase()));
}

function laidOver(): JsonSchema {
  const beyond = ['that with the defaults nothing mandatory is missing, and that no other case has its name'];
  return { ...inPart(), beyond };
}

function partial({ required: _, ...schema }: JsonSchema): JsonSchema {
  const { properties, patternProperties, anyOf } = schema;
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: inEach(properties) }),
    ...(patternProperties === undefined ? {} : { patternProperties: inEach(patternProperties) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(partial) }),
  };
}

function inEach(parts: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, partial(part)]));
}

/**
 * Reads the frame of a file of countersign.case/1: one case, or a list of `cases` over common `defaults`. What is inside a
 * case is read when it is judged. Names are unique in a file. All faults are reported.
 */
export function loadCases(node: SourceNode, name: string): Result<readonly Case[], readonly Fault[]> {
  const another = anotherKind(node, name, 'countersign.case');
  if (another !== null) return err([another]);
  const reading = startReading(name);
  const nodes = node.kind === 'map' && !node.entries.has('cases') ? single(node, reading) : several(node, reading);
  const seen = new Map<string, number>();
  const cases = (nodes ?? []).flatMap(([one, at]) => {
    const read = readFrame(one, at);
    if (read === undefined) return [];
    const first = seen.get(read.name);
    if (first !== undefined) complain(at, one, 'E_FIELD_TYPE', `the name ${read.name} is also that of line ${first}`);
    seen.set(read.name, one.line);
    return [read];
  });
  return reading.faults.length === 0 ? ok(cases) : err(byPlace(reading.faults));
}

type Placed = readonly [node: SourceNode, at: Reading];

/** A document without `cases` is itself the case. */
function single(node: SourceMap, reading: Reading): readonly Placed[] {
  const entry = node.entries.get('schema');
  object(SCHEMA)({ ...node, entries: new Map(entry === undefined ? [] : [['schema', entry]]) }, reading);
  return [[without(node, ['schema']), reading]];
}

function several(node: SourceNode, reading: Reading): readonly Placed[] | undefined {
  const read = file(node, reading);
  return read?.cases.map((item, index) => {
    const laid = read.defaults === undefined ? item : { ...overlay(read.defaults, item), ...placeOf(item) };
    return [laid, { ...reading, path: `cases[${index}]` }];
  });
}

const placeOf = ({ line, column }: SourceNode): { line: number; column: number } => ({ line, column });

function readFrame(node: SourceNode, at: Reading): Case | undefined {
  const map = anyMap(node, at);
  if (map === undefined) return undefined;
  const names = Object.values(FRAME).map((one) => one.name);
  const read = frame({ ...map, entries: new Map([...map.entries].filter(([key]) => names.includes(key))) }, at);
  if (read === undefined) return undefined;
  return {
    name: read.name,
    file: at.file,
    where: { file: at.file, ...placeOf(node) },
    policy: read.policy ?? null,
    changes: read.with ?? new Map(),
    expect: read.expect ?? null,
    content: without(map, names),
  };
}
