import type { BatchKind } from '../domain/batch-kind.js';
import { type Coin, confirmations } from '../domain/coin.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { liveCoins } from '../journal/fold.js';
import type { Withheld } from '../selection/pool.js';
import { isMature } from './own-coins.js';
import type { Situation } from './situation.js';

export interface Offer {
  readonly coins: readonly Coin[];
  /** The rest of the vault's coins. */
  readonly staying: readonly Coin[];
  /** The same, summed up by the reason why they are not on offer. */
  readonly withheld: readonly Withheld[];
}

/** The coins that a new plan of a kind may spend. */
export function coinsOnOffer(situation: Situation, kind: BatchKind): Offer {
  const held = liveCoins(situation.state);
  const withheld = new Map<string, Withheld>();
  const staying: Coin[] = [];
  const coins = situation.snapshot.coins.filter((coin) => {
    const reason = withholding(coin, situation, held, kind);
    if (reason === null) return true;
    const sum = withheld.get(reason) ?? { reason, coins: 0, value: 0n };
    withheld.set(reason, { reason, coins: sum.coins + 1, value: sum.value + coin.value });
    staying.push(coin);
    return false;
  });
  return { coins, staying, withheld: [...withheld.values()] };
}

/** Why a coin is not offered to a new plan; null where it is. */
function withholding(coin: Coin, situation: Situation, held: ReadonlySet<string>, kind: BatchKind): string | null {
  const { snapshot, state, policy } = situation;
  const { minConfirmations, minValue } = policy.document.inputs;
  const outpoint = formatOutpoint(coin.outpoint);
  const depth = confirmations(coin, snapshot.tip);
  const quarantine = situation.quarantined.get(outpoint) ?? [];
  if (held.has(outpoint)) return 'are in live batches';
  if (state.frozen.has(outpoint)) return 'are frozen';
  if (quarantine.some((one) => one.kind === 'tainted')) return 'come from scripts of a screening list';
  if (quarantine.length > 0) return 'come from scripts that nothing tells';
  if (depth < minConfirmations) return `have under ${minConfirmations} confirmations`;
  if (!isMature(coin, depth)) return 'are immature coinbase';
  if (kind === 'withdrawal' && coin.value < minValue) return 'are below the smallest input that the policy allows';
  return null;
}
