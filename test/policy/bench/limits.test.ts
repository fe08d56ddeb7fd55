import { describe, expect, it } from 'vitest';
import { type NumericLimit, numericLimits } from '../../../src/policy/bench/limits.js';
import { evaluate } from '../../../src/policy/evaluate.js';
import type { ScreeningState } from '../../../src/policy/types.js';
import {
  ADDRESSES,
  approvedBy,
  at,
  btc,
  type Case,
  change,
  codes,
  DAY,
  entry,
  HOUR,
  inputOf,
  loaded,
  NOW,
  output,
  P0,
  type PolicyChange,
  pay,
  scriptOf,
  someScript,
  spent,
  txid,
} from '../fixture.js';

const { destinations, limits, clock, inputs } = P0;

interface Edge {
  readonly field: string;
  /** Of the rule that stands on the other side. */
  readonly code: string;
  readonly policy?: PolicyChange;
  /** A case by how far it is beyond the limit, towards the side that is refused: 0 is the last that passes. */
  readonly by: (beyond: bigint) => Case;
  /** What is measured: more than the limit where it is a maximum, less where it is a minimum. */
  readonly direction: 'maximum' | 'minimum';
  /** Where the limit itself is refused, as a closing time is. */
  readonly open?: true;
}

const most = (field: string, code: string, by: Edge['by'], policy?: PolicyChange): Edge => ({
  field,
  code,
  by,
  direction: 'maximum',
  ...(policy === undefined ? {} : { policy }),
});
const least = (...args: Parameters<typeof most>): Edge => ({ ...most(...args), direction: 'minimum' });

/** 99.999 BTC and a fee of 0.001. */
const LARGE: Case['batch'] = { pay: [pay('A', '50'), pay('B', '49.999')] };
const after = (spends: NonNullable<Case['state']>['spends']): Case => ({
  batch: LARGE,
  state: { spends: spends ?? [] },
});
const paying = (to: keyof typeof ADDRESSES, amount: bigint, more: Partial<Case> = {}): Case => ({
  batch: { pay: [[to, amount]] },
  ...more,
});
const old = (seconds: number): NonNullable<Case['state']> => ({
  destinations: new Map([entry('warm-1', scriptOf(ADDRESSES.A), NOW - seconds)]),
});
/** The clock of the journal does not run back, so what it holds is older. */
const before = (now: number): Case => ({ now, state: { lastEntryAt: now - 60 } });
const list = { id: 'ofac', pinnedBy: 'compliance', maxAge: HOUR, maxShrinkBp: 1000 };
const screened = (more: Partial<ScreeningState>): Case => ({
  state: {
    screening: new Map([
      [
        'ofac',
        { issuedAt: NOW, expiresAt: null, pinnedBy: 'erin', before: null, own: [], scripts: new Set(['51']), ...more },
      ],
    ]),
  },
});
const screening: PolicyChange = { screening: { lists: [list], inputsHops: 0 } };

