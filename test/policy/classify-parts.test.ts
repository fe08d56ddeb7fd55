import { describe, expect, it } from 'vitest';
import { overallKind } from '../../src/policy/classify.js';
import {
  between,
  blocks,
  halt,
  kinds,
  list,
  overall,
  put,
  resume,
  roles,
  screening,
  tier,
  tiers,
} from './classify-support.js';
import { btc, type PolicyChange } from './fixture.js';

describe('windows', () => {
  it('P-17: a lower cap over a shorter window is a loosening', () => {
    const found = between(blocks([144, btc('200')]), blocks([138, btc('199')]));
    expect(kinds(found)).toEqual(['limits.rolling_blocks.138 tightening', 'limits.rolling_blocks.144 loosening']);
    expect(overallKind(found)).toBe('loosening');
  });

  it('a longer window with the same cap is a tightening, with a higher cap a loosening', () => {
    expect(overall(blocks([144, 200n]), blocks([288, 200n]))).toBe('tightening');
    expect(overall(blocks([144, 200n]), blocks([288, 201n]))).toBe('loosening');
  });

  it('an unlimited window implies nothing', () => {
    expect(overall(blocks([144, 200n]), blocks([288, null]))).toBe('loosening');
  });
});

describe('tiers', () => {
  it('are compared amount by amount, and each range says what it asked and asks', () => {
    const found = between(tiers(tier(10n, 2), tier(null, 3)), tiers(tier(20n, 2), tier(null, 4)));
    expect(found.map(({ before, after, kind }) => [before, after, kind])).toEqual([
      [
        'above 10 sat (0.00000010 BTC) up to 20 sat (0.00000020 BTC): 3 different people of the role officers',
        'above 10 sat (0.00000010 BTC) up to 20 sat (0.00000020 BTC): 2 different people of the role officers',
        'loosening',
      ],
      [
        'above 20 sat (0.00000020 BTC): 3 different people of the role officers',
        'above 20 sat (0.00000020 BTC): 4 different people of the role officers',
        'tightening',
      ],
    ]);
  });

  it('another split into tiers that asks the same is no change', () => {
    expect(between(tiers(tier(null, 2)), tiers(tier(10n, 2), tier(null, 2)))).toEqual([]);
  });

  it('an amount that no tier reaches is denied: to reach less is a tightening', () => {
    const found = between(tiers(tier(null, 2)), tiers(tier(10n, 2)));
    expect(found).toMatchObject([
      { field: 'approvals.tiers', kind: 'tightening', after: expect.stringContaining('no tier reaches so far') },
    ]);
    expect(overall(tiers(tier(10n, 2)), tiers(tier(11n, 2)))).toBe('loosening');
  });

  it('more people of a wider circle are looser where they need not be the old ones', () => {
    const wide = { from: ['officers', 'compliance', 'auditors'] };
    expect(overall(tiers(tier(null, 2)), tiers(tier(null, 4, wide)))).toBe('loosening');
    expect(overall(tiers(tier(null, 2)), tiers(tier(null, 5, wide)))).toBe('tightening');
  });

  it('a role that had to be among them and has not to be any more is a loosening', () => {
    const both = { from: ['officers', 'compliance'] };
    const before = tiers(tier(null, 2, { ...both, include: 'compliance' }));
    expect(overall(before, tiers(tier(null, 3, both)))).toBe('loosening');
    // All five are asked, so the one of compliance is among them.
    expect(overall(before, tiers(tier(null, 5, both)))).toBe('tightening');
  });
});

