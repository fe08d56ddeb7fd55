import { toHex } from '../../src/domain/bytes.js';
import { SATS_PER_BTC, type Sats } from '../../src/domain/sats.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type {
  ApprovalTier,
  EvaluationInput,
  LoadedBook,
  LoadedPolicy,
  Quorum,
  SpendRecord,
} from '../../src/policy/types.js';
import { approvedBy, batch, DAY, entry, loaded, outpoint, someScript, stateOf } from './fixture.js';

// Small policies in units of 1 BTC, whose schedules can be enumerated: whatever bound and prove say is held against them.

export const UNIT = SATS_PER_BTC;
export const units = (number: number | null): Sats | null => (number === null ? null : BigInt(number) * UNIT);

/** Who may be compromised; frank and grace, the auditors of the fixture, lend their names to batches. */
export const PEOPLE = ['alice', 'bob', 'erin'] as const;

export interface Small {
  readonly batch: number | null;
  readonly hour: number | null;
  readonly day: number | null;
  readonly week: number | null;
  readonly pending: number | null;
  readonly count: number;
  readonly tiers: readonly (Pick<ApprovalTier, 'm' | 'include'> & { readonly upTo: number | null })[];
  readonly nights: boolean;
  readonly cap?: number | null;
}

/** The policy, with nothing in it that would deny but what is in Small. */
export function policyOf(small: Small, bookSign?: Quorum): LoadedPolicy {
  const day = 24 * 3600;
  return loaded({
    roles: new Map([
      ['officers', new Map(['alice', 'bob'].map((name) => [name, [`ssh-ed25519 ${name}`]]))],
      ['compliance', new Map([['erin', ['ssh-ed25519 erin']]])],
      ['auditors', new Map(['frank', 'grace'].map((name) => [name, [`ssh-ed25519 ${name}`]]))],
    ]),
    destinations: {
      defaultCap24h: small.cap === undefined ? null : units(small.cap),
      caps24h: new Map(),
      ...(bookSign === undefined ? {} : { bookSign }),
    },
    limits: {
      batch: units(small.batch),
      output: null,
      rolling: { '1h': units(small.hour), '24h': units(small.day), '7d': units(small.week) },
      rollingBlocks: new Map(),
      signedUnconfirmed: units(small.pending),
      batches24h: small.count,
      reserveFloor: 0n,
    },
    fees: { maxRate: 300_000n, minRate: 0n, maxAbs: 0n, maxBpOfExternal: 10_000, bpAppliesAbove: 0n, max24h: null },
    approvals: {
      tiers: small.tiers.map(({ m, include, upTo }) => ({
        from: ['officers', 'compliance'],
        m,
        ...(include === undefined ? {} : { include }),
        upTo: units(upTo),
        touchRequired: false,
      })),
    },
    inputs: { minValue: 0n },
    hours: small.nights
      ? { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: 0, to: day, closedDates: [] }
      : { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: 7 * 3600, to: 19 * 3600, closedDates: [] },
  });
}

/** An earlier or a new batch of a schedule, in units. */
export interface Small1 {
  readonly at: number;
  readonly units: number;
}

const PAYEE = someScript('brute payee');

/** The book that all batches here pay from. */
export const ONE_PAYEE: LoadedBook = {
  digest: `sha256:${'b'.repeat(64)}`,
  file: 'book.yaml',
  entries: [
    {
      kind: 'address',
      id: 'payee',
      address: '',
      script: PAYEE,
      label: 'payee',
      owner: 'nobody',
      purpose: 'tests',
      where: { file: 'book.yaml', line: 1 },
    },
  ],
};

/** What evaluate is asked about one more batch of a schedule; built without anything of src/policy/bound. */
export function inputAfter(
  policy: LoadedPolicy,
  earlier: readonly Small1[],
  next: Small1,
  approvers: readonly string[],
): EvaluationInput {
  const spends = earlier.map(
    (one, index): SpendRecord => ({
      batch: `earlier-${index}`,
      spend: BigInt(one.units) * UNIT,
      fee: 0n,
      outputs: [{ script: toHex(PAYEE), amount: BigInt(one.units) * UNIT }],
      inputs: [outpoint(`earlier ${index}`)],
      reservedAt: one.at,
      confirmed: { at: one.at, height: 1 },
    }),
  );
  return {
    policy,
    kind: 'withdrawal',
    ...batch({ pay: [[PAYEE, BigInt(next.units) * UNIT]], fee: 0n }),
    state: stateOf({
      spends,
      destinations: new Map([entry('payee', PAYEE, next.at - 400 * DAY)]),
      approvals: approvedBy(...approvers).map((one) => ({ ...one, at: next.at, validUntil: next.at + 3600 })),
      confirmedBalance: 1_000_000n * UNIT,
      tip: { height: 950_000, medianTimePast: next.at },
      snapshotAt: next.at,
      lastEntryAt: next.at,
    }),
    now: next.at,
  };
}

export const allows = (...args: Parameters<typeof inputAfter>): boolean =>
  evaluate(inputAfter(...args)).decision === 'ALLOW';

/** The most, in units, that any schedule of these moments lets through which evaluate allows batch by batch. */
export function bruteMost(
  policy: LoadedPolicy,
  approvers: readonly string[],
  moments: readonly number[],
  largest: number,
): number {
  const known = new Map<string, number>();
  const from = (index: number, done: readonly Small1[]): number => {
    const at = moments[index];
    if (at === undefined) return 0;
    const key = `${index}|${done.map((one) => `${one.at}:${one.units}`).join(',')}`;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    let best = from(index + 1, done);
    for (let number = 1; number <= largest; number += 1) {
      const next = { at, units: number };
      if (!allows(policy, done, next, approvers)) continue;
      best = Math.max(
        best,
        number +
          from(
            index,
            [...done, next].sort((a, b) => a.at - b.at || a.units - b.units),
          ),
      );
    }
    known.set(key, best);
    return best;
  };
  return from(0, []);
}
