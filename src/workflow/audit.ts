import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { parseTime } from '../domain/time.js';
import { namedBlobs } from '../journal/blobs.js';
import { type Anchor, verifyChain } from '../journal/chain.js';
import type { Entry, EntryBody } from '../journal/entries.js';
import type { LoadedPolicy } from '../policy/types.js';
import { DocumentAudit } from './audit-documents.js';
import type { Desk } from './ports.js';

type ApprovedBody = Extract<EntryBody, { kind: 'batch.approved' }>;

export interface JournalReport {
  readonly entries: number;
  readonly head: Anchor;
  /** Documents that entries name, each read and hashed. */
  readonly blobs: number;
  readonly batches: number;
  readonly approvals: number;
  /** Signatures under policies and books. */
  readonly documentSignatures: number;
}

/**
 * The whole journal again from nothing: chain, states, every document that an entry names, every policy and book in its place,
 * every approval, and that the places noted elsewhere lie on the chain.
 */
export async function verifyJournal(desk: Desk, noted: readonly Anchor[]): Promise<Result<JournalReport, Fault>> {
  const verified = await verifyChain(desk.journal.entries(), noted);
  if (!verified.ok) return verified;
  const { state, count } = verified.value;
  const named = new Set<Hex>();
  const documents = new DocumentAudit(desk);
  const planned = new Map<string, Hex>();
  let approvals = 0;
  for await (const entry of desk.journal.entries()) {
    const { body } = entry;
    for (const hash of namedBlobs(body)) named.add(hash);
    const taken = await documents.take(entry);
    if (!taken.ok) return taken;
    if (body.kind === 'batch.planned') planned.set(body.batch, body.psbt);
    if (body.kind !== 'batch.approved') continue;
    const approved = await verifyApproval(desk, documents, entry, body, planned.get(body.batch));
    if (!approved.ok) return approved;
    approvals += 1;
  }
  for (const hash of named) {
    const blob = await desk.journal.blob(hash);
    if (!blob.ok) return blob;
  }
  return ok({
    entries: count,
    head: verified.value.head,
    blobs: named.size,
    batches: state.batches.size,
    approvals,
    documentSignatures: documents.signatures,
  });
}

/**
 * An approval: signed by a key that the policy of its day lists for the person, over a statement of that batch, those
 * bytes and that policy. A journal that was written anew from its first entry on has a chain without a flaw, and no
 * officer's signature.
 */
async function verifyApproval(
  desk: Desk,
  documents: DocumentAudit,
  { seq, at }: Entry,
  body: ApprovedBody,
  psbt: Hex | undefined,
): Promise<Result<void, Fault>> {
  const statement = await desk.journal.blob(body.statement);
  if (!statement.ok) return statement;
  const said = saidBy(statement.value);
  const policy = documents.policyFor(said.get('policy'), parseTime(at) ?? 0);
  const problem = approvalProblem(body, statement.value, said, policy, psbt);
  if (problem === null) return ok(undefined);
  const message = `entry ${seq}, batch ${body.batch}: the approval of ${body.person} ${problem}`;
  return fail('E_JOURNAL_TAMPERED', message, { remedy: REMEDY });
}

const REMEDY = 'stop signing; keep this file as it is, and compare it with copies and heads that were noted elsewhere';

function approvalProblem(
  body: ApprovedBody,
  statement: Uint8Array,
  said: ReadonlyMap<string, unknown>,
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
