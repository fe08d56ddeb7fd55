import { describe, expect, it } from 'vitest';
import { formatTime } from '../../src/domain/time.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { newestPolicy, policyAt } from '../../src/journal/policies.js';
import { next, START, stateOf } from './chains.js';
import { POLICY, story } from './story.js';
import { BASE, messageOf, tagOf } from './ways.js';

const SECOND = '22'.repeat(32);
const THIRD = '33'.repeat(32);
/** BASE ends one minute after START; the entries of these tests follow a minute apart. */
const DUE = START + 3600;
const waiting = stateOf([...BASE, story.policy(2, SECOND, formatTime(DUE))]);

describe('a policy with an effectiveAt in the future', () => {
  it('waits, and applies from exactly that second on', () => {
    expect(waiting.policy?.digest).toBe(POLICY);
    expect(waiting.pendingPolicy).toMatchObject({ digest: SECOND, version: 2, effectiveAt: DUE });
    expect(policyAt(waiting, DUE - 1)?.digest).toBe(POLICY);
    expect(policyAt(waiting, DUE)?.digest).toBe(SECOND);
    expect(newestPolicy(waiting)?.version).toBe(2);
  });

  it('is in force in the state once an entry is as late', () => {
    const secondsTo = (moment: number): number => moment - (waiting.head?.at ?? 0);
    const before = next(waiting, story.frozen(), secondsTo(DUE - 1));
    const after = next(waiting, story.frozen(), secondsTo(DUE));
    expect(before.ok && [before.value.policy?.digest, before.value.pendingPolicy?.digest]).toEqual([POLICY, SECOND]);
    expect(after.ok && [after.value.policy?.digest, after.value.pendingPolicy]).toEqual([SECOND, null]);
  });

  it('gives way to a newer version that applies at once', () => {
    const done = next(waiting, story.policy(3, THIRD));
    expect(done.ok && [done.value.policy?.digest, done.value.pendingPolicy]).toEqual([THIRD, null]);
  });

  it('leaves no trace of itself in the refusal of a later entry', () => {
    const refused = next(waiting, story.abandoned('nothing'), 7200);
    expect(refused.ok).toBe(false);
    expect([waiting.policy?.digest, waiting.pendingPolicy?.digest]).toEqual([POLICY, SECOND]);
  });

  it('does not apply to a verdict that was given under the one before', () => {
    const judged = stateOf([...BASE, story.policy(2, SECOND, formatTime(DUE)), story.planned('a'), story.verdict('a')]);
    expect(tagOf(next(judged, story.reserved('a'), 60))).toBe('ok');
    expect(messageOf(next(judged, story.reserved('a'), 3600))).toContain('another policy than the active one');
  });

  it('can be the first of a journal: nothing is in force until then', () => {
    const state = stateOf([story.opened(), story.policy(1, POLICY, formatTime(DUE))]);
    expect([state.policy, policyAt(state, DUE - 1)]).toEqual([null, null]);
    expect(policyAt(state, DUE)?.digest).toBe(POLICY);
  });
});

describe('a policy entry', () => {
  const base = stateOf(BASE);
  const unsigned = { ...story.policy(2, SECOND), under: SECOND } as EntryBody;
  it.each([
    ['leaves out a version', story.policy(3, THIRD), 'does not come after 1, the newest'],
    ['is of the version in force', { ...story.policy(1, THIRD), under: POLICY } as EntryBody, 'does not come after'],
    ['was signed under another policy', unsigned, 'another policy than the one in force'],
  ])('that %s is refused', (_, body, message) => {
    expect(tagOf(next(base, body))).toBe('E_JOURNAL_ENTRY');
    expect(messageOf(next(base, body))).toContain(message);
  });

  it('of the newest version is refused while that one waits', () => {
    expect(tagOf(next(waiting, story.policy(2, THIRD)))).toBe('E_JOURNAL_ENTRY');
  });

  it('may begin a journal with a later version than 1', () => {
    const body = { ...story.policy(1), version: 7 } as EntryBody;
    expect(stateOf([story.opened(), body]).policy?.version).toBe(7);
  });
});

describe('a book entry', () => {
  const book = (version: number, under: string): EntryBody => ({
    kind: 'book.changed',
    digest: THIRD,
    version,
    document: THIRD,
    under,
    signatures: [{ person: 'erin', signature: 'armoured' }],
    added: [],
    removed: [],
  });
  it('follows the version in force, under the policy in force', () => {
    const base = stateOf([...BASE, book(1, POLICY)]);
    expect(tagOf(next(base, book(2, POLICY)))).toBe('ok');
    for (const version of [0, 1, 3]) expect(tagOf(next(base, book(version, POLICY)))).toBe('E_JOURNAL_ENTRY');
    expect(tagOf(next(base, book(2, SECOND)))).toBe('E_JOURNAL_ENTRY');
    expect(tagOf(next(stateOf([story.opened()]), book(1, POLICY)))).toBe('E_JOURNAL_ENTRY');
  });
});
