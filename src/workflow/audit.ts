import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { namedBlobs } from '../journal/blobs.js';
import { type Anchor, verifyChain } from '../journal/chain.js';
import type { EntryBody } from '../journal/entries.js';
import type { LoadedPolicy } from '../policy/types.js';
import type { Desk } from './ports.js';

export interface JournalReport {
  readonly entries: number;
  readonly head: Anchor;
  /** Documents that entries name, each read and hashed. */
  readonly blobs: number;
  readonly batches: number;
  readonly approvals: number;
}

/**
 * The whole journal again from nothing: chain, states, every document that an entry names, every approval,
 * and that the places noted elsewhere lie on the chain.
 */
export async function verifyJournal(desk: Desk, noted: readonly Anchor[]): Promise<Result<JournalReport, Fault>> {
  const verified = await verifyChain(desk.journal.entries(), noted);
  if (!verified.ok) return verified;
  const { state, count } = verified.value;
  const named = new Set<Hex>();
  for await (const entry of desk.journal.entries()) for (const hash of namedBlobs(entry.body)) named.add(hash);
  for (const hash of named) {
    const blob = await desk.journal.blob(hash);
    if (!blob.ok) return blob;
  }
  const approvals = await verifyApprovals(desk);
  if (!approvals.ok) return approvals;
  return ok({
    entries: count,
    head: verified.value.head,
    blobs: named.size,
    batches: state.batches.size,
    approvals: approvals.value,
  });
}

/**
 * Every approval: signed by a key that the policy of its day lists for the person, over a statement of that batch, those
 * bytes and that policy. A journal that was written anew from its first entry on has a chain without a flaw, and no
 * officer's signature. Returns how many there are.
 */
async function verifyApprovals(desk: Desk): Promise<Result<number, Fault>> {
  const planned = new Map<string, Hex>();
  let policy: LoadedPolicy | null = null;
  let count = 0;
  for await (const { seq, body } of desk.journal.entries()) {
    if (body.kind === 'batch.planned') planned.set(body.batch, body.psbt);
    if (body.kind === 'policy.activated') {
      const read = await policyOf(desk, body.document, seq);
      if (!read.ok) return read;
      policy = read.value;
    }
    if (body.kind !== 'batch.approved') continue;
    const statement = await desk.journal.blob(body.statement);
    if (!statement.ok) return statement;
    const problem = approvalProblem(body, statement.value, policy, planned.get(body.batch));
    if (problem !== null) {
      const message = `entry ${seq}, batch ${body.batch}: the approval of ${body.person} ${problem}`;
      return fail('E_JOURNAL_TAMPERED', message, { remedy: REMEDY });
    }
    count += 1;
  }
  return ok(count);
}

const REMEDY = 'stop signing; keep this file as it is, and compare it with copies and heads that were noted elsewhere';

async function policyOf(desk: Desk, document: Hex, seq: number): Promise<Result<LoadedPolicy, Fault>> {
  const bytes = await desk.journal.blob(document);
  if (!bytes.ok) return bytes;
  const policy = desk.ports.documents.policy(bytes.value, desk.config.policy);
  if (policy.ok) return policy;
  const message = `the policy of entry ${seq} can no longer be read: ${policy.error[0]?.message ?? ''}`;
  return fail('E_POLICY_INTEGRITY', message, { remedy: 'verify with the version of countersign that activated it' });
}

function approvalProblem(
  body: Extract<EntryBody, { kind: 'batch.approved' }>,
  statement: Uint8Array,
  policy: LoadedPolicy | null,
  psbt: Hex | undefined,
): string | null {
  const signature = verifySshsig(body.signature, statement, APPROVAL_NAMESPACE);
  if (!signature.ok) return `does not verify: ${signature.error.message}`;
  if (policy === null) return 'came before any policy';
  if (whoseKey(policy.document.roles, signature.value.publicKey) !== body.person) {
    return `was signed by another key than the policy of its day lists for ${body.person}`;
  }
  const due = { batch: body.batch, psbt_sha256: psbt, policy: policy.digest, approver: body.person };
  const said = saidBy(statement);
  const other = Object.entries({ ...due, valid_until: body.validUntil }).find(
    ([name, value]) => said.get(name) !== value,
  );
  return other === undefined ? null : `is over another ${other[0]}`;
}

/** The fields of a statement; one that does not parse says nothing, and so nothing that is due. */
function saidBy(statement: Uint8Array): ReadonlyMap<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(statement));
    return new Map(typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []);
  } catch {
    return new Map();
  }
}

/** A place noted elsewhere: SEQ:HASH, as `audit verify` prints the head. */
export function parseAnchor(text: string): Result<Anchor, Fault> {
  const match = /^(0|[1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text);
  if (match?.[2] !== undefined) return ok({ seq: Number(match[1]), hash: match[2] });
  return fail('E_USAGE', `${JSON.stringify(text.slice(0, 90))} is not a head`, {
    remedy: 'give SEQ:HASH, as an earlier audit verify printed it',
  });
}
