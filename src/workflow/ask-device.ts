import { isDefaultKind } from '../device/estimate.js';
import { identify } from '../device/preflight.js';
import { checkSigning } from '../device/preflight-limits.js';
import type {
  DevicePreview,
  IdentifiedDevice,
  Registration,
  SeenDevice,
  Signer,
  SigningFailure,
} from '../device/types.js';
import { equalBytes, type Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Verdict } from '../policy/types.js';
import type { ReturnedSignature } from '../psbt/types.js';
import { proveSignatures, proveSigner } from '../psbt/verify.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { ReviewedBatch } from './approve-batch.js';
import { isAttended, meeting } from './meeting.js';
import type { Composition, Desk, DeviceRequest } from './ports.js';
import { registrationFor } from './registrations.js';
import type { SignEvents } from './sign-events.js';
import type { SigningRoom } from './signing-room.js';
import { type Debited, goOut, notSigned, reserve, sameBytes, unknown, withdraw } from './signing-steps.js';

/** One run of a command that signs, with one device, however often that is unplugged. */
export interface Session {
  readonly desk: Desk;
  readonly openDevice: Composition['openDevice'];
  readonly review: ReviewedBatch;
  /** The cosigner that is meant, or null. */
  readonly expected: Hex | null;
  readonly request: DeviceRequest;
  readonly events: SignEvents;
  /** Held while the device is asked, so that what it signs can be written whoever fills the disk meanwhile. */
  readonly room: SigningRoom;
  /** What a device with this fingerprint is going to show. */
  readonly previewFor: (device: SeenDevice, fingerprint: Hex) => DevicePreview;
}

export type RefusedWhen = 'before the reservation' | 'before the device was asked';

/** Denied, or approvals are missing: nothing was sent. */
export interface Refused {
  readonly kind: 'refused';
  readonly when: RefusedWhen;
  readonly review: ReviewedBatch;
  readonly verdict: Verdict;
}

export interface Answer {
  readonly kind: 'signatures';
  readonly signatures: readonly ReturnedSignature[];
  /** What the device gave before it was unplugged, in attempts that did not come to their end. */
  readonly earlier: readonly ReturnedSignature[];
  readonly fingerprint: Hex;
  /** Where the batch stood when the device was asked last. */
  readonly from: Debited;
  /** What went wrong after the signatures were there. */
  readonly closing: Fault | null;
}

/** How far the run has come. */
interface Progress {
  readonly from: Debited;
  readonly expected: Hex | null;
  readonly earlier: readonly ReturnedSignature[];
  /** Conversations so far: each has a recording of its own. */
  readonly conversations: number;
}

type Asked = Result<Answer | Refused, Fault>;
/** Either the end of it, or the device is gone and will be asked again. */
type Attempt = { readonly kind: 'end'; readonly asked: Asked } | { readonly kind: 'again'; readonly next: Progress };

const end = (asked: Asked): Attempt => ({ kind: 'end', asked });

/**
 * Has the device sign. Where it is unplugged meanwhile, and somebody is there to connect it again, it is awaited, known
 * again by fingerprint and account key, and sent the same bytes: after the batch was judged once more, as for every sending.
 *
 * A device that may have signed makes the batch UNKNOWN at once, and it stays so through the waiting, a refusal and the end
 * of the program, until every signature is there; where it cannot have signed, what was reserved is given back and
 * reserved anew when the device is there.
 */
export async function askDevice(session: Session, from: Debited): Promise<Asked> {
  let progress: Progress = { from, expected: session.expected, earlier: [], conversations: 0 };
  for (;;) {
    const attempt = await converseOnce(session, progress);
    if (attempt.kind === 'end') return attempt.asked;
    progress = { ...attempt.next, conversations: progress.conversations + 1 };
  }
}

async function converseOnce(session: Session, progress: Progress): Promise<Attempt> {
  const { desk, review, openDevice } = session;
  const opened = await openDevice(await requestOf(session, progress));
  if (!opened.ok) return end(await withdraw(desk, review.batch.id, opened.error, progress.from));
  const { signer, name } = opened.value;
  const attempt = await ask(session, progress, signer, name);
  const closed = await signer.close();
  if (attempt.kind === 'again' || closed.ok) return attempt;
  const { asked } = attempt;
  if (!asked.ok || asked.value.kind === 'refused') return attempt;
  if (deniesAnswer(closed.error)) return end(await unknown(desk, review.batch.id, closed.error, asked.value.from));
  return end(ok({ ...asked.value, closing: asked.value.closing ?? closed.error }));
}

