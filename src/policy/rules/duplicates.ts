import { type Hex, toHex } from '../../domain/bytes.js';
import { formatAmount, type Sats } from '../../domain/sats.js';
import { confirmedWithin } from '../windows.js';
import { destinationKey, payees } from './payee.js';
import { paymentKey } from './requests.js';
import { DAY } from './rolling.js';
import { listed, perVerdict, type Rule, type RuleContext } from './rule.js';

/**
 * By itself a warning: the same amount to a warm wallet twice a day is daily business. Under duplicate_guard: approve the
 * quorum asks for one person more than the tier does (see approvals.ts), and one repeated payment is enough for that: a
 * batch that holds another one whole and a trifle beside it is no less a repetition.
 */
export const possibleDuplicate: Rule = {
  tag: 'possible-duplicate',
  codes: ['POSSIBLE_DUPLICATE'],
  check: (context) => {
    const isGuarded = context.document.approvals.duplicateGuard === 'approve';
    return listed(
      context,
      'POSSIBLE_DUPLICATE',
      'No payment of the batch repeats one of the last 24 hours.',
      repeatedPayments(context).map(({ name, amount, batches }) => ({
        subject: name,
        measured: amount.toString(),
        unit: 'sat' as const,
        text: `${name} got exactly ${formatAmount(amount)} within the last 24 hours already, in ${batches.join(', ')}.`,
        remedy: isGuarded
          ? 'make sure that both payments are meant; one person more than usual has to approve it'
          : 'make sure that both payments are meant',
        ...(isGuarded ? { field: 'approvals.duplicate_guard' } : {}),
      })),
    );
  },
};

interface RepeatedPayment {
  readonly name: string;
  readonly amount: Sats;
  /** The batches that paid it before, sorted. */
  readonly batches: readonly string[];
}

/**
 * Payments of this batch that another one of the last 24 hours made as well: the same destination, the same amount. Where a
 * payee bears its share of the fee, what it is paid differs from batch to batch, so what was asked for counts as well.
 */
export const repeatedPayments = perVerdict((context): readonly RepeatedPayment[] => {
  const earlier = earlierPayments(context);
  const asked = askedAmounts(context);
  return payees(context).flatMap(({ script, name, amounts }) =>
    [...new Set([...amounts, ...(asked.get(script) ?? [])])].flatMap((amount) => {
      const batches = earlier.get(paymentKey(destinationKey(context, script), amount)) ?? [];
      return batches.length === 0 ? [] : [{ name, amount, batches: [...new Set(batches)].sort() }];
    }),
  );
});

/** By script, what was asked for where the payee bears its share of the fee. */
function askedAmounts({ requests }: RuleContext): ReadonlyMap<Hex, readonly Sats[]> {
  const asked = new Map<Hex, Sats[]>();
  for (const { script, amount, feePayer } of requests) {
    if (feePayer === undefined) continue;
    const hex = toHex(script);
    asked.set(hex, [...(asked.get(hex) ?? []), amount]);
  }
  return asked;
}

/**
 * Payments of the last 24 hours to the destinations of the batch, unconfirmed ones included, to the batches that made them;
 * replaced batches left out.
 */
function earlierPayments(context: RuleContext): Map<string, string[]> {
  const { index, time, claim } = context;
  const keys = new Set(payees(context).map(({ script }) => destinationKey(context, script)));
  const inputs = new Set(claim(0n).inputs);
  const found = new Map<string, string[]>();
  for (const spend of [...confirmedWithin(index, time, DAY), ...index.pending]) {
    if (spend.inputs.some((input) => inputs.has(input))) continue;
    for (const { script, amount } of [...spend.outputs, ...(spend.asked ?? [])]) {
      const destination = destinationKey(context, script);
      if (!keys.has(destination)) continue;
      const key = paymentKey(destination, amount);
      const known = found.get(key);
      if (known === undefined) found.set(key, [spend.batch]);
      else known.push(spend.batch);
    }
  }
  return found;
}
