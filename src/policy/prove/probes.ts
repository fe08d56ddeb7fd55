import { sha256Hex, toHex } from '../../domain/bytes.js';
import { minSats, type Sats } from '../../domain/sats.js';
import { parseTime } from '../../domain/time.js';
import { calendarOf } from '../bound/calendar.js';
import { feeFor, leastFee, shut, USUAL_VSIZE } from '../bound/limits.js';
import { ableIn, tierRanges } from '../bound/people.js';
import { rehearse } from '../bound/rehearse.js';
import { FIRST_HEIGHT, scriptNamed } from '../bound/scene.js';
import { worstCase } from '../bound/schedule.js';
import { peopleOf } from '../consistency.js';
import { DAY, HOUR } from '../rules/rolling.js';
import type { ApprovalTier, EvaluationInput, InputFact, LoadedPolicy } from '../types.js';
import { screeningEdges } from './screening-edges.js';
import { named, parts, Stage, spent } from './stage.js';

/** Batches at the edges of what a policy allows, one edge each: where another policy is tighter, it denies one of them. */
export function* probes(policy: LoadedPolicy, other: LoadedPolicy): Iterable<EvaluationInput> {
  if (shut(policy) !== null) return;
  const stage = new Stage(policy);
  if (!stage.works) return;
  yield stage.batch({});
  yield* times(stage, other);
  yield* approvers(stage, other);
  yield* destinations(stage, other);
  yield* feeEdges(stage);
  yield* shapes(stage);
  yield* clocks(stage);
  yield* screeningEdges(stage);
  yield* histories(stage, other);
  yield* longAgo(stage, other);
  yield* repetitions(stage);
  yield merged(stage);
  yield* schedules(stage);
}

function* times(stage: Stage, other: LoadedPolicy): Iterable<EvaluationInput> {
  const { effectiveAt, expiresAt } = stage.policy.document;
  const calendar = calendarOf(stage.policy.document);
  const marks = [effectiveAt, expiresAt, other.document.effectiveAt, other.document.expiresAt, stage.at];
  for (const mark of [
    ...marks,
    ...other.document.hours.closedDates.map((date) => parseTime(`${date}T00:00:00Z`) ?? 0),
  ]) {
    for (const { from, to } of calendar.spans(mark - 8 * DAY, mark + 8 * DAY)) {
      for (const at of [from, to - 1]) yield stage.batch({ at });
    }
  }
}

/**
 * The least that completes each tier, chosen in every way as far as that is few: at both ends of the tier, and at the ends
 * of the tiers of the other policy within it. Earlier batches make up what one batch may not take.
 */
function* approvers(stage: Stage, other: LoadedPolicy): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const day = stage.limits.windows.flatMap(({ bounded: { cap } }) => (cap === null ? [] : [cap]));
  const marks = [document, other.document].flatMap((one) =>
    tierRanges(one).flatMap(({ low, high }) => [low + 1n, ...(high === null ? [] : [high])]),
  );
  for (const { tier, low, high } of tierRanges(document)) {
    const most = [stage.largest(), ...day, ...(high === null ? [] : [high])].reduce(minSats);
    const bases = [most, ...marks].filter((basis) => basis > low && (high === null || basis <= high));
    for (const basis of new Set(bases.map((one) => (one > stage.least ? one : stage.least)))) {
      const spend = stage.largest(basis);
      const spends = basis > spend ? [spent(stage, { spend: basis - spend })] : [];
      for (const approvedBy of quorums(stage, tier)) {
        const initiator = [...stage.all].find((person) => !approvedBy.includes(person));
        if (initiator !== undefined) yield stage.paying(spend, { approvedBy, initiator, spends });
      }
    }
  }
}

function* quorums(stage: Stage, tier: ApprovalTier): Iterable<readonly string[]> {
  const { document } = stage.policy;
  const include = tier.include === undefined ? null : peopleOf({ from: [tier.include], m: 1 }, document);
  let tried = 0;
  for (const group of subsets(ableIn(tier, stage.all, document), tier.m)) {
    if (include !== null && !group.some((person) => include.has(person))) continue;
    yield group;
    tried += 1;
    if (tried === 100) return;
  }
}

