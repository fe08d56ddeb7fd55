import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sealEntry } from '../../src/journal/chain.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { EMPTY_STATE, fold, liveCoins, StateBuilder } from '../../src/journal/fold.js';
import { requestDigest } from '../../src/journal/requests.js';
import type { JournalState } from '../../src/journal/state.js';
import { BATCH_STATES, holdsBudget, holdsCoins, nextState, TRANSITIONS } from '../../src/journal/transitions.js';
import { next, START, sealAll, stateOf } from './chains.js';
import { outpoint, POLICY, SCRIPT, story } from './story.js';

const BASE = [story.opened(), story.policy()];
const tagOf = (result: ReturnType<typeof next>): string => (result.ok ? 'ok' : result.error.tag);
const messageOf = (result: ReturnType<typeof next>): string => (result.ok ? 'ok' : result.error.message);

/** Entries that bring batch `a` into each state. */
const WAYS: Readonly<Record<(typeof BATCH_STATES)[number], readonly EntryBody[]>> = {
  DRAFT: [],
  RESERVED: [story.verdict('a'), story.reserved('a')],
  SENT: [story.verdict('a'), story.reserved('a'), story.sent('a')],
  UNKNOWN: [story.verdict('a'), story.reserved('a'), story.sent('a'), story.unknown('a')],
  SIGNED: [story.verdict('a'), story.reserved('a'), story.sent('a'), story.signed('a')],
  CONFIRMED: [story.verdict('a'), story.reserved('a'), story.sent('a'), story.signed('a'), story.confirmed('a')],
  RELEASED: [story.verdict('a'), story.reserved('a'), story.sent('a'), story.released('a')],
  ABANDONED: [story.abandoned('a')],
};
const inState = (state: (typeof BATCH_STATES)[number]): JournalState =>
  stateOf([...BASE, story.planned('a'), ...WAYS[state]]);

/** One entry of each kind about batch `a`, with what it needs beside the state: a fresh verdict before a reservation. */
const STEPS: Readonly<Record<keyof typeof TRANSITIONS, readonly EntryBody[]>> = {
  'batch.verdict': [story.verdict('a')],
  'batch.approved': [story.approved('a', 'bob')],
  'batch.reserved': [story.verdict('a'), story.reserved('a')],
  'batch.sent': [story.sent('a')],
  'batch.released': [story.released('a')],
  'batch.unknown': [story.unknown('a')],
  'batch.signed': [story.signed('a')],
  'batch.confirmed': [story.confirmed('a')],
  'batch.abandoned': [story.abandoned('a')],
};
const KINDS = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];

describe('every kind in every state', () => {
  it.each(BATCH_STATES.flatMap((state) => KINDS.map((kind) => ({ state, kind }))))(
    '$kind in $state',
    ({ state, kind }) => {
      const due = nextState(state, kind);
      let now: JournalState = inState(state);
      const steps = STEPS[kind];
      let result = next(now, steps[0] ?? story.opened());
      for (const step of steps.slice(1)) {
        now = result.ok ? result.value : now;
        result = next(now, step);
      }
      if (due === null)
        expect([tagOf(result), messageOf(result)]).toEqual([
          'E_BATCH_STATE',
          expect.stringContaining(`batch a is ${state}; ${kind} needs`),
        ]);
      else expect(result.ok && result.value.batches.get('a')?.state).toBe(due);
    },
  );
});

