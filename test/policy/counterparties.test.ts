import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { type Sats, sumSats } from '../../src/domain/sats.js';
import { type BookRecord, Destinations } from '../../src/policy/counterparties.js';
import type { PolicyState, SpendRecord, Verdict } from '../../src/policy/types.js';
import {
  ADDRESSES,
  type BatchChange,
  btc,
  DAY,
  findingOf,
  HOUR,
  judge,
  NOW,
  output,
  type Pay,
  type PolicyChange,
  requestsFor,
  scriptOf,
  spent,
  summary,
} from './fixture.js';
import { okxAddress, okxAt, okxEntry, okxRequest, withOkx } from './okx.js';

type Asked = ReturnType<typeof okxRequest>;

/** The verdict on paying these requests as they ask, with okx in the book. */
function paying(
  requests: readonly Asked[],
  state: Parameters<typeof withOkx>[2] = {},
  { entry = okxEntry(), policy = {} }: { entry?: BookRecord; policy?: PolicyChange } = {},
): Verdict {
  const change: BatchChange = { pay: requests.map(({ script, amount }) => [script, amount] as const), requests };
  return judge({ policy, batch: change, state: withOkx(entry, change, state) });
}

const without = ({ destination: _, index: __, ...request }: Asked): Asked => request;

describe('DEST_DERIVATION', () => {
  it('is content where the address is what the descriptor derives at the declared index', () => {
    expect(summary(paying([okxRequest(5)]))).toBe('ALLOW');
  });

  it('denies an address of another index, and says which index it is and which address would be right', () => {
    const verdict = paying([okxRequest(6, 5)]);
    expect(summary(verdict)).toBe('DENY DEST_DERIVATION');
    const { text, subject } = findingOf(verdict, 'DEST_DERIVATION');
    expect(subject).toMatch(/^request r-6/);
    for (const part of ['index 5 of okx', okxAddress(6), 'at index 6', okxAddress(5)]) expect(text).toContain(part);
  });

  it('denies an address that is not the descriptor’s at all', () => {
    const foreign = { ...okxRequest(5), address: ADDRESSES.X, script: scriptOf(ADDRESSES.X) };
    const verdict = paying([foreign]);
    expect(summary(verdict)).toBe('DENY DEST_DERIVATION DEST_NOT_ALLOWED');
    expect(findingOf(verdict, 'DEST_DERIVATION').text).toContain('at no index from 0 to 99');
    expect(findingOf(verdict, 'DEST_DERIVATION').text).toContain(okxAddress(5));
  });

  it('denies an address of another destination', () => {
    const warm = { ...okxRequest(5), address: ADDRESSES.A, script: scriptOf(ADDRESSES.A) };
    expect(summary(paying([warm]))).toBe('DENY DEST_DERIVATION');
  });

  it.each([
    ['nothing is declared', without(okxRequest(6))],
    ['only the name is declared', { ...without(okxRequest(6)), destination: 'okx' }],
  ])('denies where %s, and says what to write', (_name, request) => {
    const verdict = paying([request]);
    expect(summary(verdict)).toBe('DENY DEST_DERIVATION');
    expect(findingOf(verdict, 'DEST_DERIVATION').remedy).toContain('write destination okx and index 6');
  });

  it('takes an index without a name where the address is a descriptor’s', () => {
    const { destination: _, ...request } = okxRequest(6);
    expect(summary(paying([request]))).toBe('ALLOW');
    expect(summary(paying([{ ...request, index: 5 }]))).toBe('DENY DEST_DERIVATION');
    expect(findingOf(paying([{ ...request, index: 5 }]), 'DEST_DERIVATION').text).toContain(okxAddress(5));
  });

  it.each([
    [98, 'ALLOW'],
    [99, 'ALLOW'],
    [100, 'DENY DEST_DERIVATION DEST_NOT_ALLOWED'],
  ])('with the indexes 0 to 99 allowed, index %i: %s', (index, due) => {
    expect(summary(paying([okxRequest(index)]))).toBe(due);
  });

  it('says which indexes are allowed', () => {
    expect(findingOf(paying([okxRequest(100)]), 'DEST_DERIVATION').text).toContain('the indexes 0 to 99');
  });

  it.each<[string, Partial<Asked>, string]>([
    ['the name of an address', { destination: 'warm-1' }, 'ALLOW'],
    ['the name of another address', { destination: 'settle' }, 'DENY DEST_DERIVATION'],
    ['a name that the book does not have', { destination: 'okx2' }, 'DENY DEST_DERIVATION'],
    ['the name of the descriptor', { destination: 'okx' }, 'DENY DEST_DERIVATION'],
    ['an index of an address', { destination: 'warm-1', index: 0 }, 'DENY DEST_DERIVATION'],
    ['an index and no name', { index: 0 }, 'DENY DEST_DERIVATION'],
  ])('a request to warm-1 with %s', (_name, more, due) => {
    const request = { id: 'r', address: ADDRESSES.A, script: scriptOf(ADDRESSES.A), amount: btc('1'), ...more };
    expect(summary(paying([request]))).toBe(due);
  });

  it('rests on no earlier verdict: the same question has the same answer, whatever was asked before', () => {
    const asked = [okxRequest(6, 5), okxRequest(5), without(okxRequest(6)), okxRequest(100), okxRequest(7, 6)];
    const change = (request: Asked): BatchChange => ({ pay: [[request.script, request.amount]], requests: [request] });
    const shared = new Destinations([okxEntry()], 'main');
    const about = (book: Destinations, request: Asked): Partial<PolicyState> => {
      const outputs = [output(request.script, request.amount)];
      return book.about({ outputs, requests: [request], spends: [], indexed: new Map() });
    };
    fc.assert(
      fc.property(fc.shuffledSubarray(asked, { minLength: 2 }), (order) => {
        for (const request of order) {
          const fresh = judge({
            batch: change(request),
            state: about(new Destinations([okxEntry()], 'main'), request),
          });
          expect(judge({ batch: change(request), state: about(shared, request) })).toEqual(fresh);
        }
      }),
      { numRuns: 10 },
    );
  });
});

