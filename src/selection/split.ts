import type { Hex } from '../domain/bytes.js';
import type { OwnOrigin } from '../domain/coin.js';
import { type Sats, sumSats } from '../domain/sats.js';
import type { Vault } from '../vault/types.js';
import { changeTarget } from './change.js';
import { type Demand, demandOf } from './demand.js';
import { at, type Pool, without } from './pool.js';
import { partSeed, random } from './random.js';
import { findObstacle, leastInputs, type Preference, type Selection, type SelectionOutcome, select } from './select.js';
import type { Payment, ShapeLimits } from './types.js';
import type { WasteTerms } from './waste.js';

/** A fresh change script of the vault. */
export interface ChangePlace {
  readonly origin: OwnOrigin;
  readonly script: Uint8Array;
}

export interface SplitInput {
  readonly vault: Pick<Vault, 'kind'>;
  readonly payments: readonly Payment[];
  readonly terms: WasteTerms;
  readonly limits: ShapeLimits;
  readonly seed: Hex;
  readonly nextChange: (n: number) => ChangePlace;
}

/** One transaction of a split: its payments, its coins (indexes into `pool`), and where its change would go. */
export interface Part {
  readonly payments: readonly Payment[];
  readonly pool: Pool;
  readonly selection: Selection;
  readonly change: ChangePlace;
  readonly seed: Hex;
}

export type SplitOutcome =
  | { readonly kind: 'parts'; readonly parts: readonly Part[] }
  | {
      readonly kind: 'stuck';
      /** Transactions that were chosen before it. */
      readonly done: readonly Part[];
      /** The payments of the transaction that could not be had. */
      readonly payments: readonly Payment[];
      readonly reason: Exclude<SelectionOutcome, { kind: 'selected' }>;
    };

/** Candidates that a thrifty split weighs for one transaction: a bound on its work where limits allow many payments. */
const THRIFTY_CANDIDATES = 50;

/**
 * Divides payments, in their order, over as many transactions as the limits demand, no coin in two of them. Change of one
 * part does not fund another: it is not there until the first confirms.
 *
 * First parts of even length are filled, each by least waste. If that ties up too much value in change, a thrifty split is
 * tried: each part takes as many payments as leave the least change for what it pays.
 */
export function split(input: SplitInput, pool: Pool): SplitOutcome {
  const even = fill(input, pool, 'least-waste', evenLength);
  if (even.kind === 'parts' || even.done.length === 0) return even;
  const thrifty = fill(input, pool, 'least-change', thriftyLength);
  return thrifty.kind === 'parts' ? thrifty : even;
}

/** How many of the payments that are left the next transaction takes, where limits on inputs and weight permit. */
type LengthRule = (input: SplitInput, pool: Pool, rest: readonly Payment[], changeScript: Uint8Array) => number;

function fill(input: SplitInput, all: Pool, prefer: Preference, length: LengthRule): SplitOutcome {
  const done: Part[] = [];
  let pool = all;
  let rest = input.payments;
  let changes = 0;
  while (rest.length > 0) {
    const change = input.nextChange(changes);
    const seed = partSeed(input.seed, done.length);
    const choose = (count: number): SelectionOutcome => {
      const payments = rest.slice(0, count);
      const demand = demandFor(input, pool, payments, change.script);
      return select(pool, demand, {
        changeTarget: changeTarget(payments, demand.minimumChange, random(seed, 'change-target')),
        random: random(seed, 'single-random-draw'),
        prefer,
      });
    };
    let count = mostPayable(input, pool, rest, change.script, length(input, pool, rest, change.script));
    let outcome = choose(count);
    while (outcome.kind !== 'selected' && count > 1) {
      count = count >>> 1;
      outcome = choose(count);
    }
    const payments = rest.slice(0, count);
    if (outcome.kind !== 'selected') return { kind: 'stuck', done, payments, reason: outcome };
    const { selection } = outcome;
    done.push({ payments, pool, selection, change, seed });
    if (selection.change !== null) changes++;
    rest = rest.slice(count);
    if (rest.length > 0) pool = without(pool, selection.indexes);
  }
  return { kind: 'parts', parts: done };
}

export function demandFor(
  { vault, terms, limits }: SplitInput,
  pool: Pool,
  payments: readonly Payment[],
  changeScript: Uint8Array,
): Demand {
  return demandOf({ vault, payments, changeScript, terms, limits, poolSize: pool.coins.length });
}

/** The greatest number of payments, up to `most`, that the largest coins can pay within the limits; at least one. */
function mostPayable(
  input: SplitInput,
  pool: Pool,
  rest: readonly Payment[],
  changeScript: Uint8Array,
  most: number,
): number {
  const payable = (count: number): boolean =>
    findObstacle(pool, demandFor(input, pool, rest.slice(0, count), changeScript)) === null;
  if (payable(most)) return most;
  let low = 1;
  let high = most;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (payable(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const evenLength: LengthRule = ({ limits }, _pool, rest) => Math.ceil(rest.length / partsNeeded(rest.length, limits));

const thriftyLength: LengthRule = (input, pool, rest, changeScript) => {
  const most = Math.min(input.limits.maxOutputs, rest.length);
  const step = Math.ceil(most / THRIFTY_CANDIDATES);
  let best: { readonly count: number; readonly left: Sats; readonly paid: Sats } | null = null;
  for (let count = most; count >= 1; count -= step) {
    const payments = rest.slice(0, count);
    const demand = demandFor(input, pool, payments, changeScript);
    if (findObstacle(pool, demand) !== null) continue;
    const inputs = leastInputs(pool, demand);
    const paid = sumSats(payments.map(({ value }) => value));
    const left = BigInt(at(pool.sums, inputs)) - paid - demand.ownFee(inputs, false);
    // left / paid < best.left / best.paid, without a division
    if (best === null || left * best.paid < best.left * paid) best = { count, left, paid };
  }
  return best?.count ?? most;
};

/** The fewest transactions that hold so many payments. */
export function partsNeeded(payments: number, { maxOutputs }: ShapeLimits): number {
  return Math.ceil(payments / maxOutputs);
}
