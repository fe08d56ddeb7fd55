import { isDefaultKind } from '../device/estimate.js';
import { checkSignable, checkTransport } from '../device/preflight.js';
import { checkSigning } from '../device/preflight-limits.js';
import { previewSigning } from '../device/screens.js';
import { signingShape } from '../device/signing-shape.js';
import type { DevicePreview, Presence, SeenDevice } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { sumSats } from '../domain/sats.js';
import { finalise } from '../psbt/finalise.js';
import { proveSignatures } from '../psbt/verify.js';
import type { Vault } from '../vault/types.js';
import { reviewBatch } from './approve-batch.js';
import { type Answer, askDevice, checkEarlier, type Refused, type Session } from './ask-device.js';
import type { Assessment } from './assess.js';
import { keepFinal } from './gather-parts.js';
import { meeting } from './meeting.js';
import { openVault } from './open-vault.js';
import type { Composition, Desk } from './ports.js';
import { recordDenial } from './record-denial.js';
import type { SignEvents } from './sign-events.js';
import { mayAsk, proveCosigner, type SignedPart, type SignedWhole, signersLeft } from './sign-part.js';
import { signingRoom } from './signing-room.js';
import { checkState, reserve, sameBytes, unknown } from './signing-steps.js';

export interface SignOptions {
  readonly device: string;
  /** Path of a transcript to write, or null. */
  readonly record: string | null;
  /** Breaks it off. What was reserved is given back, unless a signature may exist by then. */
  readonly signal?: AbortSignal | undefined;
  /** The one cosigner that is meant, by master key fingerprint, or null. */
  readonly signer: Hex | null;
  /** Who can connect and unlock the device; nobody where it is absent. */
  readonly presence?: Presence | undefined;
}

export type SignOutcome =
  | SignedWhole
  /** One cosigner of several has signed, and others have to. */
  | SignedPart
  /**
   * Denied, or approvals are missing: nothing was sent. Before the reservation nothing was reserved either; once the
   * device was there, what was reserved is released, unless another cosigner has signed.
   */
  | Refused;

export type { RefusedWhen } from './ask-device.js';

/**
 * Reserve, judge again, ask, prove. Room for what the device signs is set aside before anything is reserved. The budget is
 * durable before the first APDU; it is given back only where no device can have signed; and nothing of the device's answer
 * is kept before every signature is proven. A multisig batch goes through this once for each cosigner, in any order; from
 * the first signature on nothing gives its budget back.
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
  const { device: spec, record, signal, presence } = options;
  const wanted = options.signer === null ? signersLeft(vault, batch) : [options.signer];
  const request = { spec, record, psbt: batch.psbt, signal, meeting: meeting(vault.network, wanted, presence) };
  const usable = await devices.checkDevice(request);
  if (!usable.ok) return usable;

  const room = signingRoom(desk, first.value);
  const held = await room.hold();
  if (!held.ok) return held;
  try {
    return await reserveAndAsk({ desk, devices, review: first.value, expected: options.signer, request, events, room });
  } finally {
    await room.release();
  }
}

type Prepared = Omit<Session, 'openDevice' | 'previewFor'> & { readonly devices: Pick<Composition, 'openDevice'> };

async function reserveAndAsk({ devices, ...prepared }: Prepared): Promise<Result<SignOutcome, Fault>> {
  const { desk, review, events } = prepared;
  const { batch, situation, assessment } = review;
  const { vault } = situation;
  const reserved = await reserve(desk, batch.id, !isDefaultKind(vault.kind));
  if (!reserved.ok) return reserved;
  if (reserved.value.kind === 'refused') {
    const { verdict } = reserved.value;
    return ok({ kind: 'refused', when: 'before the reservation', review, verdict });
  }
  const { from } = reserved.value;
  events.reserved(from);
  const session: Session = {
    ...prepared,
    openDevice: devices.openDevice,
    previewFor: (device, fingerprint) => previewOf(vault, review.psbt, assessment, device, fingerprint),
  };
  const answer = await askDevice(session, from);
  if (!answer.ok) return answer;
  return answer.value.kind === 'refused' ? ok(answer.value) : prove(session, answer.value);
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

async function prove(session: Session, answer: Answer): Promise<Result<SignOutcome, Fault>> {
  const { desk, review } = session;
  const { from, fingerprint, signatures: returned, closing } = answer;
  const { batch, psbt, situation } = review;
  const unchanged = sameBytes(psbt, batch.psbt);
  if (!unchanged.ok) return unknown(desk, batch.id, unchanged.error, from);
  const earlier = checkEarlier(review, answer);
  if (!earlier.ok) return unknown(desk, batch.id, earlier.error, from);
  if (!isDefaultKind(situation.vault.kind)) return proveCosigner(desk, review, from, fingerprint, returned, closing);
  const proven = proveSignatures(psbt, situation.deriver, returned);
  if (!proven.ok) return unknown(desk, batch.id, proven.error, from);
  const final = finalise(psbt, situation.deriver, proven.value);
  if (!final.ok) return unknown(desk, batch.id, final.error, from);
  const signatures = proven.value.length;
  const kept = await keepFinal(desk, batch, final.value, signatures);
  return ok({ kind: 'signed', review, final: final.value, signatures, ...kept, closing });
}
