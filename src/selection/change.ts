import { type FeeRate, feeForWeight } from '../domain/feerate.js';
import { maxSats, minSats, type Sats, sumSats } from '../domain/sats.js';
import { dustThreshold } from '../domain/script.js';
import { exactNumber } from './pool.js';
import type { Random } from './random.js';
import type { Payment } from './types.js';

/** Bitcoin Core's CHANGE_LOWER and CHANGE_UPPER (wallet/coinselection.h). */
const CHANGE_LOWER = 50_000n;
const CHANGE_UPPER = 1_000_000n;

/** Above an average payment of 0.1 BTC the upper end follows the payments: a tenth of their average. */
const UPPER_SHARE_OF_AVERAGE = 10n;

/**
 * The least that a change output may hold, in sats: the dust threshold of its script, and one more than spending it will
 * cost at the long-term feerate. Less than that is worth more as a fee than as a coin.
 */
export function minimumChange(script: Uint8Array, inputWeight: bigint, longTermFeerate: FeeRate): Sats {
  return maxSats(dustThreshold(script), feeForWeight(longTermFeerate, inputWeight) + 1n);
}

/**
 * How much change, in sats, a selection with change aims for at least: drawn between 50,000 and twice the average
 * payment, so that its size does not tell change from payments (Bitcoin Core's GenerateChangeTarget). Core ends the range at
 * 1,000,000; here it ends at a tenth of the average payment where that is more, because change of 0.01 BTC beside
 * payments of 50 BTC gives itself away, and cannot fund a later payment.
 */
export function changeTarget(payments: readonly Payment[], minimum: Sats, random: Random): Sats {
  const average = sumSats(payments.map(({ value }) => value)) / BigInt(Math.max(1, payments.length));
  const upper = minSats(2n * average, maxSats(CHANGE_UPPER, average / UPPER_SHARE_OF_AVERAGE));
  if (upper <= CHANGE_LOWER) return maxSats(minimum, CHANGE_LOWER);
  const drawn = CHANGE_LOWER + BigInt(random.below(exactNumber(upper - CHANGE_LOWER)));
  return maxSats(minimum, drawn);
}
