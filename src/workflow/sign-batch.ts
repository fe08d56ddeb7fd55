import { isDefaultKind } from '../device/estimate.js';
import { checkSignable, checkTransport, identify } from '../device/preflight.js';
import { checkSigning } from '../device/preflight-limits.js';
import { previewSigning } from '../device/screens.js';
import { signingShape } from '../device/signing-shape.js';
import type {
  DevicePreview,
  IdentifiedDevice,
  Registration,
  SeenDevice,
  Signer,
  SigningProgress,
} from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { sumSats } from '../domain/sats.js';
import type { Verdict } from '../policy/types.js';
import { finalise } from '../psbt/finalise.js';
import type { ReturnedSignature } from '../psbt/types.js';
import { proveSignatures } from '../psbt/verify.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Vault } from '../vault/types.js';
import { type ReviewedBatch, reviewBatch } from './approve-batch.js';
import type { Assessment } from './assess.js';
import { keepFinal } from './gather-parts.js';
import type { Composition, Desk } from './ports.js';
import { recordDenial } from './record-denial.js';
import { registrationFor } from './registrations.js';
import { mayAsk, proveCosigner, type SignedPart, type SignedWhole } from './sign-part.js';
import { checkState, type Debited, goOut, notSigned, reserve, sameBytes, unknown, withdraw } from './signing-steps.js';
import { openVault } from './situation.js';

export interface SignOptions {
  readonly device: string;
  /** Path of a transcript to write, or null. */
  readonly record: string | null;
  /** Breaks it off. What was reserved is given back, unless a signature may exist by then. */
  readonly signal?: AbortSignal | undefined;
  /** The one cosigner that is meant, by master key fingerprint, or null. */
  readonly signer: Hex | null;
}

/** What the person at the terminal sees while it happens. */
export interface SignEvents {
  /** The budget is debited: by this run, or since an earlier one. */
  reserved(from: Debited): void;
  identified(device: IdentifiedDevice, name: string): void;
  /** What this very device is going to show. */
  preview(review: ReviewedBatch, preview: DevicePreview): void;
  progress(progress: SigningProgress): void;
}

export type SignOutcome =
  | SignedWhole
  /** One cosigner of several has signed, and others have to. */
  | SignedPart
  /**
   * Denied, or approvals are missing: nothing was sent. Before the reservation nothing was reserved either; once the
   * device was there, what was reserved is released, unless another cosigner has signed.
   */
  | {
      readonly kind: 'refused';
      readonly when: RefusedWhen;
      readonly review: ReviewedBatch;
      readonly verdict: Verdict;
    };

export type RefusedWhen = 'before the reservation' | 'before the device was asked';

/**
 * Reserve, judge again, ask, prove. The budget is durable before the first APDU; it is given back only where no device
 * can have signed; and nothing of the device's answer is kept before every signature is proven. A multisig batch goes
 * through this once for each cosigner, in any order; from the first signature on nothing gives its budget back.
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
  const looked = await reviewBatch(desk, id);
  if (!looked.ok) return looked;
  const { vault } = looked.value.situation;
  const several = !isDefaultKind(vault.kind);
  const signable = checkState(looked.value.batch, several);
  if (!signable.ok) return signable;
  const asked = mayAsk(looked.value.situation, looked.value.batch, options.signer);
  if (!asked.ok) return asked;
  const first = await recordDenial(desk, looked.value);
  if (!first.ok) return first;
  const { batch, situation, assessment } = first.value;
  if (assessment.verdict.decision !== 'ALLOW') {
    return ok({
      kind: 'refused',
      when: 'before the reservation',
      review: first.value,
      verdict: assessment.verdict,
    });
  }
  const known = checkSignable(vault);
  if (!known.ok) return known;
  const fits = checkSigning(first.value.psbt, situation.deriver, options.signer);
  if (!fits.ok) return fits;
  const request = { spec: options.device, record: options.record, psbt: batch.psbt, signal: options.signal };
  const usable = await devices.checkDevice(request);
  if (!usable.ok) return usable;

  const reserved = await reserve(desk, id, several);
  if (!reserved.ok) return reserved;
  if (reserved.value.kind === 'refused') {
    const { verdict } = reserved.value;
    return ok({ kind: 'refused', when: 'before the reservation', review: first.value, verdict });
  }
  const { from } = reserved.value;
  events.reserved(from);

  const opened = await devices.openDevice(request);
  if (!opened.ok) return withdraw(desk, id, opened.error, from);
  const { signer, name } = opened.value;
  const session: Session = { desk, review: first.value, from, expected: options.signer, events };
  const answer = await askDevice(session, signer, name);
  const closed = await signer.close();
  if (!answer.ok) return answer;
  if (answer.value.kind === 'refused') return ok(answer.value);
  if (!closed.ok && deniesAnswer(closed.error)) return unknown(desk, id, closed.error, from);
  return prove(session, answer.value, closed.ok ? null : closed.error);
}

/** What a device is going to show for these bytes, and how long it takes. */
export function previewOf(
  vault: Vault,
  psbt: Uint8Array,
  { facts, decoded }: Pick<Assessment, 'facts' | 'decoded'>,
  device: SeenDevice,
  signer: Hex | null = null,
): DevicePreview {
  const changeOutputs = new Set(facts.outputs.filter((output) => output.isChange).map((output) => output.index));
  const inputsTotal = sumSats(facts.inputs.map((input) => input.value));
  const shape = signingShape(psbt, vault);
  const sizes = shape.ok ? { previousTransactions: shape.value.previousTransactions } : {};
  return previewSigning(decoded, vault, { changeOutputs, fee: facts.fee, inputsTotal, ...sizes }, device, signer);
}

