import { describe, expect, it } from 'vitest';
import { faultOfAges, unsoundness } from '../../src/policy/sound.js';
import type { EvaluationInput } from '../../src/policy/types.js';
import { BOOK, batch, inputOf, NOW, spent } from './fixture.js';

// Values of the right type that no journal and no PSBT can hold, beside the last that one can.

const judged = (change: Partial<EvaluationInput>): EvaluationInput => ({ ...inputOf({}), ...change });
const fault = (change: Partial<EvaluationInput>): string | null =>
  unsoundness(judged(change), { spends: false, book: undefined });
const facts = (change: object) => fault({ facts: { ...batch().facts, ...change } as EvaluationInput['facts'] });
const state = (change: object) => fault({ state: { ...inputOf({}).state, ...change } as EvaluationInput['state'] });
const input = (change: object) => {
  const [one] = batch().facts.inputs;
  return facts({ inputs: [{ ...one, ...change }] });
};
const request = (change: object) => {
  const [one] = batch().requests;
  return fault({ requests: [{ ...one, ...change }] as unknown as EvaluationInput['requests'] });
};

const HASH = 'ab'.repeat(32);

describe('what is sound', () => {
  it('is the batch that the cases start from', () => {
    expect(fault({})).toBeNull();
  });

  it.each<[string, () => string | null, () => string | null]>([
    ['a size of 1 vB, and none of 0', () => facts({ vsize: 1n }), () => facts({ vsize: 0n })],
    ['a size that is an amount, and no number', () => facts({ vsize: 400n }), () => facts({ vsize: 400 })],
    ['the highest lock time', () => facts({ locktime: 0xffffffff }), () => facts({ locktime: 0x100000000 })],
    ['the lowest version', () => facts({ version: -0x80000000 }), () => facts({ version: -0x80000001 })],
    ['a hash of 64 digits', () => facts({ psbtSha256: HASH }), () => facts({ psbtSha256: `${HASH}0` })],
    ['and nothing before them', () => facts({ psbtSha256: HASH }), () => facts({ psbtSha256: `0${HASH}` })],
    ['in small letters', () => facts({ psbtSha256: HASH }), () => facts({ psbtSha256: HASH.toUpperCase() })],
    ['a vault with a name', () => facts({}), () => facts({ vault: {} })],
    ['the highest sequence', () => input({ sequence: 0xffffffff }), () => input({ sequence: 0x100000000 })],
    [
      'the highest output of a transaction',
      () => input({ outpoint: { txid: HASH, vout: 0xffffffff } }),
      () => input({ outpoint: { txid: HASH, vout: 0x100000000 } }),
    ],
    [
      'the highest index of the vault',
      () => input({ origin: { branch: 0, index: 0x7fffffff } }),
      () => input({ origin: { branch: 0, index: 0x80000000 } }),
    ],
    [
      'two branches',
      () => input({ origin: { branch: 1, index: 0 } }),
      () => input({ origin: { branch: 2, index: 0 } }),
    ],
    [
      'the first block',
      () => state({ tip: { height: 0, medianTimePast: 0 } }),
      () => state({ tip: { height: -1, medianTimePast: 0 } }),
    ],
    ['a tip that has a time', () => state({ tip: { height: 1, medianTimePast: NOW } }), () => state({ tip: {} })],
    [
      'the highest index of change',
      () => state({ lastUsedChange: 0x7fffffff }),
      () => state({ lastUsedChange: 0x80000000 }),
    ],
    ['no change yet', () => state({ lastUsedChange: -1 }), () => state({ lastUsedChange: -1.5 })],
    ['an empty vault', () => state({ confirmedBalance: 0n }), () => state({ confirmedBalance: -1n })],
    ['a request of nothing', () => request({ amount: 0n }), () => request({ amount: -1n })],
    ['the highest index of a descriptor', () => request({ index: 0x7fffffff }), () => request({ index: 0x80000000 })],
    ['the first second', () => fault({ now: 0 }), () => fault({ now: -1 })],
    ['whole seconds', () => fault({ now: NOW }), () => fault({ now: NOW + 0.5 })],
    ['a number that is one', () => fault({ now: NOW }), () => fault({ now: `${NOW}` as unknown as number })],
  ])('%s', (_, good, bad) => {
    // Sums are looked at last: whatever is said of them, the value itself was taken.
    expect(good() ?? '').not.toContain('missing or mistyped');
    expect(bad()).toMatch(/ is missing or mistyped$/);
  });
});

describe('the place of a fault', () => {
  it('is told from the top, through lists and maps', () => {
    expect(facts({ vsize: 0n })).toBe('facts.vsize is missing or mistyped');
    expect(input({ coin: {} })).toBe('facts.inputs[0].coin.confirmations is missing or mistyped');
    expect(state({ approvals: [{ person: 'alice' }] })).toBe('state.approvals[0].at is missing or mistyped');
    expect(state({ spends: [{ ...spent(1n), fee: -1n }] })).toBe('state.spends[0].fee is missing or mistyped');
    expect(state({ destinations: new Map([['51', { id: 'x' }]]) })).toBe(
      'state.destinations[51].label is missing or mistyped',
    );
    expect(request({ script: '51' })).toBe('requests[0].script is missing or mistyped');
  });

  it('of a key of a map that is no text is the key', () => {
    const [[, entry] = []] = [...BOOK];
    expect(faultOfAges(new Map<unknown, unknown>([[5, entry]]))).toBe('[5]');
    expect(faultOfAges(new Map<unknown, unknown>([['5', entry]]))).toBeNull();
    expect(faultOfAges([])).toBe('');
  });
});

describe('sums', () => {
  const { fee, external, spend } = batch().facts;

  it.each([
    ['fee', { fee: fee + 1n }, 'facts.fee is not what inputs and outputs leave'],
    ['external', { external: external - 1n }, 'facts.external is not what the outputs add up to'],
    ['spend', { spend: spend + 1n }, 'facts.spend is not what own inputs and change leave'],
  ])('the %s is added up again', (_, change, expected) => {
    expect(facts(change)).toBe(expected);
  });

  it('a fee may be below nothing, which is for the rules to deny', () => {
    expect(facts({ fee: -1n })).toBe('facts.fee is not what inputs and outputs leave');
    expect(facts({ fee: 1 })).toBe('facts.fee is missing or mistyped');
  });
});
