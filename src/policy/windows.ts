import type { Hex } from '../domain/bytes.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import { assertSpend, ConfirmedSpends, isConfirmed } from './confirmed-spends.js';
import { groups, heaviestSet, type Member, type Weighed, weighAmong } from './conflicts.js';
import { firstAbove, mergedSeries, type Series, sumAbove } from './series.js';
import type { SpendRecord } from './types.js';

/** What a window can add up: sats that leave, fees, or batches. */
export type Dimension = 'spend' | 'fee' | 'count';

/** What the batch under judgement adds to a window, and the inputs by which it may replace an earlier one. */
export type Claim = Member;

/** What a window holds with the batch counted in, and how that changes with time. */
export interface Tally {
  /** Earlier spends and this batch. */
  readonly measured: bigint;
  /** What a batch in this one's place may add at most; never negative. */
  room(limit: bigint): bigint;
  /** The earliest later second at which the batch would fit; null where time alone does not cure it. */
  freesAt(limit: bigint): UnixSeconds | null;
}

interface PendingGroup {
  readonly spends: readonly SpendRecord[];
  readonly heaviest: Readonly<Record<Dimension, bigint>>;
}

/**
 * Earlier spends, arranged so that any window is two look-ups. Confirmed ones lie in time; unconfirmed ones count as now
 * whatever their age, in groups that share inputs.
 */
export interface SpendIndex {
  /** The very list that it was built from. */
  readonly spends: readonly SpendRecord[];
  readonly confirmed: ConfirmedSpends;
  /** What all confirmed ones took, whatever their age. */
  readonly confirmedTotal: Sats;
  /** Unconfirmed ones that can still confirm. */
  readonly pending: readonly SpendRecord[];
  readonly pendingByScript: ReadonlyMap<Hex, readonly Member[]>;
  readonly pendingTotal: Readonly<Record<Dimension, bigint>>;
  readonly groupOf: ReadonlyMap<string, PendingGroup>;
  /** No spend was reserved or confirmed later; -Infinity without any. */
  readonly latest: UnixSeconds;
}

const weightOf = (spend: SpendRecord, dimension: Dimension): bigint => {
  switch (dimension) {
    case 'spend':
      return spend.spend;
    case 'fee':
      return spend.fee;
    case 'count':
      return 1n;
  }
};

/**
 * Arranges earlier spends; n log n, and linear where they come in order of confirmation. An unconfirmed one that shares an
 * input with a confirmed one can never confirm and is left out. Throws on a negative or mistyped amount: the journal
 * never folds one, so it is a bug, and the rules that asked turn it into a denial.
 */
export function createSpendIndex(spends: readonly SpendRecord[]): SpendIndex {
  const confirmed = new ConfirmedSpends();
  const ordered = spends.filter(isConfirmed).sort((a, b) => a.confirmed.at - b.confirmed.at);
  for (const spend of ordered) confirmed.add(spend);
  const unconfirmed = spends.filter((spend) => spend.confirmed === null);
  // Unconfirmed spends are few and confirmed ones many: it is the inputs of the few that are kept for the comparison.
  const contested = new Set(unconfirmed.flatMap(({ inputs }) => inputs));
  const gone = new Set<string>();
  for (const { inputs } of ordered) {
    for (const input of inputs) if (contested.has(input)) gone.add(input);
  }
  return indexOver(spends, { confirmed, longAgo: 0n, isGone: (input) => gone.has(input) }, unconfirmed);
}

/** The confirmed spends of a list, arranged already. */
export interface ArrangedSpends {
  readonly confirmed: ConfirmedSpends;
  /** What left so long ago that no window asks for it, and is not among them. */
  readonly longAgo: Sats;
  /** Whether a confirmed spend, however old, has taken an input. */
  isGone(input: string): boolean;
}

/** The index of a list of which the confirmed spends are arranged already; a step for each unconfirmed one. Good until they change. */
export function indexOver(
  spends: readonly SpendRecord[],
  { confirmed, longAgo, isGone }: ArrangedSpends,
  unconfirmed: readonly SpendRecord[],
): SpendIndex {
  for (const spend of unconfirmed) assertSpend(spend);
  const pending = unconfirmed.filter(({ inputs }) => !inputs.some(isGone));
  const pendingGroups = groups(pending.map((spend) => ({ weight: spend.spend, inputs: spend.inputs, spend }))).map(
    (group): PendingGroup => {
      const members = group.map(({ spend }) => spend);
      return { spends: members, heaviest: perDimension((dimension) => heaviestSet(asMembers(members, dimension))) };
    },
  );
  const groupOf = new Map(
    pendingGroups.flatMap((group) =>
      group.spends.flatMap(({ inputs }) => inputs.map((input) => [input, group] as const)),
    ),
  );
  return {
    spends,
    confirmed,
    confirmedTotal: longAgo + sumAbove(confirmed.spend, Number.NEGATIVE_INFINITY),
    pending,
    pendingByScript: paymentsByScript(pending),
    pendingTotal: perDimension((dimension) =>
      pendingGroups.reduce((sum, group) => sum + group.heaviest[dimension], 0n),
    ),
    groupOf,
    latest: unconfirmed.reduce((latest, { reservedAt }) => Math.max(latest, reservedAt), confirmed.latest),
  };
}

function paymentsByScript(pending: readonly SpendRecord[]): Map<Hex, Member[]> {
  const payments = new Map<Hex, Member[]>();
  for (const spend of pending) {
    for (const [script, weight] of paidBy(spend)) {
      const known = payments.get(script);
      const member = { weight, inputs: spend.inputs };
      if (known === undefined) payments.set(script, [member]);
      else known.push(member);
    }
  }
  return payments;
}

