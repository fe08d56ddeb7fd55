import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeResume, mayHalt, type ResumeApproval } from '../../src/policy/resume.js';
import type { Halt } from '../../src/policy/types.js';
import { HOUR, NOW, P0 } from './fixture-policy.js';

const DELAY = P0.halt.resume.notBefore;
const ALL: Pick<Halt, 'scope' | 'since' | 'source'> = { scope: { kind: 'all' }, since: NOW, source: 'person' };
const words = (...people: string[]): ResumeApproval[] =>
  people.map((person) => ({ person, validUntil: NOW + DELAY + 4 * HOUR }));
const QUORUM = words('alice', 'bob', 'erin');
const LATER = NOW + DELAY;

describe('the delay', () => {
  it.each([
    ['a second before it is over', LATER - 1, false],
    ['in the second in which it is over', LATER, true],
    ['a second after', LATER + 1, true],
  ])('%s', (_, now, may) => {
    expect(judgeResume(ALL, QUORUM, P0, now)).toMatchObject({ missing: 0, notBefore: LATER, may });
  });
});

describe('the quorum', () => {
  it.each([
    ['complete', QUORUM, 0],
    ['one person more', words('alice', 'bob', 'carol', 'erin'), 0],
    ['one person less', words('alice', 'erin'), 1],
    ['complete by number, without compliance', words('alice', 'bob', 'carol'), 1],
    ['one person three times', words('alice', 'alice', 'alice'), 2],
    ['with an auditor, who can only stop', words('alice', 'erin', 'frank'), 1],
    ['with a stranger', words('alice', 'erin', 'mallory'), 1],
    ['nobody', [], 3],
  ])('%s: %#', (_, approvals, missing) => {
    const judged = judgeResume(ALL, approvals, P0, LATER);
    expect([judged.missing, judged.may]).toEqual([missing, missing === 0]);
  });

  it('says who can still agree, compliance alone where only that is missing', () => {
    expect(judgeResume(ALL, words('alice'), P0, LATER).able).toEqual(['bob', 'carol', 'dave', 'erin']);
    // The last of three has to be of compliance, as nobody before was.
    expect(judgeResume(ALL, words('alice', 'bob'), P0, LATER)).toMatchObject({ missing: 1, able: ['erin'] });
    expect(judgeResume(ALL, words('alice', 'erin'), P0, LATER).able).toEqual(['bob', 'carol', 'dave']);
    expect(judgeResume(ALL, words('alice', 'bob', 'carol'), P0, LATER).able).toEqual(['erin']);
  });

  it('names those whose word counts, and those who can still agree, by name', () => {
    const judged = judgeResume(ALL, words('erin', 'mallory', 'bob', 'bob'), P0, LATER);
    expect(judged.approved).toEqual(['bob', 'erin']);
    const roles = new Map([...P0.roles, ['officers', new Map([...(P0.roles.get('officers') ?? [])].reverse())]]);
    expect(judgeResume(ALL, [], { ...P0, roles }, LATER).able).toEqual(['alice', 'bob', 'carol', 'dave', 'erin']);
  });

  it('is complete with one of several who are included', () => {
    const roles = new Map([...P0.roles, ['compliance', new Map(['erin', 'zoe'].map((name) => [name, ['k']]))]]);
    expect(judgeResume(ALL, words('alice', 'bob', 'zoe'), { ...P0, roles }, LATER).missing).toBe(0);
  });

  it('leaves nobody out for a halt of something else', () => {
    const destination = { ...ALL, scope: { kind: 'destination', id: 'bob', person: 'bob' } } as unknown as typeof ALL;
    expect(judgeResume(destination, QUORUM, P0, LATER).missing).toBe(0);
  });

  it.each([
    ['a second before it runs out', LATER + 1, 0],
    ['in the second in which it runs out', LATER, 1],
    ['a second after', LATER - 1, 1],
  ])('counts a word %s', (_, validUntil, missing) => {
    const approvals = [...words('alice', 'erin'), { person: 'bob', validUntil }];
    expect(judgeResume(ALL, approvals, P0, LATER).missing).toBe(missing);
  });

  it('leaves out whom the halt is about', () => {
    const about = { ...ALL, scope: { kind: 'initiator', person: 'bob' } } as const;
    expect(judgeResume(about, QUORUM, P0, LATER)).toMatchObject({ missing: 1, able: ['carol', 'dave'] });
    expect(judgeResume(about, words('alice', 'carol', 'erin'), P0, LATER).may).toBe(true);
  });
});

describe('a halt that nobody verifiable raised', () => {
  const unverified = { ...ALL, source: 'unverified' } as const;

  it('is cleared by one officer, at once', () => {
    expect(judgeResume(unverified, [], P0, NOW)).toMatchObject({ missing: 1, may: false, notBefore: NOW });
    expect(judgeResume(unverified, words('dave'), P0, NOW).may).toBe(true);
  });

  it('not by an auditor or a stranger', () => {
    expect(judgeResume(unverified, words('frank', 'mallory'), P0, LATER).may).toBe(false);
  });
});

it('an automatic halt takes the quorum and the delay', () => {
  const automatic = { ...ALL, source: 'automatic' } as const;
  expect(judgeResume(automatic, QUORUM, P0, LATER - 1).may).toBe(false);
  expect(judgeResume(automatic, QUORUM, P0, LATER).may).toBe(true);
});

it('whoever halt.raise names may halt alone', () => {
  expect(['alice', 'erin', 'frank', 'mallory'].map((person) => mayHalt(person, P0))).toEqual([true, true, true, false]);
});

it('a verified halt never ends without m people, one of compliance, all valid, after the delay', () => {
  const person = fc.constantFrom<string>('alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'mallory');
  const word = fc.record({ person, validUntil: fc.integer({ min: NOW, max: NOW + 2 * DELAY }) });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.integer({ min: NOW, max: NOW + 2 * DELAY }), (approvals, now) => {
      const valid = new Set(approvals.filter(({ validUntil }) => validUntil > now).map((one) => one.person));
      const counted = ['alice', 'bob', 'carol', 'dave', 'erin'].filter((one) => valid.has(one));
      const due = counted.length >= 3 && valid.has('erin') && now - NOW >= DELAY;
      expect(judgeResume(ALL, approvals, P0, now).may).toBe(due);
    }),
  );
});
