/** Bitcoin Core's TOTAL_TRIES: rounds after which a search stops, so that no set of coins can make planning hang. */
export const TOTAL_TRIES = 100_000;

/**
 * What one algorithm answers. `found` holds indexes into the pool; it is `complete` if the search looked at everything that
 * could have been better. `none` is a proof that there is nothing to find, `exhausted` is not.
 */
export type SearchResult =
  | { readonly kind: 'found'; readonly indexes: readonly number[]; readonly complete: boolean; readonly tries: number }
  | { readonly kind: 'none'; readonly tries: number }
  | { readonly kind: 'exhausted'; readonly tries: number };

export function searchResult(best: readonly number[] | null, complete: boolean, tries: number): SearchResult {
  if (best !== null) return { kind: 'found', indexes: best, complete, tries };
  return complete ? { kind: 'none', tries } : { kind: 'exhausted', tries };
}
