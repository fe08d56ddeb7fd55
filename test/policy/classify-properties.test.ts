import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchKind } from '../../src/domain/batch-kind.js';
import { toHex } from '../../src/domain/bytes.js';
import type { Sats } from '../../src/domain/sats.js';
import { classify, overallKind } from '../../src/policy/classify.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type {
  ApprovalTier,
  Decision,
  EvaluationInput,
  LoadedPolicy,
  PolicyDocument,
  ScreeningState,
} from '../../src/policy/types.js';
import { NO_SOURCES } from '../../src/psbt/sources.js';
import { runs } from '../runs.js';
import {
  ADDRESSES,
  btc,
  type Case,
  change,
  DAY,
  HOUR,
  inputOf,
  loaded,
  NOW,
  type Pay,
  scriptOf,
  spent,
  TIP,
  txid,
} from './fixture.js';

// Policies and batches are drawn from few values that lie around each other, so that a batch often sits between two
// policies: a batch that both of them allow, or both deny, says nothing about their order.

// ---------------------------------------------------------------- pairs of policies

type Edit = (document: PolicyDocument) => PolicyDocument;

/** Sets one field of a section to one of some values. */
function choose<S extends keyof PolicyDocument, K extends keyof PolicyDocument[S]>(
  section: S,
  key: K,
  ...values: readonly PolicyDocument[S][K][]
): fc.Arbitrary<Edit> {
  return fc
    .constantFrom(...values)
    .map((value) => (document) => ({ ...document, [section]: { ...(document[section] as object), [key]: value } }));
}

const OFAC = { id: 'ofac', pinnedBy: 'compliance', maxAge: DAY, maxShrinkBp: 10 };

const cap = fc.constantFrom(btc('4'), btc('6'), btc('9'), btc('15'), btc('30'), btc('60'), null);
const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin'] as const;
const ROLES = ['officers', 'compliance'] as const;

const tier = fc
  .record({
    from: fc.subarray([...ROLES], { minLength: 1 }),
    m: fc.integer({ min: 1, max: 4 }),
    include: fc.boolean(),
    touchRequired: fc.boolean(),
  })
  .map(({ from, m, include, touchRequired }): Omit<ApprovalTier, 'upTo'> => {
    const role = from.at(-1);
    return { from, m, touchRequired, ...(include && role !== undefined ? { include: role } : {}) };
  });

const bounds = fc
  .subarray([btc('2'), btc('5'), btc('10'), btc('40')] as const)
  .chain((some) =>
    fc.boolean().map((open): readonly (Sats | null)[] => (open || some.length === 0 ? [...some, null] : some)),
  );
