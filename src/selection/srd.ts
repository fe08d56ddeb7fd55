import type { Demand } from './demand.js';
import { at, type Pool } from './pool.js';
import type { Random } from './random.js';
import { type SearchResult, searchResult } from './search.js';

/**
 * Single random draw (Bitcoin Core's SelectCoinsSRD): coins are drawn at random until they leave at least `change` sats of
 * change. Where more are drawn than the limits allow, the smallest goes back for good. A draw of the whole pool ends with the
 * largest coins that the limits allow, so `none` is a proof. The result shows an observer least about the rest of the vault.
 */
export function singleRandomDraw(pool: Pool, demand: Demand, change: number, random: Random): SearchResult {
  const { values } = pool;
  const most = demand.maxInputsWithChange;
  if (most < 1) return { kind: 'none', tries: 0 };
  // Fisher-Yates, as far as it is needed: position `drawn` receives one of those not drawn yet.
  const order = Uint32Array.from(values.keys());
  // Indexes in the pool rise as values fall: kept sorted, the smallest coin is the last.
  const chosen: number[] = [];
  let sum = 0;
  for (let drawn = 0; drawn < order.length; drawn++) {
    const other = drawn + random.below(order.length - drawn);
    const index = at(order, other);
    order[other] = at(order, drawn);
    order[drawn] = index;

    chosen.splice(insertionPoint(chosen, index), 0, index);
    sum += at(values, index);
    if (chosen.length > most) sum -= at(values, chosen.pop() ?? -1);
    if (sum >= at(demand.needWithChange, chosen.length) + change) return searchResult(chosen, true, drawn + 1);
  }
  return { kind: 'none', tries: order.length };
}

function insertionPoint(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