describe('the record of a batch', () => {
  it('carries what was planned, approved, reserved and signed, with times and the place of its plan', () => {
    const bodies = [
      ...BASE,
      story.planned('a'),
      story.approved('a', 'bob'),
      story.verdict('a'),
      story.reserved('a', ['bob']),
      story.sent('a'),
      story.signed('a'),
    ];
    const batch = stateOf(bodies).batches.get('a');
    expect(batch).toMatchObject({
      state: 'SIGNED',
      plannedSeq: 2,
      plannedHash: sealAll(bodies)[2]?.hash,
      plannedAt: START + 120,
      spend: 91_000n,
      fee: 1000n,
      reservedAt: START + 300,
      approvals: [{ person: 'bob', at: START + 180, validUntil: START + 86_400 }],
      signed: { at: START + 420 },
      confirmed: null,
      reason: null,
    });
    expect(batch?.outputs.map(({ amount, change }) => [amount, change])).toEqual([
      [90_000n, null],
      [5000n, 3],
    ]);
  });

  it('forgets reservation and verdict when it is released, and keeps its approvals', () => {
    const state = stateOf([...BASE, story.planned('a'), story.approved('a', 'bob'), ...WAYS.RELEASED]);
    expect(state.batches.get('a')).toMatchObject({
      reservedAt: null,
      verdict: null,
      reason: expect.stringContaining('refused'),
    });
    expect(state.batches.get('a')?.approvals).toHaveLength(1);
  });

  it.each([
    ['2026-06-01T12:00:00Z', START + 240],
    ['2026-06-01T12:04:00Z', START + 240],
    ['2026-06-01T12:04:01Z', START + 241],
  ])('a confirmation in a block of %s counts from %i: never before the reservation', (time, at) => {
    const state = next(inState('SIGNED'), story.confirmed('a', time));
    expect(state.ok && state.value.batches.get('a')).toMatchObject({
      reservedAt: START + 240,
      confirmed: { at, height: 950_000 },
    });
  });
});

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
    ['an older policy', [story.policy(3, '77'.repeat(32))], story.policy(2, '88'.repeat(32)), 'E_JOURNAL_ENTRY'],
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

  it('that ran out carry no reservation', () => {
    const judged = next(state, story.verdict('a'), 60);
    if (!judged.ok) throw new Error('not judged');
    expect(tagOf(next(judged.value, story.reserved('a', ['bob']), 360))).toBe('ok');
    expect(tagOf(next(judged.value, story.reserved('a', ['bob']), 361))).toBe('E_JOURNAL_ENTRY');
  });
});

describe('coins and requests', () => {
  it('are free again when a batch is abandoned or released', () => {
    for (const end of ['ABANDONED', 'RELEASED'] as const) {
      const state = inState(end);
      expect([liveCoins(state).size, state.requests.size]).toEqual([0, 0]);
      expect(
        tagOf(next(state, story.planned('b', { inputs: state.batches.get('a')?.inputs ?? [], requests: ['a-r'] }))),
      ).toBe('ok');
    }
  });

  it('of a released batch that another one took keep it from being reserved again', () => {
    const inputs = inState('DRAFT').batches.get('a')?.inputs ?? [];
    for (const taken of [story.planned('b', { inputs }), story.planned('b', { requests: ['a-r'] })]) {
      const state = stateOf([...BASE, story.planned('a'), ...WAYS.RELEASED, taken, story.verdict('a')]);
      expect(messageOf(next(state, story.reserved('a')))).toContain('which batch b');
    }
  });

  it('are held again by a released batch that is reserved again', () => {
    const state = stateOf([...BASE, story.planned('a'), ...WAYS.RELEASED, story.verdict('a'), story.reserved('a')]);
    expect([...liveCoins(state)]).toEqual(state.batches.get('a')?.inputs);
    expect(state.requests.get('a-r')?.batch).toBe('a');
  });

  it('a digest covers id, script and amount, and no spelling or note', () => {
    const record = { id: 'w-1', address: 'x', script: SCRIPT, amount: '1', label: 'l' };
    expect(requestDigest({ ...record, address: 'X', label: 'm' } as typeof record)).toBe(requestDigest(record));
    for (const other of [{ id: 'w-2' }, { script: '51' }, { amount: '2' }])
      expect(requestDigest({ ...record, ...other })).not.toBe(requestDigest(record));
  });
});

