import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/fault.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { haltedNames, haltsAgainst, MOST_DENIALS, nextDenials } from '../../src/journal/halts.js';
import type { JournalState } from '../../src/journal/state.js';
import { next, stateOf } from './chains.js';
import { POLICY, SCRIPT, story } from './story.js';
import { BASE, messageOf, tagOf } from './ways.js';

const book: EntryBody = {
  kind: 'book.changed',
  digest: POLICY,
  version: 1,
  document: POLICY,
  under: POLICY,
  signatures: [{ person: 'bob', signature: 'armoured' }],
  added: [{ id: 'warm-1', script: SCRIPT, label: '' }],
  removed: [],
};
const HALT = `halt-${BASE.length}`;
const halted = stateOf([...BASE, story.halted()]);
const follow = (state: JournalState, ...bodies: EntryBody[]): ReturnType<typeof next> =>
  bodies.reduce<ReturnType<typeof next>>((result, body) => (result.ok ? next(result.value, body) : result), {
    ok: true,
    value: state,
  });
const standing = (result: ReturnType<typeof next>): string[] => (result.ok ? [...result.value.halts.keys()] : []);

describe('a halt that is raised', () => {
  it('stands, with its place, its scope and whose word it is', () => {
    expect(halted.halts.get(HALT)).toMatchObject({
      id: HALT,
      seq: BASE.length,
      scope: { kind: 'all' },
      payable: null,
      source: { kind: 'person', person: 'alice' },
      resumes: [],
    });
    expect(halted.newestHalt).toMatchObject({ seq: BASE.length });
  });

  it('has its effect once, also after it has ended', () => {
    expect(tagOf(next(halted, story.halted()))).toBe('E_HALT_REPLAY');
    const ended = follow(halted, story.agreed(HALT, 'bob'), story.resumed(HALT, ['bob']));
    expect(standing(ended)).toEqual([]);
    expect(tagOf(follow(ended.ok ? ended.value : halted, story.halted()))).toBe('E_HALT_REPLAY');
    expect(standing(follow(ended.ok ? ended.value : halted, story.halted('all', 'another')))).toHaveLength(1);
  });

  it('of a destination binds its script, and of one that nobody knows is refused', () => {
    const known = follow(stateOf([...BASE, book]), story.halted('destination:warm-1'));
    expect(known.ok && [...known.value.halts.values()][0]).toMatchObject({ payable: { script: SCRIPT } });
    expect(tagOf(next(stateOf([...BASE, book]), story.halted('destination:other')))).toBe('E_HALT_SCOPE');
  });

  it('that is unverified stands alone of its kind, and takes back no word', () => {
    const agreed = follow(halted, story.agreed(HALT, 'bob'), story.unverified());
    expect(agreed.ok && agreed.value.halts.get(HALT)?.resumes).toHaveLength(1);
    expect(agreed.ok && agreed.value.newestHalt?.seq).toBe(BASE.length);
    expect(tagOf(agreed.ok ? next(agreed.value, story.unverified()) : fail('E_USAGE', ''))).toBe('E_JOURNAL_ENTRY');
  });

  it.each([
    ['of a person', story.halted('all', 'another')],
    ['of the program', story.automatic('ledger_tamper')],
  ])('%s takes back every word for the end of another', (_, second) => {
    const both = follow(halted, story.agreed(HALT, 'bob'), second);
    expect(both.ok && both.value.halts.get(HALT)?.resumes).toEqual([]);
    expect(both.ok && both.value.newestHalt?.seq).toBe(BASE.length + 2);
  });
});

