import type { IdentifiedDevice } from '../device/types.js';
import { sha256Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { EntryBody } from '../journal/entries.js';
import type { BatchRecord, BatchState, JournalState } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import type { Verdict } from '../policy/types.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { type ReviewedBatch, reviewBatch } from './approve-batch.js';
import { haltOnDenials } from './automatic-halt.js';
import type { Desk } from './ports.js';
import { outputRecord, verdictEntry } from './records.js';
import { findBatch } from './situation.js';
import { HEAD_MOVED, transactOn } from './transact.js';

/** Where a batch of several cosigners may stand when one of them is asked; a batch of one key only in the first. */
export type Debited = 'RESERVED' | 'SENT' | 'PARTIAL' | 'UNKNOWN';

/**
 * Whether a device may be asked for these bytes. With several cosigners a signature of another one, known or not, does
 * not stand against it: the budget is debited and stays so, and the same bytes are signed.
 */
export function checkState({ id, state, reason }: BatchRecord, several: boolean): Result<void, Fault> {
  switch (state) {
    case 'DRAFT':
    case 'RESERVED':
    case 'RELEASED':
    case 'PARTIAL':
      return ok(undefined);
    case 'SENT':
    case 'UNKNOWN':
      if (several) return ok(undefined);
      return fail('E_BATCH_STATE', `batch ${id} is ${state}: a signature of it may exist already`, {
        remedy: 'it counts as spent until the chain shows what became of it; it cannot be signed again or abandoned',
      });
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
      return fail('E_BATCH_STATE', `batch ${id} is signed already`, {
        remedy: `countersign batch show ${id} has its transaction`,
      });
    case 'REPLACED':
    case 'CONFLICTED':
      return fail('E_BATCH_STATE', `batch ${id} is ${state}: ${reason ?? ''}`, {
        remedy: 'its coins are spent: nothing of it can be signed or paid any more',
      });
    case 'ABANDONED':
      return fail('E_BATCH_STATE', `batch ${id} was abandoned: ${reason ?? ''}`, {
        remedy: 'plan the withdrawals again',
      });
  }
}

function debitedState(state: BatchState): Debited {
  return state === 'SENT' || state === 'PARTIAL' || state === 'UNKNOWN' ? state : 'RESERVED';
}

const ATTEMPTS = 8;

export type Reservation =
  | { readonly kind: 'debited'; readonly from: Debited }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

/**
 * Judges once more and debits the budget in one transaction, provided that nobody wrote in between; where somebody did,
 * the judgement is made afresh.
 */
export async function reserve(desk: Desk, id: string, several: boolean): Promise<Result<Reservation, Fault>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const loaded = await reviewBatch(desk, id);
    if (!loaded.ok) return loaded;
    const review = loaded.value;
    const { state } = review.batch;
    const signable = checkState(review.batch, several);
    if (!signable.ok) return signable;
    const done = await transactOn(desk, review.situation.state, async (tx) => {
      const { verdict } = review.assessment;
      const judged = tx.append(verdictEntry(id, 'sign', review.assessment, tx.keep(utf8(canonicalVerdict(verdict)))));
      haltOnDenials(tx, review.situation.policy, [judged], review.batch.parts);
      if (verdict.decision !== 'ALLOW') return ok<Reservation>({ kind: 'refused', verdict });
      // A crash between reserving and sending leaves RESERVED: the debit stands, and this run goes on with it.
      if (nextState(state, 'batch.reserved') !== null) tx.append(reservedEntry(review));
      return ok<Reservation>({ kind: 'debited', from: debitedState(state) });
    });
    if (done.ok || done.error !== HEAD_MOVED) return done;
  }
  return err(HEAD_MOVED);
}

function reservedEntry({ batch, assessment }: ReviewedBatch): EntryBody {
  const { verdict, facts } = assessment;
  return {
    kind: 'batch.reserved',
    batch: batch.id,
    psbt: batch.psbt,
    spend: facts.spend.toString(),
    fee: facts.fee.toString(),
    outputs: facts.outputs.map(outputRecord),
    approvers: [...(verdict.quorum?.approved ?? [])],
  };
}

/** Seconds from looking at clock and journal to writing the entry; a computer that slept in between judges afresh. */
const JUDGED_WITHIN = 30;

/** Judged again when everything else was ready, and no longer allowed: nothing was sent. */
export interface LateRefusal {
  readonly review: ReviewedBatch;
  readonly verdict: Verdict;
}

/** To whom a PSBT goes: a device, or with a file out of this machine. */
export type Recipient = IdentifiedDevice | 'file';

/**
 * The last step before somebody can sign. Between the reservation and here a person looked for a cable and typed a PIN,
 * so the batch is judged once more, and batch.sent (or batch.exported) stands in the journal right behind that verdict or
 * not at all. Returns null where the PSBT may go out; where the policy no longer allows it, a fresh reservation is given
 * back, and whatever others have signed stays as it was.
 */
