import { NETWORKS } from '../domain/network.js';
import { err, ok } from '../domain/result.js';
import { PAYABLE_KINDS } from '../domain/script.js';
import {
  boolean,
  complain,
  dictionary,
  type Field,
  field,
  integer,
  keyMatching,
  label,
  list,
  matching,
  object,
  oneOf,
  oneOrMany,
  optionalField,
  type Reader,
  refined,
  schemaOf,
  text,
  through,
  withSchema,
} from '../domain/source-reader.js';
import {
  basisPoints,
  cap,
  date,
  duration,
  feerate,
  including,
  NAME_FORM,
  name,
  nameKey,
  previous,
  QUORUM,
  quorum,
  sats,
  time,
  timeOfDay,
} from './fields.js';
import { KEY_TYPES, PUBLIC_KEY_LINE, parsePublicKey } from './public-key.js';
import type { ApprovalTier, Cap, PolicyDocument } from './types.js';

/** The generation of rules that this program has; a document says in `engine` which ones it was written for. */
export const ENGINE = 1;

export const DEVICE_KINDS = ['nanos', 'nanosp', 'nanox', 'stax', 'flex'] as const;
export const HALT_TRIGGERS = ['out_of_band_spend', 'ledger_tamper', 'screening_hit_on_own_address'] as const;
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const LIMIT = { missing: 'say it: "0" means that nothing may leave; a missing limit is an invalid policy' };
const ONLY = 'this version of countersign knows no other behaviour';

const engine = refined(
  matching(/^>=[0-9]{1,3} <[0-9]{1,3}$/, 'a range such as ">=1 <2"'),
  'E_POLICY_SCHEMA',
  (range) => {
    const [from, to] = range.split(' ').map((part) => Number(part.replace(/^\D+/, '')));
    const fits = from !== undefined && to !== undefined && from <= ENGINE && ENGINE < to;
    return fits ? null : `this program has the rules of engine ${ENGINE}, which ${range} leaves out`;
  },
  'that the range holds the engine of this program',
);

