import { describe, expect, it } from 'vitest';
import { numericLimits } from '../../../src/policy/bench/limits.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { probes } from '../../../src/policy/prove/probes.js';
import type { ApprovalTier, EvaluationInput, Verdict } from '../../../src/policy/types.js';
import { at, btc, DAY, HOUR, loaded, P0, type PolicyChange } from '../fixture.js';

interface Probe {
  readonly input: EvaluationInput;
  readonly verdict: Verdict;
}

function probed(change: PolicyChange, other: PolicyChange = change): readonly Probe[] {
  return [...probes(loaded(change), loaded(other))].map((input) => ({ input, verdict: evaluate(input) }));
}
const allowed = (all: readonly Probe[]) => all.filter(({ verdict }) => verdict.decision === 'ALLOW');

/** By how much the nearest batch that is allowed stays away from each number of the policy; null where none is measured. */
function distances(change: PolicyChange, all: readonly Probe[]): ReadonlyMap<string, bigint | null> {
  const abs = (value: bigint): bigint => (value < 0n ? -value : value);
  return new Map(
    numericLimits(loaded(change).document).map(({ field, limit, measure }) => {
      const seen = allowed(all).flatMap(({ input, verdict }) => measure(input, verdict));
      const away = seen.map((value) => abs(value - limit));
      return [field, away.length === 0 ? null : away.reduce((a, b) => (a < b ? a : b))];
    }),
  );
}

const tier = (upTo: string | null, m: number, from = ['officers'], include?: string): ApprovalTier => ({
  upTo: upTo === null ? null : btc(upTo),
  from,
  m,
  touchRequired: false,
  ...(include === undefined ? {} : { include }),
});