describe('people', () => {
  it('a person who leaves every role is revoked at once, though there is one less to stop everything', () => {
    const without = roles((all) => all.get('auditors')?.delete('grace'));
    expect(kinds(between({}, without))).toEqual(['roles.auditors.grace tightening']);
  });

  it('a revocation may go with a quorum to stop that no longer asks for that role', () => {
    const after = {
      ...roles((all) => all.delete('compliance')),
      ...halt({ raise: { from: ['officers', 'auditors'], m: 1 } }),
    };
    expect(kinds(between({}, after))).toEqual(['roles.compliance.erin tightening', 'halt.raise neutral']);
  });

  it('a role counts that only pins a list, and one that only one of the versions asks', () => {
    const guest = put('guests', 'zoe', 'ssh-ed25519 zoe');
    const pin = screening(list({ pinnedBy: 'guests' }));
    expect(kinds(between(pin, { ...pin, ...guest }))).toEqual(['roles.guests.zoe loosening']);
    const asked = resume({ from: ['officers', 'compliance', 'guests'], m: 4 });
    expect(kinds(between({}, { ...asked, ...guest }))[0]).toBe('roles.guests.zoe loosening');
    expect(kinds(between({ ...asked, ...guest }, {}))[0]).toBe('roles.guests.zoe tightening');
  });

  it('somebody known who joins a role that nothing asks has one reason to be neutral', () => {
    const [change] = between({}, put('guests', 'alice', 'ssh-ed25519 alice'));
    expect(change?.why).toBe('nothing asks the role guests for anything that alice could not do before');
  });

  it('a person who stays and can no longer stop everything loosens', () => {
    const raise = { raise: { from: ['officers', 'compliance'], m: 1 } };
    const before = { ...put('compliance', 'frank', 'ssh-ed25519 frank'), halt: raise };
    expect(kinds(between(before, { halt: raise }))).toEqual(['roles.compliance.frank loosening']);
  });

  it('who could only stop everything loosens by leaving, and tightens by coming', () => {
    const raise = { raise: { from: ['watchers', 'officers'], m: 1 } };
    const watched = { ...put('watchers', 'wanda', 'ssh-ed25519 wanda'), halt: raise };
    expect(kinds(between({ halt: raise }, watched))).toEqual(['roles.watchers.wanda tightening']);
    expect(kinds(between(watched, { halt: raise }))).toEqual(['roles.watchers.wanda loosening']);
  });

  it('keys of somebody who can only stop count the other way round', () => {
    const raise = { raise: { from: ['watchers'], m: 1 } };
    const keyed = (...keys: string[]) => ({ ...put('watchers', 'wanda', ...keys), halt: raise });
    const [one, two] = [keyed('ssh-ed25519 a'), keyed('ssh-ed25519 a', 'ssh-ed25519 b')];
    expect(kinds(between(one, two))).toEqual(['roles.watchers.wanda tightening']);
    expect(kinds(between(two, one))).toEqual(['roles.watchers.wanda loosening']);
  });

  it('a key of somebody who can only stop from now on loosens, as long as an approval of before may count', () => {
    const raise = { raise: { from: ['watchers'], m: 1 } };
    const both = roles((all) => {
      all.get('officers')?.set('wanda', ['k a']);
      all.set('watchers', new Map([['wanda', ['k a']]]));
    });
    const found = between({ ...both, halt: raise }, { ...put('watchers', 'wanda', 'k a', 'k b'), halt: raise });
    expect(kinds(found)).toEqual(['roles.officers.wanda tightening', 'roles.watchers.wanda loosening']);
  });

  it('to raise a halt, a quorum that asks for more or for others loosens', () => {
    const raise = (m: number, ...from: string[]) => halt({ raise: { from, m } });
    expect(overall(raise(1, 'officers'), raise(2, 'officers'))).toBe('loosening');
    expect(overall(raise(1, 'officers'), raise(1, 'auditors'))).toBe('loosening');
    expect(overall(raise(2, 'officers'), raise(1, 'officers', 'auditors'))).toBe('tightening');
  });

  it('nobody of the old quorum left to raise a halt loosens, though all of them were revoked', () => {
    const before = halt({ raise: { from: ['compliance'], m: 1 } });
    const after = {
      ...roles((all) => all.set('compliance', new Map([['zoe', ['ssh-ed25519 zoe']]]))),
      ...halt({ raise: { from: ['compliance', 'auditors'], m: 1 } }),
    };
    const found = between(before, after).find(({ field }) => field === 'halt.raise');
    expect(found?.kind).toBe('loosening');
  });

  it('a key under an unused role counts for the person, so it loosens', () => {
    expect(kinds(between({}, put('guests', 'alice', 'ssh-ed25519 stolen')))).toEqual(['roles.guests.alice loosening']);
  });

  it('a renamed person or role is new under that name', () => {
    const renamed = roles((all) => {
      all.get('officers')?.delete('dave');
      all.get('officers')?.set('david', ['ssh-ed25519 dave']);
    });
    expect(kinds(between({}, renamed))).toEqual(['roles.officers.dave tightening', 'roles.officers.david loosening']);
  });

  it('a key that moves between the roles of one person is neutral', () => {
    const two = (officer: string[], guest: string[]) =>
      roles((all) => {
        all.get('officers')?.set('alice', officer);
        all.set('guests', new Map([['alice', guest]]));
      });
    const found = between(two(['k a', 'k b'], ['k c']), two(['k a'], ['k c', 'k b']));
    expect(kinds(found)).toEqual(['roles.officers.alice neutral', 'roles.guests.alice neutral']);
  });
});

describe('screening lists', () => {
  it('a role that pins is compared by its people', () => {
    const by = (pinnedBy: string, more: PolicyChange = {}) => ({ ...screening(list({ pinnedBy })), ...more });
    expect(overall(by('officers'), by('compliance'))).toBe('loosening');
    const erin = put('officers', 'erin', 'ssh-ed25519 erin');
    expect(overall(by('officers', erin), by('compliance', erin))).toBe('tightening');
    const both = roles((all) => all.set('desk', new Map(all.get('officers'))));
    expect(kinds(between(by('officers', both), by('desk', both)))).toEqual(['screening.lists[0] neutral']);
  });

  it('lists are found by id, wherever they stand', () => {
    const [a, b] = [list(), list({ id: 'eu' })];
    expect(between(screening(a, b), screening(b, a))).toEqual([]);
    expect(kinds(between(screening(a, b), screening(b)))).toEqual(['screening.lists[0] loosening']);
  });
});
