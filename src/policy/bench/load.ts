import type { Fault } from '../../domain/fault.js';
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
  startReading,
  text,
} from '../../domain/source-reader.js';
import type { SourceMap, SourceNode } from '../../domain/source-tree.js';
import { expectation } from './expect.js';
import { overlay, without } from './nodes.js';
import type { Case } from './types.js';

const anyNode: Reader<SourceNode> = (node) => node;

const anyMap: Reader<SourceMap> = (node, at) =>
  node.kind === 'map' ? node : complain(at, node, 'E_FIELD_TYPE', 'an object is due here');

/** Dotted fields of the policy to the values that take their places. */
const changes: Reader<ReadonlyMap<string, SourceNode>> = (node, at) => {
  const map = anyMap(node, at);
  return map === undefined ? undefined : new Map([...map.entries].map(([path, { value }]) => [path, value]));
};

const FRAME = {
  name: field('name', label),
  about: optionalField('about', label),
  policy: optionalField('policy', text),
  with: optionalField('with', changes),
  expect: optionalField('expect', expectation),
};

const file = object({
  schema: field('schema', oneOf(['countersign.case/1'])),
  defaults: optionalField('defaults', anyMap),
  cases: field('cases', list(anyNode, 1, null)),
});

/**
 * Reads the frame of a file of countersign.case/1: one case, or a list of `cases` over common `defaults`. What is inside a
 * case is read when it is judged. Names are unique in a file. All faults are reported.
 */
export function loadCases(node: SourceNode, name: string): Result<readonly Case[], readonly Fault[]> {
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
  const schema = object({ schema: field('schema', oneOf(['countersign.case/1'])) });
  const entry = node.entries.get('schema');
  schema({ ...node, entries: new Map(entry === undefined ? [] : [['schema', entry]]) }, reading);
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
  const frame = object(FRAME)(
    { ...map, entries: new Map([...map.entries].filter(([key]) => names.includes(key))) },
    at,
  );
  if (frame === undefined) return undefined;
  return {
    name: frame.name,
    file: at.file,
    where: { file: at.file, ...placeOf(node) },
    policy: frame.policy ?? null,
    changes: frame.with ?? new Map(),
    expect: frame.expect ?? null,
    content: without(map, names),
  };
}
