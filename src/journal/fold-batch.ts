import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry, EntryBody } from './entries.js';
import { notHalted } from './halts.js';
import { judgeObjection, noObjection } from './objections.js';
import { requestDigest } from './requests.js';
import { type Holdings, hold, lineageOf, mayHold } from './rivals.js';
import { judgeOnChain, judgeSettling, judgeTies } from './settling.js';
import type { BatchRecord, BatchState, JournalState } from './state.js';
import { type BatchEntryKind, holdsCoins, nextState, statesBefore } from './transitions.js';

type BatchBody = Extract<EntryBody, { kind: BatchEntryKind }>;
type PlannedBody = Extract<BatchBody, { kind: 'batch.planned' }>;
type LaterBody = Exclude<BatchBody, PlannedBody>;

/** The parts of the state that batches touch, open for writing. */
export interface BatchDraft extends Holdings {
  readonly policy: JournalState['policy'];
  readonly coins: JournalState['coins'];
  readonly frozen: Pick<JournalState['frozen'], 'get'>;
  readonly halts: JournalState['halts'];
  readonly book: JournalState['book'];
}

const NOTHING: Result<void, Fault> = ok(undefined);

/** Judges an entry of a batch and, only if all of it is in order, writes it into the draft. */
export function applyBatchEntry(
  draft: BatchDraft,
  body: BatchBody,
  entry: Entry,
  at: UnixSeconds,
): Result<void, Fault> {
  if (body.kind === 'batch.planned') return applyPlanned(draft, body, entry, at);
  const batch = draft.batches.get(body.batch);
  if (batch === undefined) return fail('E_BATCH_UNKNOWN', `no batch ${body.batch} was planned`);

  const state = nextState(batch.state, body.kind, batch.settled?.from ?? null);
  if (state === null) return wrongState(batch, body);
  const judged = judge(draft, batch, body, entry, at);
  if (!judged.ok) return judged;
  // What the chain brings back is there, whoever took its coins in the meantime.
  if (holdsCoins(state) && !holdsCoins(batch.state) && body.kind !== 'batch.unsettled') {
    const free = mayHold(draft, batch);
    if (!free.ok) return free;
  }

  const { seq: changedSeq } = entry;
  const changed: BatchRecord = { ...batch, state, changedSeq, ...changes(draft, batch, body, entry, at) };
  draft.batches.set(batch.id, changed);
  if (holdsCoins(state) !== holdsCoins(batch.state)) hold(draft, changed);
  return NOTHING;
}

function applyPlanned(draft: BatchDraft, body: PlannedBody, entry: Entry, at: UnixSeconds): Result<void, Fault> {
  if (draft.batches.get(body.batch) !== undefined) {
    return fail('E_BATCH_STATE', `batch ${body.batch} was planned already`);
  }
  if (BigInt(body.fee) > BigInt(body.spend)) {
    return fail(
      'E_JOURNAL_ENTRY',
      `batch ${body.batch} spends ${body.spend} sat, less than its fee of ${body.fee} sat`,
    );
  }
  if (body.batchKind !== undefined && (body.requests.length > 0 || body.outputs.some(isPayment))) {
    return fail('E_JOURNAL_ENTRY', `batch ${body.batch} is a ${body.batchKind}, and yet pays somebody`);
  }
  const batch: BatchRecord = {
    id: body.batch,
    kind: body.batchKind ?? 'withdrawal',
    state: 'DRAFT',
    plannedAt: at,
    plannedSeq: entry.seq,
    plannedHash: entry.hash,
    changedSeq: entry.seq,
    psbt: body.psbt,
    plan: body.plan,
    requests: body.requests,
    inputs: body.inputs,
    outputs: body.outputs.map((output) => ({
      script: output.script,
      amount: BigInt(output.amount),
      change: output.change ?? null,
    })),
    spend: BigInt(body.spend),
    fee: BigInt(body.fee),
    initiator: body.initiator,
    parts: body.parts,
    replaces: body.replaces ?? null,
    lineage: lineageOf(draft.batches, body.replaces),
    replacedBy: null,
    childOf: body.childOf ?? null,
    plannedHeight: draft.coins?.tip.height ?? 0,
    approvals: [],
    objections: [],
    partials: [],
    verdict: null,
    reservedAt: null,
    signed: null,
    broadcastAt: null,
    confirmed: null,
    settled: null,
    reason: null,
  };
  const fits = judgeTies(draft.batches, batch);
  if (!fits.ok) return fits;
  const free = mayHold(draft, batch);
  if (!free.ok) return free;
  for (const request of body.requests) draft.requestDigests.set(request.id, requestDigest(request));
  draft.batches.set(batch.id, batch);
  hold(draft, batch);
  return NOTHING;
}

