import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hypothesis, outlook, whatIf } from '../../../src/policy/bench/outlook.js';
import type { DestinationAge, PolicyState } from '../../../src/policy/types.js';
import { parseVault } from '../../../src/vault/descriptor.js';
import { runs } from '../../runs.js';
import {
  ADDRESSES,
  at,
  BOOK,
  btc,
  codes,
  DAY,
  DESCRIPTOR,
  HOUR,
  loaded,
  NOW,
  P0,
  type PolicyChange,
  scriptOf,
  spent,
  stateOf,
} from '../fixture.js';
import { okxAt, okxEntry, okxRequest, withOkx } from '../okx.js';

const FEE = 1000n;

function destination(name: keyof typeof ADDRESSES): DestinationAge {
  const found = BOOK.get(Buffer.from(scriptOf(ADDRESSES[name])).toString('hex'));
  if (found === undefined) throw new Error(`the book has no ${name}`);
  return found;
}

const parsed = parseVault('cold-btc-1', 'main', DESCRIPTOR);
if (!parsed.ok) throw new Error(parsed.error.message);
const vault = parsed.value;

interface Question extends Partial<Omit<Hypothesis, 'policy' | 'state' | 'to'>> {
  readonly policy?: PolicyChange;
  readonly state?: Partial<PolicyState>;
  readonly to?: keyof typeof ADDRESSES;
}

/** A payment to warm-1 of 5,000 BTC of coins, on the Monday of the fixture; nobody has approved anything. */
function question({ policy, state, to = 'A', ...more }: Question = {}): Hypothesis {
  const now = more.now ?? NOW;
  const base = { approvals: [], initiator: '', lastEntryAt: now - 60, snapshotAt: now - 600 };
  return {
    policy: loaded(policy),
    state: stateOf({ ...base, tip: { height: 950_000, medianTimePast: now - HOUR }, ...state }),
    vault,
    to: destination(to),
    fee: FEE,
    vsize: 150n,
    available: btc('4000'),
    now,
    ...more,
  };
}

const asked = (one?: Question) => {
  const { most, binding, frees } = outlook(question(one));
  return { most, binding: binding.map(({ code }) => code), frees };
};

/** No output limit and no cap, so that windows are all that holds. */
const WIDE: PolicyChange = {
  limits: { output: null, batch: null },
  destinations: { defaultCap24h: null, caps24h: new Map() },
};
const DAY_FULL = { spends: [spent(btc('180'), { ago: 23 * HOUR })] };

describe('how much can go to one destination now', () => {
  it('is what the tightest limit leaves, which one satoshi more would break', () => {
    expect(asked()).toEqual({ most: btc('50'), binding: ['LIMIT_OUTPUT'], frees: null });
    expect(asked({ to: 'F' }).most).toBe(btc('5'));
    expect(asked({ to: 'F' }).binding).toEqual(['YOUNG_CAP']);
    const two = { limits: { output: btc('50'), batch: btc('50') + FEE } };
    expect(asked({ policy: two })).toMatchObject({ most: btc('50'), binding: ['LIMIT_BATCH', 'LIMIT_OUTPUT'] });
  });

  it('counts the fee where the limit does', () => {
    const batch = { limits: { ...WIDE.limits, batch: btc('10') } };
    expect(asked({ policy: { ...WIDE, ...batch } })).toMatchObject({
      most: btc('10') - FEE,
      binding: ['LIMIT_BATCH'],
    });
  });

  it('is all that there is where the coins end first, and then nothing binds and nothing frees', () => {
    expect(asked({ available: btc('3') })).toEqual({ most: btc('3'), binding: [], frees: null });
    expect(asked({ available: btc('50') })).toEqual({ most: btc('50'), binding: [], frees: null });
    expect(asked({ available: btc('50') + 1n })).toMatchObject({ most: btc('50'), binding: ['LIMIT_OUTPUT'] });
  });

  it('is nothing of no coins, nor where the fee is more than they are', () => {
    expect(asked({ available: 0n })).toEqual({ most: 0n, binding: ['DEST_DUST', 'INPUT_DUST'], frees: null });
    expect(asked({ available: -1n }).most).toBe(0n);
  });

  it('is nothing where even all coins are too few for a payment that is relayed, and says so', () => {
    const small = { inputs: { minValue: 0n } };
    const dust = asked({ available: 200n, fee: 150n, vsize: 150n, policy: small });
    expect(dust).toEqual({ most: 0n, binding: ['DEST_DUST'], frees: null });
    expect(asked({ available: 294n, fee: 150n, vsize: 150n, policy: small }).most).toBe(294n);
  });

  it('is found by trying amounts, where no rule says how much room it leaves', () => {
    const free: PolicyChange = {
      limits: {
        ...WIDE.limits,
        rolling: { '1h': null, '24h': null, '7d': null },
        signedUnconfirmed: null,
        reserveFloor: 0n,
      },
      destinations: { defaultCap24h: null, caps24h: new Map() },
    };
    expect(asked({ policy: free }).most).toBe(btc('4000'));
    const closed = asked({ policy: free, now: at('2026-06-06T12:00:00Z') });
    expect(closed.most).toBe(0n);
    expect(closed.frees).toEqual({ at: at('2026-06-08T07:00:00Z'), most: btc('4000') });
    const tiers = [{ upTo: btc('41.5'), from: ['officers'], m: 2, touchRequired: false }];
    const ended = asked({ policy: { ...free, approvals: { tiers } } });
    expect(ended).toMatchObject({ most: btc('41.5') - FEE, binding: ['APPROVALS_NO_TIER'] });
  });

  it('names the tier of the most, and of one satoshi where nothing may go', () => {
    expect(outlook(question()).quorum?.tier.upTo).toBeNull();
    expect(outlook(question({ to: 'F' })).quorum?.tier.upTo).toBe(btc('10'));
    const closed = question({ policy: { limits: { batches24h: 0 } } });
    expect(outlook(closed).most).toBe(0n);
    expect(outlook(closed).quorum?.tier.upTo).toBe(btc('10'));
  });
});

