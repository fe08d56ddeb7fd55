import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WithdrawalRequest } from '../../src/domain/request.js';
import { matchPayments } from '../../src/policy/paid-requests.js';

const script = (number: number): Uint8Array => Uint8Array.from([0x00, 0x14, ...new Array(19).fill(0), number]);

function request(id: string, to: number, amount: bigint, feePayer?: 'payee'): WithdrawalRequest {
  return { id, address: id, script: script(to), amount, ...(feePayer === undefined ? {} : { feePayer }) };
}

const output = (to: number, value: bigint) => ({ script: script(to), value });

describe('outputs and the requests that they pay', () => {
  it.each([
    [1_000n, true],
    [900n, true],
    [899n, false],
    [1_001n, false],
  ])('an output of %s is for 1,000 less at most a share of 100: %s', (value, fits) => {
    const matched = matchPayments([request('a', 1, 1_000n, 'payee')], [output(1, value)], 200n, 2);
    expect(matched.mostBorne).toBe(100n);
    expect([matched.pairs.length, matched.unpaid.length, matched.unasked.length]).toEqual(fits ? [1, 0, 0] : [0, 1, 1]);
  });

  it('the vault bears the fee of a request that says nothing: not a sat less is its amount', () => {
    expect(matchPayments([request('a', 1, 1_000n)], [output(1, 999n)], 200n, 1).pairs).toHaveLength(0);
    expect(matchPayments([request('a', 1, 1_000n)], [output(1, 1_000n)], 200n, 1).pairs).toHaveLength(1);
    expect(matchPayments([request('a', 1, 1_000n, 'payee')], [output(2, 1_000n)], 200n, 1).pairs).toHaveLength(0);
  });

  it('alike requests of one script each get an output of their own, whoever bears the fee', () => {
    const asked = [request('a', 1, 1_000n, 'payee'), request('b', 1, 1_000n), request('c', 1, 1_050n, 'payee')];
    const paid = [output(1, 1_000n), output(1, 960n), output(1, 900n)];
    const matched = matchPayments(asked, paid, 300n, 3);
    expect(matched.pairs.map((pair) => [pair.request.id, pair.output.value])).toEqual([
      ['a', 900n],
      ['b', 1_000n],
      ['c', 960n],
    ]);
  });

  it('finds a match wherever there is one, in whatever order they come', () => {
    const requests = fc.array(
      fc.record({
        to: fc.integer({ min: 0, max: 2 }),
        amount: fc.bigInt(100n, 140n),
        less: fc.bigInt(0n, 10n),
        bears: fc.boolean(),
      }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(requests, fc.nat(), (asked, turn) => {
        const list = asked.map(({ to, amount, bears }, index) =>
          request(`${index}`, to, amount, bears ? 'payee' : undefined),
        );
        const paid = asked.map(({ to, amount, less, bears }) => output(to, bears ? amount - less : amount));
        const turned = paid.map((_, index) => paid[(index + turn) % paid.length] ?? output(9, 0n));
        const matched = matchPayments(list, turned, 10n * BigInt(asked.length), asked.length);
        expect(matched.unpaid).toEqual([]);
        expect(matched.unasked).toEqual([]);
        expect(new Set(matched.pairs.map((pair) => pair.output)).size).toBe(asked.length);
      }),
    );
  });
});
