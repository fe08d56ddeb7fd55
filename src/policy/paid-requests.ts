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
  // By place in both lists: the same request may stand there twice, and is denied for that elsewhere.
  const places = outputs.map((output, place) => ({ output, place }));
  const given = new Map<number, (typeof places)[number]>();
  // Exact ones first: of outputs that are alike it does not matter which one they take.
  const exact = grouped(places, ({ output }) => `${toHex(output.script)}:${output.value}`);
  for (const [place, request] of requests.entries()) {
    const alike = request.feePayer === undefined ? exact.get(`${toHex(request.script)}:${request.amount}`) : undefined;
    const found = alike?.pop();
    if (found !== undefined) given.set(place, found);
  }
  // The others have ranges of one length: the lowest output that fits, for the lowest amount first, leaves most to the rest.
  const rest = [...exact.values()].flat().toSorted((a, b) => compare(a.output.value, b.output.value));
  const free = grouped(rest, ({ output }) => toHex(output.script));
  const reached = new Map<string, number>();
  const bearing = [...requests.entries()].filter(([, { feePayer }]) => feePayer === 'payee');
  for (const [place, request] of bearing.toSorted(([, a], [, b]) => compare(a.amount, b.amount))) {
    const script = toHex(request.script);
    const candidates = free.get(script) ?? [];
    let next = reached.get(script) ?? 0;
    while ((candidates[next]?.output.value ?? request.amount) < request.amount - most) next += 1;
    const found = candidates[next];
    if (found !== undefined && found.output.value <= request.amount) {
      given.set(place, found);
      next += 1;
    }
    reached.set(script, next);
  }
  const taken = new Set([...given.values()].map(({ place }) => place));
  return {
    pairs: requests.flatMap((request, place) => {
      const found = given.get(place);
      return found === undefined ? [] : [{ request, output: found.output }];
    }),
    unpaid: requests.filter((_, place) => !given.has(place)),
    unasked: outputs.filter((_, place) => !taken.has(place)),
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
