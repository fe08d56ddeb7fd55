import type { Coin } from '../domain/coin.js';
import type { UnixSeconds } from '../domain/time.js';
import type { Quarantine } from '../policy/screening/hits.js';
import type { Facts } from '../policy/types.js';
import type { CoinSources } from '../psbt/sources.js';

// What Past keeps from one verdict to the next.

export interface KnownFacts {
  readonly facts: Facts;
  /** What they were derived from besides the bytes. */
  readonly basis: readonly unknown[];
}

/** Coins that screening lists keep back, and where coins come from. */
export interface Quarantined {
  readonly basis: readonly unknown[];
  readonly provenance: (coin: Coin) => CoinSources;
  readonly coins: ReadonlyMap<string, readonly Quarantine[]>;
}

/** The batches of one plan are journaled together: none of them sees itself or another as held already. */
export interface OpenPlan {
  readonly parts: readonly string[];
  /** Time of the newest entry before the plan. */
  readonly before: UnixSeconds;
  readonly planned: string[];
}