/** One run with one device. */
interface Session {
  readonly desk: Desk;
  readonly review: ReviewedBatch;
  readonly from: Debited;
  readonly expected: Hex | null;
  readonly events: SignEvents;
}

interface Answer {
  readonly kind: 'signatures';
  readonly signatures: readonly ReturnedSignature[];
  readonly fingerprint: Hex;
}

async function askDevice(
  session: Session,
  signer: Signer,
  name: string,
): Promise<Result<Answer | Extract<SignOutcome, { kind: 'refused' }>, Fault>> {
  const { desk, review, from, events } = session;
  const { batch, psbt, situation } = review;
  const device = await meet(session, signer);
  if (!device.ok) return withdraw(desk, batch.id, device.error, from);
  const { registration, ...identified } = device.value;
  events.identified(identified, name);

  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return withdraw(desk, batch.id, unchanged.error, from);
  const { fingerprint, model, app } = identified;
  const seen = { model, version: app.version };
  const fits = checkSigning(psbt, situation.deriver, fingerprint, seen);
  if (!fits.ok) return withdraw(desk, batch.id, fits.error, from);
  const sent = await goOut(desk, batch.id, from, identified);
  if (!sent.ok) return sent;
  if (sent.value !== null) return ok({ kind: 'refused', when: 'before the device was asked', ...sent.value });

  events.preview(review, previewOf(situation.vault, psbt, review.assessment, seen, fingerprint));
  const signatures = await signer.sign(psbt, situation.vault, events.progress, registration);
  if (signatures.ok) return ok({ kind: 'signatures', signatures: signatures.value, fingerprint });
  const { fault: failure, maySign } = signatures.error;
  return maySign ? unknown(desk, batch.id, failure, from) : notSigned(desk, batch.id, failure, from);
}

/** Whether the device is the one that is meant and may be asked, with the registration that it has to be shown. */
async function meet(
  { review, expected }: Session,
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

/**
 * Closing belongs to the conversation of a replay alone: there it shows that part of the recording was never asked for, so
 * that this was another conversation. A cable that was pulled or a recording that could not be written says nothing
 * against signatures, and must not lose them: each is proven by itself.
 */
function deniesAnswer({ tag }: Fault): boolean {
  return tag === 'E_REPLAY_LEFT_OVER';
}

async function prove(
  { desk, review, from }: Session,
  { signatures: answer, fingerprint }: Answer,
  closing: Fault | null,
): Promise<Result<SignOutcome, Fault>> {
  const { batch, psbt, situation } = review;
  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return unknown(desk, batch.id, unchanged.error, from);
  if (!isDefaultKind(situation.vault.kind)) return proveCosigner(desk, review, from, fingerprint, answer, closing);
  const proven = proveSignatures(psbt, situation.deriver, answer);
  if (!proven.ok) return unknown(desk, batch.id, proven.error, from);
  const final = finalise(psbt, situation.deriver, proven.value);
  if (!final.ok) return unknown(desk, batch.id, final.error, from);
  const signatures = proven.value.length;
  const kept = await keepFinal(desk, batch, final.value, signatures);
  return ok({ kind: 'signed', review, final: final.value, signatures, ...kept, closing });
}
