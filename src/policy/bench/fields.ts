import type { OwnOrigin } from '../../domain/coin.js';
import { fail } from '../../domain/fault.js';
import { NETWORKS } from '../../domain/network.js';
import { isHardened, parsePath } from '../../domain/path.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import {
  boolean,
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
  text,
  through,
} from '../../domain/source-reader.js';
import { NAME_FORM, name, nameKey, sats, time } from '../fields.js';
import { type Moment, moment } from './moment.js';
import type { CaseApproval, CaseContent, CaseInput, CaseOutput, CaseRequests, Payment, Target } from './types.js';

const target: Reader<Target> = (node, at) => {
  const value = label(node, at);
  if (value === undefined) return undefined;
  return { text: value, where: { file: at.file, line: node.line, column: node.column } };
};

const payment = { to: field('to', target), amount: field('amount', sats) };
const payments: Reader<readonly Payment[]> = list(object(payment), 0, null);

/** "1/42": branch and index below the account. */
const origin: Reader<OwnOrigin> = through(text, (value) => {
  const match = /^([01])\/(0|[1-9][0-9]{0,9})$/.exec(value);
  const index = Number(match?.[2]);
  if (match !== null && index < 2 ** 31) return ok({ branch: match[1] === '1' ? 1 : 0, index });
  return fail('E_FIELD_TYPE', `${quoted(value, 40)} is not a place of the vault`, {
    remedy: 'write branch and index below the account, for example "1/42" for change address 42',
  });
});

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
);

const SIGHASHES: Readonly<Record<string, number>> = { default: 0, all: 1, none: 2, single: 3 };
const SIGHASH_FORM = 'default, all, none or single, with +anyonecanpay where it is set, or the number';

/** default, all, none, single, each with +anyonecanpay, or the number itself. */
const sighash: Reader<number> = (node, at) => {
  if (node.kind === 'scalar' && typeof node.value === 'number') return integer(0, 0xffffffff)(node, at);
  const value = text(node, at);
  if (value === undefined) return undefined;
  const [word = '', ...flags] = value.split('+');
  const base = Object.hasOwn(SIGHASHES, word) ? SIGHASHES[word] : undefined;
  if (base !== undefined && flags.length === 0) return base;
  if (base !== undefined && flags.length === 1 && flags[0] === 'anyonecanpay') return base | 0x80;
  return complain(at, node, 'E_FIELD_TYPE', `${quoted(value, 40)} is not a sighash type`, `write ${SIGHASH_FORM}`);
};

const COIN = /^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,80}$/;
const coin = matching(COIN, 'the name of a coin, or TXID:VOUT');

const input: Reader<CaseInput> = object({
  coin: optionalField('coin', coin),
  value: optionalField('value', sats),
  at: optionalField('at', origin),
  of: optionalField('of', target),
  confirmations: optionalField('confirmations', integer(0, 1_000_000)),
  coinbase: optionalField('coinbase', boolean),
  proof: optionalField('proof', oneOf(['proven', 'claimed', 'mismatch', 'absent'])),
  frozen: optionalField('frozen', label),
  inSnapshot: optionalField('in_snapshot', boolean),
  snapshotValue: optionalField('snapshot_value', sats),
  othersOnScript: optionalField('others_on_script', integer(0, 1000)),
  sighash: optionalField('sighash', sighash),
  sequence: optionalField('sequence', integer(0, 0xffffffff)),
  presigned: optionalField('presigned', boolean),
  foreignFields: optionalField('foreign_fields', list(label, 0)),
});

/** Inputs that are all alike are written once: { times: 200, value: "10000" }. */
const inputs: Reader<readonly CaseInput[]> = (node, at) => {
  const read = list(repeatable(input), 0, null)(node, at);
  return read?.flat();
};

function repeatable(read: Reader<CaseInput>): Reader<readonly CaseInput[]> {
  return (node, at) => {
    const times = node.kind === 'map' ? node.entries.get('times') : undefined;
    if (node.kind !== 'map' || times === undefined) {
      const one = read(node, at);
      return one === undefined ? undefined : [one];
    }
    const count = integer(1, 1000)(times.value, { ...at, path: `${at.path}.times` });
    const entries = new Map([...node.entries].filter(([key]) => key !== 'times'));
    const one = read({ ...node, entries }, at);
    return one === undefined || count === undefined ? undefined : Array.from({ length: count }, () => one);
  };
}

