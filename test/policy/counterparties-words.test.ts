import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { type BookRecord, Destinations } from '../../src/policy/counterparties.js';
import type { PolicyState, SpendRecord } from '../../src/policy/types.js';
import {
  ADDRESSES,
  type BatchChange,
  btc,
  DAY,
  findingOf,
  judge,
  NOW,
  output,
  requestsFor,
  scriptOf,
  spent,
  summary,
} from './fixture.js';
import { okxAddress, okxAt, okxEntry, okxRequest, withOkx } from './okx.js';

type Asked = ReturnType<typeof okxRequest>;

function paying(requests: readonly Asked[], entry = okxEntry()) {
  const change: BatchChange = { pay: requests.map(({ script, amount }) => [script, amount] as const), requests };
  return judge({ batch: change, state: withOkx(entry, change) });
}

/** What is said of one request, of which the rest of the batch stays silent. */
function said(request: Asked, entry = okxEntry()) {
  const { text, remedy } = findingOf(paying([request], entry), 'DEST_DERIVATION');
  return { text, remedy };
}

const without = ({ destination: _, index: __, ...request }: Asked): Asked => request;
const to = (address: string, more: Partial<Asked> = {}): Asked => ({
  id: 'r',
  address,
  script: scriptOf(address),
  amount: btc('1'),
  ...more,
});

describe('what a request says of its destination', () => {
  it('is counted where it is true', () => {
    const text = (...requests: Asked[]) => findingOf(paying(requests), 'DEST_DERIVATION').text;
    expect(text(okxRequest(5))).toBe('Every address is what its request says of it (1 index declared).');
    expect(text(okxRequest(5), okxRequest(0), to(ADDRESSES.A))).toBe(
      'Every address is what its request says of it (2 indexes declared).',
    );
    expect(text(to(ADDRESSES.A))).toBe('Every address is what its request says of it (0 indexes declared).');
  });

  it('is held against the book, where it names an address of it', () => {
    expect(said(to(ADDRESSES.A, { destination: 'settle' })).text).toBe(
      `Request r names settle and gives ${ADDRESSES.A}; that address is warm-1.`,
    );
    expect(said(to(ADDRESSES.A, { destination: 'settle', index: 3 })).text).toBe(
      `Request r names index 3 of settle and gives ${ADDRESSES.A}; that address is warm-1.`,
    );
    expect(said(to(ADDRESSES.A, { destination: 'settle', index: 0 })).text).toContain('names index 0 of settle');
    expect(said(to(ADDRESSES.X, { destination: 'settle' })).text).toBe(
      `Request r names settle and gives ${ADDRESSES.X}; the book does not hold that address.`,
    );
    expect(said(to(ADDRESSES.A, { destination: 'nobody' })).text).toBe(
      `Request r names nobody and gives ${ADDRESSES.A}; the book has no such destination.`,
    );
  });

  it('may not be an index, of what has none', () => {
    expect(said(to(ADDRESSES.A, { index: 0 })).text).toBe(
      `Request r declares index 0 for ${ADDRESSES.A}, and warm-1 is a single address.`,
    );
    expect(said(to(ADDRESSES.X, { index: 0 })).text).toBe(
      `Request r declares index 0 for ${ADDRESSES.X}, and no descriptor of the book derives it.`,
    );
  });

  it('may not leave the index of a descriptor out', () => {
    expect(said(without(okxRequest(6)))).toEqual({
      text: `Request ${okxRequest(6).id} pays the descriptor okx and declares no index; it gives ${okxAddress(6)}, and okx derives it at index 6.`,
      remedy: 'if that is the address that okx asked for, write destination okx and index 6 into the request',
    });
    expect(said(to(ADDRESSES.X, { destination: 'okx' }))).toEqual({
      text: `Request r pays the descriptor okx and declares no index; it gives ${ADDRESSES.X}, and okx derives it at no index from 0 to 99.`,
      remedy: 'ask okx for an address and its index, and write both into the request',
    });
  });

  it('may name no index above the highest, and the highest is none of them', () => {
    const entry = okxEntry({ maxIndex: 9 });
    expect(said(okxRequest(3, 10), entry).text).toContain('the book allows okx the indexes 0 to 9.');
    expect(said(okxRequest(3, 9), entry).text).toContain(`at index 3, and index 9 is ${okxAddress(9)}.`);
  });

  it('asks whoever it names, or whose address it is, which is meant', () => {
    const remedy = 'ask okx over a second channel which address and index are meant, before anything is paid';
    expect(said(okxRequest(6, 5)).remedy).toBe(remedy);
    const { destination: _, ...unnamed } = okxRequest(6, 5);
    expect(said(unnamed).remedy).toBe(remedy);
  });

  it('says that the right address is another, where the state does not hold it', () => {
    const change: BatchChange = { pay: [[okxAt(6), btc('1')]], requests: [okxRequest(6, 5)] };
    const state = withOkx(okxEntry(), change);
    const destinations = new Map([...(state.destinations ?? [])].filter(([, { index }]) => index !== 5));
    const verdict = judge({ batch: change, state: { ...state, destinations } });
    expect(findingOf(verdict, 'DEST_DERIVATION').text).toContain('index 5 is another address.');
  });
});

