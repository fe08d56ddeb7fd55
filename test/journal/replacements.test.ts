import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/domain/bytes.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { liveCoins } from '../../src/journal/fold.js';
import { next, stateOf } from './chains.js';
import { outpoint, story } from './story.js';
import { BASE, messageOf, OVERTAKEN, tagOf, WAYS } from './ways.js';

const COIN = `${sha256Hex('a')}:0`;
const SIGNED: readonly EntryBody[] = [...BASE, story.planned('a'), ...WAYS.SIGNED];
const bump = { inputs: [COIN], requests: ['a-r'], fee: '1001', replaces: 'a' };

/** What the journal says to one more entry. */
const says = (bodies: readonly EntryBody[], body: EntryBody): string => {
  const result = next(stateOf(bodies), body);
  return result.ok ? 'ok' : `${tagOf(result)} ${messageOf(result)}`;
};

describe('a batch that replaces another one', () => {
  it('spends all of its coins, and may spend more', () => {
    expect(says(SIGNED, story.planned('b', bump))).toBe('ok');
    expect(says(SIGNED, story.planned('b', { ...bump, inputs: [COIN, outpoint(7)] }))).toBe('ok');
    expect(says(SIGNED, story.planned('b', { ...bump, inputs: [outpoint(7)] }))).toMatch(/both could confirm/);
  });

  it('pays a higher fee, by one sat at least', () => {
    expect(says(SIGNED, story.planned('b', { ...bump, fee: '1000' }))).toMatch(/no higher fee/);
  });

  it('makes the same payments, or none', () => {
    expect(says(SIGNED, story.planned('b', { ...bump, amount: '90001' }))).toMatch(
      /E_REQUEST_ID_REUSE|not pay the same/,
    );
    expect(says(SIGNED, story.planned('b', { ...bump, requests: ['other'] }))).toMatch(/not pay the same/);
    expect(says(SIGNED, story.planned('b', { ...bump, batchKind: 'cancellation' }))).toBe('ok');
    expect(says(SIGNED, story.planned('b', { ...bump, batchKind: 'consolidation' }))).toMatch(/another kind/);
  });

  it('replaces what is signed and open: nothing earlier, nothing settled', () => {
    for (const state of [
      'DRAFT',
      'RESERVED',
      'RELEASED',
      'ABANDONED',
      'CONFIRMED',
      'REPLACED',
      'CONFLICTED',
    ] as const) {
      expect(says([...BASE, story.planned('a'), ...WAYS[state]], story.planned('b', bump))).toMatch(/which is|holds/);
    }
    for (const state of ['SENT', 'PARTIAL', 'UNKNOWN'] as const) {
      const before = [...BASE, story.planned('a'), ...WAYS[state]];
      expect(says(before, story.planned('b', bump))).toMatch(/which is/);
      expect(says(before, story.planned('b', { ...bump, batchKind: 'cancellation' }))).toBe('ok');
    }
    expect(says(SIGNED, story.planned('b', { ...bump, replaces: 'nobody' }))).toMatch(/no batch/);
    expect(says(SIGNED, story.planned('b', { inputs: [outpoint(7)], batchKind: 'cancellation' }))).toMatch(
      /names no batch/,
    );
  });

  it('is alone in that while it is alive', () => {
    const first = [...SIGNED, story.planned('b', bump)];
    expect(says(first, story.planned('c', bump))).toMatch(/has a replacement already: batch b/);
    expect(says([...first, story.abandoned('b')], story.planned('c', bump))).toBe('ok');
  });

  it('holds the coins, and the one that it was to replace does again where it is given up', () => {
    const planned = stateOf([...SIGNED, story.planned('b', { ...bump, inputs: [COIN, outpoint(7)] })]);
    expect([...planned.heldCoins]).toEqual([
      [COIN, 'b'],
      [outpoint(7), 'b'],
    ]);
    const given = next(planned, story.abandoned('b'));
    expect(given.ok && [...given.value.heldCoins]).toEqual([[COIN, 'a']]);
    expect(given.ok && given.value.requests.get('a-r')?.batch).toBe('a');
  });

  it('is not reserved once what it replaces is confirmed', () => {
    const before = [...SIGNED, story.planned('b', bump), story.confirmed('a'), story.verdict('b')];
    expect(says(before, story.reserved('b', [], '90000', { fee: '1001' }))).toMatch(/which is CONFIRMED/);
  });
});

describe('what the chain settles', () => {
  const over = [...SIGNED, ...OVERTAKEN];

  it('is replaced only by a confirmed batch that spends its coins', () => {
    expect(says(over, story.replaced('a', 'z'))).toBe('ok');
    expect(says(over, story.replaced('a', 'a'))).toMatch(/not confirmed/);
    expect(says(over.slice(0, -1), story.replaced('a', 'z'))).toMatch(/not confirmed/);
    const stranger = [
      story.planned('s'),
      story.verdict('s'),
      story.reserved('s'),
      story.verdict('s'),
      story.sent('s'),
      story.signed('s'),
    ];
    expect(says([...over, ...stranger], story.replaced('s', 'z'))).toMatch(/none of its coins/);
  });

  it('counts again before what had replaced it falls back', () => {
    const replaced = [...over, story.replaced('a', 'z')];
    expect(says(replaced, story.unconfirmed('z'))).toMatch(/still replaced by it/);
    expect(says([...replaced, story.unsettled('a')], story.unconfirmed('z'))).toBe('ok');
  });

  it('never has two that exclude each other confirmed', () => {
    expect(says(over, story.confirmed('a'))).toMatch(/so is z/);
  });

  it('frees coins and request ids, and takes them back', () => {
    const conflicted = stateOf([...SIGNED, story.conflicted('a')]);
    expect([liveCoins(conflicted).size, conflicted.requests.size]).toEqual([0, 0]);
    const back = next(conflicted, story.unsettled('a'));
    expect(back.ok && [...back.value.heldCoins, back.value.batches.get('a')?.state]).toEqual([[COIN, 'a'], 'SIGNED']);
    expect(says([...SIGNED], story.conflicted('a', outpoint(7)))).toMatch(/neither it nor/);
  });
});

describe('a child', () => {
  const change = `${sha256Hex('a txid')}:1`;
  const child = { inputs: [change], batchKind: 'child', childOf: 'a', fee: '700' } as const;

  it('spends change of a signed batch and nothing else', () => {
    expect(says(SIGNED, story.planned('k', child))).toBe('ok');
    expect(says(SIGNED, story.planned('k', { ...child, inputs: [`${sha256Hex('a txid')}:0`] }))).toMatch(/no change/);
    expect(says(SIGNED, story.planned('k', { ...child, inputs: [change, outpoint(7)] }))).toMatch(/no change/);
    expect(says([...BASE, story.planned('a')], story.planned('k', child))).toMatch(/which is DRAFT/);
    expect(says(SIGNED, story.planned('k', { inputs: [change], batchKind: 'child' }))).toMatch(/child of no batch/);
  });
});
