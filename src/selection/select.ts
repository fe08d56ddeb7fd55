import type { Sats } from '../domain/sats.js';
import { branchAndBound } from './bnb.js';
import { coinGrinder } from './coin-grinder.js';
import type { Demand } from './demand.js';
import { at, exactNumber, type Pool } from './pool.js';
import type { Random } from './random.js';
import type { SearchResult } from './search.js';
import { singleRandomDraw } from './srd.js';
import type { Algorithm, TransactionPlan } from './types.js';
import { waste } from './waste.js';

/** The coins of one transaction, and what follows from them. */
export interface Selection {
  /** Into the pool, rising. */
  readonly indexes: readonly number[];
  /** Null where what is left over goes to the fee, because it is less than a change output is worth. */
  readonly change: Sats | null;
  readonly fee: Sats;
  /** The fee that the feerate asks for, which payees share where they bear it: what is left over beyond it is the vault's. */
  readonly feeDue: Sats;
  /** Upper bound of the signed weight, in weight units. */
  readonly weight: bigint;
  readonly waste: Sats;
  readonly algorithm: Algorithm;
  readonly tried: TransactionPlan['selection']['tried'];
}

/** A limit that no choice of coins can keep, by the least that any choice needs. */
export type Violation =
  | { readonly limit: 'inputs'; readonly needed: bigint; readonly allowed: bigint }
  | { readonly limit: 'weight'; readonly needed: bigint; readonly allowed: bigint };

export interface Insufficient {
  readonly kind: 'insufficient';
  /** Payments and the fee of a transaction that spends every coin of the pool. */
  readonly needed: Sats;
  readonly available: Sats;
  readonly shortBy: Sats;
}

export interface Infeasible {
  readonly kind: 'infeasible';
  readonly violations: readonly Violation[];
}

/** Three ways to fail that call for three different acts: fetch coins, change the shape, or search for longer. */
export type SelectionOutcome =
  | { readonly kind: 'selected'; readonly selection: Selection }
  | Insufficient
  | Infeasible
  | { readonly kind: 'rounds'; readonly tries: number };

/** `least-change` binds little value in change, for a plan whose other transactions need the coins; waste then breaks ties. */
export type Preference = 'least-waste' | 'least-change';

export interface SelectOptions {
  /** Change that a selection with change aims for, in sats; at least the demand's minimum. */
  readonly changeTarget: Sats;
  /** Stream of the single random draw. */
  readonly random: Random;
  readonly prefer: Preference;
}

/**
 * Chooses coins by branch and bound (no change), CoinGrinder (fewest inputs) and single random draw; the least waste wins.
 * Equal waste is decided by fewer inputs, then by that order. Where the change target is out of reach the latter two try
 * again with the least change that is worth having.
 */
export function select(pool: Pool, demand: Demand, options: SelectOptions): SelectionOutcome {
  const obstacle = findObstacle(pool, demand);
  if (obstacle !== null) return obstacle;

  const exact = branchAndBound(pool, demand);
  const grinder = withChange(options.changeTarget, demand, (change) => coinGrinder(pool, demand, change));
  const drawn = withChange(options.changeTarget, demand, (change) =>
    singleRandomDraw(pool, demand, change, options.random),
  );
  const answers: readonly { algorithm: Algorithm; result: SearchResult; note: string }[] = [
    { algorithm: 'bnb', result: exact, note: '' },
    { algorithm: 'coin-grinder', ...grinder },
    { algorithm: 'srd', ...drawn },
  ];
  const tried = answers.map(({ algorithm, result, note }) => ({ algorithm, outcome: describe(result) + note }));
  const candidates = answers.flatMap(({ algorithm, result }) =>
    result.kind === 'found' ? [settle(pool, demand, algorithm, result.indexes, tried)] : [],
  );
  const [best] = candidates.toSorted((a, b) => compare(a, b, options.prefer));
  if (best !== undefined) return { kind: 'selected', selection: best };
  if (exact.kind === 'exhausted') return { kind: 'rounds', tries: exact.tries };
  // Enough coins and enough inputs, but each choice leaves change, and a change output is too heavy.
  const needed = demand.weight(leastInputs(pool, demand), true);
  return { kind: 'infeasible', violations: [{ limit: 'weight', needed, allowed: demand.limits.maxWeight }] };
}

