import { type Hex, toHex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { formatAmount, type Sats, sumSats } from '../domain/sats.js';
import type { JournalState } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Body } from './audit-problem.js';

/** Who freezes what nobody has looked at yet; a person unfreezes it. */
export const QUARANTINE_BY = 'reconcile';

export interface Arrivals {
  /** Coins that were not known before, and that no batch of this journal made or spends. */
  readonly deposits: readonly Coin[];
  readonly quarantined: readonly { readonly outpoint: string; readonly value: Sats; readonly reason: string }[];
}

/**
 * What came in between two snapshots. A deposit below `small` (the smallest input of the policy; null where there is none) is
 * kept back: somebody who sends a trifle learns from what it is spent with, and a consolidation would spend it. On a script
 * that holds or held other coins that is forced reuse, elsewhere dust. What a script held before the last snapshot is known
 * by `spent`, the scripts of coins that batches spent. A coin that was looked at and unfrozen is no
 * arrival any more, so it is not kept back again. Of a first snapshot nothing is an arrival.
 */
export function arrivalsOf(
  before: Snapshot | null,
  now: Snapshot,
  { batches, frozen }: Pick<JournalState, 'batches' | 'frozen'>,
  small: Sats | null,
  spent: ReadonlySet<Hex>,
): Arrivals {
  if (before === null) return { deposits: [], quarantined: [] };
  const known = new Set(before.coins.map(({ outpoint }) => formatOutpoint(outpoint)));
  const own = new Set<string>();
  for (const { signed, inputs } of batches.values()) {
    if (signed !== null) own.add(signed.txid);
    // Also where a reorganisation brings back what a batch had spent.
    for (const input of inputs) known.add(input);
  }
  const deposits = now.coins.filter(({ outpoint }) => !known.has(formatOutpoint(outpoint)) && !own.has(outpoint.txid));
  const trifles = deposits.filter(
    ({ outpoint, value }) => small !== null && value < small && !frozen.has(formatOutpoint(outpoint)),
  );
  if (small === null || trifles.length === 0) return { deposits, quarantined: [] };
  const onScript = new Map<string, Set<string>>();
  for (const { outpoint, script } of [...before.coins, ...now.coins]) {
    const hex = toHex(script);
    onScript.set(hex, (onScript.get(hex) ?? new Set()).add(formatOutpoint(outpoint)));
  }
  const quarantined = trifles.map(({ outpoint, script, value }) => {
    const hex = toHex(script);
    const isReused = (onScript.get(hex)?.size ?? 0) > 1 || spent.has(hex);
    const what = isReused
      ? 'forced reuse: it came onto a script that held other coins, and is below'
      : 'dust: it is below';
    return {
      outpoint: formatOutpoint(outpoint),
      value,
      reason: `${what} the smallest input of the policy, ${formatAmount(small)}`,
    };
  });
  return { deposits, quarantined };
}

/**
 * Coins that were confirmed in the snapshot before and are gone from the one now, where no batch of this journal can have spent
 * them. A snapshot that somebody carries need not say who did.
 */
export function missingCoins(
  before: Snapshot | null,
  now: Snapshot,
  { batches }: Pick<JournalState, 'batches'>,
): readonly Coin[] {
  if (before === null) return [];
  const explained = new Set(now.coins.map(({ outpoint }) => formatOutpoint(outpoint)));
  for (const { state, inputs } of batches.values()) {
    if (state === 'CONFIRMED' || nextState(state, 'batch.replaced') !== null)
      for (const one of inputs) explained.add(one);
  }
  return before.coins.filter(({ outpoint, height }) => height !== null && !explained.has(formatOutpoint(outpoint)));
}

/** What the entry of an import says of deposits; nothing where there are none. */
export function depositsEntry({ deposits }: Pick<Arrivals, 'deposits'>): Pick<Body<'coins.imported'>, 'deposits'> {
  if (deposits.length === 0) return {};
  return { deposits: { coins: deposits.length, total: sumSats(deposits.map(({ value }) => value)).toString() } };
}
