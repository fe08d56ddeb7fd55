import { type Fault, fault } from '../domain/fault.js';
import { type FeeRate, feeForWeight, formatFeeRate } from '../domain/feerate.js';
import { formatAmount, sumSats } from '../domain/sats.js';
import { outputWeight, overheadWeight } from '../vault/weights.js';
import { at, type Pool, type Withheld } from './pool.js';
import { findObstacle, type Insufficient, type Violation } from './select.js';
import { demandFor, partsNeeded, type SplitInput, type SplitOutcome } from './split.js';

type Stuck = Extract<SplitOutcome, { kind: 'stuck' }>;

/**
 * Whether all coins together fall short of all payments and the least fee that the fewest transactions need; null if not.
 * For one transaction this is exact to the sat. For several it is a proof when it says so, and silent when in doubt.
 */
export function shortfall(task: SplitInput, pool: Pool): Insufficient | null {
  const { payments, terms, vault } = task;
  const parts = partsNeeded(payments.length, task.limits);
  if (parts === 1) {
    const obstacle = findObstacle(pool, demandFor(task, pool, payments, task.nextChange(0).script));
    return obstacle?.kind === 'insufficient' ? obstacle : null;
  }
  const inputs = pool.coins.length;
  const weight =
    payments.reduce((sum, { script }) => sum + outputWeight(script), 0n) +
    BigInt(inputs) * terms.input.weight +
    BigInt(parts) * overheadWeight(vault, 1, 1);
  // Which payees share which transaction's fee is not known yet: it is a proof without any fee as well.
  const isShared = payments.some(({ feePayer }) => feePayer === 'payee');
  const fee = isShared ? 0n : feeForWeight(terms.feerate, weight);
  const needed = sumSats(payments.map(({ value }) => value)) + fee;
  const available = BigInt(at(pool.sums, inputs));
  return available < needed ? { kind: 'insufficient', needed, available, shortBy: needed - available } : null;
}

/** E_PLAN_INSUFFICIENT, with the coins that are there and yet cannot be used. */
export function insufficientFault(short: Insufficient, feerate: FeeRate, withheld: readonly Withheld[]): Fault {
  const elsewhere = withheld.filter(({ coins }) => coins > 0);
  const besides = elsewhere.map(
    ({ reason, coins, value }) => `${count(BigInt(coins), 'coin')} of ${formatAmount(value)} that ${reason}`,
  );
  return fault(
    'E_PLAN_INSUFFICIENT',
    `payments and fee at ${formatFeeRate(feerate)} need ${formatAmount(short.needed)}; ` +
      `the coins on offer are worth ${formatAmount(short.available)}: ${formatAmount(short.shortBy)} short` +
      (besides.length === 0 ? '' : `. Not on offer: ${besides.join('; ')}`),
    {
      remedy:
        elsewhere.length === 0
          ? 'send more coins to the vault and import them, or plan fewer withdrawals'
          : 'release or await the coins that are not on offer, send more to the vault, or plan fewer withdrawals',
    },
  );
}

/** E_PLAN_INFEASIBLE where a proof says that no choice works, E_PLAN_ROUNDS where only the search ended. */
export function stuckFault(task: SplitInput, pool: Pool, stuck: Stuck): Fault {
  const [first] = stuck.payments;
  if (first === undefined) throw new Error('stuck on a transaction without payments');
  const changeScript = task.nextChange(0).script;
  const alone = findObstacle(pool, demandFor(task, pool, [first], changeScript));
  const what = `request ${first.requestId} of ${formatAmount(first.value)}`;
  if (alone?.kind === 'infeasible') return infeasibleFault(`${what}, even alone,`, alone.violations);
  if (stuck.done.length > 0) return splitFault(task, pool, stuck);
  switch (stuck.reason.kind) {
    case 'infeasible':
      return infeasibleFault(what, stuck.reason.violations);
    case 'rounds':
      return fault(
        'E_PLAN_ROUNDS',
        `no coins for ${what} were found in ${stuck.reason.tries} rounds: change is too heavy for the limit of ` +
          `${task.limits.maxWeight} weight units, and no set of coins without change turned up`,
        { remedy: 'allow more weight, or try another feerate' },
      );
    case 'insufficient':
      return insufficientFault(stuck.reason, task.terms.feerate, []);
  }
}

function infeasibleFault(what: string, violations: readonly Violation[]): Fault {
  const reasons = violations.map(({ limit, needed, allowed }) => {
    const over = needed - allowed;
    return limit === 'inputs'
      ? `needs at least ${count(needed, 'input')}, and ${allowed} are allowed (${over} too many)`
      : `weighs at least ${count(needed, 'weight unit')}, and ${allowed} are allowed (${over} too many)`;
  });
  return fault('E_PLAN_INFEASIBLE', `${what} ${reasons.join('; it ')}`, {
    remedy:
      'merge small coins into larger ones while fees are low, divide the request, or raise the limit if the device can take it',
  });
}

/** All coins together would do, but not once they are divided: change of one transaction cannot fund the next. */
function splitFault(task: SplitInput, pool: Pool, { done, payments, reason }: Stuck): Fault {
  const parts = partsNeeded(task.payments.length, task.limits);
  const bound = sumSats(done.map(({ selection }) => selection.change ?? 0n));
  const paid = done.reduce((sum, part) => sum + part.payments.length, 0);
  const next = `transaction ${done.length + 1}, from request ${payments[0]?.requestId} on`;
  const tooFew = pool.coins.length < parts;
  const proof = tooFew
    ? `${count(BigInt(task.payments.length), 'withdrawal')} need at least ${parts} transactions, each with a coin of its own, ` +
      `and ${pool.coins.length} are on offer`
    : `no way was found to divide the coins over at least ${count(BigInt(parts), 'transaction')}`;
  const detail =
    reason.kind === 'insufficient'
      ? `lacks ${formatAmount(reason.shortBy)}`
      : reason.kind === 'infeasible'
        ? 'cannot be had within the limits from the coins that are left'
        : `was not found in ${reason.tries} rounds`;
  return fault(
    tooFew ? 'E_PLAN_INFEASIBLE' : 'E_PLAN_ROUNDS',
    `${proof}: after ${count(BigInt(paid), 'withdrawal')} ${formatAmount(bound)} are bound in change until it confirms, and ${next}, ${detail}`,
    {
      remedy: `plan the first ${paid} now and the rest when the change is confirmed, or allow more payments in a transaction`,
    },
  );
}

const count = (amount: bigint, noun: string): string => `${amount} ${noun}${amount === 1n ? '' : 's'}`;
