import { type Fault, fault } from '../domain/fault.js';
import type { Network } from '../domain/network.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { err, ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { parseBtc, parseSats, type Sats } from '../domain/sats.js';
import { byPlace } from '../domain/source-document.js';
import {
  addressOn,
  complain,
  describeNode,
  field,
  label,
  list,
  matching,
  object,
  oneOf,
  optionalField,
  type Reader,
  type Reading,
  startReading,
  text,
  through,
} from '../domain/source-reader.js';
import type { SourceNode } from '../domain/source-tree.js';
import { parseJson } from './json.js';
import { readCsv } from './requests-csv.js';
import { checkLineEnds, decodeText } from './text.js';

export type RequestFormat = 'csv' | 'json';

/** How many requests one file may hold. */
export const MAX_REQUESTS = 10_000;

/** How many faults of one file are told; who has that many has one cause for most of them. */
export const MAX_REQUEST_FAULTS = 50;

const COLUMNS = {
  mandatory: ['id', 'address', 'amount'],
  optional: ['destination', 'index', 'unit', 'fee_payer', 'label', 'reference'],
};

/**
 * Reads withdrawal requests: CSV with a header, or JSON of countersign.requests/1 (docs/requests.md). Every request has a
 * script of this network and an amount above zero, and no id stands there twice. All faults are reported, up to 50.
 */
export function readRequests(
  bytes: Uint8Array,
  file: string,
  format: RequestFormat,
  network: Network,
): Result<readonly WithdrawalRequest[], readonly Fault[]> {
  const decoded = decodeText(bytes, file);
  if (!decoded.ok) return err([decoded.error]);
  const ends = checkLineEnds(decoded.value, file);
  if (!ends.ok) return err([ends.error]);
  const reading = startReading(file);
  const nodes =
    format === 'csv' ? readCsv(decoded.value, reading, COLUMNS, MAX_REQUESTS) : readJsonList(decoded.value, reading);
  if (nodes === null) return err(told(reading));
  // A row that could not even be split was told already; a file with no other is not empty.
  const refused = nodes.length === 0 && reading.faults.length > 0 ? null : wrongCount(nodes.length, file);
  if (refused !== null) return err([refused]);

  const read = distinct(requestReader(network));
  const requests: WithdrawalRequest[] = [];
  for (const [index, node] of nodes.entries()) {
    // A row is named by its line; in JSON, where requests may share a line, also by its number.
    const path = format === 'csv' ? '' : `requests[${index}]`;
    const request = read(node, { ...reading, path });
    if (request !== undefined) requests.push(request);
  }
  return reading.faults.length === 0 ? ok(requests) : err(told(reading));
}

function told({ faults }: Reading): readonly Fault[] {
  return byPlace(faults).filter(isFirstOfItsCell).slice(0, MAX_REQUEST_FAULTS);
}

/** A cell that begins like a formula is one mistake, whatever else its text is not. */
function isFirstOfItsCell(one: Fault, _index: number, all: readonly Fault[]): boolean {
  return !all.some(
    (other) =>
      other !== one &&
      other.tag === 'E_CSV_FORMULA' &&
      other.where?.line === one.where?.line &&
      other.where?.column === one.where?.column,
  );
}

function wrongCount(count: number, file: string): Fault | null {
  const where = { file };
  if (count === 0) return fault('E_REQUEST_EMPTY', `${file} holds no request`, { where });
  if (count <= MAX_REQUESTS) return null;
  const remedy = 'split the file; the device signs far fewer outputs in one transaction';
  return fault('E_PARSE', `${file} holds more than ${MAX_REQUESTS} requests`, { where, remedy });
}

