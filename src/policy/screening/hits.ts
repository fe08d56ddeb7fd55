import type { Hex } from '../../domain/bytes.js';
import type { CoinSources } from '../../psbt/sources.js';
import type { PolicyDocument, ScreeningState } from '../types.js';

/** Lists by their ids, as far as they are there. */
export type Lists = ReadonlyMap<string, ScreeningState>;
type Named = Pick<PolicyDocument, 'screening'>;

/** The ids of the policy's lists that hold a script; a list that the policy does not name is not asked. */
export function listsWith(script: Hex, { screening }: Named, lists: Lists): readonly string[] {
  return screening.lists.flatMap(({ id }) => (lists.get(id)?.scripts.has(script) === true ? [id] : []));
}

/** Seconds by which the clock of who issues a list may be ahead of the one here, as with coin snapshots. */
export const CLOCKS_APART = 120;

/** How far the origin of coins can be followed: one transaction back. What lies further is in no snapshot. */
export const MOST_HOPS = 1;

/** Whether a policy wants to know where coins come from. */
export function asksSources({ screening }: Named): boolean {
  return screening.lists.length > 0 && screening.inputsHops > 0;
}

/** Why a coin is not to be spent: it comes from a listed script, or nobody can say where it comes from. */
export type Quarantine =
  | { readonly kind: 'tainted'; readonly list: string; readonly script: Hex }
  | { readonly kind: 'unscreened'; readonly untold: number };

/** What keeps a coin back, by its sources; `null` sources were not looked for, and so tell nothing. */
export function quarantineOf(sources: CoinSources | null, policy: Named, lists: Lists): readonly Quarantine[] {
  if (!asksSources(policy)) return [];
  if (sources === null) return [{ kind: 'unscreened', untold: 1 }];
  const tainted = sources.scripts.flatMap((script) =>
    listsWith(script, policy, lists).map((list): Quarantine => ({ kind: 'tainted', list, script })),
  );
  return sources.untold === 0 ? tainted : [...tainted, { kind: 'unscreened', untold: sources.untold }];
}
