import type { Demand } from './demand.js';
import { at, type Pool } from './pool.js';
import type { Random } from './random.js';
import { type SearchResult, searchResult } from './search.js';

/**
 * Single random draw (Bitcoin Core's SelectCoinsSRD): coins are drawn at random until they leave at least `change` sats of
 * change. Where more are drawn than the limits allow, the smallest goes back for good. The result tells an observer least
 * about the rest of the vault.
 *
 * Once the limit is reached, a coin smaller than all those drawn would go back at once; so only larger ones are drawn, which comes
 * to the same and ends after a few draws for each input instead of one for each coin of the pool. Drawn to the end that is the
 * largest coins that the limits allow, so `none` is a proof.
 */
export function singleRandomDraw(pool: Pool, demand: Demand, change: number, random: Random): SearchResult {
  const { values } = pool;
  const most = demand.maxInputsWithChange;
  if (most < 1) return { kind: 'none', tries: 0 };
  // Indexes in the pool rise as values fall: kept sorted, the smallest coin is the last.
  const chosen: number[] = [];
  let sum = 0;
  for (let draws = 0; ; ) {
    const smallest = chosen.length === most ? chosen.pop() : undefined;
    const candidates = (smallest ?? values.length) - chosen.length;
    if (candidates === 0) return { kind: 'none', tries: draws };
    if (smallest !== undefined) sum -= at(values, smallest);
    draws++;
    const { index, place } = nthFree(chosen, random.below(candidates));
    chosen.splice(place, 0, index);
    sum += at(values, index);
    if (sum >= at(demand.needWithChange, chosen.length) + change) return searchResult(chosen, true, draws);
  }
}

/** The n-th index, from 0, that is not among the sorted `taken` ones, and its place among them. */
function nthFree(taken: readonly number[], n: number): { readonly index: number; readonly place: number } {
  let index = n;
  let place = 0;
  for (const other of taken) {
    if (other > index) break;
    index++;
    place++;
  }
  return { index, place };
}
