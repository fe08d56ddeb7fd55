import { describe, expect, it } from 'vitest';
import {
  ableIn,
  approvable,
  canApprove,
  canMeet,
  canTouch,
  everybody,
  highestBasis,
  initiators,
  tierRanges,
} from '../../../src/policy/bound/people.js';
import type { ApprovalTier } from '../../../src/policy/types.js';
import { btc, loaded, type PolicyChange } from '../fixture.js';

const OFFICERS = ['alice', 'bob', 'carol'];

/** Officers, of whom alice and carol have keys that are touched, and erin of compliance, who is an officer as well. */
const roles = new Map([
  [
    'officers',
    new Map([
      ['alice', ['ssh-ed25519 a', 'sk-ssh-ed25519@openssh.com a']],
      ['bob', ['ssh-ed25519 sk-not-at-the-beginning']],
      ['carol', ['sk-ecdsa-sha2-nistp256@openssh.com c']],
      ['erin', ['ssh-ed25519 e']],
    ]),
  ],
  ['compliance', new Map([['erin', ['ssh-ed25519 e']]])],
]);

const tier = (upTo: string | null, m: number, more: Partial<ApprovalTier> = {}): ApprovalTier => ({
  upTo: upTo === null ? null : btc(upTo),
  from: ['officers'],
  m,
  touchRequired: false,
  ...more,
});
const policyOf = (...tiers: ApprovalTier[]): PolicyChange => ({ roles, approvals: { tiers } });
const { document } = loaded(policyOf(tier(null, 2)));
const some = (...names: string[]) => new Set(names);

describe('who counts', () => {
  it('everybody, once, in the order of the policy', () => {
    expect(everybody(document)).toEqual([...OFFICERS, 'erin']);
  });

  it('a key is touched if its type says so, and one such key is enough', () => {
    expect(everybody(document).filter((person) => canTouch(person, document))).toEqual(['alice', 'carol']);
    expect(canTouch('nobody', document)).toBe(false);
  });

  it('those of the roles of a quorum, with a key that is touched where it asks for one', () => {
    const quorum = { from: ['officers'], m: 2 };
    expect(ableIn(quorum, some('bob', 'alice', 'mallory'), document)).toEqual(['alice', 'bob']);
    expect(ableIn({ ...quorum, touchRequired: true }, some('bob', 'alice'), document)).toEqual(['alice']);
    expect(ableIn({ ...quorum, touchRequired: false }, some('bob'), document)).toEqual(['bob']);
    expect(ableIn({ from: ['compliance'], m: 1 }, some('bob', 'erin'), document)).toEqual(['erin']);
  });

  it('m of them complete it, if one of them is of the role that it includes', () => {
    const quorum = { from: ['officers'], m: 2 };
    expect(canMeet(quorum, some('alice'), document)).toBe(false);
    expect(canMeet(quorum, some('alice', 'bob'), document)).toBe(true);
    expect(canMeet({ ...quorum, include: 'compliance' }, some('alice', 'bob', 'carol'), document)).toBe(false);
    expect(canMeet({ ...quorum, include: 'compliance' }, some('alice', 'erin'), document)).toBe(true);
    // Who is included has to count as well: erin has no key that is touched.
    const touched = { ...quorum, include: 'compliance', touchRequired: true };
    expect(canMeet(touched, some('alice', 'carol', 'erin'), document)).toBe(false);
  });
});

describe('in whose name a batch is asked for', () => {
  it('is somebody else, if there is anybody else', () => {
    expect(initiators(some('alice', 'bob'), document)).toEqual(['carol']);
    expect(initiators(some(...everybody(document)), document)).toEqual(everybody(document));
  });

  it('so only where everybody is among them one of them is missing', () => {
    expect(canApprove(tier(null, 2), some('alice', 'bob'), document)).toBe(true);
    expect(canApprove(tier(null, 3), some('alice', 'bob'), document)).toBe(false);
    expect(canApprove(tier(null, 4), some(...everybody(document)), document)).toBe(false);
    expect(canApprove(tier(null, 3), some(...everybody(document)), document)).toBe(true);
    // It may be anybody but erin.
    expect(canApprove(tier(null, 3, { include: 'compliance' }), some(...everybody(document)), document)).toBe(true);
  });
});

