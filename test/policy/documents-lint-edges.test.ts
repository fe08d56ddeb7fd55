import { describe, expect, it } from 'vitest';
import { lintPolicy } from '../../src/policy/lint.js';
import { btc, DAY, HOUR, loaded, NOW, P0, type PolicyChange } from './fixture.js';

// Each remark of the linter where it begins: with the last value that is fine beside the first that is not.

const lint = (change: PolicyChange = {}) => lintPolicy(loaded(change), { now: NOW });

/** What is said of a field, or of what is below it: "warning text". */
const said = (field: string, change: PolicyChange = {}): readonly string[] =>
  lint(change)
    .filter((one) => one.field === field)
    .map(({ level, text }) => `${level} ${text}`);

const { limits, destinations, fees, halt, approvals } = P0;

describe('the order', () => {
  it('is warnings first, and by line within each', () => {
    const found = lint({ limits: { batch: null, lifetime: 0n }, hours: { days: [] } });
    const keys = found.map(({ level, where }) => [level, where.line] as const);
    const of = (level: string) => keys.filter(([one]) => one === level).map(([, line]) => line ?? 0);
    expect(keys.map(([level]) => level)).toEqual([
      ...of('warning').map(() => 'warning'),
      ...of('note').map(() => 'note'),
    ]);
    for (const lines of [of('warning'), of('note')]) {
      expect(new Set(lines).size).toBeGreaterThan(3);
      expect(lines).toEqual([...lines].sort((a, b) => a - b));
    }
  });
});

const CAPS: readonly (readonly [field: string, set: (cap: bigint | null) => PolicyChange])[] = [
  ['destinations.young.each_24h', (cap) => ({ destinations: { young: { ...destinations.young, each24h: cap } } })],
  ['destinations.young.all_24h', (cap) => ({ destinations: { young: { ...destinations.young, all24h: cap } } })],
  ['destinations.default_cap_24h', (cap) => ({ destinations: { defaultCap24h: cap } })],
  ['destinations.caps_24h.warm-1', (cap) => ({ destinations: { caps24h: new Map([['warm-1', cap]]) } })],
  ['limits.batch', (cap) => ({ limits: { batch: cap } })],
  ['limits.output', (cap) => ({ limits: { output: cap } })],
  ['limits.rolling.1h', (cap) => ({ limits: { rolling: { ...limits.rolling, '1h': cap } } })],
  ['limits.rolling.24h', (cap) => ({ limits: { rolling: { ...limits.rolling, '24h': cap } } })],
  ['limits.rolling.7d', (cap) => ({ limits: { rolling: { ...limits.rolling, '7d': cap } } })],
  ['limits.rolling_blocks.144', (cap) => ({ limits: { rollingBlocks: new Map([[144, cap]]) } })],
  ['limits.signed_unconfirmed', (cap) => ({ limits: { signedUnconfirmed: cap } })],
  ['limits.lifetime', (cap) => ({ limits: { lifetime: cap } })],
  ['fees.max_abs', (cap) => ({ fees: { maxAbs: cap } })],
  ['fees.max_24h', (cap) => ({ fees: { max24h: cap } })],
];

describe('every cap', () => {
  it.each(CAPS)('%s: unlimited is warned of, 0 lets nothing leave, one satoshi is neither', (field, set) => {
    const matching = (cap: bigint | null) => said(field, set(cap)).filter((text) => !text.includes('never binds'));
    expect(matching(null)).toEqual([expect.stringMatching(/^warning is unlimited/)]);
    expect(matching(0n)).toEqual(['warning is 0, so nothing may leave under it']);
    expect(matching(1n)).toEqual([]);
  });

  it.each(CAPS)('%s: nothing is said to bind sooner than what has no limit', (field, set) => {
    expect(lint(set(null)).filter(({ text }) => text.includes(`above ${field},`))).toEqual([]);
  });

  it('without a lifetime limit nothing is said to bind sooner than it', () => {
    expect(lint().filter(({ text }) => text.includes('never binds'))).toEqual([]);
    expect(said('limits.lifetime')).toEqual(['note is left out: there is no limit on all that ever leaves']);
  });
});