const isPayment = ({ change }: PlannedBody['outputs'][number]): boolean => change === undefined;

function wrongState(batch: BatchRecord, body: LaterBody): Result<never, Fault> {
  const due = statesBefore(body.kind).join(', ');
  return fail('E_BATCH_STATE', `batch ${batch.id} is ${batch.state}; ${body.kind} needs ${due}`, {
    remedy: ADVICE[batch.state],
  });
}

const ADVICE: Readonly<Record<BatchState, string>> = {
  DRAFT: 'approve and sign it, or abandon it',
  RESERVED: 'sign it, or abandon it',
  PARTIAL: 'it is signed in part: ask the next cosigner, or combine what others have signed',
  SENT: 'it may have been signed: let the signing end, or reconcile',
  UNKNOWN: 'it may have been signed: ask the device again for the same bytes, or reconcile',
  SIGNED: 'it is signed: broadcast it',
  BROADCAST: 'it is on its way: follow it',
  CONFIRMED: 'it is done',
  REPLACED: 'another batch took its place: nothing is left to do',
  CONFLICTED: 'its coin was spent past this journal: find out by whom, and plan what it should have paid anew',
  RELEASED: 'sign it again, or abandon it',
  ABANDONED: 'plan a new batch',
};

/** What an entry must agree with beside the state of its batch. */
function judge(
  draft: BatchDraft,
  batch: BatchRecord,
  body: LaterBody,
  entry: Entry,
  at: UnixSeconds,
): Result<void, Fault> {
  if ('psbt' in body && body.psbt !== batch.psbt) {
    return fail('E_PSBT_CHANGED', `${body.kind} is over PSBT ${body.psbt}, batch ${batch.id} over ${batch.psbt}`);
  }
  switch (body.kind) {
    case 'batch.approved':
      return judgeApproval(batch, body, at);
    case 'batch.reserved':
      return judgeReservation(draft, batch, body, at);
    case 'batch.sent':
    case 'batch.exported':
      return judgeSending(draft, batch, body, entry, at);
    case 'batch.partial':
      if (!batch.partials.some(({ signer }) => signer === body.signer)) return NOTHING;
      return fail('E_JOURNAL_ENTRY', `the part of ${body.signer} in batch ${batch.id} is known already`);
    case 'batch.rejected':
    case 'batch.withdrawn':
      return judgeObjection(batch, body, at);
    case 'batch.broadcast':
    case 'batch.unconfirmed':
    case 'batch.confirmed':
      return judgeOnChain(draft.batches, batch, body);
    case 'batch.replaced':
    case 'batch.conflicted':
      return judgeSettling(draft.batches, batch, body);
    case 'batch.unsettled':
    case 'batch.verdict':
    case 'batch.declined':
    case 'batch.released':
    case 'batch.unknown':
    case 'batch.signed':
    case 'batch.abandoned':
      return NOTHING;
  }
}

function judgeApproval(
  batch: BatchRecord,
  body: Extract<LaterBody, { kind: 'batch.approved' }>,
  at: UnixSeconds,
): Result<void, Fault> {
  const free = noObjection(batch);
  if (!free.ok) return free;
  const validUntil = seconds(body.validUntil);
  if (validUntil < at) {
    return fail(
      'E_JOURNAL_ENTRY',
      `the approval of ${body.person} ran out at ${body.validUntil}, before it was recorded`,
    );
  }
  // A policy or a book that came in meanwhile voids an approval that has not run out; who gave it gives another one.
  const earlier = batch.approvals.find(({ person }) => person === body.person);
  if (earlier === undefined || earlier.validUntil <= at || earlier.signature !== body.signature) return NOTHING;
  return fail(
    'E_APPROVAL_REPLAY',
    `${body.person} has approved batch ${batch.id}, until ${formatTime(earlier.validUntil)}`,
  );
}

