import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Change, classify, overallKind, renderOrders } from '../../src/policy/classify.js';
import type { Cap, PolicyDocument } from '../../src/policy/types.js';
import { changed, exampleValue, leaves, load, loaded as loadedFile, type Plain } from './documents-support.js';
import { at, btc, DAY, HOUR, loaded, P0, type PolicyChange } from './fixture.js';

const between = (before: PolicyChange, after: PolicyChange): readonly Change[] =>
  classify(loaded(before), loaded(after));
const kinds = (changes: readonly Change[]): string[] => changes.map(({ field, kind }) => `${field} ${kind}`);
const overall = (before: PolicyChange, after: PolicyChange) => overallKind(between(before, after));

/** The field, a policy, and one that is tighter in this field alone. */
type Row = readonly [field: string, lax: PolicyChange, strict: PolicyChange];

const wallet = (device: Partial<PolicyDocument['wallet']['device']>): PolicyChange => ({
  wallet: { device: { ...P0.wallet.device, ...device } },
});
const young = (change: Partial<PolicyDocument['destinations']['young']>): PolicyChange => ({
  destinations: { young: { ...P0.destinations.young, ...change } },
});
const rolling = (change: Partial<PolicyDocument['limits']['rolling']>): PolicyChange => ({
  limits: { rolling: { ...P0.limits.rolling, ...change } },
});
const blocks = (...windows: [number, Cap][]): PolicyChange => ({ limits: { rollingBlocks: new Map(windows) } });
const caps = (defaultCap24h: Cap, ...own: [string, Cap][]): PolicyChange => ({
  destinations: { defaultCap24h, caps24h: new Map(own) },
});
const tiers = (...list: PolicyDocument['approvals']['tiers']): PolicyChange => ({ approvals: { tiers: list } });
const tier = (upTo: Cap, m: number, more: Partial<PolicyDocument['approvals']['tiers'][number]> = {}) => ({
  upTo,
  from: ['officers'],
  m,
  touchRequired: false,
  ...more,
});
const halt = (change: Partial<PolicyDocument['halt']>): PolicyChange => ({ halt: change });
const resume = (change: Partial<PolicyDocument['halt']['resume']>): PolicyChange =>
  halt({ resume: { ...P0.halt.resume, ...change } });
const list = (change: Partial<PolicyDocument['screening']['lists'][number]> = {}) => ({
  id: 'ofac',
  pinnedBy: 'officers',
  maxAge: 2 * DAY,
  maxShrinkBp: 1000,
  ...change,
});
const screening = (...lists: PolicyDocument['screening']['lists']): PolicyChange => ({ screening: { lists } });
const roles = (edit: (roles: Map<string, Map<string, readonly string[]>>) => void): PolicyChange => {
  const copy = new Map([...P0.roles].map(([role, people]) => [role, new Map(people)]));
  edit(copy);
  return { roles: copy };
};
const put = (role: string, person: string, ...keys: string[]): PolicyChange =>
  roles((all) => {
    const people = all.get(role) ?? new Map<string, readonly string[]>();
    all.set(role, people.set(person, keys));
  });
const witnesses = (m: number, ...keys: string[]): PolicyChange => ({ log: { witnesses: { m, keys } } });