function* subsets(items: readonly string[], size: number): Iterable<readonly string[]> {
  if (size === 0) yield [];
  for (const [index, item] of items.entries()) {
    if (size === 0 || items.length - index < size) return;
    for (const rest of subsets(items.slice(index + 1), size - 1)) yield [item, ...rest];
  }
}

function* destinations(stage: Stage, other: LoadedPolicy): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const { cooldown, young, scriptTypes, caps24h } = document.destinations;
  const fee = leastFee(document);
  for (const kind of scriptTypes) {
    const payments = [{ script: scriptNamed('a destination', kind), amount: stage.least - fee }];
    yield stage.batch({ payments });
  }
  for (const age of [cooldown, young.untilAge - 1, young.untilAge].filter((one) => one >= cooldown)) {
    const isYoung = age < young.untilAge;
    const caps = isYoung ? [young.each24h, young.all24h].flatMap((cap) => (cap === null ? [] : [cap + fee])) : [];
    const spend = stage.largest(caps.length === 0 ? undefined : caps.reduce(minSats));
    const payments = [{ script: stage.script, amount: spend - fee }];
    yield stage.batch({ payments, destinations: stage.aged(payments, stage.at, age) });
    if (!isYoung) continue;
    // As many young ones as it takes to fill what all may get together.
    const each = young.each24h ?? young.all24h ?? stage.least;
    const total = young.all24h ?? each * 2n;
    const many =
      each === 0n ? [] : parts(total, each).map((amount, index) => ({ script: named(stage, index), amount }));
    yield stage.batch({ payments: many, destinations: stage.aged(many, stage.at, age) });
  }
  // Whoever asks for no proof pays a destination without one.
  const { destinations: book } = stage.batch({}).state;
  const unproven = [...book].map(([script, { proven: _, ...entry }]) => [script, entry] as const);
  if (document.destinations.proof !== 'required') yield stage.batch({ state: { destinations: new Map(unproven) } });
  const plain = 'destination-1';
  for (const id of new Set([plain, ...caps24h.keys(), ...other.document.destinations.caps24h.keys()])) {
    yield* cappedTo(stage, id);
  }
}

/** Exactly its cap for one destination: as much as one batch can pay, and before that the rest. */
function* cappedTo(stage: Stage, id: string): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const { caps24h, defaultCap24h } = document.destinations;
  const most = (stage.limits.batch.cap ?? stage.least) - leastFee(document);
  const total = (caps24h.has(id) ? caps24h.get(id) : defaultCap24h) ?? most;
  const now = minSats(total, most);
  const payments = parts(now, document.limits.output ?? now).map((amount) => ({ script: stage.script, amount }));
  const before = total - now;
  const outputs = [{ script: toHex(stage.script), amount: before }];
  yield stage.batch({
    payments,
    destinations: stage.aged(payments.slice(0, 1), stage.at, Number.MAX_SAFE_INTEGER, [id]),
    spends: before > 0n ? [spent(stage, { spend: before, outputs })] : [],
  });
}

function* feeEdges(stage: Stage): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const { fees } = document;
  const spend = stage.largest();
  const most = feeFor(document, spend) ?? leastFee(document);
  const atRate = (fee: Sats, rate: bigint): bigint => (rate === 0n ? USUAL_VSIZE : (fee * 1000n + rate - 1n) / rate);
  for (const fee of [most, fees.bpAppliesAbove, fees.maxAbs ?? most, fees.max24h ?? most]) {
    if (fee <= 0n || fee >= spend) continue;
    yield stage.paying(spend, { fee, vsize: atRate(fee, fees.maxRate) });
    yield stage.paying(spend, { fee, vsize: atRate(fee, fees.minRate) });
  }
  const earlier = (fees.max24h ?? 0n) - most;
  if (earlier > 0n)
    yield stage.paying(spend, {
      fee: most,
      vsize: atRate(most, fees.maxRate),
      spends: [spent(stage, { spend: earlier, fee: earlier })],
    });
}

