import type { Random } from './random.js';

/** Heights from here on would be read as times (BIP65, Bitcoin Core's LOCKTIME_THRESHOLD). */
const LOCKTIME_THRESHOLD = 500_000_000;

/** Replaceable by a higher fee (BIP125), and not final, so that the locktime is in force. */
export const REPLACEABLE_SEQUENCE = 0xfffffffd;

/**
 * The locktime against fee sniping, as in Bitcoin Core (DiscourageFeeSniping): the height of the tip, so that a miner who
 * rewrites the last block cannot take this transaction along; one in ten lies up to 99 blocks earlier, so that a transaction
 * that waited long for its signatures does not stand out. Never above the tip.
 */
export function antiFeeSnipingLocktime(tipHeight: number, random: Random): number {
  if (!Number.isInteger(tipHeight) || tipHeight < 0 || tipHeight >= LOCKTIME_THRESHOLD) {
    throw new Error(`${tipHeight} is not a block height`);
  }
  const back = random.below(10) === 0 ? random.below(100) : 0;
  return Math.max(0, tipHeight - back);
}
