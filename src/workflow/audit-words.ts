import { whoseKey } from '../approval/people.js';
import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE, checkStatement } from '../approval/statement.js';
import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ownValue, parsedJson } from '../domain/json-difference.js';
import type { Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import type { LoadedPolicy } from '../policy/types.js';
import { type ApprovalScene, statementFields } from './approvals.js';
import type { DocumentAudit } from './audit-documents.js';
import type { Evidence } from './audit-evidence.js';
import type { Body, Problem } from './audit-problem.js';
import { secondsOf } from './judge-again.js';
import { mayReject, proveObjection } from './object-batch.js';

/** What the words of people about a batch are held to: the journal up to them. */
export interface WordGround {
  readonly evidence: Evidence;
  readonly documents: DocumentAudit;
  readonly state: Pick<JournalState, 'vault' | 'book'>;
  /** The digest of every book that was in force so far. */
  readonly books: ReadonlySet<Hex>;
}

/** The batch as its bytes have it, under a policy. */
export type Examine = (
  policy: LoadedPolicy,
) => Promise<Result<Pick<ApprovalScene, 'vault' | 'decoded' | 'facts'>, Fault>>;

/**
 * Signed by a key that the policy of its day lists for the person, over the whole statement of this batch. Who signed
 * while another policy or book came in is recorded after it: what the statement names may be an earlier one.
 */
export async function approvalProblem(
  { evidence, documents, state, books }: WordGround,
  entry: Entry,
  body: Body<'batch.approved'>,
  batch: BatchRecord,
  examine: Examine,
): Promise<Problem> {
  const kept = await evidence.journal.blob(body.statement);
  if (!kept.ok) return kept.error.message;
  const about = `the approval of ${body.person}`;
  const signature = verifySshsig(body.signature, kept.value, APPROVAL_NAMESPACE);
  if (!signature.ok) return `${about} does not verify: ${signature.error.message}`;
  const said = parsedJson(kept.value);
  const at = secondsOf(entry.at);
  const policy = documents.policyFor(ownValue(said, 'policy'), at);
  if (policy === null) return `${about} came before any policy`;
  if (whoseKey(policy.document.roles, signature.value.publicKey) !== body.person) {
    return `${about} was signed by another key than the policy of its day lists for ${body.person}`;
  }
  const examined = await examine(policy);
  if (!examined.ok) return `${about}: ${examined.error.message}`;
  const { vault, decoded, facts } = examined.value;
  const named = ownValue(said, 'book');
  const book = typeof named === 'string' && books.has(named) ? named : (state.book?.digest ?? null);
  const scene: ApprovalScene = { vault, decoded, facts, policy, book, batch };
  const validUntil = secondsOf(body.validUntil);
  const bound = checkStatement(kept.value, statementFields(scene, body.person, validUntil));
  if (!bound.ok) return `${about}: ${bound.error.message}`;
  if (validUntil <= at + policy.document.approvals.validFor) return null;
  return `${about} is valid until ${body.validUntil}, for longer than the policy allows`;
}

/** Said by somebody who had that say under the policy of the day, over this batch. */
export async function objectionProblem(
  { evidence, documents, state }: WordGround,
  entry: Entry,
  body: Body<'batch.rejected' | 'batch.withdrawn'>,
  batch: BatchRecord,
): Promise<Problem> {
  const kept = await evidence.journal.blob(body.statement);
  if (!kept.ok) return kept.error.message;
  const policy = documents.policyFor(null, secondsOf(entry.at));
  if (policy === null) return 'it was spoken against before any policy was in force';
  const said =
    body.kind === 'batch.rejected'
      ? { action: 'reject' as const, reason: body.reason }
      : { action: 'withdraw' as const };
  const brought = { armored: body.signature, statement: kept.value };
  const proven = proveObjection({ state, policy }, batch, said, brought);
  if (!proven.ok) return `what ${body.person} said against it: ${proven.error.message}`;
  if (proven.value !== body.person) return `${proven.value} spoke against it, and not ${body.person}`;
  if (said.action === 'withdraw' || mayReject(body.person, policy.document)) return null;
  return `${body.person} rejected it, and is in no role that approves`;
}