describe('the address book', () => {
  const book = (added: [string, string][], removed: [string, string][]): EntryBody => ({
    kind: 'book.changed',
    digest: POLICY,
    document: POLICY,
    added: added.map(([id, script]) => ({ id, script, label: id })),
    removed: removed.map(([id, script]) => ({ id, script })),
  });

  it('gives each destination the time of the entry that added it, and keeps it', () => {
    const state = stateOf([...BASE, book([['x', '51']], []), book([['y', '52']], [])]);
    expect([...(state.book?.entries.values() ?? [])].map(({ id, since }) => [id, since])).toEqual([
      ['x', START + 120],
      ['y', START + 180],
    ]);
  });

  it('begins the age anew when the script of an id changes', () => {
    const state = stateOf([...BASE, book([['x', '51']], []), book([['x', '52']], [['x', '51']])]);
    expect(state.book?.entries.get('x')).toEqual({ id: 'x', script: '52', label: 'x', since: START + 180 });
  });

  it.each([
    ['an id that is there already', book([['x', '52']], [])],
    ['the removal of an id that is not there', book([], [['y', '51']])],
    ['the removal of an id with another script', book([], [['x', '52']])],
  ])('refuses %s', (_, body) => {
    expect(tagOf(next(stateOf([...BASE, book([['x', '51']], [])]), body))).toBe('E_JOURNAL_ENTRY');
  });
});

const anyBody = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(fc.nat(3), { maxLength: 2 }),
    )
    .map(([batch, coins, ids]) =>
      story.planned(batch, { inputs: coins.map(outpoint), requests: ids.map((id) => `w-${id}`) }),
    ),
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('verdict', 'reserved', 'sent', 'released', 'unknown', 'signed', 'abandoned', 'confirmed'),
    )
    .map(([batch, kind]) => story[kind as 'sent'](batch)),
);

describe('any sequence of entries', () => {
  it('never lets two batches hold a coin or a request, nor frees what a device may have signed', () => {
    fc.assert(
      fc.property(fc.array(anyBody, { maxLength: 60 }), (bodies) => {
        const builder = new StateBuilder(stateOf(BASE));
        const exposed = new Set<string>();
        for (const body of bodies) {
          const before = builder.snapshot();
          const taken = builder.apply(sealEntry(before.head, START + 3600, body)).ok;
          if (taken && body.kind === 'batch.unknown') exposed.add(body.batch);
          if (taken && body.kind === 'batch.signed') exposed.add(body.batch);
          const { batches, heldCoins, requests } = builder.snapshot();
          const holding = [...batches.values()].filter(({ state }) => holdsCoins(state));
          expect([...heldCoins].sort()).toEqual(
            holding.flatMap(({ id, inputs }) => inputs.map((coin) => [coin, id])).sort(),
          );
          expect([...requests.keys()].sort()).toEqual(
            holding.flatMap((batch) => batch.requests.map(({ id }) => id)).sort(),
          );
          for (const id of exposed) expect(holdsBudget(batches.get(id)?.state ?? 'ABANDONED')).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('leaves every snapshot as it was, and gives the same state as fold', () => {
    fc.assert(
      fc.property(fc.array(anyBody, { maxLength: 30 }), (bodies) => {
        let folded = stateOf(BASE);
        const builder = new StateBuilder(folded);
        const kept: [JournalState, JournalState][] = [];
        for (const body of bodies) {
          const entry = sealEntry(builder.head, START + 3600, body);
          const applied = builder.apply(entry).ok;
          const next = fold(folded, entry);
          expect(next.ok).toBe(applied);
          folded = next.ok ? next.value : folded;
          const snapshot = builder.snapshot();
          kept.push([snapshot, structuredClone(snapshot)]);
        }
        expect(builder.snapshot()).toEqual(folded);
        for (const [snapshot, then] of kept) expect(snapshot).toEqual(then);
      }),
      { numRuns: 100 },
    );
  });
});
