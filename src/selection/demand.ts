import { vaultShare } from '../domain/fee-share.js';
import { feeForWeight } from '../domain/feerate.js';
import { type Sats, sumSats } from '../domain/sats.js';
import type { Vault } from '../vault/types.js';
import { outputWeight, overheadWeight } from '../vault/weights.js';
import { minimumChange } from './change.js';
import { exactNumber } from './pool.js';
import type { Payment, ShapeLimits } from './types.js';
import { feeAt, inputWaste, type WasteTerms } from './waste.js';

export interface DemandInput {
  readonly vault: Pick<Vault, 'kind'>;
  readonly payments: readonly Payment[];
  /** The script that change would go to. */
  readonly changeScript: Uint8Array;
  readonly terms: WasteTerms;
  readonly limits: ShapeLimits;
  /** How many coins there are to choose from: no table needs to be longer. */
  readonly poolSize: number;
}

/**
 * What one transaction asks of its coins. All inputs of a vault weigh the same, so weight and fee follow from the
 * number of inputs alone, and every search compares a plain sum of values with a table. No fee is rounded for each input
 * on its own: "one sat short" means one sat.
 */
export interface Demand {
  /** What was asked for, before payees bear their shares of the fee. */
  readonly payments: Sats;
  readonly minimumChange: Sats;
  readonly terms: WasteTerms;
  readonly limits: ShapeLimits;
  /** Upper bound of the signed weight, in weight units. */
  weight(inputs: number, change: boolean): bigint;
  /** The fee in sats that the feerate asks for that weight, rounded up; see `feeAt`. */
  fee(inputs: number, change: boolean): Sats;
  /** What of that fee the coins have to bring beside the payments: all of it but what payees bear themselves. */
  ownFee(inputs: number, change: boolean): Sats;
  /** The fee of the change output now, and of spending it later at the long-term feerate, in sats. */
  costOfChange(inputs: number): Sats;
  /** Most inputs that the limits and the pool allow without a change output; -1 where not even the payments fit. */
  readonly maxInputs: number;
  /** The same with one; never more. */
  readonly maxInputsWithChange: number;
  /** `need[n]`: least sum that n inputs must bring without change, n from 0 to maxInputs. */
  readonly need: Float64Array;
  /** `needWithChange[n]`: least sum that pays for payments, a change output and the fee; the change comes on top. */
  readonly needWithChange: Float64Array;
  /** `ceiling[n]`: greatest sum that leaves too little for change, so that what is beyond need[n] goes to the fee. */
  readonly ceiling: Float64Array;
  /** `inputWaste[n]` in sats. */
  readonly inputWaste: Float64Array;
}

export function demandOf(input: DemandInput): Demand {
  const { vault, changeScript, terms, limits } = input;
  const outputs = input.payments.length;
  const paymentsWeight = input.payments.reduce((sum, { script }) => sum + outputWeight(script), 0n);
  const changeWeight = outputWeight(changeScript);
  const payments = sumSats(input.payments.map(({ value }) => value));
  const least = minimumChange(changeScript, terms.input.weight, terms.longTermFeerate);

  const weight = (inputs: number, change: boolean): bigint =>
    overheadWeight(vault, inputs, change ? outputs + 1 : outputs) +
    BigInt(inputs) * terms.input.weight +
    (change ? paymentsWeight + changeWeight : paymentsWeight);
  const fee = (inputs: number, change: boolean): Sats => feeAt(terms, weight(inputs, change));
  const bearing = input.payments.filter(({ feePayer }) => feePayer === 'payee').length;
  const ownFee = (inputs: number, change: boolean): Sats => vaultShare(fee(inputs, change), outputs, bearing);
  const mostInputs = (change: boolean): number => {
    let most = Math.min(limits.maxInputs, input.poolSize, inputsWithin(limits.maxWeight, terms));
    while (most >= 0 && weight(most, change) > limits.maxWeight) most--;
    return most;
  };

  const maxInputs = mostInputs(false);
  const table = (entry: (inputs: number) => Sats): Float64Array =>
    Float64Array.from({ length: maxInputs + 1 }, (_, inputs) => exactNumber(entry(inputs)));
  return {
    payments,
    minimumChange: least,
    terms,
    limits,
    weight,
    fee,
    ownFee,
    costOfChange: (inputs) =>
      fee(inputs, true) - fee(inputs, false) + feeForWeight(terms.longTermFeerate, terms.input.weight),
    maxInputs,
    maxInputsWithChange: mostInputs(true),
    need: table((inputs) => payments + ownFee(inputs, false)),
    needWithChange: table((inputs) => payments + ownFee(inputs, true)),
    ceiling: table((inputs) => payments + ownFee(inputs, true) + least - 1n),
    inputWaste: table((inputs) => inputWaste(inputs, terms)),
  };
}

/** Inputs whose weight alone stays within a limit: a bound from above that keeps the exact count's loop short. */
function inputsWithin(maxWeight: bigint, terms: WasteTerms): number {
  return maxWeight < 0n ? -1 : exactNumber(maxWeight / terms.input.weight);
}
