import type { Hex } from '../domain/bytes.js';
import type { Sats } from '../domain/sats.js';
import type { UnixSeconds } from '../domain/time.js';
import { groups, heaviestSet, type Member, type Weighed, weighAmong } from './conflicts.js';
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

/** Amounts at keys (a time or a height) in ascending order, with running sums. */
interface Series {
  readonly keys: readonly number[];
  /** sums[i] is the total of the first i amounts. */
  readonly sums: readonly bigint[];
}

interface PendingGroup {
  readonly spends: readonly SpendRecord[];
  readonly heaviest: Readonly<Record<Dimension, bigint>>;
}

interface Payments {
  readonly confirmed: Series;
  readonly pending: readonly Member[];
}

/**
 * Earlier spends, arranged so that any window is two look-ups. Confirmed ones lie in time; unconfirmed ones count as now
 * whatever their age, in groups that share inputs.
 */
export interface SpendIndex {
  /** The very list that it was built from. */
  readonly spends: readonly SpendRecord[];
  /** Confirmed ones by time of confirmation, ascending. */
  readonly confirmed: readonly SpendRecord[];
  /** Unconfirmed ones that can still confirm. */
  readonly pending: readonly SpendRecord[];
  readonly byTime: Readonly<Record<Dimension, Series>>;
  readonly byHeight: Series;
  readonly byScript: ReadonlyMap<Hex, Payments>;
  readonly pendingGroups: readonly PendingGroup[];
  readonly pendingTotal: Readonly<Record<Dimension, bigint>>;
  readonly groupOf: ReadonlyMap<string, PendingGroup>;
  /** The latest moment at which one of the spends was reserved or confirmed; -Infinity without any. */
  readonly latest: UnixSeconds;
}

const DIMENSIONS = ['spend', 'fee', 'count'] as const satisfies readonly Dimension[];

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
  for (const spend of spends) assertSpend(spend);
  const confirmed = spends.filter(isConfirmed).sort((a, b) => a.confirmed.at - b.confirmed.at);
  const pending = stillPending(spends, confirmed);
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
  const times = confirmed.map((spend) => spend.confirmed.at);
  const byHeight = confirmed.toSorted((a, b) => a.confirmed.height - b.confirmed.height);
  return {
    spends,
    confirmed,
    pending,
    byTime: perDimension((dimension) => ({
      keys: times,
      sums: runningSums(confirmed, (spend) => weightOf(spend, dimension)),
    })),
    byHeight: {
      keys: byHeight.map((spend) => spend.confirmed.height),
      sums: runningSums(byHeight, ({ spend }) => spend),
    },
    byScript: paymentsByScript(confirmed, pending),
    pendingGroups,
    pendingTotal: perDimension((dimension) =>
      pendingGroups.reduce((sum, group) => sum + group.heaviest[dimension], 0n),
    ),
    groupOf,
    latest: latestOf(spends),
  };
}

function latestOf(spends: readonly SpendRecord[]): UnixSeconds {
  let latest = Number.NEGATIVE_INFINITY;
  for (const { reservedAt, confirmed } of spends) latest = Math.max(latest, reservedAt, confirmed?.at ?? reservedAt);
  return latest;
}

type ConfirmedSpend = SpendRecord & { readonly confirmed: NonNullable<SpendRecord['confirmed']> };

const isConfirmed = (spend: SpendRecord): spend is ConfirmedSpend => spend.confirmed !== null;

/** Unconfirmed spends are few and confirmed ones many: it is the inputs of the few that are kept for the comparison. */
function stillPending(spends: readonly SpendRecord[], confirmed: readonly ConfirmedSpend[]): SpendRecord[] {
  const unconfirmed = spends.filter((spend) => spend.confirmed === null);
  const contested = new Set(unconfirmed.flatMap(({ inputs }) => inputs));
  const gone = new Set<string>();
  for (const { inputs } of confirmed) {
    for (const input of inputs) if (contested.has(input)) gone.add(input);
  }
  return unconfirmed.filter(({ inputs }) => !inputs.some((input) => gone.has(input)));
}

