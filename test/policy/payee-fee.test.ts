import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import type { WithdrawalRequest } from '../../src/domain/request.js';
import { matchPayments } from '../../src/policy/paid-requests.js';
import type { SpendRecord } from '../../src/policy/types.js';
import { ADDRESSES, btc, findingOf, judge, type Pay, pay, scriptOf, spent, summary } from './fixture.js';

// Requests whose payees bear their shares of the fee: what they are paid is less than what was asked for.

const request = (id: string, to: keyof typeof ADDRESSES, amount: bigint, feePayer?: 'payee'): WithdrawalRequest => ({
  ...{ id, address: ADDRESSES[to], script: scriptOf(ADDRESSES[to]), amount },
  ...(feePayer === undefined ? {} : { feePayer }),
});
const ONE = btc('1');
const judged = (paid: readonly Pay[], requests: readonly WithdrawalRequest[], more: Parameters<typeof judge>[0] = {}) =>
  judge({ ...more, batch: { pay: paid, requests, fee: 1000n } });
const mismatch = (verdict: ReturnType<typeof judge>) => findingOf(verdict, 'REQUEST_PSBT_MISMATCH');

describe('an output that is less than what was asked for', () => {
  it('is right by at most the share of the fee, where the payee bears it', () => {
    const one = (paid: bigint, payer?: 'payee') => summary(judged([['A', paid]], [request('r', 'A', ONE, payer)]));
    expect(one(ONE - 1000n, 'payee')).toBe('ALLOW');
    expect(one(ONE - 1001n, 'payee')).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(one(ONE - 1n)).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(one(ONE)).toBe('ALLOW');
  });

  it('is counted among the requested payments', () => {
    const requests = [request('r', 'A', ONE, 'payee'), request('s', 'B', ONE)];
    expect(mismatch(judged([['A', ONE - 400n], pay('B', '1')], requests)).text).toBe(
      'The outputs that are not change are the 2 requested payments, one for one. The payees of 1 bear their shares of the fee.',
    );
    expect(mismatch(judged([pay('B', '1')], [request('s', 'B', ONE)])).text).toBe(
      'The outputs that are not change are the 1 requested payment, one for one.',
    );
  });

  it('is said to be less by as much as it may be, where it is not there', () => {
    const text = (payer?: 'payee') =>
      judged([], [request('r', 'A', ONE, payer)]).findings.find(({ subject }) => subject === 'request r')?.text;
    expect(text('payee')).toContain(', less at most 1000 sat (0.00001000 BTC) of the fee; the PSBT has no output');
    expect(text()).toContain(`to ${ADDRESSES.A}; the PSBT has no output`);
  });

  it('is merged with nothing', () => {
    const policy = { transaction: { mergeOutputs: true } };
    const both = (payer?: 'payee') => [request('r', 'A', ONE, payer), request('s', 'A', ONE)];
    expect(summary(judged([pay('A', '2')], both(), { policy }))).toBe('ALLOW');
    expect(summary(judged([pay('A', '2')], both('payee'), { policy }))).toBe('DENY REQUEST_PSBT_MISMATCH');
    expect(summary(judged([['A', ONE - 500n], pay('A', '1')], both('payee'), { policy }))).toBe('ALLOW');
    const apart = [request('r', 'A', ONE), request('s', 'A', ONE), request('t', 'B', ONE, 'payee')];
    const verdict = judged([pay('A', '2'), ['B', ONE - 300n]], apart, { policy });
    expect(summary(verdict)).toBe('ALLOW');
    expect(mismatch(verdict).text).toContain('those of 1 script as one output of the sum. The payees of 1 bear');
  });
});

describe('a payment that repeats another', () => {
  const earlier = (amount: bigint, asked?: bigint): SpendRecord => ({
    ...spent(amount, { to: 'A' }),
    ...(asked === undefined ? {} : { asked: [{ script: toHex(scriptOf(ADDRESSES.A)), amount: asked }] }),
  });
  const repeats = (spend: SpendRecord, paid: bigint, payer?: 'payee') => {
    const verdict = judged([['A', paid]], [request('r', 'A', ONE, payer)], { state: { spends: [spend] } });
    return findingOf(verdict, 'POSSIBLE_DUPLICATE').outcome === 'warn';
  };

  it('is one that was asked for as much, though less was paid', () => {
    expect(repeats(earlier(ONE - 700n, ONE), ONE - 400n, 'payee')).toBe(true);
    expect(repeats(earlier(ONE), ONE - 400n, 'payee')).toBe(true);
    expect(repeats(earlier(ONE - 700n), ONE - 400n, 'payee')).toBe(false);
    expect(repeats(earlier(ONE - 400n), ONE - 400n, 'payee')).toBe(true);
    expect(repeats(earlier(ONE - 700n, ONE), ONE)).toBe(true);
    expect(repeats(earlier(ONE - 700n), ONE)).toBe(false);
  });

  it('is found among several that are asked of one destination', () => {
    const requests = [request('r', 'A', ONE, 'payee'), request('s', 'A', 2n * ONE, 'payee'), request('t', 'B', ONE)];
    const paid: readonly Pay[] = [
      ['A', ONE - 300n],
      ['A', 2n * ONE - 300n],
      ['B', ONE],
    ];
    for (const [amount, due] of [
      [ONE, `${ONE}`],
      [2n * ONE, `${2n * ONE}`],
    ] as const) {
      const verdict = judged(paid, requests, { state: { spends: [earlier(amount - 1n, amount)] } });
      const found = verdict.findings.filter(({ code, outcome }) => code === 'POSSIBLE_DUPLICATE' && outcome === 'warn');
      expect(found.map(({ measured }) => measured)).toEqual([due]);
    }
    expect(findingOf(judged(paid, requests), 'POSSIBLE_DUPLICATE').outcome).toBe('pass');
  });
});

describe('which output is whose', () => {
  const asked = (...amounts: bigint[]) => amounts.map((amount) => request(`r-${amount}`, 'A', amount, 'payee'));
  const outputs = (...values: bigint[]) => values.map((value) => ({ script: scriptOf(ADDRESSES.A), value }));
  const matched = (requests: readonly WithdrawalRequest[], paid: ReturnType<typeof outputs>) =>
    matchPayments(requests, paid, 200n, 2).pairs.map(({ request: { id }, output }) => `${id} ${output.value}`);

  it('does not hang on the order in which they stand', () => {
    for (const requests of [asked(1000n, 1090n), asked(1090n, 1000n)]) {
      for (const paid of [outputs(950n, 1040n), outputs(1040n, 950n)]) {
        expect(matched(requests, paid).sort()).toEqual(['r-1000 950', 'r-1090 1040']);
      }
    }
  });

  it('passes over outputs that are too little for anybody', () => {
    expect(matched(asked(1000n), outputs(500n, 899n, 900n))).toEqual(['r-1000 900']);
    expect(matched(asked(1000n), outputs(500n, 1001n))).toEqual([]);
  });
});
