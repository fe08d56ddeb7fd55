import { checkSignable, checkTransport, identify } from '../device/preflight.js';
import { previewSigning } from '../device/screens.js';
import { signingShape } from '../device/signing-shape.js';
import type { DevicePreview, IdentifiedDevice, Signer, SigningProgress } from '../device/types.js';
import { sha256Hex, utf8 } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { sumSats } from '../domain/sats.js';
import type { EntryBody } from '../journal/entries.js';
import type { BatchRecord, BatchState, HaltRecord, JournalState } from '../journal/state.js';
import type { Verdict } from '../policy/types.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { finalise } from '../psbt/finalise.js';
import type { FinalTransaction, ReturnedSignature } from '../psbt/types.js';
import { proveSignatures } from '../psbt/verify.js';
import type { Vault } from '../vault/types.js';
import { type ReviewedBatch, reviewBatch } from './approve-batch.js';
import type { Assessment } from './assess.js';
import { haltOnDenials } from './automatic-halt.js';
import { haltsHolding } from './halt-scene.js';
import type { Composition, Desk } from './ports.js';
import { outputRecord, verdictEntry } from './records.js';
import { findBatch, openVault } from './situation.js';
import { HEAD_MOVED, insist, transactOn } from './transact.js';

export interface SignOptions {
  readonly device: string;
  /** Path of a transcript to write, or null. */
  readonly record: string | null;
  /** Breaks it off. What was reserved is given back, unless a signature may exist by then. */
  readonly signal?: AbortSignal | undefined;
}

/** What the person at the terminal sees while it happens. */
export interface SignEvents {
  preview(review: ReviewedBatch, preview: DevicePreview): void;
  reserved(): void;
  identified(device: IdentifiedDevice, name: string): void;
  progress(progress: SigningProgress): void;
}

export type SignOutcome =
  | {
      readonly kind: 'signed';
      readonly review: ReviewedBatch;
      readonly final: FinalTransaction;
      readonly signatures: number;
      /** Why the journal does not know of it, although every signature is proven; null where it does. */
      readonly unkept: Fault | null;
      /** Halts that were raised while the device signed: the transaction is kept and not released. */
      readonly heldBy: readonly HaltRecord[];
      /** What went wrong after the signatures were there: the channel or the recording did not close well. */
      readonly closing: Fault | null;
    }
  /**
   * Denied, or approvals are missing: nothing was sent. Before the reservation nothing was reserved either; once the
   * device was there, what was reserved is released.
   */
  | { readonly kind: 'refused'; readonly when: RefusedWhen; readonly review: ReviewedBatch; readonly verdict: Verdict };

export type RefusedWhen = 'before the reservation' | 'before the device was asked';

/**
 * Reserve, judge again, ask, prove. The budget is durable before the first APDU; it is given back only where the device
 * cannot have signed; and nothing of the device's answer is kept before every signature is proven.
 */
export async function signBatch(
  desk: Desk,
  devices: Pick<Composition, 'openDevice' | 'checkDevice'>,
  id: string,
  options: SignOptions,
  events: SignEvents,
): Promise<Result<SignOutcome, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const suits = checkTransport(options.device, open.value.vault);
  if (!suits.ok) return suits;
  const first = await reviewBatch(desk, id);
  if (!first.ok) return first;
  const { batch, situation, assessment } = first.value;
  const signable = checkState(first.value);
  if (!signable.ok) return signable;
  if (assessment.verdict.decision !== 'ALLOW') {
    return ok({
      kind: 'refused',
      when: 'before the reservation',
      review: first.value,
      verdict: assessment.verdict,
    });
  }
  const known = checkSignable(situation.vault);
  if (!known.ok) return known;
  const request = { spec: options.device, record: options.record, psbt: batch.psbt, signal: options.signal };
  const usable = await devices.checkDevice(request);
  if (!usable.ok) return usable;
  events.preview(first.value, previewOf(situation.vault, first.value.psbt, assessment));

  const reserved = await reserve(desk, id);
  if (!reserved.ok) return reserved;
  if (reserved.value !== null) {
    return ok({ kind: 'refused', when: 'before the reservation', review: first.value, verdict: reserved.value });
  }
  events.reserved();

  const opened = await devices.openDevice(request);
  if (!opened.ok) return release(desk, id, opened.error, 'RESERVED');
  const { signer, name } = opened.value;
  const answer = await askDevice(desk, signer, name, first.value, events);
  const closed = await signer.close();
  if (!answer.ok) return answer;
  if (answer.value.kind === 'refused') return ok(answer.value);
  if (!closed.ok && deniesAnswer(closed.error)) return unknown(desk, id, closed.error);
  return prove(desk, first.value, answer.value.signatures, closed.ok ? null : closed.error);
}