/** The debit must be what was planned, what the active policy allowed last, and on the word of people who approved. */
function judgeReservation(
  draft: BatchDraft,
  batch: BatchRecord,
  body: Extract<LaterBody, { kind: 'batch.reserved' }>,
  at: UnixSeconds,
): Result<void, Fault> {
  if (!isPlannedDebit(batch, body)) {
    return fail(
      'E_JOURNAL_ENTRY',
      `the reservation of batch ${batch.id} differs from its plan in spend, fee or outputs`,
    );
  }
  return mayGoOn(draft, batch, body.approvers, at);
}

/** Seconds that may lie between the last verdict and batch.sent: both are written by one transaction. */
const SENT_WITHIN = 60;

/**
 * The device is asked only on a verdict of this very moment: limits, hours, approvals, frozen coins, policy and book may
 * all have changed since the reservation, while somebody looked for a cable or the computer slept.
 */
function judgeSending(
  draft: BatchDraft,
  batch: BatchRecord,
  body: Extract<LaterBody, { kind: 'batch.sent' | 'batch.exported' }>,
  entry: Entry,
  at: UnixSeconds,
): Result<void, Fault> {
  const { verdict } = batch;
  if (verdict !== null && (verdict.seq !== entry.seq - 1 || at - verdict.at > SENT_WITHIN)) {
    return fail('E_JOURNAL_ENTRY', `batch ${batch.id} goes out without a verdict of that moment right before it`, {
      remedy: 'run the command again: the batch is judged again then',
    });
  }
  return mayGoOn(draft, batch, body.approvers, at);
}

/** Nothing is halted or objected to, the newest verdict allows, nobody froze a coin, and everybody on whose word it happens has an approval that stands. */
function mayGoOn(
  draft: BatchDraft,
  batch: BatchRecord,
  approvers: readonly string[],
  at: UnixSeconds,
): Result<void, Fault> {
  const halted = notHalted(draft, batch);
  if (!halted.ok) return halted;
  const free = noObjection(batch);
  if (!free.ok) return free;
  const fits = judgeTies(draft.batches, batch);
  if (!fits.ok) return fits;
  const allowed = judgeVerdict(draft, batch);
  if (!allowed.ok) return allowed;
  const frozen = batch.inputs.find((outpoint) => draft.frozen.get(outpoint) !== undefined);
  if (frozen !== undefined) {
    return fail('E_JOURNAL_ENTRY', `batch ${batch.id} spends ${frozen}, which is frozen`);
  }
  const absent = approvers.find(
    (person) => !batch.approvals.some((one) => one.person === person && at <= one.validUntil),
  );
  if (absent === undefined) return NOTHING;
  return fail(
    'E_JOURNAL_ENTRY',
    `batch ${batch.id} goes on upon the word of ${absent}, who has no valid approval of it`,
  );
}

function isPlannedDebit(batch: BatchRecord, body: Extract<LaterBody, { kind: 'batch.reserved' }>): boolean {
  const sums = BigInt(body.spend) === batch.spend && BigInt(body.fee) === batch.fee;
  if (!sums || body.outputs.length !== batch.outputs.length) return false;
  return batch.outputs.every((planned, index) => {
    const output = body.outputs[index];
    const same = output?.script === planned.script && BigInt(output.amount) === planned.amount;
    return same && (output.change ?? null) === planned.change;
  });
}

