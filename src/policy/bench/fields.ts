import { BATCH_KINDS } from '../../domain/batch-kind.js';
import type { OwnOrigin } from '../../domain/coin.js';
import { fail } from '../../domain/fault.js';
import { HALT_SCOPE, parseHaltScope } from '../../domain/halt-scope.js';
import { NETWORKS } from '../../domain/network.js';
import { isHardened, parsePath } from '../../domain/path.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import {
  boolean,
  checkedLater,
  complain,
  dictionary,
  field,
  integer,
  label,
  list,
  matching,
  object,
  oneOf,
  optionalField,
  type Reader,
  schemaOf,
  text,
  through,
  withSchema,
} from '../../domain/source-reader.js';
import { NAME_FORM, name, nameKey, sats, time } from '../fields.js';
import { bookEntry, target } from './book-fields.js';
import { moment } from './moment.js';
import type {
  CaseApproval,
  CaseContent,
  CaseHalt,
  CaseInput,
  CaseOutput,
  CaseRequests,
  CaseScreening,
  Payment,
} from './types.js';

const payment = { to: field('to', target, 'Who is paid.'), amount: field('amount', sats, 'How much.') };
/** What a request may say beside address and amount. */
const declared = {
  destination: optionalField('destination', name, 'The id of the book that the request names.'),
  index: optionalField('index', integer(0, 2 ** 31 - 1), 'The index of a descriptor that the request declares.'),
};
const feePayer = optionalField('fee_payer', oneOf(['vault', 'payee']), 'Who bears its share of the fee.');
const payments: Reader<readonly Payment[]> = list(object({ ...payment, ...declared }), 0, null);

const ORIGIN_TEXT = /^([01])\/(0|[1-9][0-9]{0,9})$/;

/** "1/42": branch and index below the account. */
const placeOfVault: Reader<OwnOrigin> = through(text, (value) => {
  const match = ORIGIN_TEXT.exec(value);
  const index = Number(match?.[2]);
  if (match !== null && index < 2 ** 31) return ok({ branch: match[1] === '1' ? 1 : 0, index });
  return fail('E_FIELD_TYPE', `${quoted(value, 40)} is not a place of the vault`, {
    remedy: 'write branch and index below the account, for example "1/42" for change address 42',
  });
});

const origin = withSchema(placeOfVault, () => ({
  type: 'string',
  pattern: ORIGIN_TEXT.source,
  form: 'Branch and index below the account: "1/42" is change address 42.',
  beyond: ['that the index is below 2147483648'],
}));

const claim: Reader<NonNullable<CaseOutput['claims']>> = through(
  text,
  (value): Result<NonNullable<CaseOutput['claims']>, never> | ReturnType<typeof fail> => {
    const path = parsePath(value);
    if (!path.ok) return path;
    const [branch, index] = path.value;
    const isShort = path.value.length === 2 && (branch === 0 || branch === 1) && index !== undefined;
    return ok({
      path: path.value,
      origin: isShort && !isHardened(index) ? { branch: branch === 1 ? 1 : 0, index } : null,
    });
  },
  'that it is a BIP32 path, such as 1/42 or m/84h/0h/0h/1/42',
);

const SIGHASHES: Readonly<Record<string, number>> = { default: 0, all: 1, none: 2, single: 3 };
const SIGHASH_FORM = 'default, all, none or single, with +anyonecanpay where it is set, or the number';

/** default, all, none, single, each with +anyonecanpay, or the number itself. */
const readSighash: Reader<number> = (node, at) => {
  if (node.kind === 'scalar' && typeof node.value === 'number') return integer(0, 0xffffffff)(node, at);
  const value = text(node, at);
  if (value === undefined) return undefined;
  const [word = '', ...flags] = value.split('+');
  const base = Object.hasOwn(SIGHASHES, word) ? SIGHASHES[word] : undefined;
  if (base !== undefined && flags.length === 0) return base;
  if (base !== undefined && flags.length === 1 && flags[0] === 'anyonecanpay') return base | 0x80;
  return complain(at, node, 'E_FIELD_TYPE', `${quoted(value, 40)} is not a sighash type`, `write ${SIGHASH_FORM}`);
};