describe('one descriptor is one destination', () => {
  const earlier = (index: number, amount: Sats, more: Parameters<typeof spent>[1] = {}): SpendRecord =>
    spent(amount, { to: okxAt(index), ...more });
  const noLimits: PolicyChange = { limits: { batch: null, output: null } };

  it.each([
    ['one satoshi under the cap', btc('9.99999999'), 'ALLOW'],
    ['at the cap', btc('10'), 'ALLOW'],
    ['one satoshi over it', btc('10.00000001'), 'DENY DEST_CAP'],
  ])('its cap of 24 hours counts every address: %s', (_name, amount, due) => {
    const spends = [earlier(1, btc('40')), earlier(2, btc('30'), { unconfirmed: true })];
    const verdict = paying([okxRequest(3, 3, amount)], { spends });
    expect(summary(verdict)).toBe(due);
    expect(findingOf(verdict, 'DEST_CAP')).toMatchObject({ subject: 'okx', measured: `${btc('70') + amount}` });
  });

  it('adds up what one batch pays at several of its addresses', () => {
    const requests = [okxRequest(1, 1, btc('45')), okxRequest(2, 2, btc('45'))];
    const verdict = paying(requests, {}, { policy: noLimits });
    expect(verdict.findings.filter(({ code }) => code === 'DEST_CAP')).toHaveLength(1);
    expect(findingOf(verdict, 'DEST_CAP', 'okx').measured).toBe(`${btc('90')}`);
  });

  it('has its own cap by its id', () => {
    const policy: PolicyChange = { destinations: { caps24h: new Map([['okx', btc('2')]]) } };
    const at = (amount: string) =>
      paying([okxRequest(3, 3, btc(amount))], { spends: [earlier(1, btc('0.7')), earlier(2, btc('0.3'))] }, { policy });
    expect(summary(at('1'))).toBe('ALLOW');
    expect(findingOf(at('1.00000001'), 'DEST_CAP')).toMatchObject({
      outcome: 'deny',
      rule: 'destinations.caps_24h.okx',
    });
  });

  it('frees when the oldest payment at any of its addresses leaves the window', () => {
    const spends = [earlier(1, btc('40'), { ago: 23 * HOUR }), earlier(2, btc('40'), { ago: 2 * HOUR })];
    expect(findingOf(paying([okxRequest(3, 3, btc('30'))], { spends }), 'DEST_CAP')).toMatchObject({
      outcome: 'deny',
      headroom: '0',
      freesAt: '2026-06-01T13:00:00Z',
    });
  });

  it('counts a pending batch that pays two of its addresses once, with both', () => {
    const two: SpendRecord = {
      ...spent(btc('50'), { unconfirmed: true }),
      outputs: [1, 2].map((index) => ({ script: toHex(okxAt(index)), amount: btc('25') })),
    };
    expect(findingOf(paying([okxRequest(3)], { spends: [two] }), 'DEST_CAP').measured).toBe(`${btc('51')}`);
  });

  it('counts pending batches that exclude each other as the heavier one', () => {
    const spends = [
      earlier(1, btc('50'), { unconfirmed: true, inputs: ['same'] }),
      earlier(2, btc('20'), { unconfirmed: true, inputs: ['same'] }),
    ];
    expect(findingOf(paying([okxRequest(3)], { spends }), 'DEST_CAP').measured).toBe(`${btc('51')}`);
  });

  it('takes as its own what was paid while the book had one of its addresses by itself', () => {
    const spends = [earlier(1, btc('79'))];
    expect(summary(paying([okxRequest(3, 3, btc('1'))], { spends }))).toBe('ALLOW');
    expect(summary(paying([okxRequest(3, 3, btc('1') + 1n)], { spends }))).toBe('DENY DEST_CAP');
  });

  it('gives nothing more through when payments are spread over its addresses (property)', () => {
    const cap = btc('80');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9), fc.bigInt(1n, btc('30')), fc.boolean()), { maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(9), fc.bigInt(1_000n, btc('30'))), { minLength: 1, maxLength: 3 }),
        (history, now) => {
          const spends = history.map(([index, amount, unconfirmed]) => earlier(index, amount, { unconfirmed }));
          const requests = now.map(([index, amount], at) => ({ ...okxRequest(index, index, amount), id: `r${at}` }));
          const verdict = paying(requests, { spends }, { policy: noLimits });
          const total = sumSats([...history.map(([, amount]) => amount), ...now.map(([, amount]) => amount)]);
          const found = findingOf(verdict, 'DEST_CAP', 'okx');
          expect(found.measured).toBe(`${total}`);
          expect(found.outcome).toBe(total <= cap ? 'pass' : 'deny');
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ['cooling one second short of 72 h', 72 * HOUR - 1, btc('1'), 'DENY DEST_COOLDOWN'],
    ['72 h old, within the young cap', 72 * HOUR, btc('5'), 'ALLOW'],
    ['72 h old, one satoshi above it', 72 * HOUR, btc('5.00000001'), 'DENY YOUNG_CAP'],
    ['one second short of 30 d', 30 * DAY - 1, btc('5.00000001'), 'DENY YOUNG_CAP'],
    ['30 d old', 30 * DAY, btc('5.00000001'), 'ALLOW'],
  ])('has one age at all of its addresses: %s', (_name, age, amount, due) => {
    const entry = okxEntry({ since: NOW - age });
    expect(summary(paying([okxRequest(42, 42, amount)], {}, { entry }))).toBe(due);
  });

  it('has one young cap at all of its addresses, in this batch and before', () => {
    const entry = okxEntry({ since: NOW - 5 * DAY });
    const spends = [earlier(1, btc('1.2')), earlier(9, btc('0.8'))];
    const at = (amount: Sats) => paying([okxRequest(2, 2, btc('2')), okxRequest(3, 3, amount)], { spends }, { entry });
    expect(summary(at(btc('1')))).toBe('ALLOW');
    expect(summary(at(btc('1') + 1n))).toBe('DENY YOUNG_CAP');
    expect(findingOf(at(btc('1') + 1n), 'YOUNG_CAP').subject).toBe('okx');
  });

  it('counts in the aggregate of the young with what it got at other addresses', () => {
    const entry = okxEntry({ since: NOW - 5 * DAY });
    const spends = [earlier(1, btc('4'))];
    expect(findingOf(paying([okxRequest(2)], { spends }, { entry }), 'YOUNG_AGGREGATE').measured).toBe(`${btc('5')}`);
  });

  it('that the state does not know as a descriptor is judged as an error, and denied', () => {
    const change: BatchChange = { pay: [[okxAt(5), btc('1')]], requests: [okxRequest(5)] };
    const { destinations } = withOkx(okxEntry(), change);
    const verdict = judge({ batch: change, state: destinations === undefined ? {} : { destinations } });
    expect(verdict.decision).toBe('DENY');
    expect(verdict.findings.some(({ code }) => code === 'EVAL_ERROR')).toBe(true);
  });
});

