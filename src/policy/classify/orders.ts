import { formatFeeRate } from '../../domain/feerate.js';
import { formatAmount } from '../../domain/sats.js';
import { formatTime } from '../../domain/time.js';
import { durationText, timeOfDayText, weekdayText } from '../describe.js';
import type { DenialLimit, PolicyDocument, Quorum } from '../types.js';
import { BLOCK_WINDOWS, CLOSED_DATES, DENIALS, DESTINATION_CAPS, SCREENING_LISTS } from './lists.js';
import {
  anyChangeLoosens,
  CAP,
  fewerIsTighter,
  lessIsTighter,
  moreAreTighter,
  moreIsTighter,
  noEffect,
  type Order,
  orAbsent,
  scale,
} from './order.js';
import { ROLES } from './people.js';
import { QUORUM, STOPPING_QUORUM, TIERS } from './quorums.js';

type Maps = ReadonlyMap<string, unknown> | ReadonlyMap<number, unknown>;
type Single = string | number | bigint | boolean | null | readonly unknown[] | Maps | DenialLimit;
type Below<Path extends string, Key extends string> = Path extends '' ? Key : `${Path}.${Key}`;

/**
 * The paths of all fields that are compared as one value: what is no section, and quorums as a whole, with whatever else
 * stands in their section beside them.
 */
type Leaves<T, Path extends string = ''> = T extends Single
  ? Path
  : T extends Quorum
    ? Path | Leaves<Omit<T, keyof Quorum>, Path>
    : { readonly [Key in keyof T & string]-?: Leaves<T[Key], Below<Path, Key>> }[keyof T & string];

type At<T, Path extends string> = Path extends `${infer Key extends keyof T & string}.${infer Rest}`
  ? At<T[Key], Rest>
  : Path extends keyof T
    ? T[Path]
    : never;

export type FieldPath = Leaves<PolicyDocument>;
export type ValueAt<Path extends FieldPath> = At<PolicyDocument, Path>;

interface FieldOrder<T> {
  /** The field as the document names it. */
  readonly field: string;
  readonly order: Order<T>;
}

const of = <T>(field: string, order: Order<T>): FieldOrder<T> => ({ field, order });

// ---------------------------------------------------------------- orders of single fields

const ONE_BEHAVIOUR = 'no other behaviour is known to be tighter';
const OTHER_WALLET = 'it is another wallet, of which the old version says nothing';

const versionParts = (version: string): number[] => version.split('.').map(Number);

function versionRise(before: string, after: string): number {
  const [old, now] = [versionParts(before), versionParts(after)];
  const index = now.findIndex((part, place) => part !== old[place]);
  return index < 0 ? 0 : (now[index] ?? 0) - (old[index] ?? 0);
}

const APP_VERSION = scale<string>({
  law: 'a later version is tighter',
  text: String,
  rise: versionRise,
  up: { kind: 'tightening', why: 'older apps are refused' },
  down: { kind: 'loosening', why: 'older apps are accepted' },
});

/** ">=1 <2", as numbers. */
function engines(range: string): readonly [from: number, to: number] {
  const [from = '', to = ''] = range.split(' ');
  return [Number(from.replace('>=', '')), Number(to.replace('<', ''))];
}

const ENGINE: Order<string> = {
  law: 'a range within the old one has no effect, any other is looser: other engines judge by other rules',
  compare: (before, after) => {
    if (before === after) return [];
    const [[oldFrom, oldTo], [from, to]] = [engines(before), engines(after)];
    if (from >= oldFrom && to <= oldTo) {
      return [{ before, after, kind: 'neutral', why: 'it admits only engines that were admitted before' }];
    }
    return [{ before, after, kind: 'loosening', why: 'it admits engines that were not admitted before' }];
  },
};

const EFFECTIVE_AT = scale<number>({
  law: 'earlier is looser: it would govern a time in which the old version did not speak. Later has no effect: until then nothing is allowed by the new version',
  text: formatTime,
  rise: (before, after) => after - before,
  up: { kind: 'neutral', why: 'it begins after the old version did' },
  down: { kind: 'loosening', why: 'it would apply at a time at which the old version did not yet' },
});

const EXPIRES_AT = scale<number>({
  law: 'earlier is tighter: after it nothing may leave',
  text: formatTime,
  rise: (before, after) => after - before,
  up: { kind: 'loosening', why: 'coins may leave for longer' },
  down: { kind: 'tightening', why: 'coins may leave for a shorter time' },
});

const OPENS = scale<number>({
  law: 'later is tighter',
  text: timeOfDayText,
  rise: (before, after) => after - before,
  up: { kind: 'tightening', why: 'it opens later' },
  down: { kind: 'loosening', why: 'it opens earlier' },
});

