import { formatAmount, maxSats, minSats, type Sats } from '../../domain/sats.js';
import { capText, counted } from '../describe.js';
import { DAY, HOUR } from '../rules/rolling.js';
import { asksSources, MOST_HOPS } from '../screening/hits.js';
import type { Cap, LoadedBook, LoadedPolicy, PolicyDocument } from '../types.js';
import { calendarOf } from './calendar.js';
import { type Destinations, destinationsOf, highestCap, togetherIn24h } from './destinations.js';
import { approvable, highestBasis } from './people.js';
import { type Binding, type Bounded, binding, type Limits, lowest } from './types.js';

/** Virtual bytes of the transaction that a schedule is tried with; every other size allows other fees. */
export const USUAL_VSIZE = 200n;
/** Above the dust threshold of every script type. */
const LEAST_PAYMENT = 546n;
/** TX_SHAPE: nodes relay no more. */
const MAX_VSIZE = 100_000n;

export interface Assumed {
  readonly policy: LoadedPolicy;
  /** The people who approve; the initiator is somebody else. */
  readonly people: ReadonlySet<string>;
  /** null: any number of destinations. */
  readonly book: LoadedBook | null;
  /** Whether destinations can be added while the interval lasts. */
  readonly bookGrows: boolean;
}

/** Everything that holds batches down which these people approve by themselves. */
export function limitsOf(assumed: Assumed): Limits {
  const { policy, people, book, bookGrows } = assumed;
  const { document } = policy;
  const { limits } = document;
  const destinations = destinationsOf(document, book, bookGrows);
  const batch = batchBound(policy, destinations);
  const day = capOf(policy, 'LIMIT_24H', 'limits.rolling.24h', limits.rolling['24h']);
  const week = capOf(policy, 'LIMIT_7D', 'limits.rolling.7d', limits.rolling['7d']);
  const lifetime = lifetimeOf(policy);
  const paid = destinationsBound(policy, destinations);
  const basis = highestBasis(policy, people, batch.cap, lowest([day, week, paid])?.cap ?? null);
  const least = shut(policy) ?? lowest([batch, basis]);
  const countBy = binding(
    policy,
    'LIMIT_BATCH_COUNT',
    'limits.batches_24h',
    `limits.batches_24h is ${limits.batches24h}, of at most ${least === null ? 'any amount' : formatAmount(least.cap)} each`,
  );
  return {
    batch: least ?? batch,
    least: leastFee(document) + LEAST_PAYMENT,
    count: limits.batches24h,
    countBy,
    basis,
    windows: [
      { seconds: HOUR, bounded: capOf(policy, 'LIMIT_1H', 'limits.rolling.1h', limits.rolling['1h']) },
      { seconds: DAY, bounded: basis },
      { seconds: DAY, bounded: day },
      { seconds: DAY, bounded: paid },
      { seconds: 7 * DAY, bounded: week },
      ...(lifetime === null ? [] : [{ seconds: FOREVER, bounded: lifetime }]),
    ],
    approvable: approvable(people, document),
  };
}

/** A window that nothing leaves. */
export const FOREVER = Number.POSITIVE_INFINITY;

/** The limit on all that ever leaves, as if nothing had left so far; null where there is none. */
export function lifetimeOf(policy: LoadedPolicy): Bounded | null {
  const { lifetime } = policy.document.limits;
  return lifetime === undefined || lifetime === null
    ? null
    : capOf(policy, 'LIMIT_LIFETIME', 'limits.lifetime', lifetime);
}

export function capOf(policy: LoadedPolicy, code: Binding['code'], field: string, cap: Cap): Bounded {
  return { cap, by: binding(policy, code, field, `${field} is ${capText(cap)}`) };
}

/** A policy that lets nothing through at all, whoever approves, and why. */
export function shut(policy: LoadedPolicy): { readonly cap: Sats; readonly by: Binding } | null {
  const { document } = policy;
  const { limits, inputs, destinations, screening, approvals, fees, hours } = document;
  const none = (code: Binding['code'], field: string, text: string) => ({
    cap: 0n,
    by: binding(policy, code, field, `${field}: ${text}, so nothing may leave`),
  });
  const { from, to } = { from: document.effectiveAt, to: document.expiresAt };
  if (asksSources(document) && screening.inputsHops > MOST_HOPS) {
    return none('DATA_MISSING', 'screening.inputs_hops', `no data reach further back than ${MOST_HOPS}`);
  }
  if (calendarOf(document).starts(1).length === 0 || from >= to) {
    return none('TIME_CLOSED', 'hours', `no hour is open${hours.days.length === 0 ? '' : ' while the policy lives'}`);
  }
  if (destinations.scriptTypes.length === 0) {
    return none('DEST_SCRIPT_TYPE', 'destinations.script_types', 'no script type is paid');
  }
  if (limits.batches24h === 0) return none('LIMIT_BATCH_COUNT', 'limits.batches_24h', 'it is 0');
  if (limits.outputsPerBatch === 0) return none('LIMIT_OUTPUT_COUNT', 'limits.outputs_per_batch', 'it is 0');
  if (inputs.max === 0) return none('TX_SHAPE', 'inputs.max', 'it is 0');
  if (approvals.validFor === 0) return none('APPROVAL_EXPIRED', 'approvals.valid_for', 'no approval ever counts');
  const fee = leastFee(document);
  if (fees.maxAbs !== null && fees.maxAbs < fee) {
    return none('FEE_ABS', 'fees.max_abs', `it is below ${formatAmount(fee)}, the least fee of a small transaction`);
  }
  if (fees.max24h !== null && fees.max24h < fee) {
    return none('FEE_24H', 'fees.max_24h', `it is below ${formatAmount(fee)}, the least fee of a small transaction`);
  }
  return null;
}

