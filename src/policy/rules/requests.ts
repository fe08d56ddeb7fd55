import { type Hex, toHex } from '../../domain/bytes.js';
import { formatAmount, type Sats } from '../../domain/sats.js';
import { confirmedWithin } from '../windows.js';
import { payees } from './payee.js';
import { DAY } from './rolling.js';
import { listed, outputName, plural, type Rule, type RuleContext, repeated } from './rule.js';

const paymentKey = (script: Hex, amount: Sats): string => `${script}:${amount}`;

/** Takes each item of `from` that has a counterpart of the same key in `given`, one for one; returns the others. */
function unmatched<A, B>(from: readonly A[], keyA: (a: A) => string, given: readonly B[], keyB: (b: B) => string): A[] {
  const left = new Map<string, number>();
  for (const item of given) left.set(keyB(item), (left.get(keyB(item)) ?? 0) + 1);
  return from.filter((item) => {
    const count = left.get(keyA(item)) ?? 0;
    left.set(keyA(item), count - 1);
    return count <= 0;
  });
}

/**
 * The outputs that are not proven change are the requested payments: the same scripts and amounts, each as often. Two
 * payments merged into one output are denied: a customer's payment could no longer be told from the next one's.
 */
export const requestsMatch: Rule = {
  tag: 'requests-match',
  codes: ['REQUEST_PSBT_MISMATCH'],
  check: (context) => {
    const { payments, requests } = context;
    const ofOutput = ({ script, value }: (typeof payments)[number]) => paymentKey(toHex(script), value);
    const ofRequest = ({ script, amount }: (typeof requests)[number]) => paymentKey(toHex(script), amount);
    const unpaid = unmatched(requests, ofRequest, payments, ofOutput).map(({ id, address, amount }) => ({
      subject: `request ${id}`,
      text: `Request ${id} asks for ${formatAmount(amount)} to ${address}; the PSBT has no output of its own for it.`,
      remedy: 'plan the batch again from its requests',
    }));
    const unasked = unmatched(payments, ofOutput, requests, ofRequest).map((output) => ({
      subject: outputName(output),
      text: `The PSBT pays ${formatAmount(output.value)} to ${outputName(output)}, which no request asks for and which is not proven change.`,
      remedy: 'find out who put this output there, and plan the batch again from its requests',
    }));
    const text = () =>
      `The outputs that are not change are the ${plural(requests.length, 'requested payment')}, one for one.`;
    return listed(context, 'REQUEST_PSBT_MISMATCH', text, [...unpaid, ...unasked]);
  },
};

export const requestIds: Rule = {
  tag: 'request-ids',
  codes: ['REQUEST_ID_REUSE'],
  check: (context) => {
    const { requests, state } = context;
    const twice = repeated(requests.map(({ id }) => id));
    const reused = [...new Set([...state.reusedRequests, ...twice])];
    return listed(
      context,
      'REQUEST_ID_REUSE',
      'No request id of the batch was used before with other content.',
      reused.map((id) => ({
        subject: `request ${id}`,
        text: `The request id ${id} stands for other content as well: in an earlier batch, or twice in this one.`,
        remedy: 'ask the author of the request which of the two is meant; a new payment needs a new id',
      })),
    );
  },
};

/** Only a warning: the same amount to a warm wallet twice a day is daily business. */
export const possibleDuplicate: Rule = {
  tag: 'possible-duplicate',
  codes: ['POSSIBLE_DUPLICATE'],
  check: (context) => {
    const earlier = earlierPayments(context);
    return listed(
      context,
      'POSSIBLE_DUPLICATE',
      'No payment of the batch repeats one of the last 24 hours.',
      payees(context).flatMap(({ script, name, amounts }) =>
        [...new Set(amounts)].flatMap((amount) => {
          const batches = earlier.get(paymentKey(script, amount)) ?? [];
          if (batches.length === 0) return [];
          return [
            {
              subject: name,
              measured: amount.toString(),
              unit: 'sat' as const,
              text: `${name} got exactly ${formatAmount(amount)} within the last 24 hours already, in ${[...new Set(batches)].sort().join(', ')}.`,
              remedy: 'make sure that both payments are meant',
            },
          ];
        }),
      ),
    );
  },
};

/** Payments of the last 24 hours, unconfirmed ones included, to the batches that made them; replaced batches left out. */
function earlierPayments({ index, time, claim }: RuleContext): Map<string, string[]> {
  const inputs = new Set(claim(0n).inputs);
  const found = new Map<string, string[]>();
  for (const spend of [...confirmedWithin(index, time, DAY), ...index.pending]) {
    if (spend.inputs.some((input) => inputs.has(input))) continue;
    for (const { script, amount } of spend.outputs) {
      const key = paymentKey(script, amount);
      found.set(key, [...(found.get(key) ?? []), spend.batch]);
    }
  }
  return found;
}
