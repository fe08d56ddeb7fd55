import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sealEntry } from '../../src/journal/chain.js';
import type { Entry, EntryBody } from '../../src/journal/entries.js';
import { fold, liveCoins, StateBuilder } from '../../src/journal/fold.js';
import { requestDigest } from '../../src/journal/requests.js';
import type { JournalState } from '../../src/journal/state.js';
import { BATCH_STATES, holdsBudget, holdsCoins, nextState, TRANSITIONS } from '../../src/journal/transitions.js';
import { anyBody } from './any-body.js';
import { next, START, sealAll, stateOf } from './chains.js';
import { CHANGE, POLICY, SCRIPT, story } from './story.js';
import { BASE, inState, messageOf, OVERTAKEN, tagOf, WAYS } from './ways.js';

/** All of a state with maps of its own. */
const copyOf = (state: JournalState): unknown =>
  structuredClone(
    Object.fromEntries(
      Object.entries(state).map(([key, part]) => [
        key,
        typeof part?.entries === 'function' ? [...part.entries()] : part,
      ]),
    ),
  );

/** One entry of each kind about batch `a`, with what it needs beside the state: a fresh verdict, to reserve and to send. */
const STEPS: Readonly<Record<keyof typeof TRANSITIONS, readonly EntryBody[]>> = {
  'batch.verdict': [story.verdict('a')],
  'batch.approved': [story.approved('a', 'bob')],
  'batch.reserved': [story.verdict('a'), story.reserved('a')],
  'batch.sent': [story.verdict('a'), story.sent('a')],
  'batch.exported': [story.verdict('a'), story.exported('a')],
  'batch.partial': [story.partial('a')],
  'batch.declined': [story.declined('a')],
  'batch.released': [story.released('a')],
  'batch.unknown': [story.unknown('a')],
  'batch.signed': [story.signed('a')],
  'batch.broadcast': [story.broadcast('a')],
  'batch.confirmed': [story.confirmed('a')],
  'batch.unconfirmed': [story.unconfirmed('a')],
  'batch.replaced': [...OVERTAKEN, story.replaced('a', 'z')],
  'batch.conflicted': [story.conflicted('a')],
  'batch.unsettled': [story.unsettled('a')],
  'batch.abandoned': [story.abandoned('a')],
  'batch.rejected': [story.rejected('a', 'erin')],
  'batch.withdrawn': [story.approved('a', 'erin'), story.withdrawn('a', 'erin')],
};
const KINDS = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];

