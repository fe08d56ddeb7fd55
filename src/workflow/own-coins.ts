import { trustedHex } from '../domain/bytes.js';
import { type ChainTip, type Coin, confirmations } from '../domain/coin.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { BatchRecord } from '../journal/state.js';

/** COINBASE_MATURITY of Bitcoin Core: consensus. */
export const COINBASE_MATURITY = 100;

/**
 * Whether a coin counts towards the balance that must stay: only what the policy would let a batch spend. An unconfirmed
 * coin never does, also where the policy would spend one: whoever makes the snapshot could invent it for nothing. A coin
 * that is frozen, or that a screening list keeps back, is the vault's and cannot be spent, so it is no reserve either.
 */
export function countsAsReserve(
  coin: Coin,
  tip: ChainTip,
  minConfirmations: number,
  isKeptBack: (outpoint: string) => boolean,
  outpoint: string,
): boolean {
  const depth = confirmations(coin, tip);
  return depth >= Math.max(1, minConfirmations) && isMature(coin, depth) && !isKeptBack(outpoint);
}

export function isMature({ coinbase }: Pick<Coin, 'coinbase'>, depth: number): boolean {
  return !coinbase || depth >= COINBASE_MATURITY;
}

/** The change of a batch that is signed, as coins that wait for a block with it. By outpoint. */
export function changeCoins({ outputs, signed }: Pick<BatchRecord, 'outputs' | 'signed'>): ReadonlyMap<string, Coin> {
  const coins = new Map<string, Coin>();
  for (const [vout, { script, amount, change }] of outputs.entries()) {
    if (signed === null || change === null) continue;
    const outpoint = { txid: signed.txid, vout };
    const origin = { branch: 1, index: change } as const;
    const coin = { outpoint, value: amount, script: trustedHex(script), origin, height: null, coinbase: false };
    coins.set(formatOutpoint(outpoint), coin);
  }
  return coins;
}

/**
 * Indexes of the change branch that are in use, each as often as it is used, and how far they reach.
 *
 * The reach goes from one used index to the next only over at most `maxGap`, as a wallet that is restored would search.
 * One coin far out, which anybody can make by paying an address of the vault and writing a snapshot, does not move it.
 */
export class UsedIndexes {
  readonly #counts = new Map<number, number>();
  /** Distinct, rising. */
  readonly #sorted: number[] = [];
  /** So many of the first of them are known to be within reach. */
  #reached = 0;

  constructor(readonly maxGap: number) {}

  add(index: number): void {
    const count = this.#counts.get(index) ?? 0;
    this.#counts.set(index, count + 1);
    if (count > 0) return;
    const at = this.#positionOf(index);
    this.#sorted.splice(at, 0, index);
    this.#reached = Math.min(this.#reached, at);
  }

  remove(index: number): void {
    const count = this.#counts.get(index) ?? 0;
    if (count > 1) this.#counts.set(index, count - 1);
    if (count !== 1) return;
    this.#counts.delete(index);
    const at = this.#positionOf(index);
    this.#sorted.splice(at, 1);
    this.#reached = Math.min(this.#reached, at);
  }

  /** The highest index within reach, -1 if there is none. `without` are uses that do not count, one each. */
  reach(without: readonly number[] = []): number {
    const gone = without.filter((index) => this.#counts.get(index) === count(without, index));
    let position = this.#reached;
    for (const index of gone) position = Math.min(position, this.#positionOf(index));
    let last = position === 0 ? -1 : (this.#sorted[position - 1] ?? -1);
    for (; position < this.#sorted.length; position += 1) {
      const next = this.#sorted[position];
      if (next === undefined || next > last + this.maxGap) break;
      if (!gone.includes(next)) last = next;
    }
    if (gone.length === 0) this.#reached = position;
    return last;
  }

  #positionOf(index: number): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? index) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function count(list: readonly number[], value: number): number {
  return list.filter((one) => one === value).length;
}

/** How far the change of these coins and these indexes of batches reaches; see UsedIndexes. */
export function changeReach(coins: readonly Coin[], ofBatches: readonly number[], maxGap: number): number {
  const used = new UsedIndexes(maxGap);
  const indexes = [...onChangeBranch(coins).map(({ origin }) => origin.index), ...ofBatches];
  // In this order every insertion is at the end.
  for (const index of indexes.sort((a, b) => a - b)) used.add(index);
  return used.reach();
}

/**
 * Coins on the change branch that lie beyond the gap. An honest vault may have some: where it was used before and all
 * coins between are spent, a snapshot shows only what is left.
 */
export function beyondReach(coins: readonly Coin[], ofBatches: readonly number[], maxGap: number): readonly Coin[] {
  const last = changeReach(coins, ofBatches, maxGap);
  return onChangeBranch(coins).filter(({ origin }) => origin.index > last);
}

export function onChangeBranch(coins: readonly Coin[]): readonly Coin[] {
  return coins.filter(({ origin }) => origin.branch === 1);
}
