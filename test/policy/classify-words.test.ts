import { describe, expect, it } from 'vitest';
import { classify } from '../../src/policy/classify.js';
import { blocks, caps, halt, list, put, roles, screening, tier, tiers } from './classify-support.js';
import { btc, loaded, P0, type PolicyChange } from './fixture.js';

const placed = (file: string, change: PolicyChange) => ({ ...loaded(change), where: () => ({ file }) });

/** Each change on a line: kind, field, before, after, why, and whether it stands in the old or in the new version. */
const said = (before: PolicyChange, after: PolicyChange): string[] =>
  classify(placed('old', before), placed('new', after)).map(({ kind, field, before: was, after: is, why, where }) =>
    [kind, field, was, is, why, where.file].join(' | '),
  );

const alice = (officer: string[], guest: string[]) =>
  roles((all) => {
    all.get('officers')?.set('alice', officer);
    all.set('guests', new Map([['alice', guest]]));
  });
const closed = (...closedDates: string[]): PolicyChange => ({ hours: { closedDates } });
const zoe = (...keys: string[]) => put('officers', 'zoe', ...keys);
const pin = screening(list({ pinnedBy: 'guests' }));
const compliance = tiers(tier(null, 1, { from: ['compliance'] }));
const two = (include: string) => tiers(tier(null, 2, { from: ['officers', 'compliance'], include }));
const OFFICERS = 'destinations.book_sign, approvals.tiers[0], approvals.tiers[1], approvals.tiers[2] and halt.resume';
const [FIVE, SIX, SEVEN] = [5, 6, 7].map((amount) => `${amount} sat (0.0000000${amount} BTC)`);
const BLOCKS = '144 blocks to 200 sat (0.00000200 BTC)';