function readJsonList(content: string, reading: Reading): readonly SourceNode[] | null {
  if (content.trim() === '') return [];
  const root = parseJson(content, reading.file);
  if (!root.ok) {
    reading.faults.push(root.error);
    return null;
  }
  const document = object({
    schema: field('schema', oneOf(['countersign.requests/1'])),
    requests: field(
      'requests',
      list<SourceNode>((node) => node, 0, null),
    ),
  });
  return document(root.value, reading)?.requests ?? null;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

const id: Reader<string> = (node, at) => {
  const value = text(node, at);
  if (value === undefined || ID.test(value)) return value;
  const message = `${quoted(value, 70)} cannot be an id`;
  return complain(
    at,
    node,
    'E_REQUEST_ID',
    message,
    'write 1 to 64 of A-Z a-z 0-9 . _ : -, beginning with one of A-Z a-z 0-9',
  );
};

const DESTINATION = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** The id of an entry of the book, whose form it has. */
const destination = matching(DESTINATION, 'an id of the address book: 1 to 32 of a-z 0-9 -');

/** An address index (BIP32, unhardened): plain digits, which CSV has as text and JSON as a number. */
const index: Reader<number> = (node, at) => {
  const written = node.kind === 'scalar' ? String(node.value) : '';
  const value = /^(?:0|[1-9][0-9]{0,9})$/.test(written) ? Number(written) : Number.NaN;
  if (value < 2 ** 31) return value;
  const message = `${describeNode(node)} is not an address index`;
  return complain(at, node, 'E_FIELD_TYPE', message, 'write a whole number from 0 to 2147483647 in plain digits');
};

type Unit = 'sat' | 'BTC';

/** An amount above zero, as text: a bare JSON number would be a float to some readers. */
function amountIn(unit: Unit): Reader<Sats> {
  const read = through(text, unit === 'BTC' ? parseBtc : parseSats);
  return (node, at) => {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') {
      const message = `an amount in quotes is due here, not ${describeNode(node)}`;
      return complain(at, node, 'E_AMOUNT_SYNTAX', message, 'write it as a string of digits, for example "150000000"');
    }
    if (unit === 'sat' && parseBtc(node.value).ok && !parseSats(node.value).ok && node.value.includes('.')) {
      const remedy = 'write whole satoshis, or say BTC in a column (or field) named unit';
      return complain(at, node, 'E_AMOUNT_SYNTAX', `${quoted(node.value)} is not a whole number of sats`, remedy);
    }
    const amount = read(node, at);
    if (amount !== 0n) return amount;
    return complain(at, node, 'E_AMOUNT_RANGE', 'an amount of zero pays nobody', 'remove the request');
  };
}

function requestReader(network: Network): Reader<WithdrawalRequest> {
  const shapeIn = (unit: Unit) =>
    object({
      id: field('id', id),
      payee: field('address', addressOn(network)),
      amount: field('amount', amountIn(unit)),
      destination: optionalField('destination', destination),
      index: optionalField('index', index),
      unit: optionalField('unit', oneOf(['sat', 'BTC'])),
      feePayer: optionalField('fee_payer', oneOf(['vault', 'payee'])),
      label: optionalField('label', label),
      reference: optionalField('reference', label),
    });
  const shapes = { sat: shapeIn('sat'), BTC: shapeIn('BTC') };
  return (node, at) => {
    const unit = node.kind === 'map' ? node.entries.get('unit')?.value : undefined;
    const isBtc = unit?.kind === 'scalar' && unit.value === 'BTC';
    const read = shapes[isBtc ? 'BTC' : 'sat'](node, at);
    if (read === undefined) return undefined;
    const { payee, unit: _, feePayer, ...words } = read;
    const bearing = feePayer === 'payee' ? { feePayer } : {};
    return { ...words, ...payee, ...bearing, where: { file: at.file, line: node.line, column: node.column } };
  };
}

/** Refuses a request whose id an earlier one has: the id is what keeps a withdrawal from being paid twice. */
function distinct(read: Reader<WithdrawalRequest>): Reader<WithdrawalRequest> {
  const lines = new Map<string, number>();
  return (node, at) => {
    const written = node.kind === 'map' ? node.entries.get('id')?.value : undefined;
    const name = written?.kind === 'scalar' && typeof written.value === 'string' ? written.value : '';
    const first = lines.get(name);
    const request = read(node, at);
    if (first === undefined || name === '') {
      lines.set(name, node.line);
      return request;
    }
    const message = `the id ${quoted(name)} stands in line ${first} and in line ${node.line}`;
    return complain(at, written ?? node, 'E_REQUEST_DUPLICATE', message, 'give every withdrawal an id of its own');
  };
}