describe('tiers', () => {
  const tiers = (...tops: (bigint | null)[]) => ({
    approvals: { tiers: tops.map((upTo) => ({ upTo, from: ['officers'], m: 2, touchRequired: false })) },
  });
  const day = (cap: bigint | null): PolicyChange => ({ limits: { rolling: { ...limits.rolling, '24h': cap } } });
  const reached = (index: number, change: PolicyChange) =>
    said(`approvals.tiers[${index}]`, change).some((text) => text.includes('never reached'));

  it('are never reached where the one before covers the day', () => {
    expect(reached(1, { ...tiers(btc('200'), null), ...day(btc('200')) })).toBe(true);
    expect(reached(1, { ...tiers(btc('200') - 1n, null), ...day(btc('200')) })).toBe(false);
    expect(reached(1, { ...tiers(btc('200'), null), ...day(null) })).toBe(false);
    expect(reached(0, { ...tiers(btc('200'), null), ...day(btc('200')) })).toBe(false);
    expect(reached(0, { ...tiers(null), ...day(0n) })).toBe(false);
  });

  it('leave something without any where the last one ends below the day', () => {
    const last = (change: PolicyChange) => said('approvals.tiers[1].up_to', change).length;
    expect(last({ ...tiers(btc('10'), btc('200') - 1n), ...day(btc('200')) })).toBe(1);
    expect(last({ ...tiers(btc('10'), btc('200')), ...day(btc('200')) })).toBe(0);
    expect(last({ ...tiers(btc('10'), btc('200')), ...day(null) })).toBe(1);
    expect(last({ ...tiers(btc('10'), null), ...day(null) })).toBe(0);
    expect(said('approvals.tiers[0].up_to', tiers(btc('10'), btc('50')))).toEqual([]);
  });
});

describe('quorums', () => {
  const people = (...names: string[]) => new Map(names.map((name) => [name, ['ssh-ed25519 k']]));
  const roles = new Map([
    ['officers', people('alice', 'bob', 'carol')],
    ['compliance', people('erin')],
    ['auditors', people('frank', 'grace')],
  ]);
  const tier = (m: number, more: PolicyChange = {}): PolicyChange => ({
    roles,
    ...more,
    approvals: {
      ...(more.approvals ?? {}),
      tiers: [{ upTo: null, from: ['officers'], m, touchRequired: false }],
    },
  });
  const ofTier = (...args: Parameters<typeof tier>) => said('approvals.tiers[0].m', tier(...args));

  it('of all people of their roles are warned of, but for those of one', () => {
    const sign = (m: number, from: string[]) => said('change_control.sign.m', { changeControl: { sign: { from, m } } });
    expect(sign(2, ['auditors'])).toEqual([
      'warning 2 of 2 people are needed: one absence, or one lost key, and it can never be met',
    ]);
    expect(sign(1, ['compliance'])).toEqual([]);
    expect(sign(2, ['auditors', 'compliance'])).toEqual([]);
  });

  it('of approvals count who asks as missing', () => {
    expect(ofTier(1)).toEqual(['warning is 1: coins would move on one word beside that of who asked for it']);
    expect(ofTier(2)).toEqual([
      'warning needs 2 of 3 people, and who asks for a withdrawal does not count: when one of them asks, no other may be absent',
    ]);
    expect(ofTier(3)).toEqual([
      'warning needs 3 of 3 people, and who asks for a withdrawal does not count: none of them may be absent, nor ask',
    ]);
    expect(ofTier(4)).toEqual(['warning can never be met: it needs 4, and there are 3 people']);
    expect(
      said('approvals.tiers[0].m', {
        approvals: { tiers: [{ upTo: null, from: ['officers'], m: 2, touchRequired: false }] },
      }),
    ).toEqual([]);
  });

  it('of approvals with the duplicate guard need one more', () => {
    const guard: PolicyChange = { approvals: { duplicateGuard: 'approve' } };
    expect(ofTier(2, guard)).toEqual([expect.stringContaining('a repeated payment needs 3 of 3 people')]);
    expect(ofTier(2, { approvals: { duplicateGuard: 'warn' } })).toEqual([
      expect.stringContaining('when one of them asks'),
    ]);
    expect(ofTier(1, guard)).toHaveLength(1);
  });

  it('count only people with a key that is touched where the tier asks for one', () => {
    const keys = new Map([
      ['alice', ['ssh-ed25519 k', 'sk-ssh-ed25519@openssh.com k']],
      ['bob', ['ssh-ed25519 sk-']],
      ['carol', ['ssh-rsa k']],
    ]);
    const touched = {
      roles: new Map([...roles, ['officers', keys]]),
      approvals: { tiers: [{ upTo: null, from: ['officers'], m: 2, touchRequired: true }] },
    };
    expect(said('approvals.tiers[0].m', touched)).toEqual([
      'warning can never be met: it needs 2, and there are 1 people with a key that has to be touched',
    ]);
  });

  it('name somebody at the last of their roles', () => {
    const both = new Map([...roles, ['board', people('bob', 'erin')]]);
    const found = lint({ roles: both }).filter(({ field }) => field.startsWith('roles.'));
    expect(found.map(({ field }) => field).sort()).toEqual(['roles.board.bob', 'roles.board.erin']);
    expect(lint({ roles }).filter(({ field }) => field.startsWith('roles.'))).toEqual([]);
    const three = new Map([...both, ['clerks', people('bob')]]);
    expect(said('roles.clerks.bob', { roles: three })).toEqual([
      'warning bob is in the roles officers, board and clerks: those duties are not separated',
    ]);
  });
});