describe('when more may go', () => {
  it('is the first second at which the window lets go of an earlier batch', () => {
    const found = asked({ policy: WIDE, state: DAY_FULL });
    expect(found).toMatchObject({ most: btc('20') - FEE, binding: ['LIMIT_24H'] });
    expect(found.frees).toEqual({ at: NOW + HOUR, most: btc('120') - FEE });
  });

  it('skips moments at which another rule still holds, as a window that frees on a Saturday', () => {
    const friday = at('2026-06-05T18:00:00Z');
    const spends = [{ ...spent(btc('200')), reservedAt: friday, confirmed: { at: friday, height: 949_000 } }];
    const found = asked({ policy: WIDE, state: { spends }, now: friday + HOUR / 2 });
    expect(found.most).toBe(0n);
    expect(found.binding).toContain('LIMIT_24H');
    expect(found.frees).toEqual({ at: at('2026-06-08T07:00:00Z'), most: btc('120') - FEE });
  });

  it('is the opening, where the hour is closed; the rules of data do not grow old on the way', () => {
    const list = { id: 'ofac', pinnedBy: 'compliance', maxAge: HOUR, maxShrinkBp: 1000 };
    const now = at('2026-06-06T12:00:00Z');
    const ofac = { issuedAt: now, expiresAt: null, pinnedBy: 'erin', scripts: new Set(['51']), before: null, own: [] };
    const found = asked({
      now,
      policy: { screening: { lists: [list], inputsHops: 0 } },
      state: { screening: new Map([['ofac', ofac]]) },
    });
    expect(found).toMatchObject({ most: 0n, binding: ['DEST_DUST', 'INPUT_DUST', 'TIME_CLOSED'] });
    expect(found.frees).toEqual({ at: at('2026-06-08T07:00:00Z'), most: btc('50') });
  });

  it('is never, where time alone frees nothing', () => {
    expect(asked({ now: P0.expiresAt + 8 * HOUR }).binding).toContain('POLICY_EXPIRED');
    expect(asked({ now: P0.expiresAt + 8 * HOUR }).frees).toBeNull();
    expect(asked({ state: { confirmedBalance: btc('1010') + FEE } })).toEqual({
      most: btc('10'),
      binding: ['RESERVE_FLOOR'],
      frees: null,
    });
  });

  it('is never, where the next moment brings no more than now', () => {
    const both = { limits: { ...WIDE.limits, output: btc('20') - FEE } };
    const found = asked({ policy: { ...WIDE, ...both }, state: DAY_FULL });
    expect(found).toEqual({ most: btc('20') - FEE, binding: ['LIMIT_24H', 'LIMIT_OUTPUT'], frees: null });
  });

  it('is never, where the coins hold as much as now', () => {
    expect(asked({ policy: WIDE, state: DAY_FULL, available: btc('20') - FEE }).frees).toBeNull();
    expect(asked({ policy: WIDE, state: DAY_FULL, available: btc('21') }).frees).toEqual({
      at: NOW + HOUR,
      most: btc('21'),
    });
  });
});

