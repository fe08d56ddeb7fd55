import { describe, expect, it } from 'vitest';
import { type Bound, bound } from '../../src/policy/bound/bound.js';
import { isEnforced, weakened } from '../../src/policy/bound/powers.js';
import { NOT_ENFORCED } from '../../src/policy/not-enforced.js';
import type { LoadedBook, LoadedPolicy } from '../../src/policy/types.js';
import { ONE_PAYEE } from './bound-brute.js';
import { btc, change as changeOutput, DAY, HOUR, judge, loaded, P0, type PolicyChange, summary } from './fixture.js';

const POLICY: PolicyChange = { limits: { rollingBlocks: new Map([[144, btc('200')]]) } };

function asked(
  people: readonly string[],
  change: PolicyChange = POLICY,
  more: Partial<Parameters<typeof bound>[0]> = {},
) {
  return bound({ policy: loaded(change), compromised: new Set(people), book: null, balance: null, ...more });
}

function lineOf({ lines }: Bound, span: string, what = 'everything together') {
  const line = lines.find((one) => one.what === what && one.span === span);
  if (line === undefined) throw new Error(`no line ${what}, ${span}`);
  return {
    atMost: line.atMost,
    exact: line.exact,
    by: line.by.map(({ binding, times }) => `${times} ${binding.code}`),
  };
}

const exactly = (amount: string, ...by: string[]) => ({ atMost: btc(amount), exact: true, by });

