import type { Hex } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail } from '../domain/fault.js';
import { shareFee } from '../domain/fee-share.js';
import type { FeeRate } from '../domain/feerate.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { err, ok, type Result } from '../domain/result.js';
import { formatAmount, MAX_SATS, type Sats, sumSats } from '../domain/sats.js';
import { dustThreshold } from '../domain/script.js';
import type { Vault } from '../vault/types.js';
import { inputCost } from './cost.js';
import { insufficientFault, shortfall, stuckFault } from './explain.js';
import { antiFeeSnipingLocktime, REPLACEABLE_SEQUENCE } from './locktime.js';
import { preparePool, totalValue, type Withheld } from './pool.js';
import { parseSeed, random } from './random.js';
import { type ChangePlace, type Part, type SplitInput, split } from './split.js';
import type { Payment, PlannedOutput, PlannedPayment, ShapeLimits, TransactionPlan } from './types.js';
import { DEFAULT_DEVICE_PRICE, DEFAULT_LONG_TERM_FEERATE } from './waste.js';

/** Beside the plan itself, all that a caller needs of this room. */
export { defaultShapeLimits } from './cost.js';

export interface PlanInput {
  readonly vault: Vault;
  /** In the order in which they are divided over transactions. */
  readonly payments: readonly Payment[];
  /** Coins that may be spent now: not frozen, in no live plan, confirmed and mature. Each once, in any order. */
  readonly coins: readonly Coin[];
  /** The rest of the vault's coins and why they are not on offer, for the message if coins are short. */
  readonly withheld?: readonly Withheld[];
  readonly feerate: FeeRate;
  /** The least that the policy accepts, over whole vB; see `feeAt`. */
  readonly feerateFloor?: FeeRate;
  /** What spending a coin usually costs: decides what change is worth, and whether inputs are cheap now. */
  readonly longTermFeerate?: FeeRate;
  readonly limits: ShapeLimits;
  /** Height of the tip that the coins were read at. */
  readonly tipHeight: number;
  /** 32 bytes in hex. The same input with the same seed gives the same plan. */
  readonly seed: Hex;
  /** The n-th fresh change script of this plan, n from 0. Called for more n than the plan uses in the end, and repeatedly. */
  readonly nextChange: (n: number) => ChangePlace;
  /** Sats per second of device time. */
  readonly devicePrice?: Sats;
}

/**
 * Plans the transactions that pay all payments, or none. One transaction where the limits allow; else several that share no coin.
 *
 * Each pays `feeAt` of feerate and floor exactly if it has change. Without change the fee is higher by what was left over,
 * which is less than the fee of a change output and the least change worth having; payees who bear their share of the fee
 * bear none of that. One who would be left with less than dust is refused, whatever other coins might have given.
 *
 * Faults: E_PLAN_SEED, E_REQUEST_EMPTY, E_PLAN_DUST, E_AMOUNT_RANGE, E_PLAN_INSUFFICIENT, E_PLAN_INFEASIBLE, E_PLAN_ROUNDS.
 */
export function planTransactions(input: PlanInput): Result<readonly TransactionPlan[], Fault> {
  const refused = refuse(input);
  if (refused !== null) return err(refused);

  const terms = {
    input: inputCost(input.vault),
    feerate: input.feerate,
    // It only rounds a fee up: a feerate below the floor stays what was asked for, and the policy says what it thinks of it.
    ...(input.feerateFloor === undefined || input.feerate < input.feerateFloor ? {} : { floor: input.feerateFloor }),
    longTermFeerate: input.longTermFeerate ?? DEFAULT_LONG_TERM_FEERATE,
    devicePrice: input.devicePrice ?? DEFAULT_DEVICE_PRICE,
  };
  const { pool, uneconomic } = preparePool(input.coins, terms, terms.input.weight);
  const { vault, payments, limits, seed, nextChange } = input;
  const task: SplitInput = { vault, payments, terms, limits, seed, nextChange };
  const short = shortfall(task, pool);
  if (short !== null) return err(insufficientFault(short, input.feerate, [uneconomic, ...(input.withheld ?? [])]));

  const outcome = split(task, pool);
  if (outcome.kind === 'stuck') return err(stuckFault(task, pool, outcome));
  assertNoCoinTwice(outcome.parts);
  const plans: TransactionPlan[] = [];
  for (const part of outcome.parts) {
    const paid = paidBy(part);
    if (!paid.ok) return paid;
    plans.push(assemble(part, paid.value, input));
  }
  return ok(plans);
}