function checkState({ batch }: ReviewedBatch): Result<void, Fault> {
  switch (batch.state) {
    case 'DRAFT':
    case 'RESERVED':
    case 'RELEASED':
      return ok(undefined);
    case 'SENT':
    case 'UNKNOWN':
      return fail('E_BATCH_STATE', `batch ${batch.id} is ${batch.state}: a signature of it may exist already`, {
        remedy: 'it counts as spent until the chain shows what became of it; it cannot be signed again or abandoned',
      });
    case 'SIGNED':
    case 'BROADCAST':
    case 'CONFIRMED':
      return fail('E_BATCH_STATE', `batch ${batch.id} is signed already`, {
        remedy: `countersign batch show ${batch.id} has its transaction`,
      });
    case 'ABANDONED':
      return fail('E_BATCH_STATE', `batch ${batch.id} was abandoned: ${batch.reason ?? ''}`, {
        remedy: 'plan the withdrawals again',
      });
  }
}

/** What the device is going to show for these bytes, and how long it takes. */
export function previewOf(vault: Vault, psbt: Uint8Array, { facts, decoded }: Assessment): DevicePreview {
  const changeOutputs = new Set(facts.outputs.filter((output) => output.isChange).map((output) => output.index));
  const inputsTotal = sumSats(facts.inputs.map((input) => input.value));
  const shape = signingShape(psbt, vault);
  const sizes = shape.ok ? { previousTransactions: shape.value.previousTransactions } : {};
  return previewSigning(decoded, vault, { changeOutputs, fee: facts.fee, inputsTotal, ...sizes }, 'nanos');
}

const ATTEMPTS = 8;

/**
 * Judges once more and debits the budget in one transaction, provided that nobody wrote in between; where somebody did,
 * the judgement is made afresh. Returns a verdict where it no longer allows, null where the budget is debited.
 */
async function reserve(desk: Desk, id: string): Promise<Result<Verdict | null, Fault>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const loaded = await reviewBatch(desk, id);
    if (!loaded.ok) return loaded;
    const review = loaded.value;
    const state = checkState(review);
    if (!state.ok) return state;
    const done = await transactOn(desk, review.situation.state, async (tx) => {
      const { verdict } = review.assessment;
      const judged = tx.append(verdictEntry(id, 'sign', review.assessment, tx.keep(utf8(canonicalVerdict(verdict)))));
      haltOnDenials(tx, review.situation.policy, [judged], review.batch.parts);
      if (verdict.decision !== 'ALLOW') return ok<Verdict | null>(verdict);
      // A crash between reserving and sending leaves RESERVED: the debit stands, and this run goes on with it.
      if (review.batch.state !== 'RESERVED') tx.append(reservedEntry(review));
      return ok<Verdict | null>(null);
    });
    if (done.ok || done.error !== HEAD_MOVED) return done;
  }
  return { ok: false, error: HEAD_MOVED };
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

type Answer = { readonly kind: 'signatures'; readonly signatures: readonly ReturnedSignature[] } | Refused;

async function askDevice(
  desk: Desk,
  signer: Signer,
  name: string,
  { situation, batch, psbt }: ReviewedBatch,
  events: SignEvents,
): Promise<Result<Answer, Fault>> {
  const { vault, policy } = situation;
  const device = await identify(signer, vault, { minAppVersion: policy.document.wallet.device.minAppVersion });
  if (!device.ok) return release(desk, batch.id, device.error, 'RESERVED');
  events.identified(device.value, name);

  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return release(desk, batch.id, unchanged.error, 'RESERVED');
  const sent = await send(desk, batch.id, device.value);
  if (!sent.ok) return sent;
  if (sent.value !== null) return ok(sent.value);

  const signatures = await signer.sign(psbt, vault, events.progress);
  if (signatures.ok) return ok({ kind: 'signatures', signatures: signatures.value });
  const { fault: failure, maySign } = signatures.error;
  return maySign ? unknown(desk, batch.id, failure) : release(desk, batch.id, failure, 'SENT');
}

type Refused = Extract<SignOutcome, { kind: 'refused' }>;

/** Seconds from looking at clock and journal to writing batch.sent; a computer that slept in between judges afresh. */
const JUDGED_WITHIN = 30;

/**
 * The last step before the device can sign. Between the reservation and here a person looked for a cable and typed a PIN,
 * so the batch is judged once more, and batch.sent stands in the journal right behind that verdict or not at all. Returns
 * null where the device may be asked; where the policy no longer allows it, the budget is given back.
 */
async function send(
  desk: Desk,
  id: string,
  { app, fingerprint }: IdentifiedDevice,
): Promise<Result<Refused | null, Fault>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const loaded = await reviewBatch(desk, id);
    if (!loaded.ok) return release(desk, id, loaded.error, 'RESERVED');
    const review = loaded.value;
    const { batch, assessment, situation } = review;
    const { verdict } = assessment;
    const done = await transactOn(desk, situation.state, async (tx) => {
      const due = isDue(tx.state, id, 'RESERVED');
      if (!due.ok) return due;
      if (desk.ports.clock() - situation.now > JUDGED_WITHIN) return err(HEAD_MOVED);
      const judged = tx.append(verdictEntry(id, 'sign', assessment, tx.keep(utf8(canonicalVerdict(verdict)))));
      if (verdict.decision === 'ALLOW') {
        const device = { app: app.name, version: app.version, fingerprint };
        const approvers = [...(verdict.quorum?.approved ?? [])];
        tx.append({ kind: 'batch.sent', batch: id, psbt: batch.psbt, device, approvers });
        return ok(null);
      }
      const { tag, message } = refusalOf(verdict);
      tx.append({ kind: 'batch.released', batch: id, fault: tag, reason: message });
      haltOnDenials(tx, situation.policy, [judged], batch.parts);
      return ok<Refused>({ kind: 'refused', when: 'before the device was asked', review, verdict });
    });
    if (done.ok || done.error !== HEAD_MOVED) return done;
  }
  return release(desk, id, HEAD_MOVED, 'RESERVED');
}