function paymentsByScript(confirmed: readonly ConfirmedSpend[], pending: readonly SpendRecord[]): Map<Hex, Payments> {
  const payments = new Map<Hex, { confirmed: { keys: number[]; sums: bigint[] }; pending: Member[] }>();
  const of = (script: Hex) => {
    const known = payments.get(script);
    if (known !== undefined) return known;
    const fresh = { confirmed: { keys: [], sums: [0n] }, pending: [] };
    payments.set(script, fresh);
    return fresh;
  };
  for (const spend of confirmed) {
    for (const { script, amount } of spend.outputs) {
      const { keys, sums } = of(script).confirmed;
      sums.push((sums[keys.length] ?? 0n) + amount);
      keys.push(spend.confirmed.at);
    }
  }
  for (const spend of pending) {
    for (const [script, weight] of paidBy(spend)) of(script).pending.push({ weight, inputs: spend.inputs });
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
  const [spend, fee, count] = DIMENSIONS;
  return { spend: make(spend), fee: make(fee), count: make(count) };
}

const asMembers = (spends: readonly SpendRecord[], dimension: Dimension): Member[] =>
  spends.map((spend) => ({ weight: weightOf(spend, dimension), inputs: spend.inputs }));

function runningSums<T>(items: readonly T[], amountOf: (item: T) => bigint): bigint[] {
  const sums = [0n];
  let total = 0n;
  for (const item of items) {
    total += amountOf(item);
    sums.push(total);
  }
  return sums;
}

const NO_SERIES: Series = { keys: [], sums: [0n] };

/** Position of the first key above a threshold. */
function firstAbove(keys: readonly number[], threshold: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? Number.POSITIVE_INFINITY) > threshold) high = middle;
    else low = middle + 1;
  }
  return low;
}

function sumAbove({ keys, sums }: Series, threshold: number): bigint {
  return (sums.at(-1) ?? 0n) - (sums[firstAbove(keys, threshold)] ?? 0n);
}

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
  return slidingTally(index.byTime[dimension], weighPending(index, dimension, claim), time, window);
}

/** The same for what one script gets. */
export function tallyScript(index: SpendIndex, script: Hex, claim: Claim, time: UnixSeconds, window: number): Tally {
  const paid = index.byScript.get(script);
  const weighed = weighAmong(claim, paid?.pending ?? []);
  return slidingTally(paid?.confirmed ?? NO_SERIES, weighed, time, window);
}

/** A window of blocks: a spend in block `h` counts while `tip - h < blocks`. When blocks come is not known, so nothing frees. */
export function tallyBlocks(index: SpendIndex, claim: Claim, tip: number, blocks: number): Tally {
  return fixedTally(sumAbove(index.byHeight, tip - blocks), weighPending(index, 'spend', claim));
}

/** All spends there ever were, whatever their age, this batch included. */
export function tallyLifetime(index: SpendIndex, claim: Claim): Tally {
  return fixedTally(index.byTime.spend.sums.at(-1) ?? 0n, weighPending(index, 'spend', claim));
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
  return index.confirmed.slice(firstAbove(index.byTime.spend.keys, time - window));
}

function assertSpend({ batch, spend, fee, outputs, confirmed }: SpendRecord): void {
  if (!isAmount(spend) || !isAmount(fee) || !outputs.every(({ amount }) => isAmount(amount))) {
    throw new Error(`batch ${batch} holds an amount that is negative or no integer`);
  }
  if (confirmed !== null && !(Number.isSafeInteger(confirmed.at) && Number.isSafeInteger(confirmed.height))) {
    throw new Error(`batch ${batch} holds a confirmation without a time or a height`);
  }
}

const isAmount = (value: unknown): boolean => typeof value === 'bigint' && value >= 0n;