const tiers = bounds.chain((list) =>
  fc.tuple(...list.map((upTo) => tier.map((rest): ApprovalTier => ({ upTo, ...rest })))),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  choose('limits', 'batch', btc('5'), btc('10'), btc('50'), null),
  choose('limits', 'output', btc('2'), btc('8'), null),
  fc.tuple(fc.constantFrom('1h', '24h', '7d'), cap).map(
    ([span, value]): Edit =>
      (document) => {
        const { limits } = document;
        return { ...document, limits: { ...limits, rolling: { ...limits.rolling, [span]: value } } };
      },
  ),
  fc.uniqueArray(fc.tuple(fc.constantFrom(6, 20, 144), cap), { maxLength: 3, selector: ([blocks]) => blocks }).map(
    (windows): Edit =>
      (document) => ({ ...document, limits: { ...document.limits, rollingBlocks: new Map(windows) } }),
  ),
  choose('limits', 'signedUnconfirmed', btc('5'), btc('20'), null),
  choose('limits', 'batches24h', 1, 2, 3, 6),
  choose('limits', 'outputsPerBatch', 1, 2, 4),
  choose('limits', 'lifetime', btc('8'), btc('20'), null, undefined),
  choose('destinations', 'proof', 'none', 'required', undefined),
  choose('approvals', 'duplicateGuard', 'warn', 'approve', undefined),
  choose('transaction', 'mergeOutputs', true, false, undefined),
  choose('limits', 'reserveFloor', btc('980'), btc('990'), btc('1000')),
  choose('fees', 'maxRate', 200_000n, 250_000n, 300_000n),
  choose('fees', 'minRate', 1000n, 2500n, 5000n),
  choose('fees', 'maxAbs', 50_000n, 100_000n, null),
  choose('fees', 'maxBpOfExternal', 1, 5, 50),
  choose('fees', 'bpAppliesAbove', 0n, 10_000n, 200_000n),
  choose('fees', 'max24h', 50_000n, 120_000n, null),
  choose('destinations', 'cooldown', DAY, 3 * DAY, 6 * DAY),
  fc.record({ untilAge: fc.constantFrom(4 * DAY, 30 * DAY, 500 * DAY), each24h: cap, all24h: cap }).map(
    (young): Edit =>
      (document) => ({ ...document, destinations: { ...document.destinations, young } }),
  ),
  choose('destinations', 'scriptTypes', ['p2wpkh'], ['p2wpkh', 'p2tr'], ['p2wpkh', 'p2sh'], []),
  choose('destinations', 'defaultCap24h', btc('3'), btc('9'), btc('80'), null),
  fc.uniqueArray(fc.tuple(fc.constantFrom('warm-1', 'settle', 'new'), cap), { selector: ([id]) => id }).map(
    (own): Edit =>
      (document) => ({ ...document, destinations: { ...document.destinations, caps24h: new Map(own) } }),
  ),
  tiers.map(
    (list): Edit =>
      (document) => ({ ...document, approvals: { ...document.approvals, tiers: list } }),
  ),
  tiers.map(
    (list): Edit =>
      (document) => ({ ...document, approvals: { ...document.approvals, tiers: list } }),
  ),
  fc.tuple(fc.constantFrom(...ROLES), fc.constantFrom(...PEOPLE), fc.boolean()).map(
    ([role, person, isMember]): Edit =>
      (document) => {
        const people = new Map(document.roles.get(role));
        if (isMember) people.set(person, [`ssh-ed25519 ${person}`]);
        else people.delete(person);
        return { ...document, roles: new Map([...document.roles, [role, people]]) };
      },
  ),
  choose('approvals', 'validFor', 300, 900, 4 * HOUR),
  choose('inputs', 'minConfirmations', 1, 6, 50),
  choose('inputs', 'minValue', 5000n, 10_000n, 30_000n),
  choose('inputs', 'max', 1, 2, 200),
  choose('change', 'maxOutputs', 0, 1, 2),
  choose('change', 'maxGap', 1, 5, 20),
  choose('transaction', 'versions', [1], [2], [1, 2]),
  choose('hours', 'days', ['mon'], ['mon', 'tue'], ['tue', 'wed', 'sun']),
  choose('hours', 'from', 0, 7 * HOUR, 13 * HOUR),
  choose('hours', 'to', 14 * HOUR, 19 * HOUR, 24 * HOUR),
  choose('hours', 'closedDates', [], ['2026-06-02'], ['2026-06-01', '2026-06-02'], ['2026-04-01']),
  choose('clock', 'maxBack', 0, 60, 120),
  choose('clock', 'maxAheadOfMtp', HOUR, 2 * HOUR, 3 * HOUR),
  choose('clock', 'chainSnapshotMaxAge', 300, 900, 2 * HOUR),
  choose('halt', 'raise', { from: ['officers'], m: 1 }, { from: ['officers', 'compliance'], m: 2 }),
  choose('screening', 'lists', [], [OFAC], [{ ...OFAC, maxAge: 2 * DAY }], [{ ...OFAC, maxShrinkBp: 20 }]),
  choose('screening', 'inputsHops', 0, 1),
  choose('wallet', 'id', 'cold-btc-1', 'other'),
  fc.constantFrom(NOW - DAY, NOW - 10, NOW + 10).map(
    (effectiveAt): Edit =>
      (document) => ({ ...document, effectiveAt }),
  ),
  fc.constantFrom(NOW, NOW + HOUR, NOW + 9 * DAY).map(
    (expiresAt): Edit =>
      (document) => ({ ...document, expiresAt }),
  ),
);

