import type { ChainTip } from '../domain/coin.js';
import type { Network } from '../domain/network.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';

/** Seconds a block: blocks come every 600 s, and the bounds leave room for hash power that doubles many times over. */
const FASTEST_GROWTH = 30;
const FASTEST_SINCE_GENESIS = 300;
/** Blocks that are allowed on top of the growth: two weeks of them, so that a short while is never judged. */
const SLACK = 2016;

/** The time of block 0 of the main network. */
const GENESIS: UnixSeconds = 1_231_006_505;

/**
 * Why a tip cannot be, or null. A false height would be believed for good: no snapshot below it is taken afterwards.
 *
 * On main and signet: growth of at most one block in 30 s since the known tip's median time past, and 2,016 more. On main
 * also at most one block in 300 s since block 0, which judges the first snapshot. testnet3, testnet4 and regtest have no
 * bound: there blocks come in storms.
 */
export function tipProblem(
  network: Network,
  { height }: Pick<ChainTip, 'height'>,
  takenAt: UnixSeconds,
  known: Pick<ChainTip, 'height' | 'medianTimePast'> | null,
): string | null {
  if (network !== 'main' && network !== 'signet') return null;
  if (network === 'main' && height > blocksIn(takenAt - GENESIS, FASTEST_SINCE_GENESIS) + SLACK) {
    return `height ${height} at ${formatTime(takenAt)} would be more than a block in ${FASTEST_SINCE_GENESIS} s since block 0`;
  }
  if (known === null) return null;
  const most = known.height + blocksIn(takenAt - known.medianTimePast, FASTEST_GROWTH) + SLACK;
  if (height <= most) return null;
  return `height ${height} is ${height - known.height} blocks above the known ${known.height}, whose median time past is ${formatTime(known.medianTimePast)}`;
}

function blocksIn(elapsed: number, secondsEach: number): number {
  return Math.floor(Math.max(0, elapsed) / secondsEach);
}