describe('a change says what was, what is, and why it is of its kind', () => {
  it.each<[string, PolicyChange, PolicyChange, string[]]>([
    [
      'a cap of its own',
      caps(5n),
      caps(5n, ['w', 7n]),
      [`loosening | destinations.caps_24h.w | ${FIVE} (the default) | ${SEVEN} | it may get more | new`],
    ],
    [
      'a cap that falls back to the default',
      caps(5n, ['w', 7n]),
      caps(5n),
      [`tightening | destinations.caps_24h.w | ${SEVEN} | ${FIVE} (the default) | it may get less | old`],
    ],
    [
      'a cap that is written out',
      caps(5n),
      caps(5n, ['w', 5n]),
      [`neutral | destinations.caps_24h.w | ${FIVE} (the default) | ${FIVE} | it may get as much | new`],
    ],
    [
      'a lower cap',
      caps(5n, ['w', 7n]),
      caps(5n, ['w', 6n]),
      [`tightening | destinations.caps_24h.w | ${SEVEN} | ${SIX} | it may get less | new`],
    ],
    [
      'a window less',
      blocks([144, 200n]),
      blocks(),
      [
        `loosening | limits.rolling_blocks.144 | 200 sat (0.00000200 BTC) | none | nothing in the new version holds ${BLOCKS} | old`,
      ],
    ],
    [
      'a window more',
      blocks(),
      blocks([144, 200n]),
      [
        `tightening | limits.rolling_blocks.144 | none | 200 sat (0.00000200 BTC) | nothing in the old version held ${BLOCKS} | new`,
      ],
    ],
    [
      'a closed date',
      closed('2026-07-01'),
      closed('2026-07-01', '2026-07-02'),
      ['tightening | hours.closed_dates | 2026-07-01 | 2026-07-01 and 2026-07-02 | it adds 2026-07-02 | new'],
    ],
    [
      'a closed date of the past',
      closed(),
      closed('2020-07-01'),
      ['neutral | hours.closed_dates | none | 2020-07-01 | the new version does not apply on these dates | new'],
    ],
    [
      'a stricter list',
      screening(list()),
      screening(list({ maxAge: 3600, maxShrinkBp: 5 })),
      [
        'tightening | screening.lists[0] | up to 2 days old | up to 1 hour old | the tolerated age is shorter | new',
        'tightening | screening.lists[0] | shrinks by up to 1000 bp | shrinks by up to 5 bp | the shrinkage is lower | new',
      ],
    ],
    [
      'a list that others pin',
      screening(list()),
      screening(list({ pinnedBy: 'compliance' })),
      [
        'loosening | screening.lists[0] | pinned by officers | pinned by compliance | erin could not pin it before | new',
      ],
    ],
    [
      'a list less',
      screening(list({ id: 'a' }), list({ id: 'b' })),
      screening(list({ id: 'a' })),
      ['loosening | screening.lists[1] | the list b | none | the list is no longer asked | old'],
    ],
    [
      'a list more',
      screening(list({ id: 'a' })),
      screening(list({ id: 'a' }), list({ id: 'b' })),
      ['tightening | screening.lists[1] | none | the list b | one more list is asked | new'],
    ],
    [
      'a role that has to be among more people, and was asked alone before',
      compliance,
      two('compliance'),
      [
        'tightening | approvals.tiers[0] | any amount: 1 person of the role compliance | any amount: 2 different people of the roles officers and compliance, at least one of them of compliance | whoever meets the new quorum would have met the old one | new',
      ],
    ],
    [
      'another role that has to be among more people',
      compliance,
      two('officers'),
      [
        'loosening | approvals.tiers[0] | any amount: 1 person of the role compliance | any amount: 2 different people of the roles officers and compliance, at least one of them of officers | some people meet the new quorum who would not have met the old one | new',
      ],
    ],
    [
      'more people who can stop everything',
      halt({ raise: { from: ['officers'], m: 1 } }),
      halt({ raise: { from: ['officers', 'auditors'], m: 1 } }),
      [
        'tightening | halt.raise | 1 person of the role officers | 1 person of the roles officers and auditors | whoever could stop everything before still can | new',
      ],
    ],
    [
      'somebody who joins a role',
      {},
      zoe('ssh-ed25519 zoe'),
      [`loosening | roles.officers.zoe | none | zoe | zoe now counts for ${OFFICERS} | new`],
    ],
    [
      'somebody who leaves a role',
      zoe('ssh-ed25519 zoe'),
      {},
      [`tightening | roles.officers.zoe | zoe | none | zoe no longer counts for ${OFFICERS} | old`],
    ],
    [
      'somebody who joins a role that pins a list',
      pin,
      { ...pin, ...put('guests', 'zoe', 'ssh-ed25519 zoe') },
      ['loosening | roles.guests.zoe | none | zoe | zoe now counts for the list ofac | new'],
    ],
    [
      'somebody who leaves a role that does nothing',
      put('guests', 'zoe', 'k a'),
      {},
      ['neutral | roles.guests.zoe | a | none | the role guests let zoe do nothing that is lost | old'],
    ],
    [
      'a key more',
      zoe('k a'),
      zoe('k a', 'k b'),
      ['loosening | roles.officers.zoe | a | a and b | zoe can sign with another key: b | new'],
    ],
    [
      'a key less',
      zoe('k a', 'k b'),
      zoe('k a'),
      ['tightening | roles.officers.zoe | a and b | a | zoe can no longer sign with b | new'],
    ],
    [
      'another key',
      zoe('k a'),
      zoe('k b'),
      [
        'loosening | roles.officers.zoe | a | b | zoe can sign with another key: b; zoe can no longer sign with a | new',
      ],
    ],
    [
      'a key that moves between the roles of one person',
      alice(['k a', 'k b'], ['k c']),
      alice(['k a'], ['k c', 'k b']),
      [
        'neutral | roles.officers.alice | a and b | a | alice has the same keys, written under other roles | new',
        'neutral | roles.guests.alice | c | c and b | alice has the same keys, written under other roles | new',
      ],
    ],
    [
      'a key that moves, and another one',
      alice(['k a', 'k b'], ['k c']),
      alice(['k a'], ['k c', 'k b', 'k d']),
      [
        'neutral | roles.officers.alice | a and b | a | alice has the same keys, written under other roles | new',
        'loosening | roles.guests.alice | c | c, b and d | alice can sign with another key: d | new',
      ],
    ],
    [
      'somebody who leaves a role and keeps the same keys in another',
      alice(['k a'], ['k a']),
      roles((all) => all.get('officers')?.set('alice', ['k a'])),
      ['neutral | roles.guests.alice | a | none | the role guests let alice do nothing that is lost | old'],
    ],
    [
      'somebody who joins a role that pins none of the lists',
      screening(list()),
      { ...screening(list()), ...put('guests', 'zoe', 'ssh-ed25519 zoe') },
      [
        'neutral | roles.guests.zoe | none | zoe | nothing asks the role guests for anything that zoe could not do before | new',
      ],
    ],
    [
      'a version less',
      { transaction: { versions: [1, 2] } },
      { transaction: { versions: [2] } },
      ['tightening | transaction.versions | 1 and 2 | 2 | it leaves out 1 | new'],
    ],
    [
      'a limit that is left out',
      { limits: { lifetime: btc('5') } },
      {},
      ['loosening | limits.lifetime | 500000000 sat (5.00000000 BTC) | no limit at all | the cap is higher | old'],
    ],
    [
      'versions of transactions',
      { transaction: { versions: [2] } },
      { transaction: { versions: [2, 3] } },
      ['loosening | transaction.versions | 2 | 2 and 3 | it adds 3 | new'],
    ],
    [
      'a fraction',
      {},
      { fees: { maxBpOfExternal: P0.fees.maxBpOfExternal + 1 } },
      ['loosening | fees.max_bp_of_external | 50 bp | 51 bp | the fraction is higher | new'],
    ],
    [
      'engines that are no longer admitted',
      { engine: '>=1 <3' },
      { engine: '>=1 <2' },
      ['neutral | engine | >=1 <3 | >=1 <2 | it admits only engines that were admitted before | new'],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(said(before, after)).toEqual(lines);
  });
});