function* shapes(stage: Stage): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const { limits, inputs, change, transaction } = document;
  const fee = leastFee(document);
  const spend = stage.largest();
  yield stage.paying(spend);
  const count = Math.min(limits.outputsPerBatch, 1000);
  const payments = Array.from({ length: count }, (_, index) => ({
    script: named(stage, index),
    amount: stage.least - fee,
  }));
  yield stage.batch({ payments });
  yield stage.paying(spend, { balance: limits.reserveFloor + spend });
  for (const version of transaction.versions) yield stage.batch({ facts: { version } });
  const base = stage.paying(stage.least);
  const [coin] = base.facts.inputs;
  if (coin === undefined) return;
  const confirmed = (confirmations: number, value: Sats): InputFact => ({
    ...coin,
    value,
    coin: { confirmations, coinbase: false, value, leftOnScript: 0 },
  });
  yield { ...base, facts: { ...base.facts, inputs: [confirmed(inputs.minConfirmations, coin.value)] } };
  yield* coins(base, coin, inputs.max);
  yield* [inputs.minValue].filter((value) => value > stage.least).map((value) => stage.paying(value));
  for (const index of [1, change.maxGap]) yield changed(base, coin, change.maxOutputs, index);
}

/** As many coins as a transaction may spend, each with its share of the value. */
function* coins(base: EvaluationInput, coin: InputFact, most: number): Iterable<EvaluationInput> {
  const number = Math.min(most, 1000);
  const value = 100_000n;
  const total = value * BigInt(number);
  const surplus = total - base.facts.spend;
  if (number < 2 || surplus < 10_000n) return;
  const inputs = Array.from({ length: number }, (_, index) => ({
    ...coin,
    index,
    value,
    outpoint: { txid: sha256Hex(`coin ${index}`), vout: 0 },
    script: scriptNamed(`coin ${index}`, 'p2wpkh'),
    coin: { confirmations: 100, coinbase: false, value, leftOnScript: 0 },
  }));
  yield withChange({ ...base, facts: { ...base.facts, inputs } }, [{ value: surplus, index: 1 }]);
}

function changed(base: EvaluationInput, coin: InputFact, number: number, last: number): EvaluationInput {
  const value = 100_000n;
  const inputs = [{ ...coin, value: base.facts.spend + value * BigInt(number) }].map((one) => ({
    ...one,
    coin: { confirmations: 1_000, coinbase: false, value: one.value, leftOnScript: 0 },
  }));
  const change = Array.from({ length: number }, (_, index) => ({ value, index: last - index }));
  return withChange({ ...base, facts: { ...base.facts, inputs } }, change);
}

/** Change at indexes counted from the last one that is in use. */
function withChange(input: EvaluationInput, change: readonly { value: Sats; index: number }[]): EvaluationInput {
  const payments = input.facts.outputs.filter(({ isChange }) => !isChange);
  const outputs = change.map(({ value, index }, place) => ({
    index: payments.length + place,
    value,
    script: scriptNamed(`change ${index}`, 'p2wpkh'),
    kind: 'p2wpkh' as const,
    address: null,
    own: { own: true, origin: { branch: 1, index: input.state.lastUsedChange + index }, claimed: true } as const,
    isChange: true,
  }));
  return { ...input, facts: { ...input.facts, outputs: [...payments, ...outputs] } };
}

function* clocks(stage: Stage): Iterable<EvaluationInput> {
  const { clock, approvals } = stage.policy.document;
  const { at } = stage;
  const back = stage.batch({ state: { lastEntryAt: at } });
  yield { ...back, now: at - clock.maxBack };
  yield stage.batch({ state: { tip: { height: FIRST_HEIGHT, medianTimePast: at - clock.maxAheadOfMtp } } });
  yield stage.batch({ state: { snapshotAt: at - clock.chainSnapshotMaxAge } });
  const old = stage.batch({});
  const early = at - approvals.validFor + 1;
  yield {
    ...old,
    state: { ...old.state, approvals: old.state.approvals.map((one) => ({ ...one, at: early, validUntil: at + DAY })) },
  };
}