export async function goOut(
  desk: Desk,
  id: string,
  from: Debited,
  to: Recipient,
): Promise<Result<LateRefusal | null, Fault>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const loaded = await reviewBatch(desk, id);
    if (!loaded.ok) return withdraw(desk, id, loaded.error, from);
    const review = loaded.value;
    const { assessment, situation } = review;
    const { verdict } = assessment;
    const done = await transactOn(desk, situation.state, async (tx) => {
      const due = isDue(tx.state, id, from);
      if (!due.ok) return due;
      if (desk.ports.clock() - situation.now > JUDGED_WITHIN) return err(HEAD_MOVED);
      const judged = tx.append(verdictEntry(id, 'sign', assessment, tx.keep(utf8(canonicalVerdict(verdict)))));
      if (verdict.decision === 'ALLOW') {
        tx.append(outgoingEntry(review, to));
        return ok(null);
      }
      const { tag, message } = refusalOf(verdict);
      if (from === 'RESERVED') tx.append({ kind: 'batch.released', batch: id, fault: tag, reason: message });
      haltOnDenials(tx, situation.policy, [judged], review.batch.parts);
      return ok<LateRefusal>({ review, verdict });
    });
    if (done.ok || done.error !== HEAD_MOVED) return done;
  }
  return withdraw(desk, id, HEAD_MOVED, from);
}

function outgoingEntry({ batch, assessment }: ReviewedBatch, to: Recipient): EntryBody {
  const approvers = [...(assessment.verdict.quorum?.approved ?? [])];
  const { id, psbt } = batch;
  if (to === 'file') return { kind: 'batch.exported', batch: id, psbt, approvers };
  const device = { app: to.app.name, version: to.app.version, fingerprint: to.fingerprint };
  return { kind: 'batch.sent', batch: id, psbt, device, approvers };
}

/** The journal's word for a verdict that came too late for the reservation. */
function refusalOf({ decision, findings }: Verdict): Fault {
  const codes = findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need').map(({ code }) => code);
  const why = `judged again before the device was asked: ${decision}, ${[...new Set(codes)].sort().join(', ')}`;
  if (codes.includes('HALTED')) return fault('E_HALTED', why);
  return fault(decision === 'DENY' ? 'E_DENIED' : 'E_APPROVALS_MISSING', why);
}

/** What was judged is what is signed: the hash is taken again right before the first APDU and after the answer. */
export function sameBytes(psbt: Uint8Array, sha256: string): Result<void, Fault> {
  if (sha256Hex(psbt) === sha256) return ok(undefined);
  return fail('E_PSBT_CHANGED', `the PSBT in memory no longer hashes to ${sha256}`, {
    remedy: 'stop using this machine for signing until it is known why',
  });
}

/**
 * Nothing was sent: a reservation of this run is given back, and the fault is the answer. What was debited by an earlier
 * run, or for a cosigner who has signed, is not this run's to give back.
 */
export async function withdraw(desk: Desk, batch: string, why: Fault, from: Debited): Promise<Result<never, Fault>> {
  if (from !== 'RESERVED') return err(why);
  return stepFrom(desk, 'RESERVED', { kind: 'batch.released', batch, fault: why.tag, reason: why.message }, why);
}

/** The device was asked and cannot have signed. Only where it was the first one is the budget given back. */
export async function notSigned(desk: Desk, batch: string, why: Fault, from: Debited): Promise<Result<never, Fault>> {
  const words = { batch, fault: why.tag, reason: why.message };
  if (from === 'RESERVED') return stepFrom(desk, 'SENT', { kind: 'batch.released', ...words }, why);
  return stepIfLegal(desk, { kind: 'batch.declined', ...words }, why);
}

/** A signature may exist: the batch stays spent until the chain shows what became of it. */
export async function unknown(desk: Desk, batch: string, why: Fault, from: Debited): Promise<Result<never, Fault>> {
  const body = { kind: 'batch.unknown', batch, fault: why.tag, reason: why.message } as const;
  return from === 'RESERVED' ? stepFrom(desk, 'SENT', body, why) : stepIfLegal(desk, body, why);
}

type EndBody = Extract<EntryBody, { kind: 'batch.released' | 'batch.unknown' | 'batch.declined' }>;

/**
 * Appends an entry only if the batch still is where this run left it. A RESERVED batch may be taken up by a second run,
 * since the first may have crashed; so the first that sends makes the others stop, and none of them gives the budget back
 * under the one that sent.
 */
async function stepFrom(desk: Desk, due: BatchState, body: EndBody, why: Fault): Promise<Result<never, Fault>> {
  const kept = await desk.journal.transact(async (tx) => {
    const still = isDue(tx.state, body.batch, due);
    if (still.ok) tx.append(body);
    return still;
  });
  return kept.ok ? err(why) : kept;
}

/** Among several cosigners another one may have completed the batch in the meantime: then there is nothing to add. */
async function stepIfLegal(desk: Desk, body: EndBody, why: Fault): Promise<Result<never, Fault>> {
  const kept = await desk.journal.transact(async (tx) => {
    const found = findBatch(tx.state, body.batch);
    if (found.ok && nextState(found.value.state, body.kind) !== null) tx.append(body);
    return ok(undefined);
  });
  return kept.ok ? err(why) : kept;
}

function isDue(journal: JournalState, id: string, due: BatchState): Result<void, Fault> {
  const found = findBatch(journal, id);
  if (!found.ok) return found;
  const { state } = found.value;
  if (state === due) return ok(undefined);
  return fail('E_BATCH_STATE', `batch ${id} is ${state} by now: another command has gone on with it`, {
    remedy: `see what became of it: countersign batch show ${id}`,
  });
}
