import type { Coin } from '../domain/coin.js';
import { HARDENED } from '../domain/path.js';
import { parseSats } from '../domain/sats.js';

/** Block heights stay below 500,000,000: from there on a locktime is a time (BIP65). */
export const MAX_HEIGHT = 499_999_999;

/** The rows of a snapshot, and the document that is left without them: both lists are there, and empty. */
export interface SnapshotRows {
  readonly rest: string;
  readonly coins: readonly Coin[];
  readonly previous: ReadonlyMap<string, Uint8Array>;
}

const COINS = '\n  "coins": [';
const PREVIOUS = '\n  "previous_transactions": {';

/** One coin to a line, in the one order and spelling in which this program writes it. */
const COIN =
  /\n {4}\{"outpoint":"([0-9a-f]{64}):(0|[1-9][0-9]{0,9})","value":"([0-9]{1,16})","script":"([0-9a-f]{2,200})","branch":([01]),"index":(0|[1-9][0-9]{0,9}),"height":(null|0|[1-9][0-9]{0,8}),"coinbase":(true|false)\}(,?)/y;
const TRANSACTION = /\n {4}"([0-9a-f]{64})": "/y;
const NOT_HEX = /[^0-9a-f]/;

/**
 * Takes the coins and the previous transactions out of a snapshot's text where each stands in a line of its own, as this
 * program writes them: a tree of nodes for 100,000 of them takes several times as long, and hundreds of megabytes. Null for
 * any other text, however slightly it differs; the strict reader then reads all of it and says what is wrong, if anything is.
 *
 * Where the strict reader takes `rest`, and finds both lists empty in it, it would take the text with the same rows: a line
 * cannot end inside a string, so both texts are at the same place of the same document where the rows begin; the rows are
 * values of JSON with a comma between two; and where they end the list ends, in both. A second list of the same name would
 * stand in `rest`, for the strict reader to refuse.
 */
export function takeRows(text: string): SnapshotRows | null {
  // All bytes in one piece of memory: two hundred thousand small ones are what its collection would take longest for.
  const bytes = new ByteStore(text.length >>> 1);
  const coins = takeCoins(text, bytes);
  const previous = coins === null ? null : takePrevious(text, coins.to, bytes);
  if (coins === null || previous === null) return null;
  const rest = text.slice(0, coins.from) + text.slice(coins.to, previous.from) + text.slice(previous.to);
  return { rest, coins: coins.rows, previous: previous.rows };
}

/** Rows, and the part of the text that holds them and nothing else. */
interface Taken<T> {
  readonly rows: T;
  readonly from: number;
  readonly to: number;
}

function takeCoins(text: string, bytes: ByteStore): Taken<readonly Coin[]> | null {
  const from = text.indexOf(`${COINS}\n`) + COINS.length;
  if (from < COINS.length) return null;
  const rows: Coin[] = [];
  COIN.lastIndex = from;
  for (let more = true; more; ) {
    const match = COIN.exec(text);
    const coin = match === null ? null : coinOf(match, bytes);
    if (coin === null) return null;
    rows.push(coin);
    more = match?.[9] === ',';
  }
  const to = COIN.lastIndex;
  return text.startsWith('\n  ]', to) ? { rows, from, to } : null;
}

function coinOf(match: RegExpExecArray, bytes: ByteStore): Coin | null {
  const [, txid = '', output = '', sats = '', hex = '', branch = '', place = '', block = '', coinbase = ''] = match;
  const value = parseSats(sats);
  const script = bytes.keep(hex);
  const [vout, index, height] = [Number(output), Number(place), block === 'null' ? null : Number(block)];
  if (!value.ok || script === null || vout > 0xffffffff || index >= HARDENED) return null;
  if (height !== null && height > MAX_HEIGHT) return null;
  return {
    outpoint: { txid, vout },
    value: value.value,
    script,
    origin: { branch: branch === '1' ? 1 : 0, index },
    height,
    coinbase: coinbase === 'true',
  };
}

function takePrevious(text: string, after: number, bytes: ByteStore): Taken<ReadonlyMap<string, Uint8Array>> | null {
  const from = text.indexOf(`${PREVIOUS}\n`, after) + PREVIOUS.length;
  if (from < PREVIOUS.length) return null;
  const rows = new Map<string, Uint8Array>();
  let to = from;
  for (let more = true; more; ) {
    TRANSACTION.lastIndex = to;
    const txid = TRANSACTION.exec(text)?.[1];
    const start = TRANSACTION.lastIndex;
    const end = txid === undefined ? -1 : text.indexOf('"', start);
    const transaction = end < 0 ? null : bytes.keep(text.slice(start, end));
    if (txid === undefined || transaction === null || rows.has(txid)) return null;
    rows.set(txid, transaction);
    more = text[end + 1] === ',';
    to = more ? end + 2 : end + 1;
  }
  return text.startsWith('\n  }', to) ? { rows, from, to } : null;
}

/** Bytes that live as long as the snapshot that they are of. */
class ByteStore {
  readonly #bytes: Buffer;
  #length = 0;

  constructor(size: number) {
    this.#bytes = Buffer.alloc(size);
  }

  /** The bytes of lower-case hexadecimal of even length; null for any other text, and for none. */
  keep(hex: string): Uint8Array | null {
    if (hex === '' || hex.length % 2 !== 0 || NOT_HEX.test(hex)) return null;
    const start = this.#bytes.byteOffset + this.#length;
    this.#length += this.#bytes.write(hex, this.#length, 'hex');
    return new Uint8Array(this.#bytes.buffer, start, hex.length / 2);
  }
}