describe('DEST_INDEX_REUSE', () => {
  const indexed = (...batches: string[]) => ({
    indexed: new Map([[toHex(okxAt(5)), { index: 5, batches }]]),
  });

  it('warns where an address was paid before, and names the batches', () => {
    const verdict = paying([okxRequest(5)], indexed('b-2', 'b-1'));
    expect(summary(verdict)).toBe('ALLOW WARN DEST_INDEX_REUSE');
    expect(findingOf(verdict, 'DEST_INDEX_REUSE')).toMatchObject({
      subject: 'okx /5',
      text: expect.stringContaining('in b-1, b-2'),
    });
  });

  it('warns where one batch pays an address twice', () => {
    const requests = [okxRequest(5, 5, btc('1')), okxRequest(5, 5, btc('2'))];
    expect(summary(paying(requests))).toBe('ALLOW WARN DEST_INDEX_REUSE');
  });

  it('is content with another index, and with a payment that nothing holds any more', () => {
    expect(summary(paying([okxRequest(6)], indexed('b-1')))).toBe('ALLOW');
    expect(summary(paying([okxRequest(5)], indexed()))).toBe('ALLOW');
  });

  it('does not take the batch that is replaced for an earlier payment', () => {
    const replaced: SpendRecord = {
      ...spent(btc('1'), { to: okxAt(5), unconfirmed: true, inputs: ['coin 0'] }),
      batch: 'b-1',
    };
    const verdict = paying([okxRequest(5)], { ...indexed('b-1'), spends: [replaced] });
    expect(findingOf(verdict, 'DEST_INDEX_REUSE').outcome).toBe('pass');
  });
});