describe('what named people can make leave', () => {
  it('two officers: 10 BTC a day, and six times that in a week of office hours', () => {
    const found = asked(['alice', 'bob']);
    for (const span of ['1 h', '24 h', 'one batch']) {
      expect(lineOf(found, span)).toEqual(exactly('10', '1 APPROVALS_MISSING'));
    }
    expect(lineOf(found, '7 d')).toEqual(exactly('60', '6 APPROVALS_MISSING'));
    expect(found.compromised).toEqual(['alice', 'bob']);
  });

  it('four officers without compliance: 50 BTC a day', () => {
    expect(lineOf(asked(['alice', 'bob', 'carol', 'dave']), '24 h')).toEqual(exactly('50', '1 APPROVALS_MISSING'));
  });

  it('with compliance: the limits themselves', () => {
    const found = asked(['alice', 'bob', 'carol', 'erin']);
    expect(lineOf(found, '1 h')).toEqual(exactly('120', '1 LIMIT_1H'));
    expect(lineOf(found, '24 h')).toEqual(exactly('200', '1 LIMIT_24H'));
    expect(lineOf(found, '7 d')).toEqual(exactly('500', '1 LIMIT_7D'));
    expect(lineOf(found, '144 blocks')).toEqual(exactly('200', '1 LIMIT_BLOCKS'));
    expect(lineOf(found, 'one batch')).toEqual(exactly('100', '1 LIMIT_BATCH'));
  });

  it('a lifetime limit bounds every figure, and all time', () => {
    const lasting = (lifetime: bigint | null) =>
      asked(['alice', 'bob', 'carol', 'erin'], { limits: { ...POLICY.limits, lifetime } });
    const found = lasting(btc('150'));
    for (const span of ['24 h', '7 d', 'ever', '144 blocks']) {
      expect(lineOf(found, span)).toEqual(exactly('150', '1 LIMIT_LIFETIME'));
    }
    expect(lineOf(found, '1 h')).toEqual(exactly('120', '1 LIMIT_1H'));
    expect(lineOf(lasting(btc('499')), '7 d')).toEqual(exactly('499', '1 LIMIT_LIFETIME'));
    expect(lineOf(lasting(btc('501')), '7 d')).toEqual(exactly('500', '1 LIMIT_7D'));
    for (const { atMost } of lasting(0n).lines) expect(atMost).toBe(0n);
    expect(lasting(null).lines.map(({ span }) => span)).not.toContain('ever');
  });

  it('fees without payments: a consolidation is asked for no fraction', () => {
    const fees = { maxBpOfExternal: 0, bpAppliesAbove: 0n, maxAbs: 900_000n, max24h: null };
    const change: PolicyChange = { ...POLICY, fees };
    const burnt = lineOf(asked(['alice', 'bob', 'carol'], change), '24 h', 'fees to miners');
    expect(burnt.atMost).toBe(900_000n * 6n);
    const none = { ...change, change: { maxOutputs: 0 } };
    expect(lineOf(asked(['alice', 'bob', 'carol'], none), '24 h', 'fees to miners').atMost).toBe(0n);
    const asConsolidation = { batch: { pay: [], change: [changeOutput(btc('1'))], fee: 900_000n, vsize: 3000n } };
    expect(summary(judge({ policy: change, kind: 'consolidation', ...asConsolidation }))).toBe('ALLOW');
    expect(summary(judge({ policy: none, kind: 'consolidation', ...asConsolidation }))).toBe('DENY CHANGE_COUNT');
    expect(summary(judge({ policy: change, batch: { fee: 400n } }))).toBe('DENY FEE_FRACTION');
  });

  it('a repeated payment asks for one person more, which another satoshi avoids: the figures stay', () => {
    const guarded = asked(['alice', 'bob'], { ...POLICY, approvals: { duplicateGuard: 'approve' } });
    expect(lineOf(guarded, '7 d')).toEqual(exactly('60', '6 APPROVALS_MISSING'));
  });

  it('one officer, or people of no tier: nothing, and the rule that says so', () => {
    expect(lineOf(asked(['alice']), '24 h')).toEqual(exactly('0', '1 APPROVALS_MISSING'));
    expect(lineOf(asked(['frank', 'grace', 'erin']), '7 d')).toEqual(exactly('0', '1 APPROVALS_MISSING'));
  });

  it('everybody: one of them has to ask, and does not count', () => {
    const roles = new Map([['officers', new Map(['alice', 'bob'].map((name) => [name, [`ssh-ed25519 ${name}`]]))]]);
    const tiers = [{ upTo: null, from: ['officers'], m: 2, touchRequired: false }];
    const few: PolicyChange = { roles, approvals: { tiers } };
    expect(lineOf(asked(['alice', 'bob'], few), '24 h')).toEqual(exactly('0', '1 APPROVALS_MISSING'));
    const one: PolicyChange = {
      roles,
      approvals: { tiers: [{ ...tiers[0], from: ['officers'], m: 1, upTo: null, touchRequired: false }] },
    };
    expect(lineOf(asked(['alice', 'bob'], one), '24 h').atMost).toBe(btc('200'));
  });

  it('counts only people with a key that is touched, where the tier asks for one', () => {
    const roles = new Map([
      [
        'officers',
        new Map([
          ['alice', ['sk-ssh-ed25519@openssh.com a']],
          ['bob', ['ssh-ed25519 b']],
          ['carol', ['sk-ssh-ed25519@openssh.com c']],
        ]),
      ],
    ]);
    const touched = (m: number): PolicyChange => ({
      roles,
      approvals: { tiers: [{ upTo: null, from: ['officers'], m, touchRequired: true }] },
    });
    expect(lineOf(asked(['alice', 'bob'], touched(2)), '24 h').atMost).toBe(0n);
    expect(lineOf(asked(['alice', 'bob'], touched(1)), '24 h').atMost).toBe(btc('200'));
  });
});

describe('a tier above one that they cannot meet', () => {
  const tiers = [
    { upTo: btc('10'), from: ['compliance'], m: 1, touchRequired: false },
    { upTo: btc('40'), from: ['officers'], m: 2, touchRequired: false },
  ];

  it('is within reach of a batch that leaps over the gap', () => {
    expect(lineOf(asked(['alice', 'bob'], { approvals: { tiers } }), '24 h')).toEqual(
      exactly('40', '1 APPROVALS_NO_TIER'),
    );
  });

  it('and not of batches of the size of the gap', () => {
    const limited: PolicyChange = { approvals: { tiers }, limits: { batch: btc('10') } };
    expect(lineOf(asked(['alice', 'bob'], limited), '24 h').atMost).toBe(0n);
    const larger: PolicyChange = { approvals: { tiers }, limits: { batch: btc('10.00000001') } };
    expect(lineOf(asked(['alice', 'bob'], larger), '24 h').atMost).toBe(btc('40'));
  });
});