const descriptorText = matching(
  /^[a-z]+\([\x21-\x7e]{1,2000}$/,
  'an output descriptor such as wpkh([...]xpub.../<0;1>/*)',
);

const PRIVATE_KEY = /[xt]prv/;

/** Kept as text: the vault's own reader compares it. A private key is refused here, and not repeated in the message. */
const descriptor: Reader<string> = withSchema(
  (node, at) => {
    if (node.kind !== 'scalar' || !PRIVATE_KEY.test(String(node.value))) return descriptorText(node, at);
    const remedy = 'take the descriptor with public keys (xpub, tpub), and treat the private key as known to others';
    return complain(at, node, 'E_FIELD_TYPE', 'it holds a private key, which countersign never accepts', remedy);
  },
  () => ({ ...schemaOf(descriptorText), not: { pattern: PRIVATE_KEY.source } }),
);

const publicKey = withSchema(
  through(text, (line) => {
    const key = parsePublicKey(line);
    return key.ok ? ok(line) : err(key.error);
  }),
  () => ({
    type: 'string',
    pattern: PUBLIC_KEY_LINE.source,
    form: `A public key in one line, as in its .pub file: ${KEY_TYPES.join(', ')}.`,
    beyond: ['that the base64 text holds a key of its type, and that the comment is one line of visible characters'],
  }),
);
/** By its key, not its comment, so that the same key cannot stand there twice. */
const keyIdentity = (line: string): string => line.split(' ')[1] ?? line;
const people = dictionary(nameKey, NAME_FORM, oneOrMany(publicKey, keyIdentity), 1);

const tierFields = including(
  object({ ...QUORUM, upTo: field('up_to', cap), touchRequired: optionalField('touch_required', boolean) }),
);
const tier: Reader<ApprovalTier> = through(
  tierFields,
  (read) => ok({ ...read, touchRequired: read.touchRequired ?? false }),
  null,
);

const tiers = refined(
  list(tier, 1, null),
  'E_POLICY_SCHEMA',
  tierProblem,
  'that every tier reaches further than the one before',
);

function tierProblem(tiers: readonly ApprovalTier[]): string | null {
  for (const [index, { upTo }] of tiers.entries()) {
    const next = tiers[index + 1];
    if (next === undefined) break;
    if (upTo === null) return `tier ${index + 1} is unlimited, so the tiers after it would never be used`;
    if (next.upTo !== null && next.upTo <= upTo)
      return `tier ${index + 2} does not reach further than the one before it`;
  }
  return null;
}

const rollingBlocks: Reader<ReadonlyMap<number, Cap>> = dictionary(
  keyMatching(/^[1-9][0-9]{0,5}$/, Number),
  'a number of blocks from 1 to 999999',
  cap,
);

const witnesses = refined(
  object({
    m: field('m', integer(0, 100)),
    keys: field('keys', list(matching(/^[^+\s]+\+\S+$/, 'a key as "name+..."'), 0)),
  }),
  'E_POLICY_SCHEMA',
  ({ m, keys }) => (m <= keys.length ? null : `m asks for ${m} witnesses, but ${keys.length} keys are named`),
  'that there are as many keys as `m` asks for',
);

const hours = refined(
  object({
    days: field('days', list(oneOf(WEEKDAYS), 0)),
    from: field('from', timeOfDay),
    to: field('to', timeOfDay),
    closedDates: field('closed_dates', list(date, 0)),
  }),
  'E_POLICY_SCHEMA',
  ({ from, to }) =>
    from < to ? null : '"from" is not before "to"; hours that pass midnight cannot be said in UTC days',
  'that `from` is before `to`',
);

/** As many as the journal keeps in mind. */
const MOST_DENIALS = 100;

type Fields<T> = { readonly [K in keyof T]-?: Field<T[K], boolean> };

/**
 * countersign.policy/1, field by field. Everything is mandatory but `include`, `touch_required`, `prev` in
 * version 1, and what came later: `lifetime`, `proof`, `duplicate_guard`,
 * `merge_outputs` and `halt.denials`, without which a document means what it
 * meant before there were such fields.
 */
const POLICY = {
  schema: field('schema', oneOf(['countersign.policy/1'])),
  engine: field('engine', engine),
  wallet: field(
    'wallet',
    object({
      id: field('id', name),
      network: field('network', oneOf(NETWORKS)),
      descriptor: field('descriptor', descriptor),
      device: field(
        'device',
        object({
          kinds: field('kinds', list(oneOf(DEVICE_KINDS), 1)),
          app: field('app', oneOf(['Bitcoin', 'Bitcoin Test'])),
          minAppVersion: field(
            'min_app_version',
            matching(/^(?:0|[1-9][0-9]{0,3})(?:\.(?:0|[1-9][0-9]{0,3})){2}$/, 'a version such as "2.2.0"'),
          ),
        }),
      ),
    }),
  ),
  version: field('version', integer(1, 1_000_000)),
  prev: optionalField('prev', previous),
  effectiveAt: field('effective_at', time),
  expiresAt: field('expires_at', time),
  roles: field('roles', dictionary(nameKey, NAME_FORM, people, 1)),
  changeControl: field(
    'change_control',
    object({ sign: field('sign', quorum), looseningNotice: field('loosening_notice', duration) }),
  ),
  destinations: field(
    'destinations',
    object(
      {
        default: field('default', oneOf(['deny'], ONLY)),
        cooldown: field('cooldown', duration),
        young: field(
          'young',
          object(
            { untilAge: field('until_age', duration), each24h: field('each_24h', cap), all24h: field('all_24h', cap) },
            LIMIT,
          ),
        ),
        bookSign: field('book_sign', quorum),
        proof: optionalField('proof', oneOf(['none', 'required'])),
        scriptTypes: field('script_types', list(oneOf(PAYABLE_KINDS), 0)),
        defaultCap24h: field('default_cap_24h', cap),
        caps24h: field('caps_24h', dictionary(nameKey, NAME_FORM, cap)),
      },
      LIMIT,
    ),
  ),
  limits: field(
    'limits',
    object(
      {
        batch: field('batch', cap),
        output: field('output', cap),
        rolling: field(
          'rolling',
          object({ '1h': field('1h', cap), '24h': field('24h', cap), '7d': field('7d', cap) }, LIMIT),
        ),
        rollingBlocks: field('rolling_blocks', rollingBlocks),
        signedUnconfirmed: field('signed_unconfirmed', cap),
        batches24h: field('batches_24h', integer(0, 10_000)),
        outputsPerBatch: field('outputs_per_batch', integer(0, 10_000)),
        reserveFloor: field('reserve_floor', sats),
        lifetime: optionalField('lifetime', cap),
      },
      LIMIT,
    ),
  ),
  fees: field(
    'fees',
    refined(
      object(
        {
          maxRate: field('max_rate_sat_vb', feerate),
          minRate: field('min_rate_sat_vb', feerate),
          maxAbs: field('max_abs', cap),
          maxBpOfExternal: field('max_bp_of_external', basisPoints),
          bpAppliesAbove: field('bp_applies_above', sats),
          max24h: field('max_24h', cap),
        },
        LIMIT,
      ),
      'E_POLICY_SCHEMA',
      ({ maxRate, minRate }) => (minRate <= maxRate ? null : 'min_rate_sat_vb is above max_rate_sat_vb'),
      'that min_rate_sat_vb is not above max_rate_sat_vb',
    ),
  ),
  approvals: field(
    'approvals',
    object({
      tierBasis: field('tier_basis', oneOf(['max_of_batch_and_rolling_24h'], ONLY)),
      initiatorMayApprove: field(
        'initiator_may_approve',
        oneOf([false], 'who asks for a withdrawal never counts as its approver'),
      ),
      validFor: field('valid_for', duration),
      tiers: field('tiers', tiers),
      duplicateGuard: optionalField('duplicate_guard', oneOf(['warn', 'approve'])),
    }),
  ),
  inputs: field(
    'inputs',
    object(
      {
        prevtx: field('prevtx', oneOf(['required_before_taproot'], ONLY)),
        minConfirmations: field('min_confirmations', integer(0, 10_000)),
        minValue: field('min_value', sats),
        foreign: field('foreign', oneOf(['deny'], ONLY)),
        forcedReuse: field('forced_reuse', oneOf(['quarantine'], ONLY)),
        max: field('max', integer(0, 10_000)),
      },
      LIMIT,
    ),
  ),
  change: field(
    'change',
    object({
      maxOutputs: field('max_outputs', integer(0, 10)),
      branch: field('branch', oneOf([1], 'the change branch of a <0;1> descriptor is 1 (BIP389)')),
      maxGap: field('max_gap', integer(1, 1000)),
      reuse: field('reuse', oneOf(['deny'], ONLY)),
    }),
  ),
  transaction: field(
    'transaction',
    object({
      sighash: field('sighash', oneOf(['all'], ONLY)),
      locktime: field('locktime', oneOf(['height_up_to_tip'], ONLY)),
      versions: field('versions', list(oneOf([1, 2]), 1)),
      opReturn: field('op_return', oneOf(['deny'], ONLY)),
      selfReceive: field('self_receive', oneOf(['deny'], ONLY)),
      mergeOutputs: optionalField('merge_outputs', boolean),
    }),
  ),
  hours: field('hours', hours),
  screening: field(
    'screening',
    object({
      lists: field(
        'lists',
        list(
          object({
            id: field('id', name),
            pinnedBy: field('sha256_pinned_by', name),
            maxAge: field('max_age', duration),
            maxShrinkBp: field('max_shrink_bp', basisPoints),
          }),
          0,
          ({ id }) => id,
        ),
      ),
      onHit: field('on_hit', oneOf(['deny'], ONLY)),
      inputsHops: field('inputs_hops', integer(0, 10)),
    }),
  ),
  clock: field(
    'clock',
    object({
      maxBack: field('max_back', duration),
      maxAheadOfMtp: field('max_ahead_of_mtp', duration),
      chainSnapshotMaxAge: field('chain_snapshot_max_age', duration),
    }),
  ),
  halt: field(
    'halt',
    object({
      raise: field('raise', quorum),
      resume: field('resume', including(object({ ...QUORUM, notBefore: field('not_before', duration) }))),
      auto: field('auto', list(oneOf(HALT_TRIGGERS), 0)),
      denials: optionalField(
        'denials',
        object({ count: field('count', integer(1, MOST_DENIALS)), within: field('within', duration) }),
      ),
    }),
  ),
  log: field('log', object({ origin: field('origin', label), witnesses: field('witnesses', witnesses) })),
} satisfies Fields<PolicyDocument>;

export const readPolicyShape = object(POLICY);
