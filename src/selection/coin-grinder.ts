import type { Demand } from './demand.js';
import { at, firstAtMost, type Pool } from './pool.js';
import { type SearchResult, searchResult, TOTAL_TRIES } from './search.js';

/**
 * CoinGrinder (Bitcoin Core): of all sets that leave at least `change` sats of change, the one with the least input weight,
 * and among those the one with the smallest sum. All inputs of a vault weigh the same, so the least weight is the least
 * number, and the largest coins tell it at once; the search is for the smallest sum of exactly that many.
 *
 * Depth first, larger coins first. The lookahead cuts a branch when even the largest coins that may follow do not reach the
 * target, and when even the smallest that could complete it make no smaller sum. The last coin is found by bisection: it is
 * the smallest that suffices.
 */
export function coinGrinder(pool: Pool, demand: Demand, change: number, maxTries: number = TOTAL_TRIES): SearchResult {
  const { values, sums, nextSmaller } = pool;
  const size = leastCount(pool, demand, change);
  if (size === null) return { kind: 'none', tries: 0 };
  const target = at(demand.needWithChange, size) + change;
  const total = at(sums, values.length);
  const chosen: number[] = [];
  let best: readonly number[] | null = null;
  let bestSum = Number.POSITIVE_INFINITY;
  let sum = 0;
  let index = 0;
  let tries = 0;

  for (;;) {
    const wanted = size - chosen.length;
    const enough = index + wanted <= values.length;
    const most = enough ? sum + at(sums, index + wanted) - at(sums, index) : 0;
    const least = enough ? sum + total - at(sums, values.length - wanted) : 0;
    if (!enough || most < target || least >= bestSum) {
      const last = chosen.pop();
      if (last === undefined) return searchResult(best, true, tries);
      sum -= at(values, last);
      index = at(nextSmaller, last);
      continue;
    }
    if (tries === maxTries) return searchResult(best, false, tries);
    tries++;
    if (wanted > 1) {
      chosen.push(index);
      sum += at(values, index);
      index++;
      continue;
    }
    // `most` says that the coin at `index` suffices: take the last value that still does, and the first coin that has it.
    const tooSmall = firstAtMost(pool, target - sum - 1, index);
    const value = at(values, tooSmall - 1);
    if (sum + value < bestSum) {
      bestSum = sum + value;
      best = [...chosen, firstAtMost(pool, value, index)];
      if (bestSum === target) return searchResult(best, true, tries);
    }
    index = values.length;
  }
}

/** The least number of inputs whose largest coins reach the need and the change on top; null if no number does. */
export function leastCount(pool: Pool, demand: Demand, change: number): number | null {
  for (let count = 1; count <= demand.maxInputsWithChange; count++) {
    if (at(pool.sums, count) >= at(demand.needWithChange, count) + change) return count;
  }
  return null;
}
