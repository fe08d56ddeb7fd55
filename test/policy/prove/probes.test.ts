import { describe, expect, it } from 'vitest';
import { numericLimits } from '../../../src/policy/bench/limits.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import { probes } from '../../../src/policy/prove/probes.js';
import type { EvaluationInput, Verdict } from '../../../src/policy/types.js';
import { at, btc, DAY, HOUR, loaded, P0, type PolicyChange } from '../fixture.js';

interface Probe {
  readonly input: EvaluationInput;
  readonly verdict: Verdict;
}

function probed(change: PolicyChange, other: PolicyChange = {}): readonly Probe[] {
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

/** Numbers that divide, and of which each is the one that holds somewhere. */
const POLICY: PolicyChange = {
  fees: { maxRate: 200_000n },
  limits: { signedUnconfirmed: btc('110') },
  expiresAt: at('2026-12-01T15:00:00Z'),
};

describe('batches at the edges of a policy', () => {
  // One test for all of it: judging them takes a good part of a second.
  it('touch every number of it, in every way that it allows', () => {
    const all = probed(POLICY);
    const good = allowed(all);

    // Only such a batch can show that another policy is tighter.
    expect(all.length).toBeGreaterThan(100);
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
    expect([...new Set(kinds)].sort()).toEqual([...P0.destinations.scriptTypes].sort());
    expect(new Set(good.map(({ input }) => input.facts.version))).toEqual(new Set([1, 2]));
    expect(Math.max(...good.map(({ input }) => input.facts.outputs.length))).toBe(P0.limits.outputsPerBatch);
    expect(Math.max(...good.map(({ input }) => input.facts.inputs.length))).toBe(P0.inputs.max);

    // Every way to complete a tier, and nobody more.
    const people = good.map(({ input }) => input.state.approvals.map(({ person }) => person).sort());
    const groups = new Set(people.map((names) => names.join(' ')));
    for (const two of ['alice bob', 'alice carol', 'alice dave', 'bob carol', 'bob dave', 'carol dave']) {
      expect(groups).toContain(two);
    }
    for (const three of ['alice bob carol', 'alice bob dave', 'alice carol dave', 'bob carol dave']) {
      expect(groups).toContain(three);
      expect(groups).toContain(`${three} erin`);
    }

    const repeated = all.filter(({ verdict }) =>
      verdict.findings.some(({ code, outcome }) => code === 'POSSIBLE_DUPLICATE' && outcome !== 'pass'),
    );
    expect(repeated.some(({ input }) => input.state.approvals.length === 2)).toBe(true);
  });

  it('ask for one payment in two parts, where the policy lets them be put together', () => {
    const merging = allowed(probed({ ...POLICY, transaction: { mergeOutputs: true } }));
    const twice = merging.filter(
      ({ input }) => input.requests.length > input.facts.outputs.filter(({ isChange }) => !isChange).length,
    );
    expect(twice).toHaveLength(1);
  });

  it('are at the openings and closings of both policies', () => {
    const other = { hours: { closedDates: ['2026-08-04'] }, expiresAt: at('2026-10-07T15:00:00Z') };
    const times = new Set(allowed(probed(POLICY, other)).map(({ input }) => input.now));
    for (const day of ['2026-08-04', '2026-10-07', '2026-10-08', '2026-11-30', '2026-05-04']) {
      expect(times).toContain(at(`${day}T07:00:00Z`));
      expect(times).toContain(at(`${day}T18:59:59Z`));
    }
    expect(times).toContain(P0.effectiveAt);
    expect(times).toContain(at('2026-12-01T14:59:59Z'));
  });
});

describe('what only some policies have', () => {
  it('block windows, a lifetime limit and an upper end of the tiers are touched', () => {
    const change: PolicyChange = {
      limits: {
        rollingBlocks: new Map([
          [6, btc('150')],
          [144, btc('180')],
        ]),
        lifetime: btc('5000'),
      },
      approvals: {
        tiers: [
          ...P0.approvals.tiers.slice(0, 2),
          { upTo: btc('90'), from: ['officers', 'compliance'], m: 4, touchRequired: false },
        ],
      },
    };
    const all = probed(change);
    const away = distances(change, all);
    for (const field of ['limits.rolling_blocks.144', 'limits.lifetime', 'approvals.tiers[2].up_to']) {
      expect([field, away.get(field)]).toEqual([field, 0n]);
    }
  });

  it('without an own limit, as much as the other policy lets, and one satoshi', () => {
    const others: PolicyChange = { limits: { lifetime: btc('500'), rollingBlocks: new Map([[144, btc('180')]]) } };
    const all = probed(POLICY, others);
    expect(
      allowed(all).some(({ verdict, input }) => {
        const [earlier] = input.state.spends;
        return earlier !== undefined && earlier.spend + verdict.spend > btc('500');
      }),
    ).toBe(true);
    const denied = allowed(all)
      .flatMap(({ input }) => evaluate({ ...input, policy: loaded({ ...POLICY, ...others }) }).findings)
      .filter(({ outcome }) => outcome === 'deny')
      .map(({ code }) => code);
    expect(denied).toContain('LIMIT_LIFETIME');
    expect(denied).toContain('LIMIT_BLOCKS');
  });

  it('lists: as old, as much shrunk and pinned by whom the policy lets', () => {
    const list = { id: 'ofac', pinnedBy: 'officers', maxAge: HOUR, maxShrinkBp: 1000 };
    const change: PolicyChange = { screening: { lists: [list, { ...list, id: 'eu', maxAge: DAY }], inputsHops: 1 } };
    const all = probed(change);
    const away = distances(change, all);
    for (const index of [0, 1]) {
      for (const name of ['max_age', 'max_shrink_bp']) expect(away.get(`screening.lists[${index}].${name}`)).toBe(0n);
    }
    for (const id of ['ofac', 'eu']) {
      const people = allowed(all).map(({ input }) => input.state.screening.get(id)?.pinnedBy);
      expect([...new Set(people)].sort()).toEqual(['alice', 'bob', 'carol', 'dave']);
    }
  });

  it('coins from nowhere only where the policy does not ask where they come from', () => {
    const untold = (change: PolicyChange) =>
      probed(change).filter(({ input }) => input.facts.inputs.some(({ sources }) => sources === null));
    expect(untold({})).toHaveLength(1);
    const list = { id: 'ofac', pinnedBy: 'officers', maxAge: HOUR, maxShrinkBp: 1000 };
    expect(untold({ screening: { lists: [list], inputsHops: 1 } })).toHaveLength(0);
  });

  it('a destination without a proof only where none is required', () => {
    const unproven = (change: PolicyChange) =>
      probed(change).filter(({ input }) =>
        [...input.state.destinations.values()].some(({ proven }) => proven !== true),
      );
    expect(unproven({})).not.toHaveLength(0);
    expect(unproven({ destinations: { proof: 'required' } })).toHaveLength(0);
  });

  it('nothing of a policy that lets nothing through', () => {
    expect(probed({ hours: { days: [] } })).toEqual([]);
    expect(probed({ limits: { batches24h: 0 } })).toEqual([]);
  });
});