describe('every kind in every state', () => {
  it.each(BATCH_STATES.flatMap((state) => KINDS.map((kind) => ({ state, kind }))))(
    '$kind in $state',
    ({ state, kind }) => {
      let now: JournalState = inState(state);
      const due = nextState(state, kind, now.batches.get('a')?.settled?.from);
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

describe('registrations', () => {
  it('are one a device, the newest; a state that was taken before keeps the older one', () => {
    const builder = new StateBuilder();
    const bodies = [
      ...BASE,
      story.vault(),
      story.registered('f5acc2fd', '11'.repeat(32)),
      story.registered('73c5da0a', '22'.repeat(32)),
    ];
    for (const entry of sealAll(bodies)) expect(builder.apply(entry).ok).toBe(true);
    const before = builder.snapshot();
    expect(builder.apply(sealEntry(before.head, 1_800_000_000, story.registered('f5acc2fd', '33'.repeat(32)))).ok).toBe(
      true,
    );
    const hmacs = ({ registrations }: JournalState) => [...registrations.values()].map(({ hmac }) => hmac.slice(0, 2));
    expect([hmacs(before), hmacs(builder.snapshot())]).toEqual([
      ['11', '22'],
      ['33', '22'],
    ]);
    expect(builder.snapshot().registrations.get('f5acc2fd')).toMatchObject({ name: 'cold', at: 1_800_000_000 });
  });
});

describe('the kind of a batch', () => {
  const consolidation = (more: Partial<Extract<EntryBody, { kind: 'batch.planned' }>> = {}): EntryBody => ({
    ...(story.planned('a') as Extract<EntryBody, { kind: 'batch.planned' }>),
    batchKind: 'consolidation',
    requests: [],
    outputs: [{ script: CHANGE, amount: '5000', change: 3 }],
    ...more,
  });

  it('is a withdrawal where the entry says nothing, as entries did before there was another', () => {
    expect(stateOf([...BASE, story.planned('a')]).batches.get('a')?.kind).toBe('withdrawal');
    expect(stateOf([...BASE, consolidation()]).batches.get('a')?.kind).toBe('consolidation');
  });

  it.each([
    ['a request', { requests: [{ id: 'r', address: 'bcrt1q', script: SCRIPT, amount: '1' }] }],
    ['an output that is no change', { outputs: [{ script: SCRIPT, amount: '5000' }] }],
  ])('is no consolidation with %s', (_, more) => {
    const folded = next(stateOf(BASE), consolidation(more));
    expect(tagOf(folded)).toBe('E_JOURNAL_ENTRY');
    expect(messageOf(folded)).toContain('and yet pays somebody');
  });
});

describe('the record of a batch', () => {
  it('carries what was planned, approved, reserved and signed, with times and the place of its plan', () => {
    const bodies = [
      ...BASE,
      story.planned('a'),
      story.approved('a', 'bob'),
      story.verdict('a'),
      story.reserved('a', ['bob']),
      story.verdict('a'),
      story.sent('a', ['bob']),
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
      signed: { at: START + 480 },
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
    ['2026-06-01T12:00:00Z', START + 420],
    ['2026-06-01T12:07:00Z', START + 420],
    ['2026-06-01T12:07:01Z', START + 421],
  ])('a confirmation in a block of %s counts from %i: never before the signature', (time, at) => {
    const state = next(inState('SIGNED'), story.confirmed('a', time));
    expect(state.ok && state.value.batches.get('a')).toMatchObject({
      reservedAt: START + 240,
      signed: { at: START + 420 },
      confirmed: { at, height: 950_000 },
    });
  });

  it.each([
    [949_998, 950_000],
    [949_999, 950_000],
    [950_000, 950_001],
    [960_000, 960_001],
  ])('a confirmation in block 950000 of what was signed at tip %i counts from block %i', (height, from) => {
    const coins: EntryBody = {
      kind: 'coins.imported',
      snapshot: POLICY,
      height,
      hash: POLICY,
      medianTimePast: START - 3600,
      coins: 1,
      total: '1',
    };
    const state = stateOf([...BASE, coins, story.planned('a'), ...WAYS.SIGNED, story.confirmed('a')]);
    expect(state.batches.get('a')).toMatchObject({ signed: { tipHeight: height }, confirmed: { height: from } });
  });
});

describe('what goes to the device', () => {
  const reserved = stateOf([...BASE, story.planned('a'), story.approved('a', 'bob'), ...WAYS.RESERVED]);
  const then = (state: JournalState, body: EntryBody, seconds = 60): JournalState => {
    const result = next(state, body, seconds);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  };
  const judged = then(reserved, story.verdict('a'));

  it.each([
    [59, 'ok'],
    [60, 'ok'],
    [61, 'E_JOURNAL_ENTRY'],
  ])('was judged right before: %i s earlier gives %s', (seconds, tag) => {
    expect(tagOf(next(judged, story.sent('a'), seconds))).toBe(tag);
  });

  it('was judged again since its reservation, with nothing in between', () => {
    expect(messageOf(next(reserved, story.sent('a'), 0))).toContain('without a verdict of that moment');
    const between = then(judged, story.frozen(), 0);
    expect(messageOf(next(between, story.sent('a'), 0))).toContain('without a verdict of that moment');
    for (const verdict of [
      story.verdict('a', 'NEED'),
      story.verdict('a', 'DENY'),
      story.verdict('a', 'ALLOW', 'plan'),
    ]) {
      expect(messageOf(next(then(reserved, verdict), story.sent('a'), 0))).toContain(
        'without a verdict ALLOW at stage sign',
      );
    }
  });

  it('goes upon the word of people whose approval stands at that second', () => {
    const until = (seconds: number) => {
      const state = then(judged, story.verdict('a'), seconds);
      return [tagOf(next(state, story.sent('a', ['bob']), 0)), tagOf(next(state, story.sent('a'), 0))];
    };
    const left = 86_400 - 360;
    expect(until(left)).toEqual(['ok', 'ok']);
    expect(until(left + 1)).toEqual(['E_JOURNAL_ENTRY', 'ok']);
    expect(messageOf(next(judged, story.sent('a', ['carol'])))).toContain('upon the word of carol');
  });

  it('spends no coin that somebody froze, and is not even reserved then', () => {
    const [coin = ''] = reserved.batches.get('a')?.inputs ?? [];
    const freeze: EntryBody = { kind: 'coin.frozen', outpoint: coin, reason: 'looked into', by: 'alice' };
    const frozen = then(then(reserved, freeze), story.verdict('a'));
    expect(messageOf(next(frozen, story.sent('a')))).toContain(`spends ${coin}, which is frozen`);
    const draft = then(then(inState('DRAFT'), freeze), story.verdict('a'));
    expect(messageOf(next(draft, story.reserved('a')))).toContain(`spends ${coin}, which is frozen`);
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
  const book = (added: [string, string][], removed: [string, string][], version = 2): EntryBody => ({
    kind: 'book.changed',
    digest: POLICY,
    version,
    document: POLICY,
    under: POLICY,
    signatures: [{ person: 'erin', signature: 'armoured' }],
    added: added.map(([id, script]) => ({ id, script, label: id })),
    removed: removed.map(([id, script]) => ({ id, script })),
  });

  it('gives each destination the time of the entry that added it, and keeps it', () => {
    const state = stateOf([...BASE, book([['x', '51']], [], 1), book([['y', '52']], [])]);
    expect([...(state.book?.entries.values() ?? [])].map(({ id, since }) => [id, since])).toEqual([
      ['x', START + 120],
      ['y', START + 180],
    ]);
  });

  it('begins the age anew when the script of an id changes', () => {
    const state = stateOf([...BASE, book([['x', '51']], [], 1), book([['x', '52']], [['x', '51']])]);
    expect(state.book?.entries.get('x')).toEqual({ id: 'x', script: '52', label: 'x', since: START + 180 });
  });

  it.each([
    ['an id that is there already', book([['x', '52']], [])],
    ['the removal of an id that is not there', book([], [['y', '51']])],
    ['the removal of an id with another script', book([], [['x', '52']])],
  ])('refuses %s', (_, body) => {
    expect(tagOf(next(stateOf([...BASE, book([['x', '51']], [], 1)]), body))).toBe('E_JOURNAL_ENTRY');
  });
});

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

  it('notes every entry that was taken and is neither of a batch nor of coins, in order, and no other', () => {
    fc.assert(
      fc.property(fc.array(anyBody, { maxLength: 60 }), (bodies) => {
        const isGround = ({ body }: Entry): boolean => !/^(?:batch|coins?)\./.test(body.kind);
        const due = sealAll(BASE).filter(isGround);
        const builder = new StateBuilder(stateOf(BASE));
        for (const body of bodies) {
          const entry = sealEntry(builder.head, START + 3600, body);
          if (builder.apply(entry).ok && isGround(entry)) due.push(entry);
        }
        const noted: Entry[] = [];
        for (let at = builder.snapshot().ground; at !== null; at = at.before) noted.unshift(at.entry);
        expect(noted).toEqual(due);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves every snapshot as it was, and gives the same state as fold', () => {
    fc.assert(
      fc.property(fc.array(anyBody, { maxLength: 30 }), (bodies) => {
        let folded = stateOf(BASE);
        const builder = new StateBuilder(folded);
        const kept: [JournalState, unknown][] = [];
        for (const body of bodies) {
          const entry = sealEntry(builder.head, START + 3600, body);
          const applied = builder.apply(entry).ok;
          const next = fold(folded, entry);
          expect(next.ok).toBe(applied);
          folded = next.ok ? next.value : folded;
          const snapshot = builder.snapshot();
          kept.push([snapshot, copyOf(snapshot)]);
        }
        expect(builder.snapshot()).toEqual(folded);
        for (const [snapshot, then] of kept) expect(copyOf(snapshot)).toEqual(then);
      }),
      { numRuns: 100 },
    );
  });
});