const EDGES: readonly Edge[] = [
  most('limits.batch', 'LIMIT_BATCH', (by) => ({ batch: { pay: [pay('A', '50'), ['B', btc('49.999') + by]] } })),
  most('limits.output', 'LIMIT_OUTPUT', (by) => paying('A', btc('50') + by)),
  most('limits.rolling.1h', 'LIMIT_1H', (by) => after([spent(btc('20') + by, { ago: HOUR / 2 })])),
  most('limits.rolling.24h', 'LIMIT_24H', (by) => after([spent(btc('100') + by)])),
  most('limits.rolling.7d', 'LIMIT_7D', (by) => after([spent(btc('400') + by, { ago: 2 * DAY })])),
  most('limits.rolling_blocks.144', 'LIMIT_BLOCKS', (by) => after([spent(btc('80') + by)]), {
    limits: { rollingBlocks: new Map([[144, btc('180')]]) },
  }),
  most(
    'limits.signed_unconfirmed',
    'LIMIT_UNCONFIRMED',
    (by) => after([spent(btc('50') + by, { unconfirmed: true })]),
    {
      limits: { rolling: { ...limits.rolling, '1h': null } },
    },
  ),
  most('limits.batches_24h', 'LIMIT_BATCH_COUNT', (by) => ({
    state: { spends: Array.from({ length: 5 + Number(by) }, () => spent(1n)) },
  })),
  most(
    'limits.outputs_per_batch',
    'LIMIT_OUTPUT_COUNT',
    (by) => ({ batch: { pay: [pay('A', '1'), pay('B', '1'), pay('D', '1')].slice(0, 2 + Number(by)) } }),
    { limits: { outputsPerBatch: 2 } },
  ),
  least('limits.reserve_floor', 'RESERVE_FLOOR', (by) => ({ state: { confirmedBalance: btc('1001.001') - by } })),
  most('limits.lifetime', 'LIMIT_LIFETIME', (by) => after([spent(btc('400') + by, { ago: 4000 * DAY })]), {
    limits: { lifetime: btc('500') },
  }),
  most('destinations.default_cap_24h', 'DEST_CAP', (by) =>
    paying('D', btc('50'), { state: { spends: [spent(btc('30') + by, { to: 'D' })] } }),
  ),
  most('destinations.caps_24h.warm-1', 'DEST_CAP', (by) =>
    paying('A', btc('50'), { state: { spends: [spent(btc('100') + by, { to: 'A' })] } }),
  ),
  most('destinations.young.each_24h', 'YOUNG_CAP', (by) => paying('F', btc('5') + by)),
  most('destinations.young.all_24h', 'YOUNG_AGGREGATE', (by) => paying('F', btc('10') + by), {
    destinations: { young: { ...destinations.young, each24h: null } },
  }),
  most('fees.max_abs', 'FEE_ABS', (by) => ({
    batch: { pay: [pay('A', '50')], fee: 1_000_000n + by, vsize: 10_000n },
  })),
  most('fees.max_24h', 'FEE_24H', (by) => ({ state: { spends: [spent(3_900_000n + by, { fee: 3_900_000n + by })] } })),
  most(
    'inputs.max',
    'TX_SHAPE',
    (by) => ({ batch: { inputs: [{}, { value: 20_000n }, { value: 20_000n }].slice(0, 2 + Number(by)) } }),
    {
      inputs: { max: 2 },
    },
  ),
  most('change.max_outputs', 'CHANGE_COUNT', (by) => ({
    batch: { change: [change(btc('1'), 42), change(btc('1'), 43)].slice(0, 1 + Number(by)) },
  })),
  most('clock.max_back', 'CLOCK_BACK', (by) => ({ state: { lastEntryAt: NOW + clock.maxBack + Number(by) } })),
  most('clock.max_ahead_of_mtp', 'CLOCK_JUMP', (by) => ({
    state: { tip: { height: 950_000, medianTimePast: NOW - clock.maxAheadOfMtp - Number(by) } },
  })),
  most('clock.chain_snapshot_max_age', 'DATA_STALE', (by) => ({
    state: { snapshotAt: NOW - clock.chainSnapshotMaxAge - Number(by) },
  })),
  most('screening.lists[0].max_age', 'DATA_STALE', (by) => screened({ issuedAt: NOW - HOUR - Number(by) }), screening),
  most(
    'screening.lists[0].max_shrink_bp',
    'DATA_INVALID',
    (by) => screened({ before: { scripts: 10_000, removed: 1000 + Number(by) } as ScreeningState['before'] }),
    screening,
  ),
  least('destinations.cooldown', 'DEST_COOLDOWN', (by) => ({ state: old(destinations.cooldown - Number(by)) })),
  least('destinations.young.until_age', 'YOUNG_CAP', (by) =>
    paying('A', btc('6'), { state: old(destinations.young.untilAge - Number(by)) }),
  ),
  least('inputs.min_confirmations', 'INPUT_UNCONFIRMED', (by) => ({
    batch: {
      inputs: [
        {
          coin: {
            confirmations: inputs.minConfirmations - Number(by),
            coinbase: false,
            value: btc('1.001'),
            leftOnScript: 0,
          },
        },
      ],
    },
  })),
  least('inputs.min_value', 'INPUT_DUST', (by) => ({ batch: { inputs: [{}, { value: 10_000n - by }] } })),
  most('change.max_gap', 'CHANGE_GAP', (by) => ({ batch: { change: [change(btc('1'), 41 + 20 + Number(by))] } })),
  most('fees.max_rate_sat_vb', 'FEE_RATE', (by) => ({ batch: { pay: [pay('A', '50')], fee: 120_000n + by } })),
  least('fees.min_rate_sat_vb', 'FEE_TOO_LOW', (by) => ({ batch: { fee: 400n - by } })),
  most('fees.max_bp_of_external', 'FEE_FRACTION', (by) => ({ batch: { pay: [pay('A', '0.1')], fee: 50_000n + by } })),
  most('fees.bp_applies_above', 'FEE_FRACTION', (by) => ({ batch: { pay: [pay('A', '0.01')], fee: 10_000n + by } })),
  most('approvals.tiers[1].up_to', 'APPROVALS_NO_TIER', (by) => paying('A', btc('39.999') + by), {
    approvals: {
      tiers: [
        { upTo: btc('10'), from: ['officers'], m: 2, touchRequired: false },
        { upTo: btc('40'), from: ['officers'], m: 2, touchRequired: false },
      ],
    },
  }),
  least('approvals.tiers[0].m', 'APPROVALS_MISSING', (by) => ({
    state: { approvals: approvedBy('alice', 'bob').slice(Number(by)) },
  })),
  {
    ...most('approvals.valid_for', 'APPROVAL_EXPIRED', (by) => ({
      state: {
        approvals: approvedBy('alice', 'bob').map((one) => {
          const from = NOW - P0.approvals.validFor + 1 - Number(by);
          return { ...one, at: from, validUntil: NOW + DAY };
        }),
      },
    })),
    open: true,
  },
  least('hours.from', 'TIME_CLOSED', (by) => before(at('2026-06-01T07:00:00Z') - Number(by))),
  { ...most('hours.to', 'TIME_CLOSED', (by) => ({ now: at('2026-06-01T18:59:59Z') + Number(by) })), open: true },
  least('effective_at', 'POLICY_NOT_EFFECTIVE', (by) => before(P0.effectiveAt - Number(by))),
  { ...most('expires_at', 'POLICY_EXPIRED', (by) => ({ now: P0.expiresAt - 1 + Number(by) })), open: true },
];

