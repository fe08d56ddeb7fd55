import { verifySshsig } from '../approval/sshsig.js';
import { APPROVAL_NAMESPACE } from '../approval/statement.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { namedBlobs } from '../journal/blobs.js';
import { type Anchor, verifyChain } from '../journal/chain.js';
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
 * The whole journal again from nothing: chain, states, every document that an entry names, every approval's signature,
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
  let approvals = 0;
  for (const batch of state.batches.values()) {
    for (const approval of batch.approvals) {
      const statement = await desk.journal.blob(approval.statement);
      if (!statement.ok) return statement;
      const proven = verifySshsig(approval.signature, statement.value, APPROVAL_NAMESPACE);
      if (!proven.ok) {
        return fail(
          'E_JOURNAL_TAMPERED',
          `batch ${batch.id}: the approval of ${approval.person} does not verify: ${proven.error.message}`,
        );
      }
      approvals += 1;
    }
  }
  return ok({
    entries: count,
    head: verified.value.head,
    blobs: named.size,
    batches: state.batches.size,
    approvals,
  });
}

/** A place noted elsewhere: SEQ:HASH, as `audit verify` prints the head. */
export function parseAnchor(text: string): Result<Anchor, Fault> {
  const match = /^(0|[1-9][0-9]{0,14}):([0-9a-f]{64})$/.exec(text);
  if (match?.[2] !== undefined) return ok({ seq: Number(match[1]), hash: match[2] });
  return fail('E_USAGE', `${JSON.stringify(text.slice(0, 90))} is not a head`, {
    remedy: 'give SEQ:HASH, as an earlier audit verify printed it',
  });
}
