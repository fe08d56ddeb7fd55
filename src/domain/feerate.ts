import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';
import type { Sats } from './sats.js';

/** A feerate in sat per 1,000 virtual bytes (Bitcoin Core's CFeeRate): an integer, so 1.5 sat/vB is 1500n. */
export type FeeRate = bigint;

/** The spelling of a feerate in sat/vB; zero is spelled so too, and is none. */
export const FEERATE_TEXT = /^(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,3})?$/;

/** sat/vB with at most three decimals, above zero. */
export function parseFeeRate(text: string): Result<FeeRate, Fault> {
  const [whole = '', decimals = ''] = text.split('.');
  const rate = FEERATE_TEXT.test(text) ? BigInt(whole) * 1000n + BigInt(decimals.padEnd(3, '0')) : 0n;
  if (rate > 0n) return ok(rate);
  return fail('E_FEERATE_SYNTAX', `${JSON.stringify(text.slice(0, 40))} is not a feerate`, {
    remedy: 'write sat/vB as a decimal number above zero with at most 3 decimals, for example 12.5',
  });
}

export function formatFeeRate(rate: FeeRate): string {
  const decimals = (rate % 1000n).toString().padStart(3, '0').replace(/0+$/, '');
  return `${rate / 1000n}${decimals === '' ? '' : `.${decimals}`} sat/vB`;
}

/** Virtual size in vB of a weight in weight units, rounded up (BIP141). */
export function virtualSize(weight: bigint): bigint {
  return (weight + 3n) / 4n;
}

/** The fee in sats of a weight in weight units, rounded up so that the rate is reached. */
export function feeForWeight(rate: FeeRate, weight: bigint): Sats {
  return (rate * weight + 3999n) / 4000n;
}

/** The same over the virtual size, which is the weight rounded up to whole vB: what a rule that compares with it asks for. */
export function feeForSize(rate: FeeRate, weight: bigint): Sats {
  return (rate * virtualSize(weight) + 999n) / 1000n;
}

/** The rate that a fee reaches over a virtual size, rounded down. */
export function rateOf(fee: Sats, vsize: bigint): FeeRate {
  return (fee * 1000n) / vsize;
}