/** The journal's word for a verdict that came too late for the reservation. */
function refusalOf({ decision, findings }: Verdict): Fault {
  const codes = findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need').map(({ code }) => code);
  const why = `judged again before the device was asked: ${decision}, ${[...new Set(codes)].sort().join(', ')}`;
  if (codes.includes('HALTED')) return fault('E_HALTED', why);
  return fault(decision === 'DENY' ? 'E_DENIED' : 'E_APPROVALS_MISSING', why);
}

/**
 * Closing belongs to the conversation of a replay alone: there it shows that part of the recording was never asked for, so
 * that this was another conversation. A cable that was pulled or a recording that could not be written says nothing
 * against signatures, and must not lose them: each is proven by itself.
 */
function deniesAnswer({ tag }: Fault): boolean {
  return tag === 'E_REPLAY_LEFT_OVER';
}

async function prove(
  desk: Desk,
  review: ReviewedBatch,
  answer: readonly ReturnedSignature[],
  closing: Fault | null,
): Promise<Result<SignOutcome, Fault>> {
  const { batch, psbt, situation } = review;
  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return unknown(desk, batch.id, unchanged.error);
  const proven = proveSignatures(psbt, situation.deriver, answer);
  if (!proven.ok) return unknown(desk, batch.id, proven.error);
  const final = finalise(psbt, situation.deriver, proven.value);
  if (!final.ok) return unknown(desk, batch.id, final.error);
  const signatures = proven.value.length;
  const { unkept, heldBy } = await keepSigned(desk, batch, final.value, signatures);
  return ok({ kind: 'signed', review, final: final.value, signatures, unkept, heldBy, closing });
}

interface Kept {
  /** Why the journal does not know of it; null where it does. */
  readonly unkept: Fault | null;
  /** The halts that stand against it at the moment at which it was written down. */
  readonly heldBy: readonly HaltRecord[];
}

/**
 * Writes down what was signed, and looks once more whether somebody halted meanwhile. The transaction exists whatever the
 * journal says, so a failure is told beside it.
 */
async function keepSigned(desk: Desk, batch: BatchRecord, final: FinalTransaction, signatures: number): Promise<Kept> {
  const kept = await insist(desk, async (tx) => {
    tx.append({
      kind: 'batch.signed',
      batch: batch.id,
      psbt: batch.psbt,
      signedPsbt: tx.keep(final.psbt),
      transaction: tx.keep(final.transaction),
      txid: final.txid,
      signatures,
    });
    return ok(haltsHolding(tx.state, desk.config.network, batch));
  });
  return kept.ok ? { unkept: null, heldBy: kept.value } : { unkept: kept.error, heldBy: [] };
}

/** What was judged is what is signed: the hash is taken again right before the first APDU and after the answer. */
function sameBytes(psbt: Uint8Array, sha256: string): Result<void, Fault> {
  if (sha256Hex(psbt) === sha256) return ok(undefined);
  return fail('E_PSBT_CHANGED', `the PSBT in memory no longer hashes to ${sha256}`, {
    remedy: 'stop using this machine for signing until it is known why',
  });
}

/**
 * Appends an entry only if the batch still is where this run left it. A RESERVED batch may be taken up by a second run,
 * since the first may have crashed; so the first that sends makes the others stop, and none of them gives the budget back
 * under the one that sent.
 */
async function stepFrom(
  due: BatchState,
  desk: Desk,
  body: Extract<EntryBody, { kind: 'batch.released' | 'batch.unknown' }>,
): Promise<Result<void, Fault>> {
  return desk.journal.transact(async (tx) => {
    const still = isDue(tx.state, body.batch, due);
    if (still.ok) tx.append(body);
    return still;
  });
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

/** Nothing can have been signed by this run: the budget is given back, and the fault is the answer. */
async function release(desk: Desk, batch: string, why: Fault, from: BatchState): Promise<Result<never, Fault>> {
  const kept = await stepFrom(from, desk, { kind: 'batch.released', batch, fault: why.tag, reason: why.message });
  return kept.ok ? { ok: false, error: why } : kept;
}

/** A signature may exist: the batch stays spent until the chain shows what became of it. */
async function unknown(desk: Desk, batch: string, why: Fault): Promise<Result<never, Fault>> {
  const kept = await stepFrom('SENT', desk, { kind: 'batch.unknown', batch, fault: why.tag, reason: why.message });
  return kept.ok ? { ok: false, error: why } : kept;
}
