import type { Finding } from './types.js';

/** What a reason code stands for. */
export interface CodeMeaning {
  readonly title: string;
  readonly meaning: string;
  /** What the rule reports when it is not content. */
  readonly outcome: Exclude<Finding['outcome'], 'pass'>;
  /** The field of the policy that holds the limit or, for rules that no policy can switch off, the nearest one. */
  readonly rule: string;
}

const deny = (rule: string, title: string, meaning: string): CodeMeaning => ({ title, meaning, outcome: 'deny', rule });
const need = (rule: string, title: string, meaning: string): CodeMeaning => ({ title, meaning, outcome: 'need', rule });
const warn = (rule: string, title: string, meaning: string): CodeMeaning => ({ title, meaning, outcome: 'warn', rule });

/** Every reason that a verdict can give. Append-only: a published code keeps its meaning. */
export const CODES = {
  LIMIT_BATCH: deny('limits.batch', 'Batch limit', 'the batch, fee included, is more than one batch may take'),
  LIMIT_OUTPUT: deny('limits.output', 'Output limit', 'one output is more than one output may carry'),
  LIMIT_OUTPUT_COUNT: deny('limits.outputs_per_batch', 'Outputs per batch', 'the batch pays more outputs than allowed'),
  LIMIT_1H: deny('limits.rolling.1h', 'Rolling hour', 'what leaves within an hour, fees included, exceeds its limit'),
  LIMIT_24H: deny('limits.rolling.24h', 'Rolling day', 'what leaves within 24 hours, fees included, exceeds its limit'),
  LIMIT_7D: deny('limits.rolling.7d', 'Rolling week', 'what leaves within 7 days, fees included, exceeds its limit'),
  LIMIT_BLOCKS: deny(
    'limits.rolling_blocks',
    'Rolling blocks',
    'what leaves within a number of blocks, fees included, exceeds its limit: a clock that nobody here can set',
  ),
  LIMIT_UNCONFIRMED: deny(
    'limits.signed_unconfirmed',
    'Signed but unconfirmed',
    'signed batches with fewer than 6 confirmations, this one included, exceed their limit: hoarded signatures could all be broadcast at once',
  ),
  LIMIT_BATCH_COUNT: deny('limits.batches_24h', 'Batches per day', 'more batches within 24 hours than allowed'),
  LIMIT_LIFETIME: deny('limits.lifetime', 'Lifetime', 'all that ever left, fees included, exceeds its limit'),
  RESERVE_FLOOR: deny('limits.reserve_floor', 'Reserve floor', 'too little confirmed balance would stay in the vault'),

  DEST_NOT_ALLOWED: deny(
    'destinations.default',
    'Not in the book',
    'an output pays a script that the address book does not hold',
  ),
  DEST_DERIVATION: deny(
    'destinations.default',
    'Not what was declared',
    'an address is not the one of the destination that its request names, or is not what the descriptor of the book derives at the index that the request declares; a descriptor is not paid without an index',
  ),
  DEST_INDEX_REUSE: warn(
    'destinations.default',
    'Index used again',
    "an address of a counterparty's descriptor was paid before, or is paid more than once",
  ),
  BOOK_PROOF: deny(
    'destinations.proof',
    'No proof of control',
    'the policy asks that whoever is paid has shown that they control the destination, and its entry in the book holds no proof',
  ),
  DEST_COOLDOWN: deny(
    'destinations.cooldown',
    'Cool-down',
    'a destination entered the book too recently to be paid at all',
  ),
  DEST_CAP: deny(
    'destinations.default_cap_24h',
    'Destination cap',
    'a destination would get more within 24 hours than its cap, fees not counted',
  ),
  DEST_SCRIPT_TYPE: deny(
    'destinations.script_types',
    'Script type',
    'an output has a kind of script that the policy does not pay',
  ),
  DEST_UNSPENDABLE: deny(
    'destinations.script_types',
    'Unspendable',
    'an output pays a taproot key that is not a point of the curve: the coins would be lost (BIP340)',
  ),
  DEST_DUST: deny(
    'destinations',
    'Dust payment',
    'an output is so small that nodes do not relay it: the batch would be stuck and hold budget',
  ),
  YOUNG_CAP: deny(
    'destinations.young.each_24h',
    'Young destination',
    'a young destination would get more within 24 hours than one may; an unlisted script counts as young',
  ),
  YOUNG_AGGREGATE: deny(
    'destinations.young.all_24h',
    'Young destinations together',
    'young destinations together would get more within 24 hours than all of them may',
  ),
  LOOKALIKE: warn(
    'destinations',
    'Look-alike address',
    'an address begins and ends like one of the book and is another: address poisoning works this way',
  ),

  REQUEST_PSBT_MISMATCH: deny(
    'destinations.default',
    'Request and PSBT differ',
    'the outputs that are not proven change are not exactly the requested payments, one output each',
  ),
  REQUEST_ID_REUSE: deny(
    'destinations.default',
    'Request id reused',
    'a request id was used before with other content, or twice in this batch',
  ),
  POSSIBLE_DUPLICATE: warn(
    'destinations.default',
    'Possible duplicate',
    'the same amount went to the same destination within 24 hours, in a batch that this one does not replace',
  ),

  FEE_RATE: deny('fees.max_rate_sat_vb', 'Feerate', 'the feerate is above its limit'),
  FEE_TOO_LOW: deny(
    'fees.min_rate_sat_vb',
    'Feerate floor',
    'the feerate is below its floor: a stuck transaction holds budget',
  ),
  FEE_ABS: deny('fees.max_abs', 'Absolute fee', 'the fee is above its limit'),
  FEE_FRACTION: deny('fees.max_bp_of_external', 'Fee fraction', 'the fee is too large a part of what is paid'),
  FEE_REPLACEMENTS: deny(
    'fees.max_abs',
    'Fees over replacements',
    'the fees of this batch and of all that it replaces, directly or through others, exceed the limit of one fee',
  ),
  FEE_24H: deny('fees.max_24h', 'Fees per day', 'fees within 24 hours exceed their limit'),

  INPUT_NO_PREVTX: deny(
    'inputs.prevtx',
    'Previous transaction missing',
    'an input does not prove its amount: before taproot only the whole previous transaction does (CVE-2020-14199)',
  ),
  INPUT_UTXO_MISMATCH: deny(
    'inputs.prevtx',
    'Prevout contradicted',
    'an input states another prevout than its previous transaction or the coin snapshot',
  ),
  INPUT_FOREIGN: deny('inputs.foreign', 'Foreign input', "an input is not the vault's"),
  INPUT_DUP: deny('inputs', 'Input twice', 'an outpoint is spent twice in one transaction'),
  INPUT_UNKNOWN: deny('inputs', 'Unknown coin', "an input is the vault's, but the coin snapshot does not hold it"),
  INPUT_UNCONFIRMED: deny(
    'inputs.min_confirmations',
    'Too few confirmations',
    'a coin has fewer confirmations than required',
  ),
  INPUT_IMMATURE: deny(
    'inputs',
    'Immature coinbase',
    'a coinbase output with fewer than 100 confirmations cannot be spent',
  ),
  INPUT_FROZEN: deny('inputs', 'Frozen coin', 'a coin was frozen'),
  INPUT_DUST: deny('inputs.min_value', 'Small coin', 'a coin is below the smallest value worth spending'),
  INPUT_FORCED_REUSE: deny(
    'inputs.forced_reuse',
    'Forced reuse',
    'a small coin on a reused script would be spent without the other coins of that script: dusting links wallets this way',
  ),

  PSBT_FORM: deny(
    'transaction',
    'Malformed PSBT',
    'the PSBT breaks BIP174, spends nothing, or pays more than it spends',
  ),
  PSBT_PRESIGNED: deny(
    'transaction.sighash',
    'Signed already',
    'the PSBT carries signatures or final scripts before anybody was asked',
  ),
  PSBT_FOREIGN_FIELD: warn(
    'transaction',
    'Foreign PSBT field',
    'an input carries a field that countersign never writes',
  ),
  TX_SHAPE: deny('inputs.max', 'Transaction shape', 'too many inputs, too large to be relayed, or nobody is paid'),

  CHANGE_UNPROVEN: deny(
    'change',
    'Change not proven',
    "an output claims the vault's key, but the script is not the vault's",
  ),
  CHANGE_PATH: deny('change.branch', 'Change path', 'an output claims a path of the vault that cannot be change'),
  CHANGE_GAP: deny(
    'change.max_gap',
    'Change out of reach',
    'change lies beyond the gap limit, where a restored wallet would not find it',
  ),
  CHANGE_COUNT: deny('change.max_outputs', 'Change outputs', 'more change outputs than allowed'),
  CHANGE_DUST: deny('change', 'Dust change', 'a change output is so small that nodes do not relay it'),
  CHANGE_REUSE: deny('change.reuse', 'Change reused', 'change goes to a script that was used before'),
  CHANGE_UNCLAIMED: warn(
    'change',
    'Change without a path',
    'an output is proven change, but the PSBT does not say so: the device will show it as a payment',
  ),
  SELF_RECEIVE: deny(
    'transaction.self_receive',
    'Payment to self',
    'an output pays a receiving address of the vault; it is counted as spent',
  ),

  SIGHASH: deny('transaction.sighash', 'Sighash', 'an input asks for another sighash than ALL (DEFAULT for taproot)'),
  LOCKTIME: deny('transaction.locktime', 'Locktime', 'the locktime is a time, or a height above the tip'),
  SEQUENCE: warn(
    'transaction.locktime',
    'Sequence',
    'the sequence numbers switch the locktime off, or delay the transaction (BIP68)',
  ),
  TX_VERSION: deny('transaction.versions', 'Transaction version', 'the transaction version is not among those allowed'),

  TIME_CLOSED: deny('hours', 'Closed', 'outside the hours in which batches may be signed'),
  POLICY_EXPIRED: deny('expires_at', 'Policy expired', 'the policy has expired'),
  POLICY_NOT_EFFECTIVE: deny('effective_at', 'Policy not yet effective', 'the policy does not apply yet'),
  NETWORK_MISMATCH: deny('wallet.network', 'Other network', 'policy and vault are of different networks'),
  WALLET_MISMATCH: deny('wallet.descriptor', 'Other wallet', 'policy and vault are different wallets'),
  CLOCK_BACK: deny(
    'clock.max_back',
    'Clock set back',
    'the clock is behind the newest journal entry by more than tolerated',
  ),
  LEDGER_TIME: deny(
    'clock',
    'Spend from the future',
    'an earlier batch was reserved or confirmed later than now: the clock or the entry is false, and windows rest on both',
  ),
  CLOCK_JUMP: deny(
    'clock.max_ahead_of_mtp',
    'Clock ahead',
    'the clock is ahead of the median time past of the chain by more than tolerated',
  ),
  DATA_STALE: deny(
    'clock.chain_snapshot_max_age',
    'Stale data',
    'the coin snapshot or a screening list is older than tolerated',
  ),
  DATA_MISSING: deny(
    'screening.lists',
    'Data missing',
    'the policy asks for screening, and there is no list to screen against, or no data that reach as far back as it asks',
  ),
  DATA_INVALID: deny(
    'screening.lists',
    'Data invalid',
    'a screening list is empty, is from the future, was pinned by nobody of its role, or lacks too much of the list before: none of these is a clean list',
  ),
  DEST_SANCTIONED: deny(
    'screening.on_hit',
    'Listed destination',
    'an output pays a script that a screening list holds',
  ),
  INPUT_TAINTED: deny(
    'screening.inputs_hops',
    'Tainted coin',
    'a coin comes from a script that a screening list holds: it is not spent, and nobody is to mix it with others',
  ),
  INPUT_UNSCREENED: deny(
    'screening.inputs_hops',
    'Unscreened coin',
    'nothing tells all the scripts that a coin comes from, so it may come from a listed one',
  ),
  OWN_LISTED: deny(
    'screening.on_hit',
    'Own script listed',
    'a screening list holds a script of the vault itself: nothing leaves until people know why',
  ),

  APPROVALS_MISSING: need('approvals.tiers', 'Approvals missing', 'the quorum of the tier is not complete'),
  APPROVAL_EXPIRED: need(
    'approvals.valid_for',
    'Approval expired',
    'an approval is older than approvals may be, and the quorum lacks it',
  ),
  APPROVAL_IGNORED: warn(
    'approvals',
    'Approval not counted',
    'an approval does not count: of the initiator, of somebody outside the tier, or without the touch that the tier requires',
  ),
  APPROVALS_NO_TIER: deny('approvals.tiers', 'No tier', 'the amount is above the highest tier: nobody may approve it'),

  HALTED: deny(
    'halt',
    'Halted',
    'a halt stands that concerns the batch: nothing of it is approved, signed or released',
  ),
  REJECTED: deny(
    'approvals',
    'Rejected',
    'somebody who could have approved the batch rejected it, which no approval outweighs',
  ),
  APPROVAL_WITHDRAWN: deny(
    'approvals',
    'Approval withdrawn',
    'somebody took an approval of the batch back, which no other approval outweighs',
  ),

  EVAL_ERROR: deny(
    '',
    'Rule failed',
    'a rule could not be evaluated, which denies; the program or its data are at fault',
  ),
} as const satisfies Readonly<Record<string, CodeMeaning>>;

export type Code = keyof typeof CODES;

/** The registry as lines of a Markdown page, in its own order. */
export function codesMarkdown(): string[] {
  const rows = Object.entries<CodeMeaning>(CODES).map(([code, { title, meaning, outcome, rule }]) => {
    const field = rule === '' ? '-' : `\`${rule}\``;
    return `| \`${code}\` | ${outcome.toUpperCase()} | ${field} | ${title}: ${meaning} |`;
  });
  return ['| code | outcome | field | what it means |', '|---|---|---|---|', ...rows];
}