/** Numbers that divide, of which each is the one that holds somewhere, and few: all of it is judged in every test. */
const { limits, destinations, inputs, approvals } = P0;
const POLICY = {
  effectiveAt: at('2026-05-01T08:00:00Z'),
  expiresAt: at('2026-05-19T15:00:00Z'),
  fees: { ...P0.fees, maxRate: 200_000n },
  limits: { ...limits, signedUnconfirmed: btc('110'), outputsPerBatch: 6 },
  inputs: { ...inputs, max: 12 },
  roles: new Map(
    [...P0.roles].map(([role, people]) => [role, new Map([...people].filter(([name]) => name !== 'dave'))]),
  ),
  approvals: { ...approvals, tiers: [tier('10', 2), tier(null, 3)] },
} satisfies PolicyChange;
const young = (change: Partial<typeof destinations.young>): PolicyChange => ({
  ...POLICY,
  destinations: { ...destinations, young: { ...destinations.young, ...change } },
});
const tiered = (...tiers: ApprovalTier[]): PolicyChange => ({
  ...POLICY,
  roles: P0.roles,
  approvals: { ...approvals, tiers },
});
describe('batches at the edges of a policy', () => {
  it('touch every number of it, in every way that it allows', () => {
    const all = probed(POLICY);
    const good = allowed(all);

    // Only such a batch can show that another policy is tighter.
    expect(good.length).toBeGreaterThan(60);
    expect(good.length * 10).toBeGreaterThan(all.length * 9);

    // Where the number itself is refused, the last that is not.
    expect([...distances(POLICY, all)].filter(([, distance]) => distance !== 0n)).toEqual([
      // A fee of this fraction of all that leaves is more than that fraction of what is paid.
      ['fees.max_bp_of_external', expect.anything()],
      ['approvals.valid_for', 1n],
      ['hours.to', 1n],
      ['expires_at', 1n],
    ]);

    const kinds = good.flatMap(({ input }) => input.facts.outputs.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual([...destinations.scriptTypes].sort());
    expect(new Set(good.map(({ input }) => input.facts.version))).toEqual(new Set([1, 2]));
    const paid = good.map(({ input }) => input.facts.outputs.filter(({ isChange }) => !isChange).length);
    expect(Math.max(...paid)).toBe(POLICY.limits.outputsPerBatch);
    expect(Math.max(...good.map(({ input }) => input.facts.inputs.length))).toBe(POLICY.inputs.max);

    const repeated = all.filter(({ verdict }) =>
      verdict.findings.some(({ code, outcome }) => code === 'POSSIBLE_DUPLICATE' && outcome !== 'pass'),
    );
    expect(repeated.some(({ input }) => input.state.approvals.length === 2)).toBe(true);
    const unproven = all.filter(({ input }) =>
      [...input.state.destinations.values()].some(({ proven }) => proven !== true),
    );
    expect(unproven).toHaveLength(1);
    const untold = all.filter(({ input }) => input.facts.inputs.some(({ sources }) => sources === null));
    expect(untold).toHaveLength(1);
  });

  it('complete each tier in every way, at both of its ends and at those of the tiers of the other policy', () => {
    const own = tiered(tier('10', 2), tier('60', 3), tier(null, 4, ['officers', 'compliance'], 'compliance'));
    const other = tiered(tier('20', 2), tier('90', 3));
    const good = allowed(probed(own, other));
    const found = new Set(
      good.map(({ input, verdict }) => {
        const people = input.state.approvals.map(({ person }) => person).sort();
        return `${verdict.quorum?.basis} ${people.join(' ')}`;
      }),
    );
    const pairs = ['alice bob', 'alice carol', 'alice dave', 'bob carol', 'bob dave', 'carol dave'];
    const threes = ['alice bob carol', 'alice bob dave', 'alice carol dave', 'bob carol dave'];
    const due: readonly (readonly [readonly bigint[], readonly string[]])[] = [
      [[746n, btc('10')], pairs],
      [[btc('10') + 1n, btc('20'), btc('20') + 1n, btc('60')], threes],
      [[btc('60') + 1n, btc('90')], threes.map((three) => `${three} erin`)],
    ];
    for (const [bases, groups] of due) {
      for (const basis of bases) for (const group of groups) expect(found).toContain(`${basis} ${group}`);
    }
    // What one batch may not take, earlier ones did.
    for (const { verdict } of good) expect(verdict.spend <= btc('100')).toBe(true);
  });

  it('are approved by no group without whom a tier includes, and end at the last tier', () => {
    const change = tiered(tier('40', 2, ['officers', 'compliance'], 'compliance'));
    const good = allowed(probed(change));
    const pairs = good.map(({ input }) => input.state.approvals).filter(({ length }) => length === 2);
    expect(pairs.length).toBeGreaterThan(3);
    for (const pair of pairs) expect(pair.map(({ person }) => person)).toContain('erin');
    expect(distances(change, good).get('approvals.tiers[0].up_to')).toBe(0n);
  });

  it('ask for one payment in two parts, where the policy lets them be put together', () => {
    const merging = allowed(probed({ ...POLICY, transaction: { mergeOutputs: true } }));
    const twice = merging.filter(
      ({ input }) => input.requests.length > input.facts.outputs.filter(({ isChange }) => !isChange).length,
    );
    expect(twice).toHaveLength(1);
  });

  it('are at the openings and closings of both policies', () => {
    const other = {
      hours: { ...P0.hours, closedDates: ['2026-05-13'] },
      effectiveAt: at('2026-05-06T10:00:00Z'),
      expiresAt: at('2026-05-29T15:00:00Z'),
    };
    const times = new Set(allowed(probed(POLICY, other)).map(({ input }) => input.now));
    for (const day of ['2026-05-06', '2026-05-13', '2026-05-18', '2026-05-04']) {
      expect(times).toContain(at(`${day}T07:00:00Z`));
      expect(times).toContain(at(`${day}T18:59:59Z`));
    }
    expect(times).toContain(POLICY.effectiveAt);
    expect(times).toContain(POLICY.expiresAt - 1);
  });
});

describe('young destinations', () => {
  const many = (change: PolicyChange) =>
    allowed(probed(change)).flatMap(({ input }) =>
      input.requests.length > 1 ? [input.requests.map(({ amount }) => amount)] : [],
    );

  it('are as many as fill what all of them may get together', () => {
    expect(many(young({ each24h: btc('5'), all24h: btc('12') }))).toContainEqual([btc('5'), btc('5'), btc('2')]);
    expect(many(young({ each24h: btc('5'), all24h: null }))).toContainEqual([btc('5'), btc('5')]);
    const away = distances(young({ each24h: null }), allowed(probed(young({ each24h: null }))));
    expect(away.get('destinations.young.all_24h')).toBe(0n);
  });

  it('are none where they may get nothing, and where the cool-down is longer', () => {
    const ages = (change: PolicyChange) =>
      new Set(
        allowed(probed(change)).flatMap(({ input }) =>
          [...input.state.destinations.values()].map(({ since }) => input.now - since),
        ),
      );
    expect(ages(POLICY)).toContain(destinations.cooldown);
    expect(ages(POLICY)).toContain(destinations.young.untilAge - 1);
    expect(ages(POLICY)).toContain(destinations.young.untilAge);
    expect(ages(young({ each24h: 0n }))).not.toContain(destinations.cooldown);
    const short = ages(young({ untilAge: destinations.cooldown }));
    expect(short).toContain(destinations.cooldown);
    expect(short).not.toContain(destinations.cooldown - 1);
  });
});

describe('what only some policies have', () => {
  it('block windows and a lifetime limit are touched', () => {
    const blocks = new Map([
      [6, btc('150')],
      [144, btc('180')],
    ]);
    const change: PolicyChange = {
      ...POLICY,
      limits: { ...POLICY.limits, rollingBlocks: blocks, lifetime: btc('5000') },
    };
    const away = distances(change, probed(change));
    for (const field of ['limits.rolling_blocks.144', 'limits.lifetime'])
      expect([field, away.get(field)]).toEqual([field, 0n]);
  });

  it('a cap of its own for one destination is filled, with batches before where one may not take so much', () => {
    const change: PolicyChange = {
      ...POLICY,
      destinations: {
        ...destinations,
        caps24h: new Map([
          ['warm-1', btc('150')],
          ['small', btc('7')],
          ['free', null],
        ]),
      },
    };
    const good = allowed(
      probed(change, { destinations: { ...destinations, caps24h: new Map([['theirs', btc('3')]]) } }),
    );
    const away = distances(change, good);
    for (const id of ['warm-1', 'small']) expect([id, away.get(`destinations.caps_24h.${id}`)]).toEqual([id, 0n]);
    const paid = good.flatMap(({ input }) => [...input.state.destinations.values()].map(({ id }) => id));
    for (const id of ['theirs', 'free', 'warm-1', 'small']) expect(paid).toContain(id);
  });

  it('without an own limit, as much as the other policy lets, and one satoshi', () => {
    const others: PolicyChange = {
      ...POLICY,
      limits: { ...POLICY.limits, lifetime: btc('500'), rollingBlocks: new Map([[144, btc('180')]]) },
    };
    const denied = allowed(probed(POLICY, others)).flatMap(({ input }) =>
      evaluate({ ...input, policy: loaded(others) }).findings.filter(({ outcome }) => outcome === 'deny'),
    );
    const over = (code: string) => denied.filter((finding) => finding.code === code).map(({ measured }) => measured);
    expect(over('LIMIT_LIFETIME')).toContain(`${btc('550')}`);
    expect(over('LIMIT_BLOCKS')).toContain(`${btc('180') + 1n}`);
  });

  it('no limits at all: one batch is as small as it may be, and nothing fails', () => {
    const none: PolicyChange = {
      ...POLICY,
      limits: {
        ...POLICY.limits,
        batch: null,
        output: null,
        rolling: { '1h': null, '24h': null, '7d': null },
        signedUnconfirmed: null,
      },
      destinations: {
        ...destinations,
        defaultCap24h: null,
        caps24h: new Map(),
        young: { untilAge: 30 * DAY, each24h: null, all24h: null },
      },
      fees: { ...P0.fees, maxAbs: null, max24h: null },
    };
    const all = probed(none);
    expect(allowed(all).length * 10).toBeGreaterThan(all.length * 9);
  });

  it('lists: as old, as much shrunk and pinned by whom the policy lets', () => {
    const list = { id: 'ofac', pinnedBy: 'officers', maxAge: HOUR, maxShrinkBp: 1000 };
    const change: PolicyChange = {
      ...POLICY,
      screening: { ...P0.screening, lists: [list, { ...list, id: 'eu', maxAge: DAY }], inputsHops: 1 },
    };
    const all = probed(change);
    const away = distances(change, all);
    for (const index of [0, 1]) {
      for (const name of ['max_age', 'max_shrink_bp']) expect(away.get(`screening.lists[${index}].${name}`)).toBe(0n);
    }
    for (const id of ['ofac', 'eu']) {
      const people = allowed(all).map(({ input }) => input.state.screening.get(id)?.pinnedBy);
      expect([...new Set(people)].sort()).toEqual(['alice', 'bob', 'carol']);
    }
    // The policy asks where coins come from, so none comes from nowhere; and no list is left out.
    for (const { input } of all) {
      expect(input.facts.inputs.every(({ sources }) => sources !== null)).toBe(true);
      expect([...input.state.screening.keys()]).toEqual(['ofac', 'eu']);
    }
  });

  it('no destination without a proof where one is required', () => {
    const all = probed({ ...POLICY, destinations: { ...destinations, proof: 'required' } });
    for (const { input } of all) {
      for (const { proven } of input.state.destinations.values()) expect(proven).toBe(true);
    }
  });

  it('nothing of a policy that lets nothing through', () => {
    expect(probed({ hours: { ...P0.hours, days: [] } })).toEqual([]);
    expect(probed({ limits: { ...limits, batches24h: 0 } })).toEqual([]);
  });
});