const sighash = withSchema(readSighash, () => ({
  form: `One of: ${SIGHASH_FORM}.`,
  anyOf: [
    schemaOf(integer(0, 0xffffffff)),
    { type: 'string', pattern: `^(?:${Object.keys(SIGHASHES).join('|')})(?:\\+anyonecanpay)?$` },
  ],
}));

const COIN = /^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,80}$/;
const coin = matching(COIN, 'the name of a coin, or TXID:VOUT');

const input: Reader<CaseInput> = object({
  coin: optionalField(
    'coin',
    coin,
    'A name for the coin, or TXID:VOUT: two transactions that spend the same one conflict.',
  ),
  value: optionalField(
    'value',
    sats,
    'What it is worth; the first one without it carries what outputs and fee ask for.',
  ),
  at: optionalField('at', origin, 'Its place in the vault.'),
  of: optionalField('of', target, "Whose it is, where it is not the vault's."),
  confirmations: optionalField('confirmations', integer(0, 1_000_000), 'How deep it is; 100 where it is left out.'),
  coinbase: optionalField('coinbase', boolean, 'Whether a block paid it.'),
  proof: optionalField(
    'proof',
    oneOf(['proven', 'claimed', 'mismatch', 'absent']),
    'What shows its value; proven where it is left out.',
  ),
  frozen: optionalField('frozen', label, 'Why it is frozen; not frozen where it is left out.'),
  inSnapshot: optionalField('in_snapshot', boolean, 'Whether the snapshot knows it; true where it is left out.'),
  snapshotValue: optionalField('snapshot_value', sats, 'What the snapshot says that it is worth.'),
  othersOnScript: optionalField('others_on_script', integer(0, 1000), 'How many other coins its script has.'),
  sighash: optionalField('sighash', sighash, 'What its signature would cover.'),
  sequence: optionalField('sequence', integer(0, 0xffffffff), 'Its sequence number.'),
  presigned: optionalField('presigned', boolean, 'Whether the PSBT brings a signature for it.'),
  foreignFields: optionalField('foreign_fields', list(label, 0), 'Fields of the PSBT that do not belong there.'),
  from: optionalField(
    'from',
    list(target, 0, ({ text: name }) => name),
    'Scripts that the coin comes from.',
  ),
  untold: optionalField(
    'untold',
    integer(0, 100_000),
    'How many more of them nothing tells; none where it is left out.',
  ),
});

/** Inputs that are all alike are written once: { times: 200, value: "10000" }. */
const inputs: Reader<readonly CaseInput[]> = through(list(repeatable(input), 0, null), (read) => ok(read.flat()), null);

function repeatable(read: Reader<CaseInput>): Reader<readonly CaseInput[]> {
  const times = integer(1, 1000);
  const about = 'How many inputs are alike.';
  return withSchema(
    (node, at) => {
      const entry = node.kind === 'map' ? node.entries.get('times') : undefined;
      if (node.kind !== 'map' || entry === undefined) {
        const one = read(node, at);
        return one === undefined ? undefined : [one];
      }
      const count = times(entry.value, { ...at, path: `${at.path}.times` });
      const entries = new Map([...node.entries].filter(([key]) => key !== 'times'));
      const one = read({ ...node, entries }, at);
      return one === undefined || count === undefined ? undefined : Array.from({ length: count }, () => one);
    },
    () => {
      const one = schemaOf(read);
      return { ...one, properties: { ...one.properties, times: { ...schemaOf(times), about } } };
    },
  );
}

const approvalAtLength = object({
  person: field('person', name, 'Who approved.'),
  at: optionalField('at', moment, 'When; 10m ago where it is left out.'),
  until: optionalField('until', moment, 'Up to when it counts; as long as approvals hold where it is left out.'),
  touch: optionalField('touch', boolean, 'Whether the key was touched; true where it is left out.'),
});

const approval: Reader<CaseApproval> = withSchema(
  (node, at) => {
    if (node.kind === 'map') return approvalAtLength(node, at);
    const person = name(node, at);
    return person === undefined ? undefined : { person };
  },
  () => ({
    form: 'A person, or an object that also says when and how.',
    anyOf: [schemaOf(name), schemaOf(approvalAtLength)],
  }),
);