const approval: Reader<CaseApproval> = (node, at) => {
  if (node.kind !== 'map') {
    const person = name(node, at);
    return person === undefined ? undefined : { person };
  }
  return object({
    person: field('person', name),
    at: optionalField('at', moment),
    until: optionalField('until', moment),
    touch: optionalField('touch', boolean),
  })(node, at);
};

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;
const requestId = matching(REQUEST_ID, 'a request id');

/** As a list, or as the very text of a file: requests: { csv: | ... }. */
const requests: Reader<CaseRequests> = (node, at) => {
  if (node.kind === 'list') {
    const items = list(object({ ...payment, id: optionalField('id', requestId) }), 0, null)(node, at);
    return items === undefined ? undefined : { kind: 'list', list: items };
  }
  const read = object({ csv: optionalField('csv', text), json: optionalField('json', text) })(node, at);
  if (read === undefined) return undefined;
  if (read.csv !== undefined && read.json === undefined) return { kind: 'text', format: 'csv', text: read.csv };
  if (read.json !== undefined && read.csv === undefined) return { kind: 'text', format: 'json', text: read.json };
  return complain(at, node, 'E_FIELD_TYPE', 'a list of requests, or one of csv and json, is due here');
};

/** An entry of the book: its address alone, or with when the journal saw it first. */
const bookEntry: Reader<{ readonly to: Target; readonly since?: Moment }> = (node, at) => {
  if (node.kind !== 'map') {
    const to = target(node, at);
    return to === undefined ? undefined : { to };
  }
  return object({ to: field('address', target), since: optionalField('since', moment) })(node, at);
};

/** The fields of a case beside name, policy, with and expect. */
export const readContent: Reader<CaseContent> = object(
  {
    now: field('now', time),
    book: optionalField('book', dictionary(nameKey, NAME_FORM, bookEntry)),
    pay: optionalField('pay', payments),
    requests: optionalField('requests', requests),
    outputs: optionalField('outputs', list(object({ ...payment, claims: optionalField('claims', claim) }), 0, null)),
    change: optionalField(
      'change',
      list(
        object({
          amount: field('amount', sats),
          at: optionalField('at', origin),
          claimed: optionalField('claimed', boolean),
        }),
        0,
        null,
      ),
    ),
    inputs: optionalField('inputs', inputs),
    fee: optionalField('fee', sats),
    vsize: optionalField('vsize', integer(1, 10_000_000)),
    version: optionalField('version', integer(0, 0x7fffffff)),
    locktime: optionalField('locktime', integer(0, 0xffffffff)),
    malformed: optionalField('malformed', label),
    psbt: optionalField('psbt', text),
    vault: optionalField(
      'vault',
      object({
        id: optionalField('id', name),
        network: optionalField('network', oneOf(NETWORKS)),
        descriptor: optionalField('descriptor', text),
      }),
    ),
    balance: optionalField('balance', sats),
    tip: optionalField('tip', integer(1, 499_999_999)),
    mtp: optionalField('mtp', moment),
    snapshot: optionalField('snapshot', moment),
    lastEntry: optionalField('last_entry', moment),
    lastChange: optionalField('last_change', integer(0, 2 ** 31 - 1)),
    usedChange: optionalField('used_change', list(integer(0, 2 ** 31 - 1), 0)),
    initiator: optionalField('initiator', name),
    approvals: optionalField('approvals', list(approval, 0, null)),
    earlier: optionalField(
      'earlier',
      list(
        object({
          batch: optionalField('batch', label),
          spend: field('spend', sats),
          fee: optionalField('fee', sats),
          pays: optionalField('pays', payments),
          confirmed: optionalField('confirmed', moment),
          reserved: optionalField('reserved', moment),
          height: optionalField('height', integer(0, 499_999_999)),
          inputs: optionalField('inputs', list(coin, 1)),
          times: optionalField('times', integer(1, 10_000)),
        }),
        0,
        null,
      ),
    ),
    reusedRequests: optionalField('reused_requests', list(requestId, 0)),
  },
  { missing: 'write it in the case, or in the defaults of its file' },
);
