import type { Sats } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { EntryBody } from '../../journal/entries.js';
import { policyAt } from '../../journal/policies.js';
import type { BatchState, JournalState } from '../../journal/state.js';
import { BATCH_STATES, holdsBudget } from '../../journal/transitions.js';
import { createSpendIndex } from '../../policy/windows.js';
import { spendOf } from '../history.js';

export type CoinsImported = Extract<EntryBody, { kind: 'coins.imported' }>;

/** The journal at one border of a period: what the last entry before it left behind. */
export interface Standing {
  /** Every state, also those that no batch is in. */
  readonly batches: readonly { readonly state: BatchState; readonly batches: number; readonly spend: Sats }[];
  /** Reserved or signed and not confirmed: of batches that exclude one another the heaviest that can confirm together. */
  readonly unconfirmed: Sats;
  /** All that ever left and is confirmed, fees included. */
  readonly confirmed: Sats;
  readonly policy: { readonly version: number; readonly digest: string } | null;
  readonly book: { readonly version: number; readonly digest: string; readonly destinations: number } | null;
  /** The coins of the vault as they were last looked at; null where nobody looked yet. */
  readonly coins: {
    readonly coins: number;
    readonly total: Sats;
    readonly height: number;
    readonly importedAt: string;
  } | null;
  readonly frozen: number;
  /** The halts that stand. */
  readonly halts: readonly string[];
}

/** The state at a moment. `coins` is the newest snapshot before it, which the state names and does not hold. */
export function standingOf(state: JournalState, coins: CoinsImported | null, at: UnixSeconds): Standing {
  const records = [...state.batches.values()];
  const index = createSpendIndex(records.filter(({ state }) => holdsBudget(state)).map(spendOf));
  const policy = policyAt(state, at);
  return {
    batches: BATCH_STATES.map((name) => {
      const among = records.filter(({ state }) => state === name);
      return { state: name, batches: among.length, spend: among.reduce((sum, { spend }) => sum + spend, 0n) };
    }),
    unconfirmed: index.pendingTotal.spend,
    confirmed: index.confirmedTotal,
    policy: policy === null ? null : { version: policy.version, digest: policy.digest },
    book:
      state.book === null
        ? null
        : { version: state.book.version, digest: state.book.digest, destinations: state.book.entries.size },
    coins:
      coins === null || state.coins === null
        ? null
        : {
            coins: coins.coins,
            total: BigInt(coins.total),
            height: coins.height,
            importedAt: formatTime(state.coins.importedAt),
          },
    frozen: state.frozen.size,
    halts: [...state.halts.keys()],
  };
}
