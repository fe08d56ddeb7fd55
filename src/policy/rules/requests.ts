import { type Hex, toHex } from '../../domain/bytes.js';
import { formatAmount, type Sats, sumSats } from '../../domain/sats.js';
import { listed, outputName, plural, type Rule, type RuleContext, repeated } from './rule.js';

/** What makes two payments look alike. */
export const paymentKey = (script: Hex, amount: Sats): string => `${script}:${amount}`;

/** The items whose key has no counterpart among the `given` keys, one for one. */
function unmatched<T>(items: readonly T[], keys: readonly string[], given: readonly string[]): T[] {
  const left = new Map<string, number>();
  for (const key of given) left.set(key, (left.get(key) ?? 0) + 1);
  return items.filter((_, place) => {
    const key = keys[place] ?? '';
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

/**
 * The outputs that are not proven change are the requested payments: the same scripts and amounts, each as often. Two
 * payments merged into one output are denied, as a customer's payment could no longer be told from the next one's, unless
 * the policy has merge_outputs: then all that is asked for one script may also stand as one output of exactly the sum.
 */
export const requestsMatch: Rule = {
  tag: 'requests-match',
  codes: ['REQUEST_PSBT_MISMATCH'],
  check: (context) => {
    const { payments, document } = context;
    const isMerged = document.transaction.mergeOutputs === true ? mergedScripts(context) : new Set<Hex>();
    const apart = <T extends { readonly script: Uint8Array }>(list: readonly T[]): readonly T[] =>
      isMerged.size === 0 ? list : list.filter(({ script }) => !isMerged.has(toHex(script)));
    const requests = apart(context.requests);
    const outputs = apart(payments);
    const paid = outputs.map(({ script, value }) => paymentKey(toHex(script), value));
    const asked = requests.map(({ script, amount }) => paymentKey(toHex(script), amount));
    const unpaid = unmatched(requests, asked, paid).map(({ id, address, amount }) => ({
      subject: `request ${id}`,
      text: `Request ${id} asks for ${formatAmount(amount)} to ${address}; the PSBT has no output of its own for it.`,
      remedy: 'plan the batch again from its requests',
    }));
    const unasked = unmatched(outputs, paid, asked).map((output) => ({
      subject: outputName(output),
      text: `The PSBT pays ${formatAmount(output.value)} to ${outputName(output)}, which no request asks for and which is not proven change.`,
      remedy: 'find out who put this output there, and plan the batch again from its requests',
    }));
    const text = () => {
      const how =
        isMerged.size === 0 ? 'one for one' : `those of ${plural(isMerged.size, 'script')} as one output of the sum`;
      return `The outputs that are not change are the ${plural(context.requests.length, 'requested payment')}, ${how}.`;
    };
    return listed(context, 'REQUEST_PSBT_MISMATCH', text, [...unpaid, ...unasked]);
  },
};

/** Scripts that several requests name, and one output pays with exactly their sum. */
function mergedScripts({ payments, requests }: RuleContext): ReadonlySet<Hex> {
  const asked = amountsByScript(requests.map(({ script, amount }) => ({ script, amount })));
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