function limitOf(field: string, policy: PolicyChange = {}): NumericLimit {
  const found = numericLimits(loaded(policy).document).find((one) => one.field === field);
  if (found === undefined) throw new Error(`${field} is no limit of this policy`);
  return found;
}

describe('what a case brings up against a limit', () => {
  it.each(EDGES.map((edge) => [edge.field, edge] as const))('%s: the number whose rule turns there', (field, edge) => {
    const { limit, measure } = limitOf(field, edge.policy);
    const sign = edge.direction === 'maximum' ? 1n : -1n;
    const last = edge.open === true ? limit - 1n : limit;
    for (const beyond of [0n, 1n]) {
      const input = inputOf({ ...edge.by(beyond), ...(edge.policy === undefined ? {} : { policy: edge.policy }) });
      const verdict = evaluate(input);
      expect([...codes(verdict, 'deny'), ...codes(verdict, 'need')].includes(edge.code)).toBe(beyond === 1n);
      expect(measure(input, verdict)).toContain(last + sign * beyond);
      expect(measure(input, verdict)).not.toContain(last + sign * (1n - beyond));
    }
  });
});

/** What is measured in a case that is given as it is. */
function measured(field: string, c: Case): readonly bigint[] {
  const input = inputOf(c);
  return limitOf(field, c.policy).measure(input, evaluate(input));
}

describe('the numbers of a policy', () => {
  const fields = (policy: PolicyChange) => numericLimits(loaded(policy).document).map(({ field }) => field);

  it('are all that can be met: neither what is unlimited nor what is 0', () => {
    const all = fields({ limits: { lifetime: 1n, rollingBlocks: new Map([[6, 1n]]) }, ...screening });
    const known = EDGES.map(({ field }) => field.replace('144', '6').replace('tiers[1].up_to', 'tiers[0].up_to'));
    const shape = (field: string) => field.replace(/tiers\[\d\]/, 'tiers');
    expect(new Set(all.map(shape))).toEqual(new Set([...known, 'destinations.caps_24h.warm-1'].map(shape)));
    const none = fields({
      limits: {
        batch: null,
        output: null,
        rolling: { '1h': null, '24h': null, '7d': null },
        rollingBlocks: new Map([[6, null]]),
        signedUnconfirmed: null,
        batches24h: 0,
        outputsPerBatch: 0,
        reserveFloor: 0n,
        lifetime: null,
      },
    });
    expect(none.filter((field) => field.startsWith('limits.'))).toEqual([]);
    expect(fields({ destinations: { caps24h: new Map([['x', 0n]]), cooldown: 0 } })).not.toContain(
      'destinations.cooldown',
    );
    expect(fields({ destinations: { caps24h: new Map([['x', 0n]]) } })).not.toContain('destinations.caps_24h.x');
    expect(fields({ hours: { days: [] } }).filter((field) => field.startsWith('hours'))).toEqual([]);
    expect(fields({ hours: { from: 0, to: DAY } }).filter((field) => field.startsWith('hours'))).toEqual([]);
    expect(fields({ hours: { from: 1, to: DAY - 1 } })).toEqual(expect.arrayContaining(['hours.from', 'hours.to']));
  });
});

