import type { BatchKind } from '../domain/batch-kind.js';
import { equalBytes, type Hex, sha256Hex, utf8 } from '../domain/bytes.js';
import { canonicalJson, type Json } from '../domain/canonical-json.js';
import { type Fault, fail } from '../domain/fault.js';
import { jsonDifference, ownValue, parsedJson } from '../domain/json-difference.js';
import { ok, type Result } from '../domain/result.js';
import type { Sats } from '../domain/sats.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import { formFault } from './compare-statement.js';

/** The SSHSIG namespace of approvals: a signature over the same bytes for git or a file is not one. */
export const APPROVAL_NAMESPACE = 'countersign-approve@v1';

const SCHEMA = 'countersign.approval/1';

/** What one person agrees to. Any of it changes, and the approval is void. */
export interface StatementFields {
  readonly network: string;
  readonly vault: string;
  /** Canonical text with #checksum; the statement carries its checksum, for people, and its SHA-256. */
  readonly descriptor: string;
  readonly batch: string;
  readonly kind: BatchKind;
  /** SHA-256 of the bytes that go to the device. */
  readonly psbt: Hex;
  readonly txid: Hex;
  /** TXID:VOUT and value of every coin that is spent, in the order of the transaction. */
  readonly inputs: readonly { readonly outpoint: string; readonly amount: Sats }[];
  readonly outputs: readonly { readonly script: Hex; readonly amount: Sats; readonly change: boolean }[];
  readonly spend: Sats;
  readonly fee: Sats;
  readonly policy: string;
  /** Null where there is no address book: "none" in the statement. */
  readonly book: string | null;
  /** The entry that planned the batch: an approval is of this journal and of this plan, not of one that looks alike. */
  readonly journal: { readonly seq: number; readonly hash: Hex };
  /** The batch in whose place this one is to confirm; null for none. */
  readonly replaces: string | null;
  /** The batch whose change this one spends; null for none. */
  readonly childOf: string | null;
  readonly initiator: string;
  readonly approver: string;
  readonly validUntil: UnixSeconds;
}

/** The text that an approver signs: canonical JSON (RFC 8785) of schema countersign.approval/1, without a line end. */
export function approvalStatement(fields: StatementFields): string {
  return canonicalJson(statementJson(fields));
}

/**
 * What two people compare by voice before they approve: 32 decimal digits in groups of four, of the SHA-256 over everything
 * that an approval binds but the approver and the time. 106 bits: two plans that share them are not found by trying.
 */
export function reviewFingerprint(fields: Omit<StatementFields, 'approver' | 'validUntil'>): string {
  const { approver: _, valid_until: __, ...shared } = statementJson({ ...fields, approver: '', validUntil: 0 });
  const digest = sha256Hex(canonicalJson({ ...shared, schema: 'countersign.review/1' }));
  const digits = (BigInt(`0x${digest}`) % 10n ** 32n).toString().padStart(32, '0');
  return digits.replace(/(.{4})(?!$)/g, '$1 ');
}

function statementJson(fields: StatementFields): { readonly [key: string]: Json } {
  return {
    schema: SCHEMA,
    network: fields.network,
    vault: fields.vault,
    descriptor_checksum: checksumOf(fields.descriptor),
    descriptor_sha256: sha256Hex(fields.descriptor),
    batch: fields.batch,
    // A statement that names no kind is of a withdrawal, as it was before there was anything else.
    ...(fields.kind === 'withdrawal' ? {} : { kind: fields.kind }),
    ...(fields.replaces === null ? {} : { replaces: fields.replaces }),
    ...(fields.childOf === null ? {} : { child_of: fields.childOf }),
    psbt_sha256: fields.psbt,
    unsigned_txid: fields.txid,
    inputs: fields.inputs.map(({ outpoint, amount }) => ({ outpoint, amount: amount.toString() })),
    outputs: fields.outputs.map(({ script, amount, change }) => ({ script, amount: amount.toString(), change })),
    spend: fields.spend.toString(),
    fee: fields.fee.toString(),
    policy: fields.policy,
    book: fields.book ?? 'none',
    journal: { seq: fields.journal.seq, hash: fields.journal.hash },
    initiator: fields.initiator,
    approver: fields.approver,
    valid_until: formatTime(fields.validUntil),
  };
}

function checksumOf(descriptor: string): string {
  const checksum = /#([a-z0-9]{8})$/.exec(descriptor)?.[1];
  if (checksum === undefined) throw new Error('the descriptor of a vault has no checksum');
  return checksum;
}

/** A statement over the most inputs and outputs that a plan may have is far smaller. */
const MAX_STATEMENT_BYTES = 10_000_000;

/**
 * Whether a statement that somebody signed is, byte for byte, the one that this batch has now. E_APPROVAL_BINDING names
 * the first field that differs, in the order of the keys.
 */
export function checkStatement(statement: Uint8Array, expected: StatementFields): Result<void, Fault> {
  const due = utf8(approvalStatement(expected));
  if (equalBytes(statement, due)) return ok(undefined);
  const found = statement.length > MAX_STATEMENT_BYTES ? null : parsedJson(statement);
  const remedy = 'have the batch approved again, over the statement that it has now';
  if (found === null || ownValue(found, 'schema') !== SCHEMA) {
    return fail('E_APPROVAL_BINDING', `what was signed is not a statement of ${SCHEMA}`, { remedy });
  }
  const different = jsonDifference(found, statementJson(expected));
  if (different === null) {
    return fail('E_APPROVAL_BINDING', `the statement says the right things but ${formFault(statement)}`, {
      remedy: 'sign the bytes as countersign printed them, without a change of spaces, order or line ends',
    });
  }
  const { path, found: signed, due: now } = different;
  return fail('E_APPROVAL_BINDING', `the approval is over another ${path}: it says ${signed}, the batch has ${now}`, {
    remedy,
  });
}