/** Earlier batches that leave exactly as much room as the batch takes. */
function* histories(stage: Stage, other: LoadedPolicy): Iterable<EvaluationInput> {
  const { limits } = stage.policy.document;
  const spend = stage.largest();
  const rest = (cap: Sats | null): Sats => (cap === null || cap < spend ? 0n : cap - spend);
  for (const blocks of new Set([...limits.rollingBlocks.keys(), ...other.document.limits.rollingBlocks.keys()])) {
    const caps = [...limits.rollingBlocks].filter(([length]) => length >= blocks).map(([, cap]) => rest(cap));
    const own =
      caps.length === 0 ? rest(other.document.limits.rollingBlocks.get(blocks) ?? null) + 1n : caps.reduce(minSats);
    const confirmed = { at: stage.at - 30 * DAY, height: FIRST_HEIGHT - blocks + 1 };
    yield stage.paying(spend, { spends: [spent(stage, { spend: own, confirmed })] });
  }
  const { rolling } = limits;
  const pending = [
    limits.signedUnconfirmed,
    rolling['1h'],
    rolling['24h'],
    rolling['7d'],
    ...limits.rollingBlocks.values(),
  ];
  yield stage.paying(spend, {
    spends: [
      spent(stage, {
        spend: pending
          .map(rest)
          .filter((one) => one > 0n)
          .reduce(minSats, 21_000_000n * 100_000_000n),
        confirmed: null,
      }),
    ],
  });
  const many = Array.from({ length: Math.max(0, Math.min(limits.batches24h, 2000) - 1) }, (_, index) =>
    spent(stage, {}, `earlier-${index}`),
  );
  yield stage.batch({ spends: many });
  for (const [span, ago] of [
    ['1h', HOUR - 1],
    ['24h', DAY - 1],
    ['7d', 7 * DAY - 1],
  ] as const) {
    const room = rest(rolling[span]);
    if (room > 0n)
      yield stage.paying(spend, {
        spends: [spent(stage, { spend: room, confirmed: { at: stage.at - ago, height: 1 } })],
      });
  }
}

/** As much as may ever leave, or one more than the other policy lets, has left long ago. */
function* longAgo(stage: Stage, other: LoadedPolicy): Iterable<EvaluationInput> {
  const spend = stage.largest();
  const confirmed = { at: stage.at - 30 * DAY, height: 1 };
  const own = stage.policy.document.limits.lifetime ?? null;
  const others = other.document.limits.lifetime ?? null;
  for (const before of own === null ? (others === null ? [] : [others]) : [own - spend]) {
    if (before >= 0n) yield stage.paying(spend, { spends: [spent(stage, { spend: before, confirmed })] });
  }
}

/** A payment that was made before, approved by no more people than its tier asks for. */
function* repetitions(stage: Stage): Iterable<EvaluationInput> {
  const { document } = stage.policy;
  const [tier] = document.approvals.tiers;
  const outputs = [{ script: toHex(stage.script), amount: stage.least - leastFee(document) }];
  for (const approvedBy of tier === undefined ? [] : quorums(stage, tier)) {
    const initiator = [...stage.all].find((person) => !approvedBy.includes(person));
    if (initiator !== undefined) yield stage.batch({ approvedBy, initiator, spends: [spent(stage, { outputs })] });
  }
}

/** Two requests for one destination, as one output. */
function merged(stage: Stage): EvaluationInput {
  const input = stage.batch({});
  const halves = input.requests.flatMap((request) => [
    { ...request, amount: request.amount / 2n },
    { ...request, id: `${request.id}-2`, amount: request.amount - request.amount / 2n },
  ]);
  return { ...input, requests: halves };
}

/** The schedules that take most, in each window. */
function* schedules(stage: Stage): Iterable<EvaluationInput> {
  const { policy, all: people, limits } = stage;
  for (const seconds of [HOUR, DAY, 7 * DAY]) {
    const { moves } = worstCase(limits, calendarOf(policy.document), seconds);
    if (moves.length > 100) continue;
    for (const { input } of rehearse({ policy, people, book: null, bookGrows: true }, moves, null).steps) yield input;
  }
}
