import type { Demand } from './demand.js';
import { at, firstAtMost, type Pool } from './pool.js';
import { type SearchResult, searchResult, TOTAL_TRIES } from './search.js';

/**
 * Branch and bound (Murch, "An Evaluation of Coin Selection Strategies", 2016; SelectCoinsBnB in Bitcoin Core): of all sets that
 * need no change, because their sum lies between need[n] and ceiling[n], the one with the least waste.
 *
 * Depth first, larger coins first, each coin first in and then out. A branch is cut when its coins are too much already, when
 * the largest coins that may follow are not enough, and when it cannot waste less than the best set so far. Of coins of
 * equal value only the earlier ones are tried. Every pool coin pays for itself, so a larger set has more excess; the one
 * exception, two bytes more for the input count at the 253rd input, can hide a set and never yields a wrong one.
 */
export function branchAndBound(pool: Pool, demand: Demand, maxTries: number = TOTAL_TRIES): SearchResult {
  const { values, sums, nextSmaller } = pool;
  const { need, ceiling, inputWaste, maxInputs } = demand;
  const monotone = isNonDecreasing(inputWaste);
  const chosen: number[] = [];
  let best: readonly number[] | null = null;
  let bestWaste = Number.POSITIVE_INFINITY;
  let sum = 0;
  let index = 0;
  let tries = 0;

  /** Whether adding coins from `index` on can still reach the need, and can still beat the best. */
  const promising = (): boolean => {
    const count = chosen.length;
    const slots = Math.min(maxInputs - count, values.length - index);
    if (slots <= 0) return false;
    const reach = sum + at(sums, index + slots) - at(sums, index);
    return reach >= at(need, count + slots) && !(monotone && at(inputWaste, count + 1) >= bestWaste);
  };

  for (;;) {
    if (!promising()) {
      const last = chosen.pop();
      if (last === undefined) return searchResult(best, true, tries);
      sum -= at(values, last);
      index = at(nextSmaller, last);
      continue;
    }
    if (tries === maxTries) return searchResult(best, false, tries);
    tries++;
    const count = chosen.length + 1;
    const room = at(ceiling, count) - sum;
    if (at(values, index) > room) {
      index = firstAtMost(pool, room, index);
      continue;
    }
    chosen.push(index);
    sum += at(values, index);
    index++;
    if (sum < at(need, count)) continue;
    const waste = at(inputWaste, count) + sum - at(need, count);
    if (waste < bestWaste) {
      bestWaste = waste;
      best = [...chosen];
    }
    // More coins mean more excess. Only where each input earns its keep (low fees) can they still lower the waste.
    if (monotone) index = values.length;
  }
}

function isNonDecreasing(table: Float64Array): boolean {
  return table.every((value, index) => index === 0 || value >= at(table, index - 1));
}