const TABLE: readonly Row[] = [
  ['wallet.device.kinds', wallet({ kinds: ['nanos', 'stax'] }), wallet({ kinds: ['stax'] })],
  ['wallet.device.min_app_version', wallet({ minAppVersion: '2.9.9' }), wallet({ minAppVersion: '2.10.0' })],
  ['expires_at', { expiresAt: at('2026-12-01T00:00:00Z') }, { expiresAt: at('2026-11-30T23:59:59Z') }],
  ['roles.officers.dave', {}, roles((all) => all.get('officers')?.delete('dave'))],
  ['roles.officers.alice', put('officers', 'alice', 'ssh-ed25519 alice', 'ssh-ed25519 spare'), {}],
  ['change_control.sign', {}, { changeControl: { sign: { from: ['auditors', 'officers'], m: 6 } } }],
  ['change_control.loosening_notice', {}, { changeControl: { looseningNotice: 72 * HOUR + 1 } }],
  ['destinations.cooldown', {}, { destinations: { cooldown: 72 * HOUR + 1 } }],
  ['destinations.young.until_age', {}, young({ untilAge: 30 * DAY + 1 })],
  ['destinations.young.each_24h', {}, young({ each24h: btc('5') - 1n })],
  ['destinations.young.all_24h', {}, young({ all24h: btc('10') - 1n })],
  ['destinations.book_sign', {}, { destinations: { bookSign: { ...P0.destinations.bookSign, m: 3 } } }],
  ['destinations.script_types', {}, { destinations: { scriptTypes: ['p2tr', 'p2wpkh'] } }],
  ['destinations.default_cap_24h', {}, { destinations: { defaultCap24h: btc('80') - 1n } }],
  ['destinations.caps_24h.a', caps(100n, ['a', 200n]), caps(100n, ['a', 199n])],
  ['destinations.caps_24h.a', caps(100n, ['a', 101n]), caps(100n)],
  ['destinations.caps_24h.a', caps(100n), caps(100n, ['a', 99n])],
  ['destinations.caps_24h.a', caps(null), caps(null, ['a', 99n])],
  ['destinations.caps_24h.a', caps(100n, ['a', null]), caps(100n)],
  ['limits.batch', {}, { limits: { batch: btc('100') - 1n } }],
  ['limits.batch', { limits: { batch: null } }, { limits: { batch: btc('21000000') } }],
  ['limits.output', {}, { limits: { output: 0n } }],
  ['limits.rolling.1h', {}, rolling({ '1h': btc('120') - 1n })],
  ['limits.rolling.24h', {}, rolling({ '24h': btc('200') - 1n })],
  ['limits.rolling.7d', {}, rolling({ '7d': btc('500') - 1n })],
  ['limits.rolling_blocks.144', blocks([144, 200n]), blocks([144, 199n])],
  ['limits.rolling_blocks.144', blocks([144, null]), blocks([144, 200n])],
  ['limits.rolling_blocks.144', blocks(), blocks([144, 200n])],
  ['limits.rolling_blocks.6', blocks([144, 200n]), blocks([144, 200n], [6, 199n])],
  ['limits.signed_unconfirmed', {}, { limits: { signedUnconfirmed: btc('150') - 1n } }],
  ['limits.batches_24h', {}, { limits: { batches24h: 5 } }],
  ['limits.outputs_per_batch', {}, { limits: { outputsPerBatch: 49 } }],
  ['limits.reserve_floor', {}, { limits: { reserveFloor: btc('1000') + 1n } }],
  ['fees.max_rate_sat_vb', {}, { fees: { maxRate: 299_999n } }],
  ['fees.min_rate_sat_vb', {}, { fees: { minRate: 1001n } }],
  ['fees.max_abs', {}, { fees: { maxAbs: 999_999n } }],
  ['fees.max_bp_of_external', {}, { fees: { maxBpOfExternal: 49 } }],
  ['fees.bp_applies_above', {}, { fees: { bpAppliesAbove: 9999n } }],
  ['fees.max_24h', {}, { fees: { max24h: 3_999_999n } }],
  ['approvals.valid_for', {}, { approvals: { validFor: 4 * HOUR - 1 } }],
  ['approvals.tiers[0]', tiers(tier(null, 2)), tiers(tier(null, 3))],
  ['approvals.tiers[0]', tiers(tier(null, 2)), tiers(tier(null, 2, { touchRequired: true }))],
  [
    'approvals.tiers[0]',
    tiers(tier(null, 2, { from: ['officers', 'compliance'] })),
    tiers(tier(null, 2, { from: ['officers', 'compliance'], include: 'compliance' })),
  ],
  ['approvals.tiers[0]', tiers(tier(null, 2, { from: ['officers', 'compliance'] })), tiers(tier(null, 2))],
  // A wider circle of which one more is asked: three of them are still officers.
  [
    'approvals.tiers[0]',
    tiers(tier(null, 3)),
    tiers(tier(null, 4, { from: ['officers', 'compliance'], include: 'compliance' })),
  ],
  ['approvals.tiers[1]', tiers(tier(50n, 2), tier(null, 3)), tiers(tier(49n, 2), tier(null, 3))],
  ['approvals.tiers[1]', tiers(tier(50n, 2)), tiers(tier(20n, 2), tier(50n, 3))],
  ['inputs.min_confirmations', {}, { inputs: { minConfirmations: 7 } }],
  ['inputs.min_value', {}, { inputs: { minValue: 10_001n } }],
  ['inputs.max', {}, { inputs: { max: 199 } }],
  ['change.max_outputs', {}, { change: { maxOutputs: 0 } }],
  ['change.max_gap', {}, { change: { maxGap: 19 } }],
  ['transaction.versions', {}, { transaction: { versions: [2] } }],
  ['hours.days', {}, { hours: { days: ['tue', 'mon'] } }],
  ['hours.from', {}, { hours: { from: 7 * HOUR + 60 } }],
  ['hours.to', {}, { hours: { to: 19 * HOUR - 60 } }],
  ['hours.closed_dates', { hours: { closedDates: [] } }, { hours: { closedDates: ['2026-05-01'] } }],
  ['screening.lists[0]', screening(list()), screening(list({ maxAge: 2 * DAY - 1 }))],
  ['screening.lists[0]', screening(list()), screening(list({ maxShrinkBp: 999 }))],
  ['screening.lists[0]', screening(), screening(list())],
  ['screening.inputs_hops', {}, { screening: { inputsHops: 1 } }],
  ['clock.max_back', {}, { clock: { maxBack: 119 } }],
  ['clock.max_ahead_of_mtp', {}, { clock: { maxAheadOfMtp: 3 * HOUR - 1 } }],
  ['clock.chain_snapshot_max_age', {}, { clock: { chainSnapshotMaxAge: 2 * HOUR - 1 } }],
  ['halt.raise', halt({ raise: { from: ['officers'], m: 2 } }), halt({ raise: { from: ['officers'], m: 1 } })],
  ['halt.raise', halt({ raise: { from: ['officers'], m: 1 } }), {}],
  ['halt.resume', {}, resume({ m: 4 })],
  ['halt.resume.not_before', {}, resume({ notBefore: 24 * HOUR + 1 })],
  ['halt.auto', {}, halt({ auto: ['ledger_tamper'] })],
  ['log.witnesses.m', witnesses(1, 'a', 'b'), witnesses(2, 'a', 'b')],
  ['log.witnesses.keys', witnesses(1, 'a', 'b'), witnesses(1, 'a')],
];