describe('destinations', () => {
  const all = ['alice', 'bob', 'carol', 'erin'];

  it('0 outside the book and in the cool-down; young ones each and together', () => {
    const found = asked(all);
    expect(lineOf(found, 'any time', 'what is not in the book')).toEqual(exactly('0', '1 DEST_NOT_ALLOWED'));
    expect(lineOf(found, 'any time', 'new destinations in their cool-down')).toEqual(exactly('0', '1 DEST_COOLDOWN'));
    expect(lineOf(found, '24 h', 'each destination that is young')).toEqual(exactly('5', '1 YOUNG_CAP'));
    expect(lineOf(found, '7 d', 'all destinations that are young, together')).toEqual(
      exactly('60', '6 YOUNG_AGGREGATE'),
    );
    expect(lineOf(found, '24 h', 'each older destination under the default cap')).toEqual(exactly('80', '1 DEST_CAP'));
    expect(lineOf(found, '24 h', 'warm-1, once it is older')).toEqual(exactly('150', '1 DEST_CAP'));
  });

  it('a young destination is young only for a while', () => {
    const short: PolicyChange = {
      destinations: {
        ...P0.destinations,
        cooldown: 72 * HOUR,
        young: { ...P0.destinations.young, untilAge: 72 * HOUR + DAY },
      },
    };
    expect(lineOf(asked(all, short), '7 d', 'each destination that is young').atMost).toBe(btc('5'));
    const never: PolicyChange = {
      destinations: { ...P0.destinations, young: { ...P0.destinations.young, untilAge: 72 * HOUR } },
    };
    expect(asked(all, never).lines.some(({ what }) => what.includes('young'))).toBe(false);
  });

  it('those without a proof are none where the policy requires proofs', () => {
    const required: PolicyChange = { destinations: { proof: 'required', bookSign: { from: ['auditors'], m: 2 } } };
    const proven: LoadedBook = {
      ...ONE_PAYEE,
      entries: ONE_PAYEE.entries.map((entry) => ({ ...entry, proof: 'a good one' })),
    };
    expect(lineOf(asked(all, required, { book: ONE_PAYEE }), '24 h').atMost).toBe(0n);
    expect(lineOf(asked(all, required, { book: proven }), '24 h').atMost).toBeGreaterThan(0n);
  });

  it('a book that nobody of them can add to holds them to the sum of its caps, and fees', () => {
    const held = lineOf(
      asked(['alice', 'bob', 'carol', 'dave'], { destinations: { defaultCap24h: btc('20') } }, { book: ONE_PAYEE }),
      '24 h',
    );
    expect(held.by).toEqual(['1 DEST_CAP']);
    expect(held.atMost).toBeGreaterThanOrEqual(btc('20'));
    expect(held.atMost).toBeLessThanOrEqual(btc('20.04'));
    const added = lineOf(
      asked(
        ['alice', 'bob', 'carol', 'dave', 'erin'],
        { destinations: { defaultCap24h: btc('20') } },
        { book: ONE_PAYEE },
      ),
      '24 h',
    );
    expect(added.atMost).toBe(btc('200'));
  });
});

