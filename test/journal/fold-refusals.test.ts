import { describe, expect, it } from 'vitest';
import { sealEntry } from '../../src/journal/chain.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { EMPTY_STATE, StateBuilder } from '../../src/journal/fold.js';
import { next, START, stateOf } from './chains.js';
import { outpoint, POLICY, SCRIPT, story } from './story.js';
import { BASE, tagOf, WAYS } from './ways.js';

describe('entries that contradict the journal', () => {
  const cases: [string, readonly EntryBody[], EntryBody, string][] = [
    ['a batch that was never planned', [], story.sent('b'), 'E_BATCH_UNKNOWN'],
    [
      'a batch planned twice',
      [story.planned('a')],
      story.planned('a', { inputs: [outpoint(1)], requests: [] }),
      'E_BATCH_STATE',
    ],
    ['a fee above the spend', [], { ...story.planned('a'), fee: '91001' } as EntryBody, 'E_JOURNAL_ENTRY'],
    ['sent without a reservation', [story.planned('a'), story.verdict('a')], story.sent('a'), 'E_BATCH_STATE'],
    [
      'sent over another PSBT',
      [story.planned('a'), ...WAYS.RESERVED],
      { ...story.sent('a'), psbt: POLICY } as EntryBody,
      'E_PSBT_CHANGED',
    ],
    [
      'signed over another PSBT',
      [story.planned('a'), ...WAYS.SENT],
      { ...story.signed('a'), psbt: POLICY } as EntryBody,
      'E_PSBT_CHANGED',
    ],
    [
      'a verdict on another PSBT',
      [story.planned('a')],
      { ...story.verdict('a'), psbt: POLICY } as EntryBody,
      'E_PSBT_CHANGED',
    ],
    ['reserved without a verdict', [story.planned('a')], story.reserved('a'), 'E_JOURNAL_ENTRY'],
    [
      'reserved on a verdict of planning',
      [story.planned('a'), story.verdict('a', 'ALLOW', 'plan')],
      story.reserved('a'),
      'E_JOURNAL_ENTRY',
    ],
    ['reserved on NEED', [story.planned('a'), story.verdict('a', 'NEED')], story.reserved('a'), 'E_JOURNAL_ENTRY'],
    [
      'reserved on DENY after an ALLOW',
      [story.planned('a'), story.verdict('a'), story.verdict('a', 'DENY')],
      story.reserved('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved on the word of another policy',
      [story.planned('a'), story.verdict('a', 'ALLOW', 'sign', SCRIPT.padEnd(64, '0').slice(0, 64))],
      story.reserved('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved after the policy changed',
      [story.planned('a'), story.verdict('a'), story.policy(2, '77'.repeat(32))],
      story.reserved('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'sent after the policy changed',
      [story.planned('a'), ...WAYS.RESERVED, story.policy(2, '77'.repeat(32))],
      story.sent('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'sent after a DENY',
      [story.planned('a'), ...WAYS.RESERVED, story.verdict('a', 'DENY')],
      story.sent('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved again on the old verdict',
      [story.planned('a'), ...WAYS.RELEASED],
      story.reserved('a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved with another spend',
      [story.planned('a'), story.verdict('a')],
      { ...story.reserved('a'), spend: '90999' } as EntryBody,
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved with another fee',
      [story.planned('a'), story.verdict('a')],
      { ...story.reserved('a'), fee: '999' } as EntryBody,
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved with an output less',
      [story.planned('a'), story.verdict('a')],
      { ...story.reserved('a'), outputs: [{ script: SCRIPT, amount: '90000' }] } as EntryBody,
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved with a payment called change',
      [story.planned('a'), story.verdict('a')],
      {
        ...story.reserved('a'),
        outputs: [
          { script: SCRIPT, amount: '90000', change: 1 },
          { script: SCRIPT, amount: '5000', change: 3 },
        ],
      } as EntryBody,
      'E_JOURNAL_ENTRY',
    ],
    [
      'reserved on the word of a stranger',
      [story.planned('a'), story.verdict('a')],
      story.reserved('a', ['bob']),
      'E_JOURNAL_ENTRY',
    ],
    [
      'a coin in two live batches',
      [story.planned('a', { inputs: [outpoint(1), outpoint(2)] })],
      story.planned('b', { inputs: [outpoint(3), outpoint(2)] }),
      'E_BATCH_STATE',
    ],
    [
      'a request in two live batches',
      [story.planned('a', { requests: ['w-1'] })],
      story.planned('b', { requests: ['w-2', 'w-1'] }),
      'E_BATCH_STATE',
    ],
    [
      'a request id with another amount',
      [story.planned('a', { requests: ['w-1'] }), story.abandoned('a')],
      story.planned('b', { requests: ['w-1'], amount: '90001' }),
      'E_REQUEST_ID_REUSE',
    ],
    [
      'an approval by one person twice',
      [story.planned('a'), story.approved('a', 'bob')],
      story.approved('a', 'bob', '2026-06-03T12:00:00Z'),
      'E_APPROVAL_REPLAY',
    ],
    [
      'an approval that ran out before',
      [story.planned('a')],
      story.approved('a', 'bob', '2026-06-01T12:02:59Z'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'the confirmation of another transaction',
      [story.planned('a'), ...WAYS.SIGNED],
      { ...story.confirmed('a'), txid: POLICY } as EntryBody,
      'E_JOURNAL_ENTRY',
    ],
    ['a second opening', [], story.opened(), 'E_JOURNAL_ENTRY'],
    ['the policy that is active', [], story.policy(1), 'E_JOURNAL_ENTRY'],
    ['a policy of a version that is known', [story.policy(2, '77'.repeat(32))], story.policy(2), 'E_JOURNAL_ENTRY'],
    [
      'a vault of another network',
      [],
      { kind: 'vault.imported', vault: 'v', network: 'main', descriptor: 'd' },
      'E_JOURNAL_ENTRY',
    ],
    [
      'another vault after a batch',
      [story.planned('a')],
      { kind: 'vault.imported', vault: 'v', network: 'regtest', descriptor: 'd' },
      'E_JOURNAL_ENTRY',
    ],
    [
      'the part of a cosigner that is known already',
      [story.planned('a'), ...WAYS.PARTIAL],
      story.partial('a', '73c5da0a'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'a part of another PSBT',
      [story.planned('a'), ...WAYS.PARTIAL],
      { ...story.partial('a'), psbt: POLICY } as EntryBody,
      'E_PSBT_CHANGED',
    ],
    [
      'handing out without a verdict right before it',
      [story.planned('a'), ...WAYS.PARTIAL],
      story.exported('a'),
      'E_JOURNAL_ENTRY',
    ],
    ['a registration before there is a vault', [], story.registered('f5acc2fd'), 'E_JOURNAL_ENTRY'],
    [
      'a registration under the name of another vault',
      [story.vault()],
      story.registered('f5acc2fd', '22'.repeat(32), 'other'),
      'E_JOURNAL_ENTRY',
    ],
    [
      'a coin thawed that is not frozen',
      [],
      { kind: 'coin.unfrozen', outpoint: outpoint(1), reason: '', by: '' },
      'E_JOURNAL_ENTRY',
    ],
  ];
  it.each(cases)('refuses %s', (_, before, body, tag) => {
    expect(tagOf(next(stateOf([...BASE, ...before]), body))).toBe(tag);
  });

  it('refuses any entry before the opening', () => {
    expect(tagOf(next(EMPTY_STATE, story.policy()))).toBe('E_JOURNAL_ENTRY');
  });

  it('leaves no trace of a refused entry', () => {
    for (const [, before, body] of cases) {
      const state = stateOf([...BASE, ...before]);
      const builder = new StateBuilder(state);
      builder.apply(sealEntry(state.head, (state.head?.at ?? 0) + 60, body));
      expect(builder.snapshot()).toEqual(state);
    }
  });
});

describe('approvals', () => {
  const state = stateOf([...BASE, story.planned('a'), story.approved('a', 'bob', '2026-06-01T12:10:00Z')]);
  const renewal = story.approved('a', 'bob', '2026-06-02T12:00:00Z');

  it.each([
    [419, 'ok'],
    [418, 'ok'],
    [420, 'ok'],
  ])('of another person are taken at any time (%i s)', (seconds, tag) => {
    expect(tagOf(next(state, story.approved('a', 'carol'), seconds))).toBe(tag);
  });

  it.each([
    [419, 'E_APPROVAL_REPLAY'],
    [420, 'ok'],
    [421, 'ok'],
  ])('%i s later the one that runs out after 420 s may be renewed: %s', (seconds, tag) => {
    const renewed = next(state, renewal, seconds);
    expect(tagOf(renewed)).toBe(tag);
    if (renewed.ok)
      expect(renewed.value.batches.get('a')?.approvals).toMatchObject([{ person: 'bob', at: START + 180 + seconds }]);
  });

  it('of one person are taken beside one that stands if another signature carries them', () => {
    const again = next(state, { ...renewal, signature: 'another' } as EntryBody, 60);
    if (!again.ok) throw new Error(again.error.message);
    expect(again.value.batches.get('a')?.approvals).toMatchObject([{ person: 'bob', signature: 'another' }]);
  });

  it('that ran out carry no reservation', () => {
    const judged = next(state, story.verdict('a'), 60);
    if (!judged.ok) throw new Error('not judged');
    expect(tagOf(next(judged.value, story.reserved('a', ['bob']), 360))).toBe('ok');
    expect(tagOf(next(judged.value, story.reserved('a', ['bob']), 361))).toBe('E_JOURNAL_ENTRY');
  });
});