const applied = (document: PolicyDocument, edits: readonly Edit[]): PolicyDocument =>
  edits.reduce((done, next) => next(done), document);

const policyOf = (document: PolicyDocument): LoadedPolicy => ({ ...loaded(), document });

/** A lax beginning, some edits for the old version, and some more for the new one. */
const pairs = fc
  .tuple(fc.array(edit, { maxLength: 4 }), fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([first, then]) => {
    const before = applied(loaded().document, first);
    return { before: policyOf(before), after: policyOf(applied(before, then)) };
  });

// ---------------------------------------------------------------- batches

/** Mostly the first, sometimes one of the others. */
const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 3 }, fc.constantFrom(...others));

const amount = fc.constantFrom(btc('1'), btc('3'), btc('5'), btc('8'), btc('12'));
const payment: fc.Arbitrary<Pay> = fc.tuple(mostly('A', 'B', 'D', 'F') as fc.Arbitrary<keyof typeof ADDRESSES>, amount);

const earlier = fc
  .record({
    sats: fc.constantFrom(btc('1'), btc('4'), btc('12')),
    ago: fc.constantFrom(600, 5 * HOUR, 23 * HOUR, 2 * DAY),
    unconfirmed: mostly(false, true),
    height: fc.constantFrom(TIP - 3, TIP - 10, TIP - 100),
    coin: fc.constantFrom('u0', 'u1', 'u2', 'u3'),
    fee: fc.constantFrom(0n, 30_000n),
    to: mostly('A', 'F', 'X') as fc.Arbitrary<keyof typeof ADDRESSES>,
  })
  .map(({ sats, coin, ...options }) => spent(sats, { ...options, inputs: [coin] }));

const approvals = fc.array(
  fc.record({
    person: fc.constantFrom(...PEOPLE),
    at: mostly(NOW - 200, NOW - 600, NOW - HOUR),
    validUntil: mostly(NOW + 3 * HOUR, NOW + 1),
    touch: mostly(true, false),
  }),
  { maxLength: 7 },
);

/** A list that is there, seldom none; of either age and either shrink that the policies tell apart. */
const lists: fc.Arbitrary<ReadonlyMap<string, ScreeningState>> = fc
  .record({
    isThere: mostly(true, false),
    age: mostly(HOUR, DAY + HOUR),
    removed: mostly(1, 2),
    pinnedBy: mostly('erin', 'alice'),
    scripts: mostly('51', toHex(scriptOf(ADDRESSES.A))),
  })
  .map(({ isThere, age, removed, pinnedBy, scripts }) => {
    const before = { scripts: 1000, removed };
    const list = { issuedAt: NOW - age, expiresAt: null, pinnedBy, scripts: new Set([scripts]), before, own: [] };
    return new Map(isThere ? [['ofac', list]] : []);
  });

