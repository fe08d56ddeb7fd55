import { utf8 } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { type ReviewedBatch, reviewBatch } from './approve-batch.js';
import { haltOnDenials } from './automatic-halt.js';
import type { Desk } from './ports.js';
import { verdictEntry } from './records.js';
import { HEAD_MOVED, transactOn } from './transact.js';

const ATTEMPTS = 8;

/**
 * Keeps the denial of a first look: whoever tries what the policy denies leaves a trace, and one denial too many halts.
 * Where somebody wrote in between, the batch is looked at afresh, and the look that was kept is the answer; the caller goes
 * by it, since it may be another one by then. A look that does not deny is not kept.
 */
export async function recordDenial(desk: Desk, first: ReviewedBatch): Promise<Result<ReviewedBatch, Fault>> {
  let review = first;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { assessment, batch, situation } = review;
    if (assessment.verdict.decision !== 'DENY') return ok(review);
    const done = await transactOn(desk, situation.state, async (tx) => {
      const kept = tx.keep(utf8(canonicalVerdict(assessment.verdict)));
      haltOnDenials(tx, situation.policy, [tx.append(verdictEntry(batch.id, 'sign', assessment, kept))], batch.parts);
      return ok(review);
    });
    if (done.ok || done.error !== HEAD_MOVED) return done;
    const again = await reviewBatch(desk, batch.id);
    if (!again.ok) return again;
    review = again.value;
  }
  return err(HEAD_MOVED);
}