describe('screening', () => {
  const list = { id: 'x', pinnedBy: 'officers', maxAge: DAY, maxShrinkBp: 9999 };
  const lists = (change: Partial<typeof list> | null, inputsHops = 1): PolicyChange => ({
    screening: { lists: change === null ? [] : [{ ...list, ...change }], inputsHops },
  });
  const all = (change: PolicyChange) =>
    lint(change)
      .filter(({ field }) => field.startsWith('screening'))
      .map(({ level, field, text }) => `${level} ${field} ${text}`);

  it('is content with a list that is a day old, keeps entries, and is pinned by several people', () => {
    expect(all(lists({}))).toEqual([]);
  });

  it.each<[string, PolicyChange, readonly string[]]>([
    ['no list', lists(null, 0), ['note screening.lists names no list: nothing is screened']],
    [
      'hops and no list',
      lists(null),
      ['note screening.lists names no list: nothing is screened, and inputs_hops has nothing to compare coins with'],
    ],
    [
      'no hops',
      lists({}, 0),
      ['note screening.inputs_hops is 0: only destinations are screened, and not where coins come from'],
    ],
    [
      'a younger list',
      lists({ maxAge: DAY - HOUR }),
      ['warning screening.lists[0].max_age is 23 hours: without a newer list as often, every batch is denied'],
    ],
    [
      'a list that may lose everything',
      lists({ maxShrinkBp: 10_000 }),
      ['warning screening.lists[0].max_shrink_bp lets a list lose all of its entries at once'],
    ],
    [
      'a role of one person',
      lists({ pinnedBy: 'compliance' }),
      [
        'note screening.lists[0].sha256_pinned_by is a role of one person: while they are away the list grows old, and then every batch is denied',
      ],
    ],
    ['a role that is not there', lists({ pinnedBy: 'nobody' }), []],
    [
      'more hops than data have',
      lists({}, 2),
      [
        'warning screening.inputs_hops asks for 2 hops, and a coin snapshot tells where coins come from over 1: so every batch is denied',
      ],
    ],
    [
      'more hops, and no list',
      lists(null, 2),
      [
        'warning screening.inputs_hops asks for 2 hops, and a coin snapshot tells where coins come from over 1: with the first list that is named every batch will be denied',
        'note screening.lists names no list: nothing is screened, and inputs_hops has nothing to compare coins with',
      ],
    ],
  ])('%s', (_, change, expected) => {
    expect(all(change)).toEqual(expected);
  });
});