/** Everything that is judged besides the policy. */
const inputsOf = (kind: BatchKind): fc.Arbitrary<EvaluationInput> =>
  fc
    .record({
      pay: fc.array(payment, { minLength: 1, maxLength: 3 }),
      fee: mostly(60_000n, 900n, 90_000n, 110_000n),
      inputs: fc.uniqueArray(fc.constantFrom('u0', 'u1', 'u2', 'u4'), { minLength: 1, maxLength: 2 }),
      confirmations: mostly(100, 5, 30),
      small: mostly(40_000n, 20_000n, 7000n),
      left: mostly(0, 2),
      changes: mostly<readonly number[]>([], [42], [42, 43], [50]),
      version: mostly(2, 1),
      spends: fc.array(earlier, { maxLength: 3 }),
      approvals,
      balance: mostly(btc('5000'), btc('1003'), btc('995')),
      mtp: mostly(NOW - HOUR, NOW - 2.5 * HOUR),
      snapshotAt: mostly(NOW - 200, NOW - HOUR),
      screening: lists,
      sources: mostly(NO_SOURCES, { scripts: [], untold: 1 }, { scripts: ['51'], untold: 0 }),
      lastEntryAt: mostly(NOW - 60, NOW + 90),
      now: mostly(NOW, NOW + 3 * HOUR, NOW + DAY),
    })
    .map((drawn) => {
      const later = drawn.now - NOW;
      const judged: Case = {
        now: drawn.now,
        kind,
        batch: {
          pay: kind === 'consolidation' ? [] : drawn.pay,
          fee: drawn.fee,
          change: drawn.changes.map((index) => change(btc('0.5'), index)),
          facts: { version: drawn.version },
          inputs: drawn.inputs.map((name, index) => ({
            outpoint: { txid: txid(name), vout: 0 },
            ...(index === 0 ? {} : { value: drawn.small }),
          })),
        },
        state: {
          spends: drawn.spends,
          approvals: drawn.approvals.map((one) => ({ ...one, at: one.at + later, validUntil: one.validUntil + later })),
          confirmedBalance: drawn.balance,
          tip: { height: TIP, medianTimePast: drawn.mtp + later },
          snapshotAt: drawn.snapshotAt + later,
          screening: new Map([...drawn.screening].map(([id, one]) => [id, { ...one, issuedAt: one.issuedAt + later }])),
          lastEntryAt: drawn.lastEntryAt + later,
        },
      };
      const { facts, ...rest } = inputOf(judged);
      const coins = facts.inputs.map((fact, index) => {
        const known = fact.coin ?? { confirmations: 0, coinbase: false, value: fact.value, leftOnScript: 0 };
        const coin = { ...known, confirmations: drawn.confirmations, leftOnScript: index === 0 ? 0 : drawn.left };
        return { ...fact, coin, sources: drawn.sources };
      });
      return { ...rest, facts: { ...facts, inputs: coins } };
    });

const RANK: Readonly<Record<Decision, number>> = { DENY: 0, NEED: 1, ALLOW: 2 };

const rank = (policy: LoadedPolicy, input: EvaluationInput): number => RANK[evaluate({ ...input, policy }).decision];

const batches = fc
  .tuple(fc.array(inputsOf('withdrawal'), { minLength: 6, maxLength: 6 }), inputsOf('consolidation'))
  .map(([withdrawals, consolidation]) => [...withdrawals, consolidation]);

describe('a change that is not called a loosening', () => {
  it('allows nothing that was denied or needed approvals before', () => {
    fc.assert(
      fc.property(pairs, batches, ({ before, after }, drawn) => {
        const changes = classify(before, after);
        if (overallKind(changes) === 'loosening') return;
        for (const input of drawn) expect(rank(after, input)).toBeLessThanOrEqual(rank(before, input));
      }),
      { numRuns: runs(400) },
    );
  });

  it('is neutral only where no batch is judged otherwise', () => {
    fc.assert(
      fc.property(pairs, batches, ({ before, after }, drawn) => {
        // effective_at is neutral because a later one only denies for longer.
        if (before.document.effectiveAt !== after.document.effectiveAt) return;
        if (overallKind(classify(before, after)) !== 'neutral') return;
        for (const input of drawn) expect(rank(after, input)).toBe(rank(before, input));
      }),
      { numRuns: runs(300) },
    );
  });

  it('is compared with batches that the policies judge differently, often enough to say something', () => {
    const drawn = fc.sample(fc.tuple(pairs, batches), { numRuns: 200, seed: 11 });
    const seen = { fewer: 0, more: 0, tightening: 0, loosening: 0, neutral: 0 };
    for (const [{ before, after }, list] of drawn) {
      const kind = overallKind(classify(before, after));
      seen[kind] += 1;
      const rises = list.map((input) => rank(after, input) - rank(before, input));
      if (kind === 'tightening' && rises.some((rise) => rise < 0)) seen.fewer += 1;
      if (kind === 'loosening' && rises.some((rise) => rise > 0)) seen.more += 1;
    }
    expect(seen.tightening).toBeGreaterThan(50);
    expect(seen.loosening).toBeGreaterThan(50);
    expect(seen.neutral).toBeGreaterThan(10);
    expect(seen.fewer).toBeGreaterThan(20);
    expect(seen.more).toBeGreaterThan(5);
  });
});
