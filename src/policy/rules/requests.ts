import { type Hex, toHex } from '../../domain/bytes.js';
import { formatAmount, type Sats, sumSats } from '../../domain/sats.js';
import { matchPayments } from '../paid-requests.js';
import { listed, outputName, plural, type Rule, type RuleContext, repeated } from './rule.js';

/** What makes two payments look alike. */
export const paymentKey = (script: Hex, amount: Sats): string => `${script}:${amount}`;

/**
 * The outputs that are not proven change are the requested payments: the same scripts and amounts, each as often. Two
 * payments merged into one output are denied, as a customer's payment could no longer be told from the next one's, unless
 * the policy has merge_outputs: then all that is asked for one script may also stand as one output of exactly the sum.
 *
 * Where a payee bears its share of the fee, its output may be less than was asked for, by at most that share (see
 * mostBorne); it stands apart, merged with nothing.
 */
export const requestsMatch: Rule = {
  tag: 'requests-match',
  codes: ['REQUEST_PSBT_MISMATCH'],
  check: (context) => {
    const { payments, document, facts } = context;
    const isMerged = document.transaction.mergeOutputs === true ? mergedScripts(context) : new Set<Hex>();
    const apart = <T extends { readonly script: Uint8Array }>(list: readonly T[]): readonly T[] =>
      isMerged.size === 0 ? list : list.filter(({ script }) => !isMerged.has(toHex(script)));
    const matched = matchPayments(apart(context.requests), apart(payments), facts.fee, context.requests.length);
    const unpaid = matched.unpaid.map(({ id, address, amount, feePayer }) => ({
      subject: `request ${id}`,
      text: `Request ${id} asks for ${formatAmount(amount)} to ${address}${feePayer === undefined ? '' : `, less at most ${formatAmount(matched.mostBorne)} of the fee`}; the PSBT has no output of its own for it.`,
      remedy: 'plan the batch again from its requests',
    }));
    const unasked = matched.unasked.map((output) => ({
      subject: outputName(output),
      text: `The PSBT pays ${formatAmount(output.value)} to ${outputName(output)}, which no request asks for and which is not proven change.`,
      remedy: 'find out who put this output there, and plan the batch again from its requests',
    }));
    const text = () => {
      const how =
        isMerged.size === 0 ? 'one for one' : `those of ${plural(isMerged.size, 'script')} as one output of the sum`;
      const bearing = context.requests.filter(({ feePayer }) => feePayer === 'payee').length;
      const less = bearing === 0 ? '' : ` The payees of ${bearing} bear their shares of the fee.`;
      return `The outputs that are not change are the ${plural(context.requests.length, 'requested payment')}, ${how}.${less}`;
    };
    return listed(context, 'REQUEST_PSBT_MISMATCH', text, [...unpaid, ...unasked]);
  },
};

/** Scripts that several requests name, and one output pays with exactly their sum. */
function mergedScripts({ payments, requests }: RuleContext): ReadonlySet<Hex> {
  const borne = new Set(requests.flatMap(({ script, feePayer }) => (feePayer === undefined ? [] : [toHex(script)])));
  const asked = amountsByScript(
    requests.flatMap(({ script, amount }) => (borne.has(toHex(script)) ? [] : [{ script, amount }])),
  );
  const paid = amountsByScript(payments.map(({ script, value }) => ({ script, amount: value })));
  return new Set(
    [...asked].flatMap(([script, amounts]) => {
      const [output, ...others] = paid.get(script) ?? [];
      return amounts.length > 1 && others.length === 0 && output === sumSats(amounts) ? [script] : [];
    }),
  );
}

function amountsByScript(items: readonly { readonly script: Uint8Array; readonly amount: Sats }[]): Map<Hex, Sats[]> {
  const found = new Map<Hex, Sats[]>();
  for (const { script, amount } of items) {
    const hex = toHex(script);
    found.set(hex, [...(found.get(hex) ?? []), amount]);
  }
  return found;
}

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
