import { isDefaultKind } from '../device/estimate.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { BatchRecord, HaltRecord } from '../journal/state.js';
import { withSignatures } from '../psbt/finalise.js';
import type { SignerPart } from '../psbt/partial.js';
import type { FinalTransaction, ReturnedSignature } from '../psbt/types.js';
import { proveSigner } from '../psbt/verify.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Vault } from '../vault/types.js';
import type { ReviewedBatch } from './approve-batch.js';
import { join, keepFinal, keepParts, keptParts } from './gather-parts.js';
import type { Desk } from './ports.js';
import { checkCosigner, registrationFor } from './registrations.js';
import { type Debited, unknown } from './signing-steps.js';
import { findBatch, type Situation } from './situation.js';

/** All signatures are proven, and the transaction with them is what was planned. */
export interface SignedWhole {
  readonly kind: 'signed';
  readonly review: ReviewedBatch;
  readonly final: FinalTransaction;
  readonly signatures: number;
  /** Why the journal does not know of it, although every signature is proven; null where it does. */
  readonly unkept: Fault | null;
  /** Halts that were raised while the device signed: what it signed is kept and not released. */
  readonly heldBy: readonly HaltRecord[];
  /** What went wrong after the signatures were there: the channel or the recording did not close well. */
  readonly closing: Fault | null;
}

/** A cosigner's signatures are proven and kept, and the transaction needs more of them. */
export interface SignedPart {
  readonly kind: 'part';
  readonly review: ReviewedBatch;
  /** Master key fingerprint. */
  readonly signer: Hex;
  readonly signatures: number;
  /** Everybody who has signed so far. */
  readonly signers: readonly Hex[];
  /** The PSBT with all signatures so far, for the next cosigner. */
  readonly psbt: Uint8Array;
  /** Why the journal does not know of it, although every signature is proven; null where it does. */
  readonly unkept: Fault | null;
  /** Halts that were raised while the device signed: what it signed is kept and not released. */
  readonly heldBy: readonly HaltRecord[];
  readonly closing: Fault | null;
}

/** Who can still sign a batch, in the order of the descriptor. */
export function signersLeft(vault: Vault, { partials }: BatchRecord): readonly Hex[] {
  const all = [...new Set(signingKeys(vault).map(({ fingerprint }) => fingerprint))];
  return all.filter((fingerprint) => !partials.some(({ signer }) => signer === fingerprint));
}

/**
 * Whether the cosigner that is meant, or with null any, can be asked: found out before anything is reserved or plugged in.
 * Faults: E_USAGE for a stranger, E_BATCH_STATE for one who has signed, E_DEVICE_UNREGISTERED.
 */
export function mayAsk(
  { vault, state }: Pick<Situation, 'vault' | 'state'>,
  batch: BatchRecord,
  expected: Hex | null,
): Result<void, Fault> {
  const known = expected === null ? ok(undefined) : checkCosigner(vault, expected);
  if (!known.ok || isDefaultKind(vault.kind)) return known;
  const left = signersLeft(vault, batch);
  const signed = signingKeys(vault).filter(({ fingerprint }) => !left.includes(fingerprint));
  if (signed.length >= vault.threshold) {
    // A crash between the last part and the transaction leaves this.
    return fail('E_BATCH_STATE', `enough signers have signed batch ${batch.id}: nobody has to be asked any more`, {
      remedy: `countersign batch combine ${batch.id} makes its transaction`,
    });
  }
  if (expected !== null && !left.includes(expected)) {
    return fail('E_BATCH_STATE', `${expected} has signed batch ${batch.id} already`, {
      remedy: `ask another signer: ${left.join(', ')}`,
    });
  }
  const candidates = expected === null ? left : [expected];
  const registrations = candidates.map((fingerprint) => registrationFor(state, vault, fingerprint));
  const [problem] = registrations.flatMap((one) => (one.ok ? [] : [one.error]));
  return problem !== undefined && registrations.every(({ ok: usable }) => !usable) ? err(problem) : ok(undefined);
}

/**
 * Proves the answer of one cosigner, keeps it, and completes the transaction where it was the last one needed. A failure
 * of the journal does not lose signatures: they are in the answer, to be written to files.
 */
export async function proveCosigner(
  desk: Desk,
  review: ReviewedBatch,
  from: Debited,
  signer: Hex,
  answer: readonly ReturnedSignature[],
  closing: Fault | null,
): Promise<Result<SignedWhole | SignedPart, Fault>> {
  const { batch, psbt, situation } = review;
  const { deriver } = situation;
  const proven = proveSigner(psbt, deriver, signer, answer);
  if (!proven.ok) return unknown(desk, batch.id, proven.error, from);
  const own = { signer, signatures: proven.value };
  const bytes = withSignatures(psbt, deriver, own.signatures);
  if (!bytes.ok) return unknown(desk, batch.id, bytes.error, from);

  const part = { signer, bytes: bytes.value, signatures: own.signatures.length };
  const kept = await keepParts(desk, batch, [part], 'device');
  const others = await otherParts(desk, review, signer);
  const gathered = join(psbt, deriver, [...(others.ok ? others.value : []), own]);
  if (!gathered.ok) return gathered;
  const { final, parts, psbt: soFar } = gathered.value;
  const common = { review, closing, signatures: own.signatures.length };
  if (final === null) {
    const signers = parts.map((one) => one.signer);
    return ok({
      kind: 'part',
      ...common,
      signer,
      signers,
      psbt: soFar,
      unkept: kept.unkept ?? (others.ok ? null : others.error),
      heldBy: kept.heldBy,
    });
  }
  const needed = final.signatures;
  const whole = kept.unkept === null ? await keepFinal(desk, batch, final, needed) : kept;
  return ok({ kind: 'signed', ...common, signatures: needed, final, ...whole });
}

/** What the others have signed by now: somebody may have combined a file since this run began. */
async function otherParts(
  desk: Desk,
  { batch, psbt, situation }: ReviewedBatch,
  signer: Hex,
): Promise<Result<readonly SignerPart[], Fault>> {
  const read = await desk.journal.read();
  const now = read.ok ? findBatch(read.value, batch.id) : read;
  // A journal that cannot be read now was read when this run began.
  const { partials } = now.ok ? now.value : batch;
  const others = { ...batch, partials: partials.filter((one) => one.signer !== signer) };
  return keptParts(desk, situation.deriver, others, psbt);
}