describe('a halt that ends', () => {
  it('needs the word of everybody whom the entry names', () => {
    expect(tagOf(next(halted, story.resumed(HALT, ['bob'])))).toBe('E_JOURNAL_ENTRY');
    expect(tagOf(follow(halted, story.agreed(HALT, 'bob'), story.resumed(HALT, ['bob', 'erin'])))).toBe(
      'E_JOURNAL_ENTRY',
    );
  });

  it('needs the policy in force', () => {
    const other = '00'.repeat(32);
    expect(messageOf(follow(halted, story.agreed(HALT, 'bob'), story.resumed(HALT, ['bob'], other)))).toContain(
      'another policy',
    );
  });

  it('and another that stands is not touched', () => {
    const both = follow(halted, story.halted('all', 'another'));
    const ended = follow(both.ok ? both.value : halted, story.agreed(HALT, 'bob'), story.resumed(HALT, ['bob']));
    expect(standing(ended)).toEqual([`halt-${BASE.length + 1}`]);
  });

  it('is known by its name, and only while it stands', () => {
    expect(tagOf(next(halted, story.agreed('halt-999', 'bob')))).toBe('E_HALT_UNKNOWN');
    expect(tagOf(next(halted, story.resumed('halt-999', ['bob'])))).toBe('E_HALT_UNKNOWN');
  });

  it('does not take one word twice, nor one that ran out', () => {
    expect(tagOf(follow(halted, story.agreed(HALT, 'bob'), story.agreed(HALT, 'bob')))).toBe('E_HALT_REPLAY');
    expect(tagOf(next(halted, story.agreed(HALT, 'bob', '2026-01-01T00:00:00Z')))).toBe('E_JOURNAL_ENTRY');
  });
});

describe('while a halt stands', () => {
  const planned = [...BASE, story.planned('a'), story.approved('a', 'bob'), story.verdict('a')];

  it('nothing is reserved and nothing is sent', () => {
    const before = follow(stateOf([...planned, story.halted()]), story.verdict('a'));
    expect(tagOf(follow(before.ok ? before.value : halted, story.reserved('a', ['bob'])))).toBe('E_HALTED');
    const reserved = stateOf([...planned, story.reserved('a', ['bob']), story.halted()]);
    expect(tagOf(follow(reserved, story.verdict('a'), story.sent('a', ['bob'])))).toBe('E_HALTED');
  });

  it('what was signed all the same is recorded, and held', () => {
    const sent = [...planned, story.reserved('a', ['bob']), story.verdict('a'), story.sent('a', ['bob'])];
    const signed = follow(stateOf([...sent, story.halted()]), story.signed('a'));
    const batch = signed.ok ? signed.value.batches.get('a') : undefined;
    expect(batch?.state).toBe('SIGNED');
    expect(signed.ok && batch !== undefined && haltsAgainst(signed.value, batch)).toHaveLength(1);
  });

  it.each([
    ['destination:warm-1', true],
    ['initiator:alice', true],
    ['initiator:bob', false],
  ])('a halt of %s concerns the batch: %s', (scope, concerned) => {
    const state = stateOf([...BASE, book, story.planned('a'), story.halted(scope), story.verdict('a')]);
    expect(tagOf(next(state, story.reserved('a'))) === 'E_HALTED').toBe(concerned);
  });

  it('a halted destination stays so when the book gives its id another address, or its address another id', () => {
    const moved: EntryBody = {
      ...book,
      version: 2,
      added: [{ id: 'warm-9', script: SCRIPT, label: '' }],
      removed: [{ id: 'warm-1', script: SCRIPT }],
    };
    const renamed = stateOf([...BASE, book, story.halted('destination:warm-1'), moved, story.planned('a')]);
    const batch = renamed.batches.get('a');
    expect(batch !== undefined && haltsAgainst(renamed, batch)).toHaveLength(1);
    const elsewhere: EntryBody = { ...book, version: 3, added: [{ id: 'warm-1', script: `${SCRIPT}00`, label: '' }] };
    const readdressed = stateOf([
      ...BASE,
      book,
      story.halted('destination:warm-1'),
      moved,
      elsewhere,
      story.planned('a'),
    ]);
    const paid = { outputs: [{ script: `${SCRIPT}00`, amount: 1n, change: null }], initiator: 'zoe' };
    expect(haltsAgainst(readdressed, paid)).toHaveLength(1);
    expect(haltsAgainst(readdressed, { ...paid, outputs: [{ script: 'ff', amount: 1n, change: null }] })).toEqual([]);
    expect(haltsAgainst(readdressed, { ...paid, outputs: [{ script: SCRIPT, amount: 1n, change: 4 }] })).toEqual([]);
  });
});

