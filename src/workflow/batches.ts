import { sha256Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { ok, type Result } from '../domain/result.js';
import { checkLabel } from '../domain/safe-text.js';
import type { BatchRecord } from '../journal/state.js';
import { type Assessment, assess } from './assess.js';
import type { Desk } from './ports.js';
import { objectionsOf } from './records.js';
import { findBatch, knownPerson, loadSituation, NO_TIES, reusedRequests, type Situation, tiesOf } from './situation.js';

/** Gives a batch up: its coins and request ids are free again. Only while nothing of it can have been signed. */
export async function abandonBatch(
  desk: Desk,
  id: string,
  by: string,
  reason: string,
): Promise<Result<BatchRecord, Fault>> {
  const readable = checkLabel(reason, 'reason');
  if (!readable.ok) return readable;
  return desk.journal.transact(async (tx) => {
    const found = findBatch(tx.state, id);
    if (!found.ok) return found;
    const { state } = found.value;
    switch (state) {
      case 'DRAFT':
      case 'RESERVED':
      case 'RELEASED':
        tx.append({ kind: 'batch.abandoned', batch: id, reason, by });
        return ok(found.value);
      case 'ABANDONED':
        return fail('E_BATCH_STATE', `batch ${id} was abandoned before: ${found.value.reason ?? ''}`, {
          remedy: 'nothing is left to do: its coins and its request ids are free',
        });
      case 'PARTIAL':
        return fail('E_BATCH_STATE', `batch ${id} is PARTIAL: signatures of it exist or may, so it counts as spent`, {
          remedy: `have the other cosigners sign it, or take its coins away from it: countersign batch cancel ${id}`,
        });
      case 'SENT':
      case 'UNKNOWN':
        return fail('E_BATCH_STATE', `batch ${id} is ${state}: a signature of it may exist, so it counts as spent`, {
          remedy: `it can be settled only by what the chain shows; to take its coins away from it, countersign batch cancel ${id}`,
        });
      case 'SIGNED':
      case 'BROADCAST':
      case 'CONFIRMED':
        return fail(
          'E_BATCH_STATE',
          `batch ${id} is ${state}: its transaction exists and can be broadcast by anyone who has it`,
          {
            remedy:
              state === 'CONFIRMED'
                ? 'it is done'
                : `a signed transaction is undone only by spending its coins in another one: countersign batch cancel ${id}`,
          },
        );
      case 'REPLACED':
      case 'CONFLICTED':
        return fail('E_BATCH_STATE', `batch ${id} is ${state}: ${found.value.reason ?? ''}`, {
          remedy: 'nothing is left to do: it holds neither coins nor request ids',
        });
    }
  });
}

/** The verdict of now on a PSBT that somebody handed over, with the requests that it is said to pay. */
export async function checkPsbt(
  desk: Desk,
  psbt: Uint8Array,
  requests: readonly WithdrawalRequest[],
  initiator: string | null,
): Promise<Result<{ situation: Situation; assessment: Assessment; initiator: string | null }, Fault>> {
  const loaded = await loadSituation(desk);
  if (!loaded.ok) return loaded;
  const situation = loaded.value;
  // The newest one: the same bytes may have been planned, given up and planned again.
  const batch = [...situation.state.batches.values()].findLast((one) => one.psbt === sha256Hex(psbt)) ?? null;
  const planner = initiator ?? batch?.initiator ?? desk.config.officer;
  const known = planner === null ? ok(undefined) : knownPerson(situation, planner);
  if (!known.ok) return known;
  const assessment = assess(situation, psbt, requests, {
    batch: batch?.id ?? null,
    kind: batch?.kind ?? 'withdrawal',
    // No approval is counted here, so an initiator who is nobody leaves nobody out who would be left out otherwise.
    initiator: planner ?? NOBODY,
    approvals: [],
    pending: [],
    reusedRequests: reusedRequests(situation.state, batch?.id ?? null, requests),
    objections: batch === null ? [] : objectionsOf(batch),
    ...(batch === null ? NO_TIES : tiesOf(situation.state, batch)),
  });
  return assessment.ok ? ok({ situation, assessment: assessment.value, initiator: planner }) : assessment;
}

/** No person of a policy can be called so. */
const NOBODY = '';