describe('a change of one field', () => {
  it.each(TABLE)('%s: one way tightens, the other loosens (%#)', (field, lax, strict) => {
    const there = between(lax, strict);
    expect(there.map(({ kind }) => kind)).toEqual(['tightening']);
    expect(there.map((change) => change.field)).toEqual([field]);
    const back = between(strict, lax);
    expect(overallKind(back)).toBe('loosening');
    for (const { field: name } of back) expect(name.startsWith(field.replace(/[[0-9\]]+$/, ''))).toBe(true);
  });

  it.each(TABLE)('%s: with a loosening elsewhere it is a loosening (%#)', (_, lax, strict) => {
    const looser = {
      ...strict,
      log: { ...(strict.log ?? lax.log), origin: 'elsewhere.example' },
    };
    const kinds = between(lax, looser).map(({ kind }) => kind);
    expect(kinds).toContain('tightening');
    expect(overall(lax, looser)).toBe('loosening');
  });

  const LOOSER: readonly (readonly [field: string, after: PolicyChange, before: PolicyChange | null])[] = [
    ['engine', { engine: '>=1 <3' }, null],
    ['engine', { engine: '>=0 <2' }, null],
    ['wallet.id', { wallet: { id: 'other' } }, null],
    ['wallet.network', { wallet: { network: 'signet' } }, null],
    ['wallet.descriptor', { wallet: { descriptor: 'wpkh(other)' } }, null],
    ['wallet.device.app', wallet({ app: 'Bitcoin Test' }), null],
    ['effective_at', { effectiveAt: P0.effectiveAt - 1 }, null],
    ['roles.officers.mallory', put('officers', 'mallory', 'ssh-ed25519 mallory'), null],
    ['roles.compliance.alice', put('compliance', 'alice', 'ssh-ed25519 alice'), null],
    ['roles.officers.alice', put('officers', 'alice', 'ssh-ed25519 other'), null],
    ['hours.days', { hours: { days: ['mon', 'tue', 'wed', 'sat'] } }, null],
    [
      'destinations.script_types',
      { destinations: { scriptTypes: ['p2tr'] } },
      { destinations: { scriptTypes: ['p2wpkh'] } },
    ],
    ['log.origin', { log: { origin: 'other.example' } }, null],
  ];
  it.each(LOOSER)('%s: not provably tighter is a loosening', (field, change, before) => {
    expect(kinds(between(before ?? {}, change))).toEqual([`${field} loosening`]);
  });

  const NEUTRAL: readonly (readonly [field: string, before: PolicyChange, after: PolicyChange])[] = [
    ['version', {}, { version: 8 }],
    ['prev', {}, { prev: `sha256:${'1'.repeat(64)}` }],
    ['effective_at', {}, { effectiveAt: P0.effectiveAt + 1 }],
    ['engine', { engine: '>=1 <3' }, { engine: '>=1 <2' }],
    ['destinations.caps_24h.a', caps(100n), caps(100n, ['a', 100n])],
    ['limits.rolling_blocks.6', blocks([144, 200n]), blocks([144, 200n], [6, 200n])],
    ['limits.rolling_blocks.6', blocks([144, 200n], [6, 200n]), blocks([144, 200n])],
    ['limits.rolling_blocks.6', blocks([6, null]), blocks()],
    ['hours.closed_dates', {}, { hours: { closedDates: ['2026-12-25', '2026-12-01'] } }],
    ['hours.closed_dates', { hours: { closedDates: ['2026-04-30'] } }, { hours: { closedDates: [] } }],
    [
      'approvals.tiers[0]',
      tiers(tier(null, 1, { from: ['compliance'] })),
      tiers(tier(null, 1, { from: ['compliance'], include: 'compliance' })),
    ],
    ['roles.guests.zoe', {}, put('guests', 'zoe', 'ssh-ed25519 zoe')],
    ['roles.guests.zoe', put('guests', 'zoe', 'ssh-ed25519 zoe'), {}],
    ['roles.guests.alice', {}, put('guests', 'alice', 'ssh-ed25519 alice')],
  ];
  it.each(NEUTRAL)('%s: without effect on what may leave it is neutral (%#)', (field, before, after) => {
    const found = between(before, after);
    expect(kinds(found)).toEqual([`${field} neutral`]);
    expect(overallKind(found)).toBe('neutral');
  });

  it('a closed date has an effect from the first second of the new version on, and up to its last', () => {
    const life = { effectiveAt: at('2026-05-02T00:00:00Z'), expiresAt: at('2026-06-01T00:00:00Z') };
    const closed = (...closedDates: string[]): PolicyChange => ({ ...life, hours: { closedDates } });
    for (const date of ['2026-05-01', '2026-06-01']) expect(overall(closed(date), closed())).toBe('neutral');
    for (const date of ['2026-05-02', '2026-05-31']) expect(overall(closed(date), closed())).toBe('loosening');
  });

  it('a cap of its own is compared with the default of the other version', () => {
    const [before, after] = [caps(100n), caps(50n, ['a', 80n])];
    expect(kinds(between(before, after))).toEqual([
      'destinations.default_cap_24h tightening',
      'destinations.caps_24h.a tightening',
    ]);
    expect(kinds(between(after, before))).toEqual([
      'destinations.default_cap_24h loosening',
      'destinations.caps_24h.a loosening',
    ]);
  });

  it('finds nothing between a policy and itself, nor in another order of lists or another comment of a key', () => {
    expect(between({}, {})).toEqual([]);
    expect(
      between(
        {},
        {
          hours: { days: [...P0.hours.days].reverse() },
          roles: new Map(
            [...(put('officers', 'alice', 'ssh-ed25519 alice a laptop').roles as PolicyDocument['roles'])].reverse(),
          ),
        },
      ),
    ).toEqual([]);
    expect(overall({}, {})).toBe('neutral');
  });
});

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

