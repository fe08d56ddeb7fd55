import { utf8 } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { nextState } from '../journal/transitions.js';
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

/**
 * Whoever has signed an approval of what is denied has tried it, as somebody who wants it signed has: the denial is kept. Answers
 * why nothing came of the approval, or what kept the journal from being written.
 */
export async function recordVainApproval(desk: Desk, id: string, why: Fault): Promise<Result<never, Fault>> {
  if (why.tag !== 'E_DENIED' && why.tag !== 'E_HALTED') return err(why);
  const looked = await reviewBatch(desk, id);
  if (!looked.ok) return looked;
  if (nextState(looked.value.batch.state, 'batch.approved') === null) return err(why);
  const kept = await recordDenial(desk, looked.value);
  return kept.ok ? err(why) : kept;
}