function refuse({ payments, coins, limits, seed }: PlanInput): Fault | null {
  const parsed = parseSeed(seed);
  if (!parsed.ok) return parsed.error;
  if (payments.length === 0) return faultOf(fail('E_REQUEST_EMPTY', 'there is no withdrawal to plan'));
  if (limits.maxOutputs < 1 || limits.maxInputs < 1) {
    return faultOf(
      fail(
        'E_PLAN_INFEASIBLE',
        `limits of ${limits.maxInputs} inputs and ${limits.maxOutputs} payments leave no transaction possible`,
        { remedy: 'allow at least one input and one payment in a transaction' },
      ),
    );
  }
  for (const { requestId, script, value } of payments) {
    const dust = dustThreshold(script);
    if (value >= dust) continue;
    return faultOf(
      fail(
        'E_PLAN_DUST',
        `request ${requestId} pays ${formatAmount(value)}; nodes relay ${dust} sat or more to its script`,
        {
          remedy: `raise the amount to ${dust} sat or more, or take the request out and pay it with a later one`,
        },
      ),
    );
  }
  const paid = sumSats(payments.map(({ value }) => value));
  if (paid > MAX_SATS) {
    return faultOf(
      fail('E_AMOUNT_RANGE', `the withdrawals add up to ${formatAmount(paid)}, more than there will ever be`),
    );
  }
  if (totalValue(coins) === null) {
    return faultOf(
      fail('E_AMOUNT_RANGE', 'the coins add up to more than 21,000,000 BTC, or one has a negative value', {
        remedy: 'import the coins again from a node that you trust: this snapshot cannot be true',
      }),
    );
  }
  return null;
}

const faultOf = (failure: Result<never, Fault>): Fault | null => (failure.ok ? null : failure.error);

/** What the payments of a transaction come to once payees have borne their shares of its fee. E_PLAN_DUST. */
function paidBy({ payments, selection }: Part): Result<readonly PlannedPayment[], Fault> {
  const bearing = payments.filter(({ feePayer }) => feePayer === 'payee');
  const shares = shareFee(selection.feeDue, payments.length, bearing.length).ofPayees.values();
  const paid: PlannedPayment[] = [];
  for (const { requestId, script, value: asked, feePayer } of payments) {
    if (feePayer === undefined) {
      paid.push({ kind: 'payment', requestId, script, value: asked });
      continue;
    }
    const share = shares.next().value ?? 0n;
    const value = asked - share;
    const dust = dustThreshold(script);
    if (value < dust) {
      const left = value < 0n ? 'nothing' : formatAmount(value);
      const message = `request ${requestId} asks for ${formatAmount(asked)} and its payee bears ${formatAmount(share)} of the fee, which leaves ${left}; nodes relay ${dust} sat or more to its script`;
      return fail('E_PLAN_DUST', message, {
        remedy: 'raise the amount, let the vault bear the fee (fee_payer), or plan it at a lower feerate',
      });
    }
    paid.push({ kind: 'payment', requestId, script, value, asked });
  }
  return ok(paid);
}

function assemble(
  { pool, selection, change, seed }: Part,
  payments: readonly PlannedPayment[],
  input: PlanInput,
): TransactionPlan {
  const coins = selection.indexes.map((index) => {
    const coin = pool.coins[index];
    if (coin === undefined) throw new Error(`the selection names coin ${index} of ${pool.coins.length}`);
    return coin;
  });
  const outputs: PlannedOutput[] = [...payments];
  if (selection.change !== null) {
    outputs.push({ kind: 'change', origin: change.origin, script: change.script, value: selection.change });
  }
  const spent = sumSats(coins.map(({ value }) => value));
  const created = sumSats(outputs.map(({ value }) => value));
  if (spent !== created + selection.fee)
    throw new Error(`inputs ${spent} are not outputs ${created} and fee ${selection.fee}`);
  return {
    version: 2,
    locktime: antiFeeSnipingLocktime(input.tipHeight, random(seed, 'locktime')),
    sequence: REPLACEABLE_SEQUENCE,
    inputs: random(seed, 'input-order').shuffle(coins),
    outputs: random(seed, 'output-order').shuffle(outputs),
    fee: selection.fee,
    feerate: input.feerate,
    weight: selection.weight,
    selection: { algorithm: selection.algorithm, waste: selection.waste, tried: selection.tried },
    seed,
  };
}

/** A coin that the caller listed twice would make a transaction that no node accepts, or two that exclude each other. */
function assertNoCoinTwice(parts: readonly Part[]): void {
  const seen = new Set<string>();
  for (const { pool, selection } of parts) {
    for (const index of selection.indexes) {
      const coin = pool.coins[index];
      const name = coin === undefined ? `#${index}` : formatOutpoint(coin.outpoint);
      if (seen.has(name)) throw new Error(`coin ${name} was offered twice`);
      seen.add(name);
    }
  }
}