describe('POSSIBLE_DUPLICATE and descriptors', () => {
  it('takes the same amount at another address of one descriptor for a repetition', () => {
    const spends = [spent(btc('1'), { to: okxAt(4) })];
    expect(summary(paying([okxRequest(5)], { spends }))).toBe('ALLOW WARN POSSIBLE_DUPLICATE');
    expect(summary(paying([okxRequest(5, 5, btc('2'))], { spends }))).toBe('ALLOW');
  });
});

describe('LOOKALIKE and descriptors', () => {
  /** An index whose address shares its first or last characters with another one: there are enough to find some. */
  const alike = (() => {
    const texts = Array.from({ length: 100 }, (_, index) => okxAddress(index));
    return { first: texts[0] ?? '', texts };
  })();

  it('holds a payee that the book does not have against every address of a descriptor', () => {
    // The first of the addresses, with the middle of its program turned round: same ends, another script.
    const script = okxAt(7);
    const other = Uint8Array.from([
      ...script.subarray(0, 8),
      ...script.subarray(8, 14).toReversed(),
      ...script.subarray(14),
    ]);
    const foreign: Pay = [other, btc('1')];
    const change: BatchChange = { pay: [foreign] };
    const verdict = judge({ batch: change, state: withOkx(okxEntry(), change) });
    const address = encodeAddress(other, 'main') ?? '';
    expect(address.slice(0, 10)).toBe(okxAddress(7).slice(0, 10));
    expect(findingOf(verdict, 'LOOKALIKE')).toMatchObject({ outcome: 'warn', subject: `${address} / okx /7` });
    expect(summary(verdict)).toBe('DENY DEST_NOT_ALLOWED WARN LOOKALIKE');
  });

  it('holds a payee of the book against the addresses that were paid, and no others', () => {
    const script = okxAt(7);
    const other = Uint8Array.from([
      ...script.subarray(0, 8),
      ...script.subarray(8, 14).toReversed(),
      ...script.subarray(14),
    ]);
    const listed: BookRecord = { id: 'poisoned', label: 'p', since: NOW - 400 * DAY, script: toHex(other) };
    const change: BatchChange = { pay: [[other, btc('1')]] };
    const verdict = (batches: readonly string[]): Verdict => {
      const book = new Destinations([okxEntry(), listed], 'main');
      const spends = [spent(btc('1'), { to: script, ago: 3 * DAY })];
      const indexed = new Map([[toHex(script), { index: 7, batches }]]);
      const requests = requestsFor([output(other, btc('1'))]);
      const about = book.about({ outputs: [output(other, btc('1'))], requests, spends, indexed });
      return judge({ batch: change, state: { spends, ...about } });
    };
    expect(summary(verdict(['b-1']))).toBe('ALLOW WARN LOOKALIKE');
    expect(summary(verdict([]))).toBe('ALLOW');
  });

  it('never warns of two addresses of one descriptor', () => {
    const requests = alike.texts.slice(0, 40).map((_, index) => okxRequest(index, index, btc('0.1')));
    expect(findingOf(paying(requests), 'LOOKALIKE').outcome).toBe('pass');
  });
});

describe('Destinations', () => {
  it('needs nothing of a batch where the book has no descriptor', () => {
    const book = new Destinations([{ id: 'a', label: 'a', since: 0, script: '51' }], 'main');
    expect(book.hasDescriptors).toBe(false);
    expect(book.find(toHex(okxAt(0)), 0)).toBeNull();
    expect(book.at('a', 0)).toBeNull();
  });

  it('finds a script wherever it is said to be, and nothing beyond the highest index', () => {
    const book = () => new Destinations([okxEntry()], 'main');
    fc.assert(
      fc.property(fc.nat(120), fc.option(fc.nat(120)), (index, said) => {
        const found = book().find(toHex(okxAt(index)), said ?? undefined);
        expect(found?.index).toBe(index <= 99 ? index : undefined);
      }),
      { numRuns: 15 },
    );
  });

  it('pays nothing to a descriptor that cannot be read', () => {
    const forged: BookRecord = { id: 'okx', label: 'x', since: 0, descriptor: 'wpkh(nonsense)', maxIndex: 9 };
    expect(summary(paying([okxRequest(5)], {}, { entry: forged }))).toBe('DENY DEST_DERIVATION DEST_NOT_ALLOWED');
  });
});