/**
 * Closing belongs to the conversation of a replay alone: there it shows that part of the recording was never asked for, so
 * that this was another conversation. A cable that was pulled or a recording that could not be written says nothing
 * against signatures, and must not lose them: each is proven by itself.
 */
function deniesAnswer({ tag }: Fault): boolean {
  return tag === 'E_REPLAY_LEFT_OVER';
}

/** A recording is of one conversation and never overwritten: the second is FILE.2. */
async function requestOf({ desk, review, request }: Session, progress: Progress): Promise<DeviceRequest> {
  const { record } = request;
  const meets = meeting(review.situation.vault.network, [progress.expected ?? ''], request.meeting);
  const again = progress.expected === null ? request : { ...request, meeting: meets };
  if (record === null || progress.conversations === 0) return again;
  let number = progress.conversations + 1;
  while (await desk.ports.files.exists(`${record}.${number}`)) number += 1;
  return { ...again, record: `${record}.${number}` };
}

async function ask(session: Session, progress: Progress, signer: Signer, name: string): Promise<Attempt> {
  const { desk, review, events, request } = session;
  const { from } = progress;
  const { batch, psbt, situation } = review;
  const { id } = batch;
  const device = await meet(session, progress, signer);
  if (!device.ok) {
    if (!isGone(device.error, request)) return end(await withdraw(desk, id, device.error, from));
    events.unplugged(device.error, 0);
    return { kind: 'again', next: progress };
  }
  const { registration, ...identified } = device.value;
  const { fingerprint, model, app } = identified;
  const seen = { model, version: app.version };
  events.identified(identified, name);

  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return end(await withdraw(desk, id, unchanged.error, from));
  const fits = checkSigning(psbt, situation.deriver, fingerprint, seen);
  if (!fits.ok) return end(await withdraw(desk, id, fits.error, from));
  // The one before this attempt may have given it back.
  const held = await session.room.hold();
  if (!held.ok) return end(await withdraw(desk, id, held.error, from));
  const sent = await goOut(desk, id, from, identified);
  if (!sent.ok) return end(sent);
  if (sent.value !== null) return end(ok({ kind: 'refused', when: 'before the device was asked', ...sent.value }));

  events.preview(review, session.previewFor(seen, fingerprint));
  const { earlier } = progress;
  const signatures = await signer.sign(psbt, situation.vault, events.progress, registration);
  await session.room.release();
  if (signatures.ok) {
    return end(ok({ kind: 'signatures', signatures: signatures.value, earlier, fingerprint, from, closing: null }));
  }
  return failed(session, { ...progress, expected: fingerprint }, signatures.error);
}

/** Whether the device is the one that is meant and may be asked, with the registration that it has to be shown. */
async function meet(
  { review }: Session,
  { expected }: Progress,
  signer: Signer,
): Promise<Result<IdentifiedDevice & { readonly registration: Registration | null }, Fault>> {
  const { situation, batch } = review;
  const { vault, policy, state } = situation;
  const { minAppVersion } = policy.document.wallet.device;
  const device = await identify(signer, vault, { minAppVersion, expected: expected ?? undefined });
  if (!device.ok) return device;
  const { fingerprint } = device.value;
  if (batch.partials.some((part) => part.signer === fingerprint)) {
    const others = signingKeys(vault)
      .map((key) => key.fingerprint)
      .filter((one) => one !== fingerprint);
    return fail('E_DEVICE_MISMATCH', `the device ${fingerprint} has signed batch ${batch.id} already`, {
      remedy: `connect the device of another signer: ${[...new Set(others)].join(', ')}`,
    });
  }
  const registration = registrationFor(state, vault, fingerprint);
  return registration.ok ? ok({ ...device.value, registration: registration.value }) : registration;
}

