import { describe, expect, it } from 'vitest';
import { nextOpening } from '../../src/policy/rules/hours.js';
import type { PolicyDocument } from '../../src/policy/types.js';
import { at, codes, findingOf, judge, NOW, P0, stateOf, summary, TIP } from './fixture.js';

/** The whole state moves along, so that only the hours are under test. */
const judgeAt = (text: string, hours: Partial<PolicyDocument['hours']> = {}) => {
  const now = at(text);
  const state = {
    lastEntryAt: now - 60,
    snapshotAt: now - 600,
    tip: { height: TIP, medianTimePast: now - 3600 },
    approvals: stateOf().approvals.map((approval) => ({ ...approval, at: now - 60, validUntil: now + 60 })),
  };
  return judge({ policy: { hours }, now, state });
};

describe('section 14: hours', () => {
  it.each([
    ['T-07 Monday at opening', '2026-06-01T07:00:00Z', 'ALLOW', undefined],
    ['T-07 a second before', '2026-06-01T06:59:59Z', 'DENY TIME_CLOSED', '2026-06-01T07:00:00Z'],
    ['T-08 a second before closing', '2026-06-01T18:59:59Z', 'ALLOW', undefined],
    ['T-08 at closing', '2026-06-01T19:00:00Z', 'DENY TIME_CLOSED', '2026-06-02T07:00:00Z'],
    ['T-09 Saturday', '2026-06-06T12:00:00Z', 'DENY TIME_CLOSED', '2026-06-08T07:00:00Z'],
    ['T-10 Sunday', '2026-06-07T12:00:00Z', 'DENY TIME_CLOSED', '2026-06-08T07:00:00Z'],
    ['T-10 Friday evening', '2026-06-05T19:00:00Z', 'DENY TIME_CLOSED', '2026-06-08T07:00:00Z'],
  ])('%s', (_, time, expected, freesAt) => {
    const verdict = judgeAt(time);
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'TIME_CLOSED').freesAt).toBe(freesAt);
  });

  it('T-11 is closed on closed dates', () => {
    const verdict = judgeAt('2026-06-01T12:00:00Z', { closedDates: ['2026-06-01', '2026-06-02'] });
    expect(summary(verdict)).toBe('DENY TIME_CLOSED');
    expect(findingOf(verdict, 'TIME_CLOSED').freesAt).toBe('2026-06-03T07:00:00Z');
  });

  it('T-12 never opens where no hour is left', () => {
    expect(nextOpening({ ...P0.hours, days: [] }, NOW)).toBeNull();
    expect(nextOpening({ ...P0.hours, from: 100, to: 100 }, NOW)).toBeNull();
    const verdict = judgeAt('2026-06-01T12:00:00Z', { days: [] });
    expect(summary(verdict)).toBe('DENY TIME_CLOSED');
    expect(findingOf(verdict, 'TIME_CLOSED')).not.toHaveProperty('freesAt');
  });

  it('T-12 finds an opening beyond many closed dates', () => {
    const closedDates = ['2026-06-01', '2026-06-08', '2026-06-15', '2026-06-22'];
    expect(nextOpening({ ...P0.hours, days: ['mon'], closedDates }, NOW)).toBe(at('2026-06-29T07:00:00Z'));
  });

  it('T-12 can be open all day', () => {
    expect(summary(judgeAt('2026-06-01T23:59:59Z', { from: 0, to: 86_400 }))).toBe('ALLOW');
  });
});

describe('the life of a policy', () => {
  it.each([
    ['P-05 effective in a second', { effectiveAt: NOW + 1 }, 'DENY POLICY_NOT_EFFECTIVE'],
    ['P-05 effective now', { effectiveAt: NOW }, 'ALLOW'],
    ['P-11 expires in a second', { expiresAt: NOW + 1 }, 'ALLOW'],
    ['P-11 expires now', { expiresAt: NOW }, 'DENY POLICY_EXPIRED'],
    ['P-11 expired a second ago', { expiresAt: NOW - 1 }, 'DENY POLICY_EXPIRED'],
  ])('%s', (_, policy, expected) => {
    expect(summary(judge({ policy }))).toBe(expected);
  });

  it('P-05 says when it takes effect', () => {
    expect(findingOf(judge({ policy: { effectiveAt: NOW + 90 } }), 'POLICY_NOT_EFFECTIVE').freesAt).toBe(
      '2026-06-01T12:01:30Z',
    );
  });

  it('knows its wallet by name and descriptor, however the descriptor is written', () => {
    const named = (descriptor: string) => summary(judge({ policy: { wallet: { descriptor } } }));
    expect(named(P0.wallet.descriptor.replace(/#.*/, ''))).toBe('ALLOW');
    expect(named(P0.wallet.descriptor.replaceAll('h/', "'/").replace('0h]', "0']"))).toBe('ALLOW');
    expect(named(P0.wallet.descriptor.replace('84h', '49h'))).toBe('DENY WALLET_MISMATCH');
    expect(named(P0.wallet.descriptor.replace('xpub6C', 'xpub6c'))).toBe('DENY WALLET_MISMATCH');
    expect(summary(judge({ policy: { wallet: { id: 'cold-btc-2' } } }))).toBe('DENY WALLET_MISMATCH');
  });

  it('fails closed where a screening list is due and none is there', () => {
    const lists = [{ id: 'ofac-xbt', pinnedBy: 'compliance', maxAge: 3600, maxShrinkBp: 1000 }];
    const verdict = judge({ policy: { screening: { lists } } });
    expect(codes(verdict, 'deny')).toEqual(['DATA_MISSING']);
    expect(findingOf(verdict, 'DATA_MISSING').subject).toBe('ofac-xbt');
  });
});
