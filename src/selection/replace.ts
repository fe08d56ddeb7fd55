import type { Hex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { type FeeRate, feeForSize, formatFeeRate, rateOf, virtualSize } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { formatAmount, maxSats, type Sats, sumSats } from '../domain/sats.js';
import type { Vault } from '../vault/types.js';
import { signedTransactionWeight } from '../vault/weights.js';
import { minimumChange } from './change.js';
import { inputCost } from './cost.js';
import { antiFeeSnipingLocktime, REPLACEABLE_SEQUENCE } from './locktime.js';
import { totalValue } from './pool.js';
import { parseSeed, random } from './random.js';
import type { ChangePlace } from './split.js';
import type { Payment, PlannedOutput, ShapeLimits, TransactionPlan } from './types.js';
import { DEFAULT_LONG_TERM_FEERATE, feeAt } from './waste.js';

/**
 * What a replacement pays for its own size on top of all that it drives out of the mempool: Bitcoin Core's
 * -incrementalrelayfee, 1 sat/vB by default up to version 29 (BIP125, rule 4). Later versions ask for less.
 */
export const INCREMENTAL_RELAY: FeeRate = 1000n;

/** What a replacement has to outbid. */
export interface Outbid {
  /** Fees of all transactions that it drives out of the mempool, descendants counted in, in sats (BIP125, rule 3). */
  readonly fees: Sats;
  /** The highest feerate of those that share an input with it, at their signed size, rounded down. */
  readonly feerate: FeeRate;
}

export interface ReplacementInput {
  readonly vault: Vault;
  /** All coins of the batch that is replaced: every one of them goes in. */
  readonly coins: readonly Coin[];
  /** As they were; none for a batch whose coins come back. */
  readonly payments: readonly Payment[];
  /** Coins that may be added where the change does not suffice, confirmed (BIP125, rule 2). Each once, in any order. */
  readonly more: readonly Coin[];
  /** Null for the least that replaces, but no less than `atLeast`. */
  readonly feerate: FeeRate | null;
  readonly atLeast: FeeRate;
  /** The least that the policy accepts, over whole vB; see `feeAt`. */
  readonly feerateFloor: FeeRate;
  readonly outbid: Outbid;
  readonly change: ChangePlace;
  readonly limits: ShapeLimits;
  readonly tipHeight: number;
  /** 32 bytes in hex: for locktime and the order of inputs and outputs. The coins follow from the rest. */
  readonly seed: Hex;
}

/** One way to build it: its coins, its fee and its change, 0 for none. */
interface Build {
  readonly coins: readonly Coin[];
  readonly weight: bigint;
  readonly fee: Sats;
  readonly change: Sats;
}

/**
 * A transaction that nodes take in the place of another one (BIP125 and Bitcoin Core's rules): it spends all of its coins,
 * pays more than all that it drives out and 1 sat for each vB of its own besides, at a higher feerate. Payments stay to the
 * sat. The fee comes out of the change; where that is not enough, the smallest further coin that suffices is added, or of
 * the largest as many as it takes.
 *
 * Faults: E_PLAN_SEED, E_AMOUNT_RANGE, E_REPLACE_FEE where the feerate that was asked for does not replace,
 * E_PLAN_INSUFFICIENT, E_PLAN_INFEASIBLE.
 */
export function planReplacement(input: ReplacementInput): Result<TransactionPlan, Fault> {
  const parsed = parseSeed(input.seed);
  if (!parsed.ok) return parsed;
  if (totalValue([...input.coins, ...input.more]) === null) {
    return fail('E_AMOUNT_RANGE', 'the coins add up to more than 21,000,000 BTC, or one has a negative value', {
      remedy: 'import the coins again from a node that you trust: this snapshot cannot be true',
    });
  }
  const [first] = ways(input);
  const high = first === undefined ? ok(undefined) : highEnough(input, first);
  if (!high.ok) return high;
  for (const coins of ways(input)) {
    const build = buildOf(input, coins);
    if (build !== null) return ok(assemble(input, build));
  }
  return nothingFits(input);
}

/** The coins to try, in this order. */
function* ways({ coins, more, limits }: ReplacementInput): Generator<readonly Coin[]> {
  yield coins;
  // The smallest one alone that suffices is the first of these that fits.
  const rising = more.toSorted((a, b) =>
    a.value === b.value ? compare(formatOutpoint(a.outpoint), formatOutpoint(b.outpoint)) : a.value < b.value ? -1 : 1,
  );
  for (const coin of rising) yield [...coins, coin];
  const most = Math.min(rising.length, limits.maxInputs - coins.length);
  for (let count = 2; count <= most; count += 1) yield [...coins, ...rising.slice(-count)];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function weightOf({ vault, payments, change }: ReplacementInput, coins: number, hasChange: boolean): bigint {
  const scripts = payments.map(({ script }) => script);
  return signedTransactionWeight(vault, coins, hasChange ? [...scripts, change.script] : scripts);
}

/** The least fee, in sats, for which nodes take a transaction of this weight in the place of the others. */
function leastFee({ outbid }: Pick<ReplacementInput, 'outbid'>, weight: bigint): Sats {
  return maxSats(outbid.fees + feeForSize(INCREMENTAL_RELAY, weight), feeForSize(outbid.feerate + 1n, weight));
}

/** What the feerate comes to. A feerate that was asked for is not raised to the policy's floor: the policy says what it thinks. */
function askedFee({ feerate, atLeast, feerateFloor: floor }: ReplacementInput, weight: bigint): Sats {
  if (feerate === null) return feeAt({ feerate: atLeast, floor }, weight);
  return feeAt({ feerate, floor: feerate < floor ? 0n : floor }, weight);
}

/** Never less than what replaces: without change, or at a rate that only just replaces, the feerate alone comes to less. */
function feeOf(input: ReplacementInput, weight: bigint): Sats {
  return maxSats(leastFee(input, weight), askedFee(input, weight));
}

/** Asked of the transaction with the coins that it has to have: each further one makes it dearer at the same feerate. */
function highEnough(input: ReplacementInput, coins: readonly Coin[]): Result<void, Fault> {
  const { feerate, outbid } = input;
  const weight = weightOf(input, coins.length, true);
  const least = leastFee(input, weight);
  if (feerate === null || askedFee(input, weight) >= least) return ok(undefined);
  // The lowest rate whose fee, rounded up as feeForWeight does it, is at least that.
  const leastRate = (least * 4000n - 3999n + weight - 1n) / weight;
  return fail(
    'E_REPLACE_FEE',
    `at ${formatFeeRate(feerate)} it would not replace what waits for a block now, at ${formatFeeRate(outbid.feerate)} and with ${formatAmount(outbid.fees)} in fees`,
    { remedy: `give at least --feerate ${formatFeeRate(leastRate).replace(' sat/vB', '')}` },
  );
}

function buildOf(input: ReplacementInput, coins: readonly Coin[]): Build | null {
  const { payments, limits, change, vault } = input;
  const paid = sumSats(payments.map(({ value }) => value));
  const total = sumSats(coins.map(({ value }) => value));
  if (coins.length > Math.max(limits.maxInputs, input.coins.length)) return null;
  const weight = weightOf(input, coins.length, true);
  const fee = feeOf(input, weight);
  const rest = total - paid - fee;
  const least = minimumChange(change.script, inputCost(vault).weight, DEFAULT_LONG_TERM_FEERATE);
  if (rest >= least) return weight > limits.maxWeight ? null : { coins, weight, fee, change: rest };
  const bare = weightOf(input, coins.length, false);
  if (payments.length === 0 || total - paid < feeOf(input, bare) || bare > limits.maxWeight) return null;
  return { coins, weight: bare, fee: total - paid, change: 0n };
}

function assemble(input: ReplacementInput, { coins, weight, fee, change }: Build): TransactionPlan {
  const { seed, payments } = input;
  const outputs: PlannedOutput[] = payments.map((payment) => ({ kind: 'payment', ...payment }));
  const { origin, script } = input.change;
  if (change > 0n) outputs.push({ kind: 'change', origin, script, value: change });
  return {
    version: 2,
    locktime: antiFeeSnipingLocktime(input.tipHeight, random(seed, 'locktime')),
    sequence: REPLACEABLE_SEQUENCE,
    inputs: random(seed, 'input-order').shuffle(coins),
    outputs: random(seed, 'output-order').shuffle(outputs),
    fee,
    feerate: input.feerate ?? rateOf(fee, virtualSize(weight)),
    weight,
    selection: { algorithm: 'replacement', waste: 0n, tried: [] },
    seed,
  };
}

function nothingFits(input: ReplacementInput): Result<never, Fault> {
  const { coins, more, payments, limits } = input;
  const paid = sumSats(payments.map(({ value }) => value));
  const weight = weightOf(input, coins.length, true);
  const needed = paid + feeOf(input, weight);
  const worth = formatAmount(sumSats(coins.map(({ value }) => value)));
  const all = formatAmount(sumSats(more.map(({ value }) => value)));
  if (payments.length === 0) {
    return fail('E_PLAN_INSUFFICIENT', `of its coins, ${worth}, nothing worth spending would be left after the fee`, {
      remedy: 'try a lower feerate, or wait',
    });
  }
  return fail(
    'E_PLAN_INSUFFICIENT',
    `payments and fee need ${formatAmount(needed)} and more for each further coin; its own coins are worth ${worth}, those on offer besides ${all}, and ${limits.maxInputs} may be spent`,
    { remedy: 'try a lower feerate, or wait until more coins of the vault are confirmed' },
  );
}

export interface ChildInput {
  readonly vault: Vault;
  /** Change of the parent: all of it goes in. */
  readonly coins: readonly Coin[];
  /** Fee in sats and signed size in vB of the parent. */
  readonly parent: { readonly fee: Sats; readonly size: bigint };
  /** What parent and child together are to pay. */
  readonly feerate: FeeRate;
  readonly feerateFloor: FeeRate;
  readonly change: ChangePlace;
  readonly tipHeight: number;
  readonly seed: Hex;
}

/**
 * A transaction that spends the change of one that waits for a block, with a fee that brings both together to a feerate
 * (child pays for parent). Faults: E_PLAN_SEED, E_REPLACE_FEE where the parent pays that much by itself,
 * E_PLAN_INSUFFICIENT where nothing worth spending would be left.
 */
export function planChild(input: ChildInput): Result<TransactionPlan, Fault> {
  const parsed = parseSeed(input.seed);
  if (!parsed.ok) return parsed;
  const { vault, coins, parent, change, seed, feerate } = input;
  const weight = signedTransactionWeight(vault, coins.length, [change.script]);
  const rate = rateOf(parent.fee, parent.size);
  if (feerate <= rate) {
    return fail('E_REPLACE_FEE', `it pays ${formatFeeRate(rate)} already, and ${formatFeeRate(feerate)} is no more`, {
      remedy: 'give a higher --feerate: what the two transactions together are to pay',
    });
  }
  const together = (feerate * (parent.size + virtualSize(weight)) + 999n) / 1000n;
  const fee = maxSats(together - parent.fee, feeForSize(input.feerateFloor, weight));
  const total = sumSats(coins.map(({ value }) => value));
  const value = total - fee;
  if (value < minimumChange(change.script, inputCost(vault).weight, DEFAULT_LONG_TERM_FEERATE)) {
    return fail(
      'E_PLAN_INSUFFICIENT',
      `of its change, ${formatAmount(total)}, nothing worth spending would be left after a fee of ${formatAmount(fee)}`,
      { remedy: 'replace it instead, without --cpfp, or give a lower --feerate' },
    );
  }
  return ok({
    version: 2,
    locktime: antiFeeSnipingLocktime(input.tipHeight, random(seed, 'locktime')),
    sequence: REPLACEABLE_SEQUENCE,
    inputs: random(seed, 'input-order').shuffle(coins),
    outputs: [{ kind: 'change', origin: change.origin, script: change.script, value }],
    fee,
    feerate,
    weight,
    selection: { algorithm: 'child', waste: 0n, tried: [] },
    seed,
  });
}
