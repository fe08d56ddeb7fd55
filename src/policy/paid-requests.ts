import { toHex } from '../domain/bytes.js';
import { mostBorne } from '../domain/fee-share.js';
import type { WithdrawalRequest } from '../domain/request.js';
import type { Sats } from '../domain/sats.js';

interface Paid {
  readonly script: Uint8Array;
  readonly value: Sats;
}

export interface MatchedPayments<O extends Paid> {
  readonly pairs: readonly { readonly request: WithdrawalRequest; readonly output: O }[];
  readonly unpaid: readonly WithdrawalRequest[];
  readonly unasked: readonly O[];
  /** By how much an output may be less than what was asked for, where its payee bears its share of the fee. */
  readonly mostBorne: Sats;
}

/**
 * Finds an output of its own for each request: of its script, and of exactly its amount; or, where the payee bears its share
 * of the fee, of the amount less at most that share of `fee` among `shares` payments. Which of several alike outputs a
 * request gets is not said by the bytes; as many are matched as can be.
 */
export function matchPayments<O extends Paid>(
  requests: readonly WithdrawalRequest[],
  outputs: readonly O[],
  fee: Sats,
  shares: number,
): MatchedPayments<O> {
  const most = mostBorne(fee, shares);
  const given = new Map<WithdrawalRequest, O>();
  // Exact ones first: of outputs that are alike it does not matter which one they take.
  const exact = grouped(outputs, ({ script, value }) => `${toHex(script)}:${value}`);
  for (const request of requests) {
    const alike = request.feePayer === undefined ? exact.get(`${toHex(request.script)}:${request.amount}`) : undefined;
    const output = alike?.pop();
    if (output !== undefined) given.set(request, output);
  }
  // The others have ranges of one length: the lowest output that fits, for the lowest amount first, leaves most to the rest.
  const rest = [...exact.values()].flat().toSorted((a, b) => compare(a.value, b.value));
  const free = grouped(rest, ({ script }) => toHex(script));
  const reached = new Map<string, number>();
  const bearing = requests.filter(({ feePayer }) => feePayer === 'payee');
  for (const request of bearing.toSorted((a, b) => compare(a.amount, b.amount))) {
    const script = toHex(request.script);
    const candidates = free.get(script) ?? [];
    let place = reached.get(script) ?? 0;
    while ((candidates[place]?.value ?? request.amount) < request.amount - most) place += 1;
    const output = candidates[place];
    if (output !== undefined && output.value <= request.amount) {
      given.set(request, output);
      place += 1;
    }
    reached.set(script, place);
  }
  const taken = new Set(given.values());
  return {
    pairs: requests.flatMap((request) => {
      const output = given.get(request);
      return output === undefined ? [] : [{ request, output }];
    }),
    unpaid: requests.filter((request) => !given.has(request)),
    unasked: outputs.filter((output) => !taken.has(output)),
    mostBorne: most,
  };
}

const compare = (a: Sats, b: Sats): number => (a < b ? -1 : a > b ? 1 : 0);

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
