/** What windows add up: amounts at keys (a time or a height) in ascending order, with running sums. */
export interface Series {
  readonly keys: readonly number[];
  /** sums[i + 1] - sums[i] is amount i; what lies before the first one is of no account. */
  readonly sums: readonly bigint[];
}

export const NO_SERIES: Series = { keys: [], sums: [0n] };

/** Position of the first key above a threshold; log n. */
export function firstAbove(keys: readonly number[], threshold: number): number {
  let low = 0;
  let high = keys.length;
  // Most series grow at their end.
  if (high > 0 && (keys[high - 1] ?? 0) <= threshold) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? Number.POSITIVE_INFINITY) > threshold) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** All amounts whose key is above a threshold; log n. */
export function sumAbove({ keys, sums }: Series, threshold: number): bigint {
  return (sums.at(-1) ?? 0n) - (sums[firstAbove(keys, threshold)] ?? 0n);
}

/** The amounts of several series as one; n log n, and nothing where there is one alone. */
export function mergedSeries(all: readonly Series[]): Series {
  const [only, ...others] = all.filter(({ keys }) => keys.length > 0);
  if (only === undefined) return NO_SERIES;
  if (others.length === 0) return only;
  const amounts = [only, ...others]
    .flatMap(({ keys, sums }) => keys.map((key, at) => ({ key, amount: (sums[at + 1] ?? 0n) - (sums[at] ?? 0n) })))
    .sort((a, b) => a.key - b.key);
  const sums = [0n];
  let total = 0n;
  for (const { amount } of amounts) {
    total += amount;
    sums.push(total);
  }
  return { keys: amounts.map(({ key }) => key), sums };
}

/** A series that grows and shrinks: at its end and at its beginning in a step, elsewhere in as many as follow. */
export class GrowingSeries implements Series {
  readonly keys: number[] = [];
  readonly sums: bigint[] = [0n];

  add(key: number, amount: bigint): void {
    const at = firstAbove(this.keys, key);
    const before = this.sums[at] ?? 0n;
    if (at === this.keys.length) {
      this.keys.push(key);
      this.sums.push(before + amount);
      return;
    }
    this.keys.splice(at, 0, key);
    this.sums.splice(at + 1, 0, before + amount);
    this.#shift(at + 2, amount);
  }

  /** Takes away one such amount; throws where there is none, since then the sums are wrong. */
  remove(key: number, amount: bigint): void {
    let at = firstAbove(this.keys, key) - 1;
    while (at >= 0 && this.keys[at] === key && this.#amount(at) !== amount) at -= 1;
    if (at < 0 || this.keys[at] !== key) throw new Error(`no ${amount} at ${key} to take away`);
    if (at === 0) {
      this.keys.shift();
      this.sums.shift();
      return;
    }
    this.keys.splice(at, 1);
    this.sums.splice(at + 1, 1);
    this.#shift(at + 1, -amount);
  }

  #amount(at: number): bigint {
    return (this.sums[at + 1] ?? 0n) - (this.sums[at] ?? 0n);
  }

  #shift(from: number, by: bigint): void {
    for (let at = from; at < this.sums.length; at += 1) this.sums[at] = (this.sums[at] ?? 0n) + by;
  }
}