describe('other things that hold', () => {
  const all = ['alice', 'bob', 'carol', 'erin'];

  it('a policy that lets nothing through says why', () => {
    const list = { id: 'x', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 0 };
    for (const [change, code] of [
      [{ screening: { lists: [list], inputsHops: 2 } }, 'DATA_MISSING'],
      [{ hours: { days: [] } }, 'TIME_CLOSED'],
      [{ limits: { batches24h: 0 } }, 'LIMIT_BATCH_COUNT'],
      [{ limits: { outputsPerBatch: 0 } }, 'LIMIT_OUTPUT_COUNT'],
      [{ approvals: { validFor: 0 } }, 'APPROVAL_EXPIRED'],
      [{ fees: { maxAbs: 199n } }, 'FEE_ABS'],
      [{ limits: { batch: 0n } }, 'LIMIT_BATCH'],
    ] as const) {
      expect(lineOf(asked(all, change), '24 h')).toEqual(exactly('0', `1 ${code}`));
    }
  });

  it('hoarding: the lowest of all that counts what is unconfirmed', () => {
    const what = 'signed and kept back, to be broadcast at once';
    expect(lineOf(asked(all), 'at any time', what)).toEqual(exactly('120', '1 LIMIT_1H'));
    const pending: PolicyChange = { limits: { signedUnconfirmed: btc('90') } };
    expect(lineOf(asked(all, pending), 'at any time', what)).toEqual(exactly('90', '1 LIMIT_UNCONFIRMED'));
  });

  it('few blocks hold no more than can be unconfirmed in each six of them', () => {
    const blocks = (length: number): PolicyChange => ({ limits: { rollingBlocks: new Map([[length, btc('200')]]) } });
    expect(lineOf(asked(['alice', 'bob'], blocks(6)), '6 blocks')).toEqual(exactly('10', '1 APPROVALS_MISSING'));
    expect(lineOf(asked(['alice', 'bob'], blocks(7)), '7 blocks')).toEqual(exactly('20', '2 APPROVALS_MISSING'));
  });

  it('the balance above the reserve floor', () => {
    const at = (balance: string) => lineOf(asked(all, POLICY, { balance: btc(balance) }), '24 h');
    expect(at('1200')).toEqual(exactly('200', '1 LIMIT_24H'));
    expect(at('1199.99999999')).toEqual(exactly('199.99999999', '1 RESERVE_FLOOR'));
    expect(at('999')).toEqual(exactly('0', '1 RESERVE_FLOOR'));
  });

  it('closed dates and the end of the policy take days away', () => {
    const days = (change: PolicyChange) => lineOf(asked(['alice', 'bob'], change), '7 d').atMost;
    const short = { effectiveAt: P0.effectiveAt, expiresAt: P0.effectiveAt + DAY };
    expect(days(short)).toBe(btc('10'));
    expect(days({ effectiveAt: P0.effectiveAt, expiresAt: P0.effectiveAt + DAY + 8 * DAY })).toBe(btc('60'));
  });

  it('no limit at all is said, not computed', () => {
    const none = {
      batch: null,
      output: null,
      rolling: { '1h': null, '24h': null, '7d': null },
      signedUnconfirmed: null,
    };
    const found = asked(all, { limits: none, destinations: { defaultCap24h: null } });
    expect(lineOf(found, '24 h')).toEqual({ atMost: null, exact: true, by: [] });
  });
});

describe('what else they can do', () => {
  const able = (people: readonly string[], policy: LoadedPolicy = loaded()) =>
    bound({ policy, compromised: new Set(people), book: null, balance: null })
      .powers.filter((power) => power.able)
      .map(({ field }) => field);

  it('is what their quorums allow, and what nothing enforces yet', () => {
    const open = ['destinations.book_sign', 'change_control.sign', 'halt.resume'].filter((field) => !isEnforced(field));
    const expected = (...fields: string[]) => expect.arrayContaining([...new Set([...open, ...fields])]);
    expect(able(['alice', 'bob'])).toEqual(open);
    expect(able(['alice', 'erin'])).toEqual(expected('destinations.book_sign'));
    expect(able(['frank', 'grace'])).toEqual(expected('change_control.sign'));
    expect(able(['alice', 'bob', 'erin'])).toEqual(expected('destinations.book_sign', 'halt.resume'));
  });

  it('every field that is not enforced is named, with its line', () => {
    expect(weakened(loaded()).map(({ field }) => field)).toEqual(NOT_ENFORCED.map(({ field }) => field));
    expect(weakened(loaded()).every(({ where }) => where.line !== undefined)).toBe(true);
  });
});