/** What one batch may take, fee included, whoever approves it. */
function batchBound(policy: LoadedPolicy, destinations: Destinations): Bounded {
  const { document } = policy;
  const { limits } = document;
  const lifetime = lifetimeOf(policy);
  const bounds = [
    capOf(policy, 'LIMIT_BATCH', 'limits.batch', limits.batch),
    outputsBound(policy, destinations),
    capOf(policy, 'LIMIT_UNCONFIRMED', 'limits.signed_unconfirmed', limits.signedUnconfirmed),
    ...[...limits.rollingBlocks].map(([blocks, cap]) =>
      capOf(policy, 'LIMIT_BLOCKS', `limits.rolling_blocks.${blocks}`, cap),
    ),
    capOf(policy, 'LIMIT_1H', 'limits.rolling.1h', limits.rolling['1h']),
    capOf(policy, 'LIMIT_24H', 'limits.rolling.24h', limits.rolling['24h']),
    capOf(policy, 'LIMIT_7D', 'limits.rolling.7d', limits.rolling['7d']),
    ...(lifetime === null ? [] : [lifetime]),
  ];
  return lowest(bounds) ?? capOf(policy, 'LIMIT_BATCH', 'limits.batch', limits.batch);
}

/** As many outputs as a batch may have, each as large as an output and its destination may be, and the fee. */
function outputsBound(policy: LoadedPolicy, destinations: Destinations): Bounded {
  const { document } = policy;
  const { output, outputsPerBatch } = document.limits;
  const most = highestCap(destinations, document);
  const each = output === null || most === null ? (output ?? most) : minSats(output, most);
  const field = most !== null && (output === null || most < output) ? 'destinations.default_cap_24h' : 'limits.output';
  const code = field === 'limits.output' ? 'LIMIT_OUTPUT' : 'DEST_CAP';
  if (each === null) return { cap: null, by: binding(policy, code, field, 'an output may carry any amount') };
  const paid = each * BigInt(outputsPerBatch);
  const text = `a batch has at most ${counted(outputsPerBatch, 'output')} of ${formatAmount(each)} (${field})`;
  const fee = feeFor(document, paid);
  return {
    cap: fee === null ? null : maxSats(paid + fee, consolidationFee(document)),
    by: binding(policy, code, field, text),
  };
}

/** Where the destinations and their caps are all known, no day can bring them more; fees come on top. */
function destinationsBound(policy: LoadedPolicy, destinations: Destinations): Bounded {
  const { document } = policy;
  const field = 'destinations.default_cap_24h';
  const together = togetherIn24h(destinations, document);
  const number = destinations.known.length;
  const text =
    together === null
      ? 'there may be any number of destinations'
      : `the caps of the ${counted(number, 'destination')} add up to ${formatAmount(together)} in 24 h, without fees`;
  const by = binding(policy, together === null || number > 0 ? 'DEST_CAP' : 'DEST_NOT_ALLOWED', field, text);
  if (together === null) return { cap: null, by };
  if (together === 0n) return { cap: 0n, by };
  const fees = feesIn24h(document, together);
  return { cap: fees === null ? null : together + fees, by };
}

// ---------------------------------------------------------------- fees

/** The least fee of a transaction of usual size. */
export function leastFee({ fees }: Pick<PolicyDocument, 'fees'>): Sats {
  return (fees.minRate * USUAL_VSIZE + 999n) / 1000n;
}

/** The highest fee of a batch that pays so much; a transaction may have up to 100,000 vB. */
export function feeFor({ fees }: Pick<PolicyDocument, 'fees'>, paid: Sats): Cap {
  const byRate = (fees.maxRate * MAX_VSIZE) / 1000n;
  const byFraction = (paid * BigInt(fees.maxBpOfExternal)) / 10_000n;
  const fraction = byFraction > fees.bpAppliesAbove ? byFraction : fees.bpAppliesAbove;
  const caps = [byRate, fraction, ...(fees.maxAbs === null ? [] : [fees.maxAbs])];
  const most = caps.reduce(minSats);
  return fees.max24h === null ? most : minSats(most, fees.max24h);
}

/**
 * The highest fee of a consolidation, which pays nobody and so is not asked for a fraction of what it pays. As long as a
 * policy lets a transaction have change, it lets coins be put together.
 */
export function consolidationFee({ fees, change }: Pick<PolicyDocument, 'fees' | 'change'>): Sats {
  if (change.maxOutputs === 0) return 0n;
  const byRate = (fees.maxRate * MAX_VSIZE) / 1000n;
  return [fees.maxAbs, fees.max24h].reduce<Sats>((most, cap) => (cap === null ? most : minSats(most, cap)), byRate);
}

/** The highest fees of a day of which the batches pay so much in all. */
function feesIn24h(document: PolicyDocument, paid: Sats): Cap {
  const ofPayments = feeFor(document, paid);
  if (ofPayments === null) return document.fees.max24h;
  const each = maxSats(ofPayments, consolidationFee(document));
  const byCount = each * BigInt(document.limits.batches24h);
  return document.fees.max24h === null ? byCount : minSats(byCount, document.fees.max24h);
}