describe('what if', () => {
  it('judges as if everybody had approved and nobody had objected, and keeps what stands', () => {
    const objections = [{ kind: 'rejected' as const, person: 'alice', at: NOW - 60 }];
    const reusedRequests = ['what-if'];
    expect(whatIf(question({ state: { objections, reusedRequests } }), btc('50')).decision).toBe('ALLOW');
    const touched = P0.approvals.tiers.map((tier) => ({ ...tier, touchRequired: true }));
    expect(whatIf(question({ policy: { approvals: { tiers: touched } } }), btc('50')).decision).toBe('ALLOW');
    const halt = { id: 'h', scope: { kind: 'all' as const }, since: NOW, reason: 'a test', source: 'person' as const };
    const halts = [{ ...halt, script: null, names: [] }] as unknown as PolicyState['halts'];
    expect(codes(whatIf(question({ state: { halts } }), btc('1')), 'deny')).toEqual(['HALTED']);
    expect(outlook(question({ state: { halts } })).frees).toBeNull();
  });

  it('shows the payment, its fee and its size, and nothing that rules of coins could mind', () => {
    const verdict = whatIf(question({ to: 'D' }), btc('1'));
    expect(verdict.decision).toBe('ALLOW');
    expect(verdict.findings.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    expect(verdict.spend).toBe(btc('1') + FEE);
    const slow = whatIf(question({ fee: 149n, vsize: 150n }), btc('1'));
    expect(codes(slow, 'deny')).toEqual(['FEE_TOO_LOW']);
  });

  it('declares the index of an address that a descriptor derives', () => {
    const state = withOkx(okxEntry(), { pay: [[okxAt(5), btc('1')]], requests: [okxRequest(5)] });
    const to = state.destinations?.get(Buffer.from(okxAt(5)).toString('hex'));
    if (to === undefined) throw new Error('the book has no okx');
    expect(to.index).toBe(5);
    expect(whatIf({ ...question({ state }), to }, btc('1')).decision).toBe('ALLOW');
    const { index: _, ...undeclared } = to;
    expect(codes(whatIf({ ...question({ state }), to: undeclared }, btc('1')), 'deny')).toEqual(['DEST_DERIVATION']);
  });
});

it('holds of any history: the most passes, one satoshi more does not, and before it frees no more does', () => {
  const spends = fc.array(
    fc.record({
      amount: fc.bigInt(1n, btc('60')),
      ago: fc.integer({ min: 1, max: 8 * DAY }),
      unconfirmed: fc.boolean(),
      to: fc.constantFrom<'A' | 'F'>('A', 'F'),
    }),
    { maxLength: 6 },
  );
  const denied = (one: Hypothesis, amount: bigint, now: number) =>
    codes(whatIf({ ...one, now, state: one.state }, amount), 'deny').filter((code) => code !== 'DEST_DUST');
  fc.assert(
    fc.property(spends, fc.constantFrom<'A' | 'F'>('A', 'F'), (drawn, to) => {
      const made = drawn.map(({ amount, ...more }) => spent(amount, more));
      const one = question({ to, state: { spends: made } });
      const { most, frees } = outlook(one);
      if (most > 0n) expect(whatIf(one, most).decision).toBe('ALLOW');
      expect(whatIf(one, most + 1n).decision).toBe('DENY');
      if (frees === null) return;
      const moved = (seconds: number): Hypothesis => ({
        ...one,
        state: {
          ...one.state,
          snapshotAt: one.state.snapshotAt + seconds,
          tip: { ...one.state.tip, medianTimePast: one.state.tip.medianTimePast + seconds },
        },
      });
      const wait = frees.at - NOW;
      expect(frees.most).toBeGreaterThan(most);
      expect(denied(moved(wait), frees.most, frees.at)).toEqual([]);
      expect(denied(moved(wait - 1), most + 1n, frees.at - 1)).not.toEqual([]);
    }),
    { numRuns: runs(30) },
  );
});