describe('a halted destination by a descriptor', () => {
  const entry = { id: 'partner', label: '', descriptor: 'wpkh(...)', maxIndex: 9 };
  const ranged: EntryBody = { ...book, added: [entry] };
  const renamed: EntryBody = {
    ...book,
    version: 2,
    added: [{ ...entry, id: 'friend' }],
    removed: [{ id: 'partner', descriptor: 'wpkh(...)', maxIndex: 9 }],
  };
  const paid = { outputs: [{ script: SCRIPT, amount: 1n, change: null }], initiator: 'zoe' };

  it('stops what is found to pay it, under whatever name the book has it', () => {
    const state = stateOf([...BASE, ranged, story.halted('destination:partner')]);
    expect(haltsAgainst(state, paid, () => 'partner')).toHaveLength(1);
    expect(haltsAgainst(state, paid, () => 'other')).toEqual([]);
    const moved = stateOf([...BASE, ranged, story.halted('destination:partner'), renamed]);
    const [halt] = [...moved.halts.values()];
    expect(halt !== undefined && haltedNames(halt, moved.book)).toEqual(['partner', 'friend']);
    expect(haltsAgainst(moved, paid, () => 'friend')).toHaveLength(1);
  });
});

describe('a batch that somebody spoke against', () => {
  const planned = [...BASE, story.planned('a'), story.approved('a', 'bob'), story.approved('a', 'carol')];

  it.each([
    ['a reject', story.rejected('a', 'dave')],
    ['a withdrawal', story.withdrawn('a', 'carol')],
  ])('by %s is neither approved nor reserved again', (_, against) => {
    const state = stateOf([...planned, against, story.verdict('a')]);
    expect(tagOf(next(state, story.approved('a', 'erin')))).toBe('E_DENIED');
    expect(tagOf(next(state, story.reserved('a', ['bob'])))).toBe('E_DENIED');
    expect(next(state, story.abandoned('a')).ok).toBe(true);
  });

  it('loses the approval that was taken back', () => {
    const state = stateOf([...planned, story.withdrawn('a', 'carol')]);
    expect(state.batches.get('a')?.approvals.map(({ person }) => person)).toEqual(['bob']);
  });

  it('by nobody twice, and only by who has an approval to take back', () => {
    expect(tagOf(next(stateOf([...planned, story.rejected('a', 'dave')]), story.rejected('a', 'dave')))).toBe(
      'E_BATCH_STATE',
    );
    expect(tagOf(next(stateOf(planned), story.withdrawn('a', 'dave')))).toBe('E_BATCH_STATE');
    expect(tagOf(next(stateOf([...planned, story.withdrawn('a', 'carol')]), story.withdrawn('a', 'carol')))).toBe(
      'E_BATCH_STATE',
    );
  });
});

describe('denials of late', () => {
  const denied = (batch: string, stage: 'plan' | 'sign', codes: readonly string[] = ['LIMIT_24H']): EntryBody => {
    const body = story.verdict(batch, 'DENY', stage);
    return body.kind === 'batch.verdict' ? { ...body, codes } : body;
  };
  const run = (...bodies: readonly (readonly [EntryBody, readonly string[]])[]) =>
    bodies.reduce<JournalState['denials']>(
      (all, [body, parts], seq) => nextDenials(all, body, { seq }, 100, parts),
      [],
    );

  it('count a plan once, however many parts it has, and each one at signing', () => {
    const parts = ['a', 'b'];
    expect(run([denied('a', 'plan'), parts], [denied('b', 'plan'), parts])).toEqual([{ seq: 0, at: 100, plan: 'a' }]);
    expect(run([denied('a', 'sign'), ['a']], [denied('a', 'sign'), ['a']])).toHaveLength(2);
  });

  it('leave out what a halt denies, and whatever is no denial', () => {
    expect(run([denied('a', 'sign', ['HALTED', 'LIMIT_24H']), ['a']])).toEqual([]);
    expect(run([story.verdict('a', 'NEED'), ['a']], [story.sent('a'), ['a']])).toEqual([]);
  });

  it('are kept up to the most that a policy counts, the oldest forgotten first', () => {
    const many = run(...Array.from({ length: MOST_DENIALS + 1 }, () => [denied('a', 'sign'), ['a']] as const));
    expect([many.length, many[0]?.seq]).toEqual([MOST_DENIALS, 1]);
  });

  it('are counted from anew once they have halted', () => {
    const bodies = [...BASE, story.planned('a'), denied('a', 'sign')];
    expect(stateOf(bodies).denials).toHaveLength(1);
    expect(stateOf([...bodies, story.automatic('repeated_denials')]).denials).toEqual([]);
    expect(stateOf([...bodies, story.automatic('ledger_tamper')]).denials).toHaveLength(1);
  });
});
