import { equalBytes, fromHex, sha256Hex } from '../domain/bytes.js';
import type { Branch, Coin } from '../domain/coin.js';
import { at, type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { parseFeeRate } from '../domain/feerate.js';
import { NETWORKS } from '../domain/network.js';
import { formatOutpoint, parseOutpoint } from '../domain/outpoint.js';
import { HARDENED } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import { MAX_SATS, parseSats } from '../domain/sats.js';
import {
  boolean,
  dictionary,
  field,
  integer,
  label,
  list,
  matching,
  object,
  oneOf,
  optionalField,
  type Reader,
  startReading,
  text,
  through,
} from '../domain/source-reader.js';
import type { SourceMap, SourceNode } from '../domain/source-tree.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import { FURTHEST_TARGET } from '../vault/fees.js';
import { isProven, type ProvenCoins, provenCoins } from '../vault/proven-coins.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import { checkSources } from './coin-sources.js';
import { checkPrevious } from './previous-transactions.js';
import { MAX_HEIGHT, takeRows } from './snapshot-rows.js';
import { checkVault } from './snapshot-vault.js';
import { decodeText, parseJson } from './source-text.js';

export const SNAPSHOT_SCHEMA = 'countersign.snapshot/1';

/** 100,000 coins with their previous transactions stay well below it, and V8's longest string lies above it. */
const MAX_SNAPSHOT_BYTES = 400_000_000;

/** How far beyond the index that a coin claims its script is looked for, to say where it really lies. */
const SEARCH_GAP = 20;

const RETAKE = 'take the snapshot again: its parts and its tip are of different moments';

const TXID = /^[0-9a-f]{64}$/;

const time: Reader<UnixSeconds> = through(text, (value) => {
  const seconds = parseTime(value);
  if (seconds !== null && seconds >= 0) return ok(seconds);
  const problem = seconds === null ? 'is not a time' : 'lies before 1970';
  return fail('E_FIELD_TYPE', `${quoted(value, 40)} ${problem}`, {
    remedy: 'write it in UTC as 2026-06-01T12:00:00Z',
  });
});

const branch: Reader<Branch> = (node, here) => {
  const value = integer(0, 1)(node, here);
  return value === undefined ? undefined : value === 1 ? 1 : 0;
};

const confirmedHeight = field('height', integer(0, MAX_HEIGHT));

const unconfirmedShape = {
  outpoint: field('outpoint', through(text, parseOutpoint)),
  value: field('value', through(text, parseSats)),
  script: field('script', through(text, fromHex)),
  branch: field('branch', branch),
  index: field('index', integer(0, HARDENED - 1)),
  coinbase: field('coinbase', boolean),
};
const readUnconfirmed = object(unconfirmedShape);
const readConfirmed = object({ ...unconfirmedShape, height: confirmedHeight });

/** A coin as the file states it, with its place, for the checks that come after. */
interface StatedCoin {
  readonly coin: Coin;
  readonly path: string;
  readonly node: SourceNode;
}

const statedCoin: Reader<StatedCoin> = (node, here) => {
  const unconfirmed = withoutNull(node, 'height');
  const read = unconfirmed === null ? readConfirmed(node, here) : withNullHeight(readUnconfirmed(unconfirmed, here));
  if (read === undefined) return undefined;
  const { outpoint, value, script, height, coinbase } = read;
  const origin = { branch: read.branch, index: read.index };
  return { coin: { outpoint, value, script, origin, height, coinbase }, path: here.path, node };
};

function withNullHeight<T extends object>(coin: T | undefined): (T & { readonly height: null }) | undefined {
  return coin === undefined ? undefined : { ...coin, height: null };
}

/** The map without a field that is null, or null where that field is absent or has a value. */
function withoutNull(node: SourceNode, name: string): SourceMap | null {
  if (node.kind !== 'map') return null;
  const value = node.entries.get(name)?.value;
  if (value?.kind !== 'scalar' || value.value !== null) return null;
  return { ...node, entries: new Map([...node.entries].filter(([key]) => key !== name)) };
}

/** A scan derives every script up to it: more than anybody has used would only make it endless. */
const usedIndex = integer(0, 1_000_000);

const txidKey = (key: string): string | null => (TXID.test(key) ? key : null);
const TXID_FORM = 'a txid of 64 lower-case hexadecimal digits';

type Document = NonNullable<ReturnType<typeof readDocument>>;

const readDocument = object({
  schema: field('schema', oneOf([SNAPSHOT_SCHEMA])),
  network: field('network', oneOf(NETWORKS)),
  vault: field('vault', text),
  checksum: field('descriptor_checksum', matching(/^[a-z0-9]{8}$/, 'a descriptor checksum of 8 characters')),
  tip: field(
    'tip',
    object({
      height: confirmedHeight,
      hash: field('hash', matching(TXID, 'a block hash of 64 lower-case hexadecimal digits')),
      medianTimePast: field('median_time_past', time),
    }),
  ),
  takenAt: field('taken_at', time),
  feerate: optionalField('feerate', through(text, parseFeeRate)),
  feerateFrom: optionalField(
    'feerate_from',
    object({ source: field('source', label), target: field('target', integer(1, FURTHEST_TARGET)) }),
  ),
  lastUsed: optionalField(
    'last_used',
    object({ receive: optionalField('receive', usedIndex), change: optionalField('change', usedIndex) }),
  ),
  coins: field(
    'coins',
    // Outpoints are compared later, with a fault of their own.
    list(statedCoin, 0, ({ path }) => path),
  ),
  previous: field('previous_transactions', dictionary(txidKey, TXID_FORM, through(text, fromHex))),
  sources: optionalField('sources', dictionary(txidKey, TXID_FORM, list(through(text, fromHex), 1, null))),
  confirmed: optionalField(
    'confirmed_transactions',
    dictionary(txidKey, TXID_FORM, object({ height: confirmedHeight, time: field('time', time) })),
  ),
});

/**
 * Reads a coin snapshot (docs/snapshot.md) for the vault of a deriver. Nothing in it is believed that can be computed: each
 * coin's script is derived at the branch and index it names, each previous transaction is hashed and compared with the coins
 * it made; what `before` proves already is not proven again. `file` is how the user named it. Bytes that were checked so once, and that the journal's hash vouches for, are
 * read as `known`: strictly all the same, but without deriving and hashing again, which takes most of the time.
 *
 * E_SNAPSHOT_SCHEMA, E_SNAPSHOT_NETWORK, E_SNAPSHOT_VAULT, E_SNAPSHOT_COIN, E_PREVTX_MISSING, E_PREVTX_MISMATCH, and the
 * faults of strict JSON and of single fields. Each names file, line and field.
 */
export function readSnapshot(
  bytes: Uint8Array,
  file: string,
  deriver: Deriver,
  mode: 'derive' | 'known' = 'derive',
  before: ProvenCoins = provenCoins(null),
): Result<Snapshot, Fault> {
  const source = decodeText(bytes, file, { maxBytes: MAX_SNAPSHOT_BYTES });
  if (!source.ok) return source;
  const written: Snapshotted = { bytes, file, deriver, mode, before };
  const quick = quickDocument(source.value, file);
  const read = quick === null ? null : checkDocument(quick.document, quick.tree, written);
  // What the quick way cannot read, or finds something wrong with, is read the strict way, which knows the lines.
  if (read?.ok === true) return read;
  const tree = parseJson(source.value, file, { maxBytes: MAX_SNAPSHOT_BYTES });
  if (!tree.ok) return tree;
  const schema = checkSchema(tree.value, file);
  if (!schema.ok) return schema;
  const reading = startReading(file);
  const document = readDocument(tree.value, reading);
  return document === undefined ? firstOf(reading.faults) : checkDocument(document, tree.value, written);
}

/**
 * The document, where its rows stand as this program writes them and the strict reader takes all the rest; else null. Its
 * values are those of the strict reader; its places are not.
 */
function quickDocument(text: string, file: string): { document: Document; tree: SourceNode } | null {
  const rows = takeRows(text);
  const rest = rows === null ? null : parseJson(rows.rest, file, { maxBytes: MAX_SNAPSHOT_BYTES });
  if (rows === null || rest?.ok !== true) return null;
  const tree = rest.value;
  const document = readDocument(tree, startReading(file));
  // A list that is not empty is another than the one whose rows were taken.
  if (document === undefined || document.coins.length > 0 || document.previous.size > 0) return null;
  const coins = rows.coins.map((coin) => ({ coin, path: 'coins', node: tree }));
  return { document: { ...document, coins, previous: rows.previous }, tree };
}

interface Snapshotted {
  readonly bytes: Uint8Array;
  readonly file: string;
  readonly deriver: Deriver;
  readonly mode: 'derive' | 'known';
  readonly before: ProvenCoins;
}

/** Holds what a snapshot says against all that can be computed; `tree` has the places for what is wrong. */
function checkDocument(
  document: Document,
  tree: SourceNode,
  { bytes, file, deriver, mode, before }: Snapshotted,
): Result<Snapshot, Fault> {
  const {
    network,
    vault,
    tip,
    takenAt,
    feerate = null,
    feerateFrom = null,
    previous,
    lastUsed = {},
    sources = new Map(),
    confirmed = new Map(),
  } = document;

  const placeIn = (...keys: readonly string[]): SourcePosition => ({ file, ...placeOf(nodeAt(tree, keys)) });
  const same = checkVault(document, deriver.vault, placeIn);
  if (!same.ok) return same;
  const coins = document.coins.map(({ coin }) => coin);
  const snapshot = {
    network,
    vault,
    tip,
    takenAt,
    feerate,
    feerateFrom,
    coins,
    previous,
    lastUsed: [lastUsed.receive ?? -1, lastUsed.change ?? -1] as const,
    sources,
    confirmed,
    sha256: sha256Hex(bytes),
  };
  if (mode === 'known') return ok(snapshot);

  if (tip.medianTimePast > takenAt) {
    const problem = `tip.median_time_past: ${formatTime(tip.medianTimePast)} is later than taken_at, ${formatTime(takenAt)}`;
    return fail('E_SNAPSHOT_SCHEMA', problem, {
      remedy: 'set the clock of the machine that takes snapshots, and take it again',
      where: placeIn('tip', 'median_time_past'),
    });
  }
  const own = checkCoins(document.coins, tip.height, deriver, before, file);
  if (!own.ok) return own;
  const total = coins.reduce((sum, { value }) => sum + value, 0n);
  if (total > MAX_SATS) {
    return fail('E_SNAPSHOT_COIN', `coins: together they are worth ${total} sat, more than there will ever be`, {
      remedy: 'ask how the snapshot came to be wrong: its coins cannot all exist',
      where: placeIn('coins'),
    });
  }
  for (const [txid, block] of confirmed) {
    const problem = confirmationProblem(block, tip.height, takenAt);
    if (problem === null) continue;
    return fail('E_SNAPSHOT_COIN', `confirmed_transactions.${txid}: ${problem}`, {
      remedy: RETAKE,
      where: placeIn('confirmed_transactions', txid),
    });
  }
  const checked = checkPrevious(coins, previous, deriver.vault, before, {
    coin: (index) => placeOfCoin(document.coins[index], file),
    previous: (txid) => placeIn('previous_transactions', txid),
    all: placeIn('previous_transactions'),
  });
  if (!checked.ok) return checked;
  const told = checkSources(sources, previous, (txid) => placeIn('sources', txid));
  return told.ok ? ok(snapshot) : told;
}

/** Seconds by which the time of a block may be ahead of the clock: consensus (MAX_FUTURE_BLOCK_TIME of Bitcoin Core). */
const BLOCK_AHEAD = 7200;

function confirmationProblem(
  { height, time }: { readonly height: number; readonly time: UnixSeconds },
  tipHeight: number,
  takenAt: UnixSeconds,
): string | null {
  if (height > tipHeight) return `block ${height} is above the tip ${tipHeight}`;
  if (time <= takenAt + BLOCK_AHEAD) return null;
  return `its block is of ${formatTime(time)}, more than 2 h after the snapshot was taken, ${formatTime(takenAt)}`;
}

function placeOf({ line, column }: SourceNode): { line: number; column: number } {
  return { line, column };
}

function placeOfCoin(stated: StatedCoin | undefined, file: string): { path: string; where: SourcePosition } {
  if (stated === undefined) throw new Error('no such coin in the document');
  return { path: stated.path, where: { file, ...placeOf(stated.node) } };
}

/** The node under these keys, or the last one on the way that exists. */
function nodeAt(node: SourceNode, keys: readonly string[]): SourceNode {
  const [key, ...rest] = keys;
  const next = key !== undefined && node.kind === 'map' ? node.entries.get(key)?.value : undefined;
  return next === undefined ? node : nodeAt(next, rest);
}

/** Asked first: of a file that is something else altogether, nothing else is worth saying. */
function checkSchema(node: SourceNode, file: string): Result<void, Fault> {
  const stated = node.kind === 'map' ? node.entries.get('schema')?.value : undefined;
  if (stated?.kind === 'scalar' && stated.value === SNAPSHOT_SCHEMA) return ok(undefined);
  const problem =
    stated === undefined ? `${file} has no field "schema"` : `${file} does not say "schema": "${SNAPSHOT_SCHEMA}"`;
  return fail('E_SNAPSHOT_SCHEMA', problem, {
    remedy: `a coin snapshot is one JSON object with "schema": "${SNAPSHOT_SCHEMA}" (docs/snapshot.md)`,
    where: { file, ...placeOf(stated ?? node) },
  });
}

function firstOf(faults: readonly Fault[]): Result<never, Fault> {
  const [first, ...rest] = faults;
  if (first === undefined) throw new Error('a document was refused without a fault');
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  return { ok: false, error: { ...first, message: first.message + more } };
}

function checkCoins(
  stated: readonly StatedCoin[],
  tipHeight: number,
  deriver: Deriver,
  before: ProvenCoins,
  file: string,
): Result<void, Fault> {
  const lines = new Map<string, number>();
  for (const { coin, path, node } of stated) {
    const where = { file, ...placeOf(node) };
    const name = formatOutpoint(coin.outpoint);
    const first = lines.get(name);
    if (first !== undefined) {
      const problem = `${path}: ${name} stands here and in line ${first}; one coin would be spent twice`;
      return fail('E_SNAPSHOT_COIN', problem, { remedy: 'remove one of the two', where });
    }
    lines.set(name, node.line);
    const problem = coinProblem(coin, tipHeight, deriver, before);
    if (!problem.ok)
      return { ok: false, error: at(where, { ...problem.error, message: `${path}: ${problem.error.message}` }) };
  }
  return ok(undefined);
}

function coinProblem(coin: Coin, tipHeight: number, deriver: Deriver, before: ProvenCoins): Result<void, Fault> {
  const { script, origin, height, coinbase } = coin;
  const name = formatOutpoint(coin.outpoint);
  if (height !== null && height > tipHeight) {
    return fail('E_SNAPSHOT_COIN', `${name} is in block ${height}, above the tip ${tipHeight}`, {
      remedy: RETAKE,
    });
  }
  if (coinbase && height === null) {
    return fail('E_SNAPSHOT_COIN', `${name} is said to be a coinbase output and unconfirmed, which cannot be`);
  }
  if (isProven(coin, before)) return ok(undefined);
  const place = `${origin.branch}/${origin.index}`;
  if (equalBytes(deriver.at(origin.branch, origin.index).script, script)) return ok(undefined);
  const found = deriver.find(script, SEARCH_GAP + Math.min(origin.index, 10_000));
  const problem = `the script of ${name} is not the one of ${deriver.vault.id} at ${place}`;
  return fail('E_SNAPSHOT_COIN', problem, {
    remedy:
      found === null
        ? 'the coin is not of this vault: leave it out, or import the vault that it belongs to'
        : `it lies at branch ${found.origin.branch}, index ${found.origin.index}: correct the two, and ask how they came to be wrong`,
  });
}
