import type { Hex } from '../domain/bytes.js';
import type { UnixSeconds } from '../domain/time.js';
import { firstAbove, GrowingSeries, NO_SERIES, type Series } from './series.js';
import type { SpendRecord } from './types.js';

export type ConfirmedSpend = SpendRecord & { readonly confirmed: NonNullable<SpendRecord['confirmed']> };

export const isConfirmed = (spend: SpendRecord): spend is ConfirmedSpend => spend.confirmed !== null;

/**
 * Confirmed spends in order of confirmation, with the sums that windows ask for. Spends come and go one by one, so that a
 * replay does not arrange all of them again for every verdict.
 */
export class ConfirmedSpends {
  readonly spend = new GrowingSeries();
  readonly fee = new GrowingSeries();
  readonly count = new GrowingSeries();
  readonly byHeight = new GrowingSeries();
  readonly #records: ConfirmedSpend[] = [];
  readonly #byScript = new Map<Hex, GrowingSeries>();
  #latest: UnixSeconds = Number.NEGATIVE_INFINITY;

  /** By time of confirmation, ascending. */
  get records(): readonly ConfirmedSpend[] {
    return this.#records;
  }

  /** No spend was reserved or confirmed later; those that are gone are remembered in it. */
  get latest(): UnixSeconds {
    return this.#latest;
  }

  paidTo(script: Hex): Series {
    return this.#byScript.get(script) ?? NO_SERIES;
  }

  /** Throws on a negative or mistyped amount or time. A step where it is confirmed last. */
  add(spend: ConfirmedSpend): void {
    assertSpend(spend);
    const { at, height } = spend.confirmed;
    this.#records.splice(firstAbove(this.spend.keys, at), 0, spend);
    this.spend.add(at, spend.spend);
    this.fee.add(at, spend.fee);
    this.count.add(at, 1n);
    this.byHeight.add(height, spend.spend);
    for (const { script, amount } of spend.outputs) this.#of(script).add(at, amount);
    this.#latest = Math.max(this.#latest, at, spend.reservedAt);
  }

  /** Throws where it was not added, or is another record than the one that was. */
  remove(spend: ConfirmedSpend): void {
    const { at, height } = spend.confirmed;
    let place = firstAbove(this.spend.keys, at) - 1;
    while (place >= 0 && this.#records[place] !== spend && this.#records[place]?.confirmed.at === at) place -= 1;
    if (this.#records[place] !== spend) throw new Error(`batch ${spend.batch} is not among the confirmed ones`);
    if (place === 0) this.#records.shift();
    else this.#records.splice(place, 1);
    this.spend.remove(at, spend.spend);
    this.fee.remove(at, spend.fee);
    this.count.remove(at, 1n);
    this.byHeight.remove(height, spend.spend);
    for (const { script, amount } of spend.outputs) {
      const paid = this.#of(script);
      paid.remove(at, amount);
      if (paid.keys.length === 0) this.#byScript.delete(script);
    }
  }

  #of(script: Hex): GrowingSeries {
    const known = this.#byScript.get(script);
    if (known !== undefined) return known;
    const fresh = new GrowingSeries();
    this.#byScript.set(script, fresh);
    return fresh;
  }
}

/** The journal never folds such a record, so it is a bug, and the rules that asked turn it into a denial. */
export function assertSpend({ batch, spend, fee, outputs, confirmed }: SpendRecord): void {
  if (!isAmount(spend) || !isAmount(fee) || !outputs.every(({ amount }) => isAmount(amount))) {
    throw new Error(`batch ${batch} holds an amount that is negative or no integer`);
  }
  if (confirmed !== null && !(Number.isSafeInteger(confirmed.at) && Number.isSafeInteger(confirmed.height))) {
    throw new Error(`batch ${batch} holds a confirmation without a time or a height`);
  }
}

const isAmount = (value: unknown): boolean => typeof value === 'bigint' && value >= 0n;
