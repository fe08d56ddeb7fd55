import { type FeeRate, feeForSize, feeForWeight } from '../domain/feerate.js';
import { maxSats, type Sats } from '../domain/sats.js';
import { deviceTime } from './cost.js';
import type { InputCost } from './types.js';

/**
 * What a second at the device is worth, in sats. Two officers stand by while it signs: 180,000 sats an hour for both. With
 * it one more wpkh input (2.3 s) weighs as much as 1.7 sat/vB more on that input: it decides between near equals,
 * and does not outweigh fees.
 */
export const DEFAULT_DEVICE_PRICE: Sats = 50n;

/** 10 sat/vB: Bitcoin Core's default for -consolidatefeerate, below which it takes spending for cheap. */
export const DEFAULT_LONG_TERM_FEERATE: FeeRate = 10_000n;

export interface WasteTerms {
  readonly input: InputCost;
  readonly feerate: FeeRate;
  /** A least rate over whole vB, such as a policy's: without it a fee at that very rate could be a sat short of it. */
  readonly floor?: FeeRate;
  readonly longTermFeerate: FeeRate;
  /** Sats per second of device time. */
  readonly devicePrice: Sats;
}

/** The fee in sats of a weight, rounded up so that both rates are reached. */
export function feeAt({ feerate, floor = 0n }: Pick<WasteTerms, 'feerate' | 'floor'>, weight: bigint): Sats {
  return maxSats(feeForWeight(feerate, weight), feeForSize(floor, weight));
}

/**
 * The part of the waste that the number of inputs decides, in sats: what they cost now beyond what they would cost at the
 * long-term feerate (negative while fees are low: then spending coins is cheap), and the device's time.
 */
export function inputWaste(inputs: number, terms: WasteTerms): Sats {
  const weight = BigInt(inputs) * terms.input.weight;
  const timing = feeForWeight(terms.feerate, weight) - feeForWeight(terms.longTermFeerate, weight);
  return timing + (deviceTime(terms.input, inputs) * terms.devicePrice) / 1000n;
}

/**
 * Bitcoin Core's waste metric (SelectionResult::RecalculateWaste) with a term for device time; in sats, less is better.
 * `rest` is the cost of change (the fee of the output now and of spending it later), or without change the excess.
 */
export function waste(inputs: number, rest: Sats, terms: WasteTerms): Sats {
  return inputWaste(inputs, terms) + rest;
}