describe('ranges of the basis', () => {
  const three = loaded(policyOf(tier('10', 2), tier('20', 3), tier('30', 1))).document;

  it('follow each other', () => {
    expect(tierRanges(three).map(({ low, high, index }) => [low, high, index])).toEqual([
      [0n, btc('10'), 0],
      [btc('10'), btc('20'), 1],
      [btc('20'), btc('30'), 2],
    ]);
  });

  it('are joined where people can approve neighbours', () => {
    expect(approvable(some('alice', 'bob', 'carol'), three)).toEqual([{ low: 0n, high: btc('30') }]);
    expect(approvable(some('alice', 'bob'), three)).toEqual([
      { low: 0n, high: btc('10') },
      { low: btc('20'), high: btc('30') },
    ]);
    expect(approvable(some('alice'), three)).toEqual([{ low: btc('20'), high: btc('30') }]);
    expect(approvable(some(), three)).toEqual([]);
  });
});

describe('the highest basis that they get to', () => {
  const policy = loaded(policyOf(tier('10', 2), tier('20', 3), tier('30', 1)));
  const highest = (people: readonly string[], batch: string | null, day: string | null = null, one = policy) => {
    const sats = (text: string | null) => (text === null ? null : btc(text));
    const { cap, by } = highestBasis(one, new Set(people), sats(batch), sats(day));
    return { cap, code: by.code, field: by.field, text: by.text };
  };

  it('ends at the tier that they cannot meet, and says how many of them count there', () => {
    expect(highest(['alice', 'bob'], '10')).toEqual({
      cap: btc('10'),
      code: 'APPROVALS_MISSING',
      field: 'approvals.tiers[1]',
      text: 'more than 1000000000 sat (10.00000000 BTC) within 24 h asks for 3 different people of the role officers (approvals.tiers[1]); 2 of these can give it',
    });
    expect(highest(['dave'], null)).toMatchObject({ cap: 0n, field: 'approvals.tiers[0]' });
    expect(highest(['dave'], null).text).toMatch(
      /^any amount within 24 h asks for 2 different people .*0 of these can give it$/,
    );
  });

  it('leaps over it with a batch of more than the gap, if the other limits of a day reach beyond it', () => {
    expect(highest(['alice', 'bob'], '10.00000001').cap).toBe(btc('30'));
    expect(highest(['alice', 'bob'], null).cap).toBe(btc('30'));
    expect(highest(['alice', 'bob'], null, '20').cap).toBe(btc('10'));
    expect(highest(['alice', 'bob'], null, '20.00000001').cap).toBe(btc('30'));
    expect(highest(['alice'], '20').cap).toBe(0n);
    expect(highest(['alice', 'bob'], '0').text).toContain('they could, but no batch gets there');
    expect(highest(['alice'], '20.00000001').cap).toBe(btc('30'));
  });

  it('is the end of the last tier, or none', () => {
    expect(highest(OFFICERS, null)).toMatchObject({
      cap: btc('30'),
      code: 'APPROVALS_NO_TIER',
      field: 'approvals.tiers[2].up_to',
    });
    const endless = loaded(policyOf(tier('10', 2), tier(null, 3, { touchRequired: true })));
    expect(highest(OFFICERS, null, null, endless)).toMatchObject({ cap: btc('10') });
    expect(highest(OFFICERS, null, null, endless).text).toContain(
      '3 different people of the role officers, each with a key that is touched',
    );
    const both = loaded(policyOf(tier('10', 2), tier(null, 2, { touchRequired: true })));
    expect(highest(['alice', 'carol'], null, null, both)).toMatchObject({
      cap: null,
      field: 'approvals.tiers[1].up_to',
    });
  });

  it('says what is lacking of those that are enough: somebody of a role, or the one who asks', () => {
    const including = loaded(policyOf(tier(null, 2, { include: 'compliance' })));
    expect(highest(['alice', 'bob'], null, null, including).text).toContain(
      '2 of these can give it, but not without somebody of compliance',
    );
    const all = loaded(policyOf(tier(null, 4)));
    expect(highest([...OFFICERS, 'erin'], null, null, all).text).toContain(
      '4 of these can give it, but not without the one who asks for the batch',
    );
  });
});
