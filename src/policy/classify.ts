import type { Change, ChangeKind, Difference, Pair } from './classify/order.js';
import { worst } from './classify/order.js';
import { type FieldPath, ORDERS, type ValueAt } from './classify/orders.js';
import type { LoadedPolicy, PolicyDocument } from './types.js';

export type { Change, ChangeKind } from './classify/order.js';

/**
 * Every difference of meaning between two policies, in the order of the document, each one tightening, loosening or
 * neutral by the partial order of its field (docs/policy-changes.md). What is not provably tighter loosens. Documents that
 * differ only in comments, order or spelling give an empty list.
 */
export function classify(before: LoadedPolicy, after: LoadedPolicy): readonly Change[] {
  return PATHS.flatMap((path) => changesAt(path, { before, after }));
}

/**
 * What a set of changes is as a whole: a loosening as soon as one of them is, whatever the others tighten. If it is not,
 * the new version allows no batch that the old one denied or asked approvals for.
 */
export function overallKind(changes: readonly Change[]): ChangeKind {
  return worst(changes);
}

/** The orders of all fields as the table of docs/policy-changes.md. */
export function renderOrders(): string {
  const rows = PATHS.map((path) => `| \`${ORDERS[path].field}\` | ${ORDERS[path].order.law} |`);
  return ['| field | order |', '| --- | --- |', ...rows].join('\n');
}

const PATHS = Object.keys(ORDERS) as FieldPath[];

function changesAt<Path extends FieldPath>(path: Path, pair: Pair): Change[] {
  const { field, order } = ORDERS[path];
  const found = order.compare(valueAt(pair.before.document, path), valueAt(pair.after.document, path), pair);
  return found.map((difference) => changeOf(field, difference, pair));
}

/** The path is checked against the document by its type, so there is something of that type at its end. */
function valueAt<Path extends FieldPath>(document: PolicyDocument, path: Path): ValueAt<Path> {
  const value = path
    .split('.')
    .reduce<unknown>((section, key) => (section as Readonly<Record<string, unknown>>)[key], document);
  return value as ValueAt<Path>;
}

function changeOf(field: string, { part = '', gone = false, ...difference }: Difference, pair: Pair): Change {
  const place = `${field}${part}`;
  return { field: place, ...difference, where: (gone ? pair.before : pair.after).where(place) };
}