describe('an address that is paid again', () => {
  const reuse = (inputs: readonly string[], batches: readonly string[]) => {
    const earlier: SpendRecord = { ...spent(btc('1'), { to: okxAt(5), unconfirmed: true, inputs }), batch: 'b-1' };
    const change: BatchChange = { pay: [[okxAt(5), btc('1')]], requests: [okxRequest(5)] };
    const indexed = new Map([[toHex(okxAt(5)), { index: 5, batches }]]);
    return findingOf(
      judge({ batch: change, state: withOkx(okxEntry(), change, { spends: [earlier], indexed }) }),
      'DEST_INDEX_REUSE',
    ).outcome;
  };

  it('is none by a batch that shares a coin with this one, which it replaces', () => {
    expect(reuse(['coin 0'], ['b-1'])).toBe('pass');
    expect(reuse(['coin 0', 'another'], ['b-1'])).toBe('pass');
    expect(reuse(['another'], ['b-1'])).toBe('warn');
    expect(reuse(['coin 0'], ['b-1', 'b-0'])).toBe('warn');
  });
});

describe('addresses that look alike', () => {
  /** The same ends, another script. */
  const poisoned = (index: number): Uint8Array => {
    const script = okxAt(index);
    return Uint8Array.from([...script.subarray(0, 8), ...script.subarray(8, 14).toReversed(), ...script.subarray(14)]);
  };

  function stateWith(script: Uint8Array, paidBefore: readonly number[]): Partial<PolicyState> {
    const listed: BookRecord = { id: 'listed', label: 'l', since: NOW - 400 * DAY, script: toHex(script) };
    const book = new Destinations([okxEntry(), listed], 'main');
    const spends = paidBefore.map((index) => spent(btc('1'), { to: okxAt(index), ago: 3 * DAY }));
    const indexed = new Map(paidBefore.map((index) => [toHex(okxAt(index)), { index, batches: ['b-1'] }]));
    const outputs = [output(script, btc('1'))];
    return { spends, ...book.about({ outputs, requests: requestsFor(outputs), spends, indexed }) };
  }

  it('are those of the same ends, and no other that a descriptor was paid at', () => {
    const script = poisoned(7);
    const verdict = judge({ batch: { pay: [[script, btc('1')]] }, state: stateWith(script, [6, 7, 8]) });
    expect(summary(verdict)).toBe('ALLOW WARN LOOKALIKE');
    const found = verdict.findings.filter(({ code }) => code === 'LOOKALIKE');
    expect(found).toMatchObject([
      { subject: 'listed / okx /7', text: expect.stringContaining('is another destination') },
    ]);
  });

  it('are told apart one payee from another in one batch', () => {
    const script = poisoned(7);
    const change: BatchChange = {
      pay: [
        [script, btc('1')],
        [okxAt(7), btc('1')],
      ],
      requests: [],
    };
    const outputs = [output(script, btc('1')), output(okxAt(7), btc('1'))];
    const requests = [to(encodeAddress(script, 'main') ?? ''), okxRequest(7)];
    const state = withOkx(okxEntry(), { ...change, requests }, { outputs });
    const found = judge({ batch: { ...change, requests }, state }).findings.filter(({ code }) => code === 'LOOKALIKE');
    // The stranger looks like the address of the descriptor; that one is not held against itself.
    expect(found.map(({ subject }) => subject)).toEqual([`${encodeAddress(script, 'main')} / okx /7`]);
  });
});