describe('halts', () => {
  const of = (change: Partial<typeof halt>) =>
    lint({ halt: { ...halt, auto: ['ledger_tamper'], ...change } })
      .filter(({ field, text }) => field.startsWith('halt') && !text.includes('not enforced'))
      .map(({ level, field, text }) => `${level} ${field} ${text}`);

  it('are fine as they are', () => {
    expect(of({})).toEqual([]);
    expect(of({ denials: { count: 3, within: 1 } })).toEqual([]);
  });

  it.each<[Partial<typeof halt>, string]>([
    [
      { raise: { from: ['officers'], m: 2 } },
      'warning halt.raise.m is 2, and one of them is enough all the same: a halt never waits for a second word',
    ],
    [
      { resume: { ...halt.resume, notBefore: 0 } },
      'warning halt.resume.not_before is 0: a halt can be lifted before anybody has looked into it',
    ],
    [{ resume: { ...halt.resume, m: 1 } }, 'warning halt.resume.m is 1: one person can undo the halt of another'],
    [
      { auto: [] },
      'note halt.auto leaves out ledger_tamper; a journal that does not verify stops everything all the same',
    ],
    [{ denials: { count: 3, within: 0 } }, 'warning halt.denials.within is 0, so no number of denials halts anything'],
  ])('%j', (change, expected) => {
    expect(of(change)).toEqual([expected]);
  });
});

describe('what is weak', () => {
  it.each<[string, PolicyChange, PolicyChange]>([
    ['limits.rolling_blocks', {}, { limits: { rollingBlocks: new Map([[144, btc('1')]]) } }],
    ['destinations.cooldown', { destinations: { cooldown: 0 } }, { destinations: { cooldown: 1 } }],
    ['destinations.proof', {}, { destinations: { proof: 'required' } }],
    ['limits.reserve_floor', { limits: { reserveFloor: 0n } }, { limits: { reserveFloor: 1n } }],
    ['inputs.min_confirmations', { inputs: { minConfirmations: 0 } }, { inputs: { minConfirmations: 1 } }],
    ['inputs.max', { inputs: { max: 0 } }, { inputs: { max: 1 } }],
    ['limits.batches_24h', { limits: { batches24h: 0 } }, { limits: { batches24h: 1 } }],
    ['limits.outputs_per_batch', { limits: { outputsPerBatch: 0 } }, { limits: { outputsPerBatch: 1 } }],
    ['approvals.valid_for', { approvals: { validFor: 0 } }, { approvals: { validFor: 1 } }],
    ['destinations.script_types', { destinations: { scriptTypes: [] } }, {}],
    ['hours.days', { hours: { days: [] } }, {}],
  ])('%s, and one step further it is not', (field, weak, fine) => {
    expect(said(field, weak)).toHaveLength(1);
    expect(said(field, fine)).toEqual([]);
  });

  it('the caps of the fixture are none of this', () => {
    expect(lint({ fees, approvals }).filter(({ text }) => text.includes('is 0'))).toEqual([]);
  });
});

describe('what is read and not enforced', () => {
  it('is two fields, each with what holds in its place', () => {
    const notes = lint().filter(({ text }) => text.startsWith('is read but not enforced: '));
    expect(notes.map(({ field }) => field).sort()).toEqual(['log.witnesses', 'wallet.device.kinds']);
    for (const { level, text } of notes) {
      expect(level).toBe('note');
      expect(text.length).toBeGreaterThan(60);
    }
  });
});