/** What stands in the way whatever coins are chosen, found without a search; null if nothing does. */
export function findObstacle(pool: Pool, demand: Demand): Insufficient | Infeasible | null {
  const size = pool.coins.length;
  if (!reaches(pool, demand, size)) {
    const needed = demand.payments + demand.ownFee(Math.max(1, size), false);
    const available = BigInt(at(pool.sums, size));
    return { kind: 'insufficient', needed, available, shortBy: needed - available };
  }
  const { maxInputs, maxWeight } = demand.limits;
  const count = leastInputs(pool, demand);
  const weight = demand.weight(count, false);
  const violations: Violation[] = [];
  if (count > maxInputs) violations.push({ limit: 'inputs', needed: BigInt(count), allowed: BigInt(maxInputs) });
  if (weight > maxWeight) violations.push({ limit: 'weight', needed: weight, allowed: maxWeight });
  return violations.length === 0 ? null : { kind: 'infeasible', violations };
}

/** The least number of inputs that can pay, limits aside, by the largest coins. The whole pool must be enough. */
export function leastInputs(pool: Pool, demand: Demand): number {
  let low = 1;
  let high = pool.coins.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reaches(pool, demand, middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function reaches(pool: Pool, demand: Demand, inputs: number): boolean {
  return inputs > 0 && BigInt(at(pool.sums, inputs)) >= demand.payments + demand.ownFee(inputs, false);
}

function withChange(
  target: Sats,
  { minimumChange }: Demand,
  search: (change: number) => SearchResult,
): { readonly result: SearchResult; readonly note: string } {
  const result = search(exactNumber(target));
  if (result.kind === 'found' || target <= minimumChange) return { result, note: '' };
  return { result: search(exactNumber(minimumChange)), note: `; change of ${target} sat is out of reach` };
}

function describe(result: SearchResult): string {
  switch (result.kind) {
    case 'found':
      return `${plural(result.indexes.length, 'input')} after ${plural(result.tries, 'round')}${result.complete ? '' : ', search not finished'}`;
    case 'none':
      return 'no solution';
    case 'exhausted':
      return `gave up after ${plural(result.tries, 'round')}`;
  }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function settle(
  pool: Pool,
  demand: Demand,
  algorithm: Algorithm,
  indexes: readonly number[],
  tried: Selection['tried'],
): Selection {
  const inputs = indexes.length;
  const sum = indexes.reduce((total, index) => total + BigInt(at(pool.values, index)), 0n);
  const left = sum - demand.payments - demand.ownFee(inputs, true);
  const change = left >= demand.minimumChange ? left : null;
  const feeDue = demand.fee(inputs, change !== null);
  const borneByPayees = feeDue - demand.ownFee(inputs, change !== null);
  const fee = sum - demand.payments + borneByPayees - (change ?? 0n);
  const rest = change === null ? fee - feeDue : demand.costOfChange(inputs);
  return {
    indexes: indexes.toSorted((a, b) => a - b),
    change,
    fee,
    feeDue,
    weight: demand.weight(inputs, change !== null),
    waste: waste(inputs, rest, demand.terms),
    algorithm,
    tried,
  };
}

function compare(a: Selection, b: Selection, prefer: Preference): number {
  const byChange = sign((a.change ?? 0n) - (b.change ?? 0n));
  const byWaste = sign(a.waste - b.waste) || a.indexes.length - b.indexes.length;
  switch (prefer) {
    case 'least-waste':
      return byWaste;
    case 'least-change':
      return byChange || byWaste;
  }
}

const sign = (value: bigint): number => (value < 0n ? -1 : value > 0n ? 1 : 0);