/** The newest word of the policy must be ALLOW, given for signing, by the policy that is active now. */
function judgeVerdict(draft: BatchDraft, batch: BatchRecord): Result<void, Fault> {
  const { verdict } = batch;
  if (verdict === null || verdict.stage !== 'sign' || verdict.decision !== 'ALLOW') {
    const last = verdict === null ? 'there is none' : `the last is ${verdict.decision} at stage ${verdict.stage}`;
    return fail('E_JOURNAL_ENTRY', `batch ${batch.id} goes on without a verdict ALLOW at stage sign: ${last}`);
  }
  if (verdict.policy === draft.policy?.digest) return NOTHING;
  return fail('E_JOURNAL_ENTRY', `the verdict on batch ${batch.id} is of another policy than the active one`, {
    remedy: 'run the command again: the batch is judged by the active policy then',
  });
}

/**
 * Time and height that a confirmation counts from. Both come from a snapshot, which anybody may have made: an early block
 * would end the time windows and block windows of the spend early. It cannot have been mined before it was signed.
 */
export function confirmationOf(
  { at, tipHeight }: NonNullable<BatchRecord['signed']>,
  { time, height }: { readonly time: UnixSeconds; readonly height: number },
): NonNullable<BatchRecord['confirmed']> {
  return { at: Math.max(time, at), height: Math.max(height, tipHeight + 1) };
}

function changes(
  draft: BatchDraft,
  batch: BatchRecord,
  body: LaterBody,
  { seq }: Entry,
  at: UnixSeconds,
): Partial<BatchRecord> {
  switch (body.kind) {
    case 'batch.verdict':
      return { verdict: { at, seq, stage: body.stage, decision: body.decision, policy: body.policy } };
    case 'batch.approved': {
      const { person, statement, signature } = body;
      const others = batch.approvals.filter((one) => one.person !== person);
      const validUntil = seconds(body.validUntil);
      return { approvals: [...others, { person, statement, signature, at, validUntil }] };
    }
    case 'batch.rejected':
      return { objections: [...batch.objections, { kind: 'rejected', person: body.person, at, reason: body.reason }] };
    case 'batch.withdrawn':
      return {
        approvals: batch.approvals.filter(({ person }) => person !== body.person),
        objections: [...batch.objections, { kind: 'withdrawn', person: body.person, at, reason: null }],
      };
    case 'batch.reserved':
      return { reservedAt: at, reason: null };
    case 'batch.sent':
    case 'batch.exported':
      return {};
    case 'batch.partial': {
      const { signer, part, source } = body;
      return { partials: [...batch.partials, { signer, part, at, source }], reason: null };
    }
    case 'batch.released':
      // The verdict goes with the reservation: another attempt is judged again.
      return { reservedAt: null, verdict: null, reason: body.reason };
    case 'batch.declined':
    case 'batch.unknown':
    case 'batch.abandoned':
      return { reason: body.reason };
    case 'batch.signed':
      return {
        signed: {
          at,
          txid: body.txid,
          signedPsbt: body.signedPsbt,
          transaction: body.transaction,
          tipHeight: draft.coins?.tip.height ?? 0,
        },
        reason: null,
      };
    case 'batch.broadcast':
      return { broadcastAt: batch.broadcastAt ?? at };
    case 'batch.unconfirmed':
      return { confirmed: null, reason: body.reason };
    case 'batch.replaced':
      return {
        settled: { at, from: batch.state, by: body.by, spent: null },
        reason: `batch ${body.by} confirmed in its place`,
      };
    case 'batch.conflicted': {
      const { txid, outpoint, height } = body;
      return {
        settled: { at, from: batch.state, by: txid, spent: { outpoint, height } },
        reason: `${outpoint} was spent by ${txid}, which is of no batch`,
      };
    }
    case 'batch.unsettled':
      return { settled: null, reason: body.reason };
    case 'batch.confirmed': {
      if (batch.signed === null) throw new Error(`batch ${batch.id} is confirmed and was not signed`);
      return { confirmed: confirmationOf(batch.signed, { time: seconds(body.time), height: body.height }) };
    }
  }
}

function seconds(time: string): UnixSeconds {
  const parsed = parseTime(time);
  if (parsed === null) throw new Error(`the body was not checked: ${time} is not a time`);
  return parsed;
}