const haltScope = through(
  matching(HALT_SCOPE, 'what a halt stops: all, destination:ID or initiator:NAME'),
  parseHaltScope,
  null,
);

const haltAtLength = object({
  scope: optionalField('scope', haltScope, 'What it stops; all where it is left out.'),
  since: optionalField('since', moment, 'When it was raised; 10m ago where it is left out.'),
  reason: optionalField('reason', label, 'Why.'),
  source: optionalField(
    'source',
    oneOf(['person', 'unverified', 'automatic']),
    'Whose word it is; that of a person where it is left out.',
  ),
});

const halt: Reader<CaseHalt> = withSchema(
  (node, at) => {
    if (node.kind === 'map') return haltAtLength(node, at);
    const scope = haltScope(node, at);
    return scope === undefined ? undefined : { scope };
  },
  () => ({
    form: 'What a halt stops, or an object that also says when, why and by whom.',
    anyOf: [schemaOf(haltScope), schemaOf(haltAtLength)],
  }),
);

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;
const requestId = matching(REQUEST_ID, 'a request id');

const requestList = list(
  object({ ...payment, ...declared, feePayer, id: optionalField('id', requestId, 'The id of the request.') }),
  0,
  null,
);
const requestText = object({
  csv: optionalField('csv', checkedLater(text, 'that its requests can be read'), 'The text of a CSV file of requests.'),
  json: optionalField(
    'json',
    checkedLater(text, 'that its requests can be read'),
    'The text of a JSON file of requests.',
  ),
});

/** As a list, or as the very text of a file: requests: { csv: | ... }. */
const requests: Reader<CaseRequests> = withSchema(
  (node, at) => {
    if (node.kind === 'list') {
      const items = requestList(node, at);
      return items === undefined ? undefined : { kind: 'list', list: items };
    }
    const read = requestText(node, at);
    if (read === undefined) return undefined;
    if (read.csv !== undefined && read.json === undefined) return { kind: 'text', format: 'csv', text: read.csv };
    if (read.json !== undefined && read.csv === undefined) return { kind: 'text', format: 'json', text: read.json };
    return complain(at, node, 'E_FIELD_TYPE', 'a list of requests, or one of csv and json, is due here');
  },
  () => ({
    beyond: ['that one of csv and json is there, and not both'],
    anyOf: [schemaOf(requestList), schemaOf(requestText)],
  }),
);

const screeningList: Reader<CaseScreening> = object({
  entries: optionalField('entries', list(target, 0, null), 'What it lists.'),
  text: optionalField('text', text, 'Its text, one address or script a line.'),
  issued: optionalField('issued', moment, 'When it was issued; 1h ago where it is left out.'),
  expires: optionalField('expires', moment, 'From when on it says nothing any more.'),
  pinnedBy: optionalField('pinned_by', name, 'Who signed it; somebody of its role where it is left out.'),
  before: optionalField('before', integer(0, 10_000_000), 'How many scripts the list before had.'),
  removed: optionalField('removed', integer(0, 10_000_000), 'How many of them are gone.'),
  own: optionalField(
    'own',
    list(origin, 0, ({ branch, index }) => `${branch}/${index}`),
    'Places of the vault that it holds, besides those that the batch shows.',
  ),
});

