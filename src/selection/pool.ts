import type { Coin } from '../domain/coin.js';
import type { Outpoint } from '../domain/outpoint.js';
import { MAX_SATS, type Sats, sumSats } from '../domain/sats.js';
import { feeAt, type WasteTerms } from './waste.js';

/**
 * The coins that a search may choose from, largest first, with what the search reads in its inner loops as float64.
 * That is exact: every amount and every sum is a whole number of at most 21,000,000 BTC = 2.1e15 sats < 2^53 = 9.0e15.
 * `exactNumber` and `preparePool` hold to that; outside of the search amounts are bigint.
 */
export interface Pool {
  readonly coins: readonly Coin[];
  /** Sats, never increasing. */
  readonly values: Float64Array;
  /** `sums[n]` is the value of the n largest coins: the most that n inputs can bring. */
  readonly sums: Float64Array;
  /** Index of the first coin that is worth less than this one: coins of equal value are interchangeable to a search. */
  readonly nextSmaller: Uint32Array;
}

/** Coins that were left out of the search, for the message to an officer who misses them. */
export interface Withheld {
  /** Completes "coins that ...": "are frozen", "are in live plans". */
  readonly reason: string;
  readonly coins: number;
  readonly value: Sats;
}

/** The one way from sats to float64. Throws where the number would not be exact: that is a bug, not an input. */
export function exactNumber(sats: Sats): number {
  const value = Number(sats);
  if (!Number.isSafeInteger(value)) throw new Error(`${sats} sats are beyond an exact float64`);
  return value;
}

/** Value of coins together, or null where they claim more than 21,000,000 BTC: then the snapshot is wrong. */
export function totalValue(coins: readonly Coin[]): Sats | null {
  const total = sumSats(coins.map(({ value }) => value));
  return total <= MAX_SATS && coins.every(({ value }) => value >= 0n) ? total : null;
}

/**
 * Sorts coins in the one order that does not depend on how they came (value, then outpoint), and leaves out those whose
 * effective value (value less the fee of one input of `inputWeight` weight units) is not above zero: choosing one would
 * make the transaction poorer. The total of the coins must have passed `totalValue`.
 */
export function preparePool(
  coins: readonly Coin[],
  rates: Pick<WasteTerms, 'feerate' | 'floor'>,
  inputWeight: bigint,
): { readonly pool: Pool; readonly uneconomic: Withheld } {
  const inputFee = exactNumber(feeAt(rates, inputWeight));
  const values = Float64Array.from(coins, ({ value }) => exactNumber(value));
  const usable = Uint32Array.from(coins.keys()).filter((index) => at(values, index) > inputFee);
  usable.sort((a, b) => at(values, b) - at(values, a) || compareOutpoints(coins[a]?.outpoint, coins[b]?.outpoint));
  const kept: Coin[] = [];
  for (const index of usable) {
    const coin = coins[index];
    if (coin !== undefined) kept.push(coin);
  }
  const pool = poolOf(
    kept,
    Float64Array.from(usable, (index) => at(values, index)),
  );
  const rest = coins.filter((_, index) => at(values, index) <= inputFee);
  const uneconomic = {
    reason: 'cost more to spend than they are worth at this feerate',
    coins: rest.length,
    value: sumSats(rest.map(({ value }) => value)),
  };
  return { pool, uneconomic };
}

/** The pool without the coins at these indexes: what is left for the next transaction of a split plan. */
export function without(pool: Pool, chosen: readonly number[]): Pool {
  const gone = new Set(chosen);
  return poolOf(
    pool.coins.filter((_, index) => !gone.has(index)),
    pool.values.filter((_, index) => !gone.has(index)),
  );
}

function poolOf(coins: readonly Coin[], values: Float64Array): Pool {
  const sums = new Float64Array(values.length + 1);
  for (let index = 0; index < values.length; index++) sums[index + 1] = at(sums, index) + at(values, index);
  const nextSmaller = new Uint32Array(values.length);
  for (let index = values.length - 1; index >= 0; index--) {
    const sameNext = index + 1 < values.length && values[index] === values[index + 1];
    nextSmaller[index] = sameNext ? at(nextSmaller, index + 1) : index + 1;
  }
  return { coins, values, sums, nextSmaller };
}

/** Element of a typed array that is known to be there: `noUncheckedIndexedAccess` cannot know, and 0 must not hide a bug. */
export function at(array: Float64Array | Uint32Array, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`index ${index} of ${array.length}`);
  return value;
}

/** First index from `from` on whose value is at most `most`; the length of the pool if there is none. */
export function firstAtMost(pool: Pool, most: number, from: number): number {
  let low = from;
  let high = pool.values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(pool.values, middle) <= most) high = middle;
    else low = middle + 1;
  }
  return low;
}

function compareOutpoints(a: Outpoint | undefined, b: Outpoint | undefined): number {
  if (a === undefined || b === undefined) throw new Error('a coin is missing from its own list');
  if (a.txid !== b.txid) return a.txid < b.txid ? -1 : 1;
  return a.vout - b.vout;
}