describe('what a case does not bring up', () => {
  it('is not measured: a list before, an entry of the book, a coin, a payment, a quorum', () => {
    const shrink = 'screening.lists[0].max_shrink_bp';
    expect(measured(shrink, { ...screened({}), policy: screening })).toEqual([]);
    expect(measured(shrink, { policy: screening })).toEqual([]);
    const empty = { scripts: 0, removed: 0 } as ScreeningState['before'];
    expect(measured(shrink, { ...screened({ before: empty }), policy: screening })).toEqual([]);
    const few = { scripts: 3, removed: 1 } as ScreeningState['before'];
    expect(measured(shrink, { ...screened({ before: few }), policy: screening })).toEqual([3334n]);
    expect(measured('destinations.cooldown', { batch: { pay: [pay('X', '1')] } })).toEqual([]);
    expect(measured('inputs.min_confirmations', { batch: { inputs: [{ coin: null }] } })).toEqual([]);
    const nobody: Case = { kind: 'consolidation', batch: { pay: [], change: [change(btc('1'))] } };
    expect(measured('fees.max_bp_of_external', nobody)).toEqual([]);
    expect(measured('fees.max_bp_of_external', { batch: { pay: [pay('A', '0.01')] } })).toEqual([]);
    expect(measured('fees.max_bp_of_external', { batch: { pay: [['A', 2_000_000n]], fee: 10_000n } })).toEqual([]);
  });

  it('is not taken from elsewhere: a fee that replaces others, a tier that is not asked, another rule', () => {
    const replaced = spent(btc('1'), { unconfirmed: true, fee: 400_000n, inputs: ['u1'] });
    const coins = [{ outpoint: { txid: txid('u1'), vout: 0 } }];
    const verdictOf: Case = { batch: { inputs: coins, fee: 100_000n }, state: { spends: [replaced] } };
    expect(measured('fees.max_abs', verdictOf)).toEqual([100_000n]);
    expect(measured('approvals.tiers[1].m', {})).toEqual([]);
    expect(measured('approvals.tiers[0].m', {})).toEqual([3n, 3n]);
    expect(measured('approvals.tiers[0].m', { state: { approvals: approvedBy('alice', 'bob') } })).toEqual([2n, 3n]);
    expect(measured('approvals.tiers[0].m', { state: { approvals: approvedBy('alice') } })).toEqual([1n]);
    expect(measured('approvals.tiers[0].up_to', {})).toEqual([btc('1.001')]);
    const top = [{ upTo: btc('40'), from: ['officers'], m: 2, touchRequired: false }];
    const none: Case = { policy: { approvals: { tiers: top } }, ...paying('A', btc('45')) };
    expect(measured('approvals.tiers[0].m', none)).toEqual([]);
    expect(measured('approvals.tiers[0].up_to', none)).toEqual([btc('45') + 100_000n]);
  });

  it('change counts by its distance from what is in use, and one further where it is no longer proven', () => {
    const beyond = output(someScript('change 62'), btc('1'), { own: false, problem: 'CHANGE_GAP' });
    expect(measured('change.max_gap', { batch: { extra: [beyond] } })).toEqual([21n]);
    expect(measured('change.max_gap', { batch: { change: [change(btc('1'), 44)] } })).toEqual([3n]);
    expect(measured('change.max_gap', {})).toEqual([]);
    const received = output(someScript('receive 5'), btc('1'), {
      own: true,
      origin: { branch: 0, index: 60 },
      claimed: true,
    });
    expect(measured('change.max_gap', { batch: { extra: [received] } })).toEqual([]);
  });

  it('every destination, coin and approval counts by itself', () => {
    expect(measured('destinations.cooldown', { batch: { pay: [pay('A', '1'), pay('F', '1')] } })).toEqual([
      BigInt(400 * DAY),
      BigInt(5 * DAY),
    ]);
    expect(measured('inputs.min_value', { batch: { inputs: [{}, { value: 7n }] } })).toContain(7n);
    expect(measured('approvals.valid_for', { state: { approvals: approvedBy('alice', 'bob') } })).toEqual([600n, 600n]);
  });
});