describe('what a change says', () => {
  it('names both values, the reason, and the line: of the new version, of the old one for what is gone', () => {
    const before = { ...loaded(blocks([144, btc('2')])), where: () => ({ file: 'old.yaml', line: 3 }) };
    const after = { ...loaded({ limits: { batch: btc('101') } }), where: () => ({ file: 'new.yaml', line: 4 }) };
    expect(classify(before, after)).toEqual([
      {
        field: 'limits.batch',
        before: '10000000000 sat (100.00000000 BTC)',
        after: '10100000000 sat (101.00000000 BTC)',
        kind: 'loosening',
        why: 'the cap is higher',
        where: { file: 'new.yaml', line: 4 },
      },
      {
        field: 'limits.rolling_blocks.144',
        before: '200000000 sat (2.00000000 BTC)',
        after: 'none',
        kind: 'loosening',
        why: 'nothing in the new version holds 144 blocks to 200000000 sat (2.00000000 BTC)',
        where: { file: 'old.yaml', line: 3 },
      },
    ]);
  });
});

describe('the orders', () => {
  const page = readFileSync(new URL('../../docs/policy-changes.md', import.meta.url), 'utf8');

  it('stand in docs/policy-changes.md', () => {
    expect(page).toContain(renderOrders());
  });

  it('name every field of a policy file, and no field that is not there', () => {
    const fields = [...renderOrders().matchAll(/^\| `(\S+)` \|/gm)].map(([, field = '']) => field);
    const paths = leaves(exampleValue()).map(({ path }) => path);
    const under = (path: string, field: string): boolean => path === field || /^[.[]/.test(path.slice(field.length));
    const covers = (field: string, path: string): boolean => path.startsWith(field) && under(path, field);
    for (const path of paths) expect(fields.filter((field) => covers(field, path)).length, path).toBeGreaterThan(0);
    for (const field of fields) expect(paths.filter((path) => covers(field, path)).length, field).toBeGreaterThan(0);
    expect(new Set(fields).size).toBe(fields.length);
  });

  it('notice every change of a value in a file', () => {
    const example = exampleValue();
    const before = loadedFile(example);
    const seen: string[] = [];
    for (const { keys, path, value } of leaves(example)) {
      const after = load(changed(example, keys, otherThan(value)));
      // What has one possible value, or may not change alone, is refused before it is compared.
      if (!after.ok) continue;
      seen.push(path);
      // Of a key, another comment: it means nothing.
      const isKey = path.startsWith('roles.');
      expect(classify(before, after.value).length > 0, path).toBe(!isKey);
    }
    expect(seen.length).toBeGreaterThan(50);
  });

  it('find the line of a change in the file', () => {
    const after = loadedFile(changed(exampleValue(), ['limits', 'rolling', '24h'], '1'));
    const [change] = classify(loadedFile(exampleValue()), after);
    expect(change).toMatchObject({ field: 'limits.rolling.24h', where: after.where('limits.rolling.24h') });
    expect(change?.where.line).toBeGreaterThan(1);
  });
});

/** Another value that might stand there. */
function otherThan(value: Plain): Plain {
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return ['ofac'];
  if (/^\d+$/.test(value)) return `${value}0`;
  if (/^\d+[smhd]$/.test(value)) return `1${value}`;
  if (/^\d{4}-/.test(value)) return value.replace(/^\d{4}/, '2027');
  if (/^\d\d:/.test(value)) return value.replace(/\d\d$/, '30');
  const others: Readonly<Record<string, string>> = {
    officers: 'auditors',
    compliance: 'officers',
    unlimited: '99999999999',
  };
  return others[value] ?? `${value}x`;
}