async function failed(session: Session, progress: Progress, failure: SigningFailure): Promise<Attempt> {
  const { desk, review, events, request } = session;
  const { from } = progress;
  const { id } = review.batch;
  // A device that was asked before may have signed then, whatever it says now.
  const maySign = failure.maySign || progress.earlier.length > 0;
  const last = (why: Fault): Promise<Result<never, Fault>> =>
    maySign ? unknown(desk, id, why, from) : notSigned(desk, id, why, from);
  if (!isGone(failure.fault, request)) return end(await last(failure.fault));

  const { signatures = [] } = failure;
  const fingerprint = progress.expected ?? '';
  if (isComplete(review, fingerprint, signatures)) {
    const { earlier } = progress;
    return end(ok({ kind: 'signatures', signatures, earlier, fingerprint, from, closing: failure.fault }));
  }
  const why = counted(failure.fault, signatures.length);
  const told = await last(why);
  // The journal did not take it: somebody else went on with the batch, or it cannot be written.
  if (!told.ok && told.error !== why) return end(told);
  events.unplugged(failure.fault, signatures.length);
  const earlier = [...progress.earlier, ...signatures];
  if (maySign)
    return { kind: 'again', next: { ...progress, earlier, from: from === 'PARTIAL' ? 'PARTIAL' : 'UNKNOWN' } };
  return again(session, { ...progress, earlier });
}

/** Nothing can have been signed: the run begins anew, with a reservation where this was the first device. */
async function again({ desk, review }: Session, progress: Progress): Promise<Attempt> {
  if (progress.from !== 'RESERVED') return { kind: 'again', next: progress };
  const several = !isDefaultKind(review.situation.vault.kind);
  const reserved = await reserve(desk, review.batch.id, several);
  if (!reserved.ok) return end(reserved);
  if (reserved.value.kind === 'debited') return { kind: 'again', next: { ...progress, from: reserved.value.from } };
  const { verdict } = reserved.value;
  return end(ok({ kind: 'refused', when: 'before the reservation', review, verdict }));
}

/** Whether a fault is a pulled cable that somebody can put back. */
function isGone({ tag }: Fault, { meeting: presence }: DeviceRequest): boolean {
  return tag === 'E_DEVICE_GONE' && isAttended(presence);
}

function counted({ tag, message, remedy }: Fault, signatures: number): Fault {
  const came = signatures === 0 ? 'no signature had come' : `${signatures} signatures had come`;
  return fault(tag, `${message}; ${came}, and the device is awaited to go on`, { remedy });
}

/** Unplugged when every signature was there: nothing is missing that the device could still give. */
function isComplete(
  { psbt, situation }: ReviewedBatch,
  fingerprint: Hex,
  signatures: readonly ReturnedSignature[],
): boolean {
  return proveAnswer(psbt, situation, fingerprint, signatures).ok;
}

function proveAnswer(
  psbt: Uint8Array,
  { deriver, vault }: ReviewedBatch['situation'],
  fingerprint: Hex,
  signatures: readonly ReturnedSignature[],
): Result<unknown, Fault> {
  return isDefaultKind(vault.kind)
    ? proveSignatures(psbt, deriver, signatures)
    : proveSigner(psbt, deriver, fingerprint, signatures);
}

/**
 * What a device gave before it was unplugged is held to what it gave afterwards: it has to be the same, or as valid and in its
 * place. A device that gives out anything else is not trusted with the rest either. Faults: those of the proof.
 */
export function checkEarlier({ psbt, situation }: ReviewedBatch, answer: Answer): Result<void, Fault> {
  for (const one of answer.earlier) {
    const others = answer.signatures.filter((other) => !isSamePlace(one, other));
    const same = answer.signatures.some((other) => isSamePlace(one, other) && isSameSignature(one, other));
    const proven = same ? ok(undefined) : proveAnswer(psbt, situation, answer.fingerprint, [...others, one]);
    if (!proven.ok) return proven;
  }
  return ok(undefined);
}

function isSamePlace(one: ReturnedSignature, other: ReturnedSignature): boolean {
  if (one.input !== other.input) return false;
  return one.publicKey === null || other.publicKey === null || equalBytes(one.publicKey, other.publicKey);
}

function isSameSignature(one: ReturnedSignature, other: ReturnedSignature): boolean {
  return equalBytes(one.signature, other.signature);
}