const CLOSES = scale<number>({
  law: 'earlier is tighter',
  text: timeOfDayText,
  rise: (before, after) => after - before,
  up: { kind: 'loosening', why: 'it closes later' },
  down: { kind: 'tightening', why: 'it closes earlier' },
});

const DUPLICATE_GUARD = scale<'warn' | 'approve'>({
  law: 'approve is tighter than warn',
  text: String,
  rise: (before, after) => Number(after === 'approve') - Number(before === 'approve'),
  up: { kind: 'tightening', why: 'a repeated payment asks for one more person' },
  down: { kind: 'loosening', why: 'a repeated payment asks for nobody more' },
});

const PROOF = scale<'none' | 'required'>({
  law: 'required is tighter than none',
  text: String,
  rise: (before, after) => Number(after === 'required') - Number(before === 'required'),
  up: { kind: 'tightening', why: 'only destinations with a proof of control are paid' },
  down: { kind: 'loosening', why: 'destinations without a proof of control are paid' },
});

const MERGE_OUTPUTS = scale<boolean>({
  law: 'false is tighter than true',
  text: String,
  rise: (before, after) => Number(after) - Number(before),
  up: { kind: 'loosening', why: 'requests of one script may stand as one output' },
  down: { kind: 'tightening', why: 'each request has to be an output of its own' },
});

// ---------------------------------------------------------------- the table

/**
 * The order of every field of a policy, in the order of the document. It is a mapped type over the fields, so that one
 * that is added to PolicyDocument does not compile before somebody has thought about what makes it tighter.
 */
