import { describe, expect, it } from 'vitest';
import { tierFor } from '../../src/policy/rules/approvals.js';
import type { Approval, PolicyState } from '../../src/policy/types.js';
import {
  approvedBy,
  btc,
  codes,
  FULL_QUORUM,
  findingOf,
  HOUR,
  judge,
  NOW,
  P0,
  pay,
  spent,
  summary,
} from './fixture.js';

const spending = (amount: string, approvals: readonly Approval[], more: Partial<PolicyState> = {}) => {
  const sats = btc(amount) - 100_000n;
  const half = sats / 2n;
  return judge({
    batch: {
      pay: [
        ['A', half],
        ['A', sats - half],
      ],
    },
    state: { approvals, ...more },
  });
};

describe('section 11: quorum and approvals', () => {
  it('Q-01 takes two officers for 10 BTC exactly', () => {
    const verdict = spending('10', approvedBy('alice', 'bob'));
    expect(summary(verdict)).toBe('ALLOW');
    expect(verdict.quorum).toMatchObject({ basis: btc('10'), approved: ['alice', 'bob'], missing: 0 });
  });

  it('Q-02 asks a third for one satoshi more', () => {
    const verdict = spending('10.00000001', approvedBy('alice', 'bob'));
    expect(summary(verdict)).toBe('NEED APPROVALS_MISSING');
    expect(verdict.quorum?.missing).toBe(1);
    expect(findingOf(verdict, 'APPROVALS_MISSING')).toMatchObject({ measured: '2', limit: '3', unit: 'people' });
    expect(summary(spending('9.99999999', approvedBy('alice', 'bob')))).toBe('ALLOW');
    expect(summary(spending('10', approvedBy('alice')))).toBe('NEED APPROVALS_MISSING');
  });

  it('Q-03 goes by what leaves in 24 h: splitting does not lower the tier', () => {
    const spends = [spent(btc('45'))];
    const verdict = spending('9.9', approvedBy('alice', 'bob'), { spends });
    expect(summary(verdict)).toBe('NEED APPROVALS_MISSING');
    expect(verdict.quorum).toMatchObject({ basis: btc('54.9'), missing: 2, tier: { m: 4 } });
    expect(spending('5', approvedBy('alice', 'bob', 'carol'), { spends }).decision).toBe('ALLOW');
    expect(spending('5.00000001', approvedBy('alice', 'bob', 'carol'), { spends }).decision).toBe('NEED');
  });

  it('Q-04 asks one of compliance above 50 BTC, however many officers approve', () => {
    const officers = spending('60', approvedBy('alice', 'bob', 'carol', 'dave'));
    expect(summary(officers)).toBe('NEED APPROVALS_MISSING');
    expect(officers.quorum?.missing).toBe(1);
    expect(summary(spending('60', FULL_QUORUM))).toBe('ALLOW');
    expect(spending('60', approvedBy('alice', 'bob', 'erin')).quorum?.missing).toBe(1);
  });

  it('Q-05 counts people, not keys', () => {
    const verdict = spending('10', [...approvedBy('alice'), ...approvedBy('alice')]);
    expect(verdict.quorum).toMatchObject({ approved: ['alice'], missing: 1 });
    expect(summary(verdict)).toBe('NEED APPROVALS_MISSING');
  });

  it("Q-06 does not count the initiator's own", () => {
    const verdict = spending('10', approvedBy('alice', 'bob'), { initiator: 'bob' });
    expect(summary(verdict)).toBe('NEED APPROVALS_MISSING WARN APPROVAL_IGNORED');
    expect(findingOf(verdict, 'APPROVAL_IGNORED')).toMatchObject({ subject: 'bob' });
    expect(spending('10', approvedBy('alice', 'bob', 'carol'), { initiator: 'bob' }).decision).toBe('ALLOW');
  });

  const aged = (seconds: number): Approval[] => [
    ...approvedBy('alice'),
    { person: 'bob', at: NOW - seconds, validUntil: NOW + HOUR, touch: true },
  ];
  it.each([
    ['Q-08 4 h less one second', 4 * HOUR - 1, 'ALLOW'],
    ['Q-08 4 h', 4 * HOUR, 'NEED APPROVALS_MISSING APPROVAL_EXPIRED'],
    ['Q-08 4 h and one second', 4 * HOUR + 1, 'NEED APPROVALS_MISSING APPROVAL_EXPIRED'],
  ])('%s old by what the policy allows', (_, seconds, expected) => {
    expect(summary(spending('10', aged(seconds)))).toBe(expected);
  });

  it.each([
    ['Q-08 one second before its end', 1, 'ALLOW'],
    ['Q-08 at its end', 0, 'NEED APPROVALS_MISSING APPROVAL_EXPIRED'],
    ['Q-08 one second after its end', -1, 'NEED APPROVALS_MISSING APPROVAL_EXPIRED'],
  ])('%s', (_, left, expected) => {
    const approvals = [...approvedBy('alice'), { person: 'bob', at: NOW - HOUR, validUntil: NOW + left, touch: true }];
    const verdict = spending('10', approvals);
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'APPROVAL_EXPIRED').outcome).toBe(expected === 'ALLOW' ? 'pass' : 'need');
  });

  it('Q-10 does not speak of an expired approval that nobody needs', () => {
    expect(summary(spending('10', [...aged(5 * HOUR), ...approvedBy('carol')]))).toBe('ALLOW');
    expect(summary(spending('10', [...aged(5 * HOUR), ...approvedBy('bob')]))).toBe('ALLOW');
  });

  it('Q-11 does not count somebody whom the roles no longer hold', () => {
    const verdict = spending('10', approvedBy('alice', 'mallory'));
    expect(summary(verdict)).toBe('NEED APPROVALS_MISSING WARN APPROVAL_IGNORED');
    expect(findingOf(verdict, 'APPROVAL_IGNORED').text).toBe(
      'The approval of mallory does not count: the tier asks officers.',
    );
  });

  it('Q-12 asks for touched keys where the tier does', () => {
    const tiers = P0.approvals.tiers.map((tier) => ({ ...tier, touchRequired: true }));
    const untouched = approvedBy('bob').map((approval) => ({ ...approval, touch: false }));
    const c = (approvals: readonly Approval[]) => judge({ policy: { approvals: { tiers } }, state: { approvals } });
    expect(summary(c([...approvedBy('alice'), ...untouched]))).toBe('NEED APPROVALS_MISSING WARN APPROVAL_IGNORED');
    expect(summary(c([...approvedBy('alice', 'bob'), ...untouched]))).toBe('ALLOW');
  });

  it('Q-14 denies what is above the highest tier', () => {
    const tiers = P0.approvals.tiers.slice(0, 2);
    const c = (amount: bigint) =>
      judge({ policy: { approvals: { tiers } }, batch: { pay: [['A', amount - 100_000n]] } });
    expect(summary(c(btc('50')))).toBe('ALLOW');
    const above = c(btc('50') + 1n);
    expect(summary(above)).toBe('DENY APPROVALS_NO_TIER');
    expect(above.quorum).toBeNull();
  });

  it('Q-16 lets a denial win over missing approvals', () => {
    const verdict = judge({ batch: { pay: [pay('X', '1')] }, state: { approvals: [] } });
    expect(summary(verdict)).toBe('DENY DEST_NOT_ALLOWED');
    expect(codes(verdict, 'need')).toEqual(['APPROVALS_MISSING']);
    expect(verdict.quorum?.missing).toBe(2);
  });

  it('chooses tiers by their bound, not by their order', () => {
    const tiers = P0.approvals.tiers.toReversed();
    expect(tierFor(tiers, btc('10'))?.m).toBe(2);
    expect(tierFor(tiers, btc('50'))?.m).toBe(3);
    expect(tierFor(tiers, btc('50') + 1n)?.m).toBe(4);
    expect(tierFor([], 0n)).toBeNull();
    const twins = [1, 3, 2].map((m) => ({ upTo: 5n, from: ['officers'], m, touchRequired: false }));
    expect(tierFor(twins, 5n)?.m).toBe(3);
  });
});