/** The fields of a case beside name, policy, with and expect. */
export const readContent: Reader<CaseContent> = object(
  {
    now: field('now', time, 'The time of the verdict, UTC.'),
    kind: optionalField(
      'kind',
      oneOf(BATCH_KINDS),
      'What the batch was planned as: all but a withdrawal pay nobody and have one output, which is change.',
    ),
    book: optionalField('book', dictionary(nameKey, NAME_FORM, bookEntry), 'The address book: id to address.'),
    pay: optionalField('pay', payments, 'Payments: an output and a request for each.'),
    requests: optionalField('requests', requests, 'What was asked for; what `pay` pays where it is left out.'),
    outputs: optionalField(
      'outputs',
      list(
        object({
          ...payment,
          claims: optionalField('claims', claim, 'A path that the output claims with a key of the vault.'),
        }),
        0,
        null,
      ),
      'Outputs that nobody asked for.',
    ),
    change: optionalField(
      'change',
      list(
        object({
          amount: field('amount', sats, 'How much.'),
          at: optionalField('at', origin, 'Its place; the next index of branch 1 where it is left out.'),
          claimed: optionalField(
            'claimed',
            boolean,
            'Whether the PSBT says that it is change; true where it is left out.',
          ),
        }),
        0,
        null,
      ),
      'What comes back to the vault; nothing where it is left out.',
    ),
    inputs: optionalField(
      'inputs',
      inputs,
      'The coins that are spent; one that carries the batch where it is left out.',
    ),
    fee: optionalField('fee', sats, "The fee; the policy's lowest feerate where it is left out."),
    vsize: optionalField(
      'vsize',
      integer(1, 10_000_000),
      'Its size in vB; what the inputs and outputs of the vault take where it is left out.',
    ),
    version: optionalField(
      'version',
      integer(0, 0x7fffffff),
      'The version of the transaction; 2 where it is left out.',
    ),
    locktime: optionalField('locktime', integer(0, 0xffffffff), 'Its lock time; the tip where it is left out.'),
    malformed: optionalField('malformed', label, 'What BIP174 forbids in the PSBT.'),
    psbt: optionalField(
      'psbt',
      checkedLater(text, 'that it is a PSBT'),
      'A real PSBT in base64, in place of pay, outputs, change and inputs.',
    ),
    vault: optionalField(
      'vault',
      object({
        id: optionalField('id', name, 'The id of the vault.'),
        network: optionalField('network', oneOf(NETWORKS), 'Its network.'),
        descriptor: optionalField('descriptor', text, 'Its descriptor.'),
      }),
      "What differs from the policy's vault.",
    ),
    balance: optionalField('balance', sats, 'Confirmed coins before the batch; 10,000 BTC where it is left out.'),
    tip: optionalField('tip', integer(1, 499_999_999), 'The height of the chain; 950000 where it is left out.'),
    mtp: optionalField('mtp', moment, 'The median time past; 60m ago where it is left out.'),
    snapshot: optionalField('snapshot', moment, 'When coins were read; 10m ago where it is left out.'),
    lastEntry: optionalField('last_entry', moment, 'When the journal was last written; 1m ago where it is left out.'),
    lastChange: optionalField(
      'last_change',
      integer(0, 2 ** 31 - 1),
      'The highest index of the change branch that was used; 41 where it is left out.',
    ),
    usedChange: optionalField(
      'used_change',
      list(integer(0, 2 ** 31 - 1), 0),
      'Further indexes of the change branch that were used.',
    ),
    initiator: optionalField('initiator', name, 'Who planned the batch.'),
    approvals: optionalField(
      'approvals',
      list(approval, 0, null),
      'Who approved; everybody in the policy but the initiator where it is left out.',
    ),
    earlier: optionalField(
      'earlier',
      list(
        object({
          batch: optionalField('batch', label, 'The id of the batch.'),
          spend: field('spend', sats, 'What it takes from the budget, fee included.'),
          fee: optionalField('fee', sats, 'Its fee.'),
          pays: optionalField('pays', payments, 'What it paid to whom.'),
          confirmed: optionalField('confirmed', moment, 'When it was confirmed; not confirmed where it is left out.'),
          reserved: optionalField('reserved', moment, 'When it took its budget.'),
          height: optionalField('height', integer(0, 499_999_999), 'The height of its block.'),
          inputs: optionalField('inputs', list(coin, 1), 'The coins that it spent.'),
          times: optionalField('times', integer(1, 10_000), 'How many batches are alike.'),
        }),
        0,
        null,
      ),
      'Batches that hold budget.',
    ),
    reusedRequests: optionalField('reused_requests', list(requestId, 0), 'Request ids that stood for other payments.'),
    screening: optionalField(
      'screening',
      dictionary(nameKey, NAME_FORM, screeningList),
      'The screening lists at hand, by their ids.',
    ),
    halts: optionalField('halts', list(halt, 0, null), 'Halts that stand.'),
    rejected: optionalField('rejected', list(name, 0), 'People who rejected the batch.'),
    withdrawn: optionalField('withdrawn', list(name, 0), 'People who took an approval of the batch back.'),
  },
  { missing: 'write it in the case, or in the defaults of its file' },
);