export const ORDERS: { readonly [Path in FieldPath]: FieldOrder<ValueAt<Path>> } = {
  schema: of('schema', anyChangeLoosens('another form of document is not comparable')),
  engine: of('engine', ENGINE),
  'wallet.id': of('wallet.id', anyChangeLoosens(OTHER_WALLET)),
  'wallet.network': of('wallet.network', anyChangeLoosens(OTHER_WALLET)),
  'wallet.descriptor': of('wallet.descriptor', anyChangeLoosens(OTHER_WALLET)),
  'wallet.device.kinds': of('wallet.device.kinds', fewerIsTighter('a kind of device')),
  'wallet.device.app': of('wallet.device.app', anyChangeLoosens('it is another app')),
  'wallet.device.minAppVersion': of('wallet.device.min_app_version', APP_VERSION),
  version: of('version', noEffect('it counts the versions')),
  prev: of('prev', noEffect('it chains the versions')),
  effectiveAt: of('effective_at', EFFECTIVE_AT),
  expiresAt: of('expires_at', EXPIRES_AT),
  roles: of('roles', ROLES),
  'changeControl.sign': of('change_control.sign', QUORUM),
  'changeControl.looseningNotice': of('change_control.loosening_notice', moreIsTighter('notice', durationText, 'time')),
  'destinations.default': of('destinations.default', anyChangeLoosens(ONE_BEHAVIOUR)),
  'destinations.cooldown': of('destinations.cooldown', moreIsTighter('cool-down', durationText, 'time')),
  'destinations.young.untilAge': of(
    'destinations.young.until_age',
    moreIsTighter('time of being young', durationText, 'time'),
  ),
  'destinations.young.each24h': of('destinations.young.each_24h', CAP),
  'destinations.young.all24h': of('destinations.young.all_24h', CAP),
  'destinations.bookSign': of('destinations.book_sign', QUORUM),
  'destinations.proof': of('destinations.proof', orAbsent(PROOF, 'none', 'none')),
  'destinations.scriptTypes': of('destinations.script_types', fewerIsTighter('a type')),
  'destinations.defaultCap24h': of('destinations.default_cap_24h', CAP),
  'destinations.caps24h': of('destinations.caps_24h', DESTINATION_CAPS),
  'limits.batch': of('limits.batch', CAP),
  'limits.output': of('limits.output', CAP),
  'limits.rolling.1h': of('limits.rolling.1h', CAP),
  'limits.rolling.24h': of('limits.rolling.24h', CAP),
  'limits.rolling.7d': of('limits.rolling.7d', CAP),
  'limits.rollingBlocks': of('limits.rolling_blocks', BLOCK_WINDOWS),
  'limits.signedUnconfirmed': of('limits.signed_unconfirmed', CAP),
  'limits.batches24h': of('limits.batches_24h', lessIsTighter('number', String)),
  'limits.outputsPerBatch': of('limits.outputs_per_batch', lessIsTighter('number', String)),
  'limits.reserveFloor': of('limits.reserve_floor', moreIsTighter('floor', formatAmount)),
  'limits.lifetime': of('limits.lifetime', orAbsent(CAP, null, 'no limit')),
  'fees.maxRate': of('fees.max_rate_sat_vb', lessIsTighter('limit', formatFeeRate)),
  'fees.minRate': of('fees.min_rate_sat_vb', moreIsTighter('floor', formatFeeRate)),
  'fees.maxAbs': of('fees.max_abs', CAP),
  'fees.maxBpOfExternal': of(
    'fees.max_bp_of_external',
    lessIsTighter('fraction', (bp) => `${bp} bp`),
  ),
  'fees.bpAppliesAbove': of('fees.bp_applies_above', lessIsTighter('threshold', formatAmount)),
  'fees.max24h': of('fees.max_24h', CAP),
  'approvals.tierBasis': of('approvals.tier_basis', anyChangeLoosens(ONE_BEHAVIOUR)),
  'approvals.initiatorMayApprove': of('approvals.initiator_may_approve', anyChangeLoosens(ONE_BEHAVIOUR)),
  'approvals.validFor': of('approvals.valid_for', lessIsTighter('validity', durationText, 'time')),
  'approvals.tiers': of('approvals.tiers', TIERS),
  'approvals.duplicateGuard': of('approvals.duplicate_guard', orAbsent(DUPLICATE_GUARD, 'warn', 'warn')),
  'inputs.prevtx': of('inputs.prevtx', anyChangeLoosens(ONE_BEHAVIOUR)),
  'inputs.minConfirmations': of('inputs.min_confirmations', moreIsTighter('number', String)),
  'inputs.minValue': of('inputs.min_value', moreIsTighter('smallest value', formatAmount)),
  'inputs.foreign': of('inputs.foreign', anyChangeLoosens(ONE_BEHAVIOUR)),
  'inputs.forcedReuse': of('inputs.forced_reuse', anyChangeLoosens(ONE_BEHAVIOUR)),
  'inputs.max': of('inputs.max', lessIsTighter('number', String)),
  'change.maxOutputs': of('change.max_outputs', lessIsTighter('number', String)),
  'change.branch': of('change.branch', anyChangeLoosens(ONE_BEHAVIOUR)),
  'change.maxGap': of('change.max_gap', lessIsTighter('gap', String)),
  'change.reuse': of('change.reuse', anyChangeLoosens(ONE_BEHAVIOUR)),
  'transaction.sighash': of('transaction.sighash', anyChangeLoosens(ONE_BEHAVIOUR)),
  'transaction.locktime': of('transaction.locktime', anyChangeLoosens(ONE_BEHAVIOUR)),
  'transaction.versions': of('transaction.versions', fewerIsTighter('a version')),
  'transaction.opReturn': of('transaction.op_return', anyChangeLoosens(ONE_BEHAVIOUR)),
  'transaction.selfReceive': of('transaction.self_receive', anyChangeLoosens(ONE_BEHAVIOUR)),
  'transaction.mergeOutputs': of('transaction.merge_outputs', orAbsent(MERGE_OUTPUTS, false, 'false')),
  'hours.days': of('hours.days', fewerIsTighter('a day', weekdayText)),
  'hours.from': of('hours.from', OPENS),
  'hours.to': of('hours.to', CLOSES),
  'hours.closedDates': of('hours.closed_dates', CLOSED_DATES),
  'screening.lists': of('screening.lists', SCREENING_LISTS),
  'screening.onHit': of('screening.on_hit', anyChangeLoosens(ONE_BEHAVIOUR)),
  'screening.inputsHops': of('screening.inputs_hops', moreIsTighter('number', String)),
  'clock.maxBack': of('clock.max_back', lessIsTighter('tolerance', durationText, 'time')),
  'clock.maxAheadOfMtp': of('clock.max_ahead_of_mtp', lessIsTighter('tolerance', durationText, 'time')),
  'clock.chainSnapshotMaxAge': of('clock.chain_snapshot_max_age', lessIsTighter('tolerated age', durationText, 'time')),
  'halt.raise': of('halt.raise', STOPPING_QUORUM),
  'halt.resume': of('halt.resume', QUORUM),
  'halt.resume.notBefore': of('halt.resume.not_before', moreIsTighter('wait', durationText, 'time')),
  'halt.auto': of('halt.auto', moreAreTighter('a trigger')),
  'halt.denials': of('halt.denials', DENIALS),
  'log.origin': of('log.origin', anyChangeLoosens('it is another log, which holds none of the old entries')),
  'log.witnesses.m': of('log.witnesses.m', moreIsTighter('number', String)),
  'log.witnesses.keys': of('log.witnesses.keys', fewerIsTighter('a key')),
};