/** What one spend pays to each script. */
function paidBy(spend: SpendRecord): Map<Hex, Sats> {
  const paid = new Map<Hex, Sats>();
  for (const { script, amount } of spend.outputs) paid.set(script, (paid.get(script) ?? 0n) + amount);
  return paid;
}

function perDimension<T>(make: (dimension: Dimension) => T): Record<Dimension, T> {
  return { spend: make('spend'), fee: make('fee'), count: make('count') };
}

const asMembers = (spends: readonly SpendRecord[], dimension: Dimension): Member[] =>
  spends.map((spend) => ({ weight: weightOf(spend, dimension), inputs: spend.inputs }));

/**
 * A sliding window over all spends: a confirmed one at `t` counts while `time - t < window`, an unconfirmed one always,
 * conflicting ones as the heaviest set that can confirm together.
 */
export function tallyWindow(
  index: SpendIndex,
  dimension: Dimension,
  claim: Claim,
  time: UnixSeconds,
  window: number,
): Tally {
  return slidingTally(index.confirmed[dimension], weighPending(index, dimension, claim), time, window);
}

/** The same for what one destination gets: all of its scripts together. */
export function tallyScripts(
  index: SpendIndex,
  scripts: readonly Hex[],
  claim: Claim,
  time: UnixSeconds,
  window: number,
): Tally {
  const confirmed = mergedSeries(scripts.map((script) => index.confirmed.paidTo(script)));
  const pending = scripts.map((script) => index.pendingByScript.get(script) ?? []);
  return slidingTally(confirmed, weighAmong(claim, together(pending)), time, window);
}

/**
 * Pending payments to several scripts as if they were to one: a spend that pays two of them is one member, not two rivals.
 * A spend is told by its list of inputs, which all of its payments share.
 */
function together(pending: readonly (readonly Member[])[]): readonly Member[] {
  const [only = [], ...others] = pending;
  if (others.length === 0) return only;
  const weights = new Map<Member['inputs'], bigint>();
  for (const { weight, inputs } of pending.flat()) weights.set(inputs, (weights.get(inputs) ?? 0n) + weight);
  return [...weights].map(([inputs, weight]) => ({ weight, inputs }));
}

/** A window of blocks: a spend in block `h` counts while `tip - h < blocks`. When blocks come is not known, so nothing frees. */
export function tallyBlocks(index: SpendIndex, claim: Claim, tip: number, blocks: number): Tally {
  return fixedTally(sumAbove(index.confirmed.byHeight, tip - blocks), weighPending(index, 'spend', claim));
}

/** All spends there ever were, whatever their age, this batch included. */
export function tallyLifetime(index: SpendIndex, claim: Claim): Tally {
  return fixedTally(index.confirmedTotal, weighPending(index, 'spend', claim));
}

/** All that is signed (or may be) and not yet confirmed, this batch included. */
export function tallyPending(index: SpendIndex, claim: Claim): Tally {
  return fixedTally(0n, weighPending(index, 'spend', claim));
}

/** Only groups that share an input with the batch are weighed anew. */
function weighPending(index: SpendIndex, dimension: Dimension, claim: Claim): Weighed {
  const touched = touchedGroups(index, claim);
  let rest = index.pendingTotal[dimension];
  const members: Member[] = [];
  for (const group of touched) {
    rest -= group.heaviest[dimension];
    members.push(...asMembers(group.spends, dimension));
  }
  const weighed = weighAmong(claim, members);
  return { together: rest + weighed.together, without: rest + weighed.without, beside: rest + weighed.beside };
}

function slidingTally(confirmed: Series, pending: Weighed, time: UnixSeconds, window: number): Tally {
  const { measured, room } = fixedTally(sumAbove(confirmed, time - window), pending);
  return {
    measured,
    room,
    freesAt: (limit) => {
      const leaving = confirmed.keys.slice(firstAbove(confirmed.keys, time - window)).map((key) => key + window);
      return earliest(leaving, (then) => sumAbove(confirmed, then - window) + pending.together <= limit);
    },
  };
}

function fixedTally(confirmed: bigint, pending: Weighed): Tally {
  return {
    measured: confirmed + pending.together,
    room: (limit) => {
      const left = limit - confirmed - pending.beside;
      return confirmed + pending.without > limit || left < 0n ? 0n : left;
    },
    freesAt: () => null,
  };
}

/** The first of ascending moments at which a condition holds that, once true, stays true; null if it never does. */
export function earliest(moments: readonly UnixSeconds[], holds: (then: UnixSeconds) => boolean): UnixSeconds | null {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const moment = moments[middle];
    if (moment !== undefined && holds(moment)) high = middle;
    else low = middle + 1;
  }
  return moments[low] ?? null;
}

/** Earlier batches that can still confirm and are linked to the claim by inputs, directly or through one another. */
export function linkedTo(index: SpendIndex, { inputs }: Pick<Claim, 'inputs'>): readonly SpendRecord[] {
  return [...touchedGroups(index, { inputs })].flatMap(({ spends }) => spends);
}

function touchedGroups(index: SpendIndex, { inputs }: Pick<Claim, 'inputs'>): ReadonlySet<PendingGroup> {
  return new Set(inputs.flatMap((input) => index.groupOf.get(input) ?? []));
}

/** Confirmed spends that a window of time still holds. */
export function confirmedWithin(index: SpendIndex, time: UnixSeconds, window: number): readonly SpendRecord[] {
  const { records, spend } = index.confirmed;
  return records.slice(firstAbove(spend.keys, time - window));
}
