import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Deriver } from '../vault/types.js';
import { INPUT } from './fields.js';
import { finalSignatures } from './final-signatures.js';
import type { KeyMap } from './key-map.js';
import { type PsbtParts, splitPsbt } from './parts.js';
import { differenceBetween } from './transaction.js';
import type { ProvenSignature, ReturnedSignature } from './types.js';
import { type AttributedSignature, attributeSignatures, proveSigner } from './verify.js';

/** What one cosigner has signed: for every input one signature by each of its keys. */
export interface SignerPart {
  /** Master key fingerprint. */
  readonly signer: Hex;
  readonly signatures: readonly ProvenSignature[];
}

/**
 * The cosigners' parts that a PSBT from another machine brings, in the order of the vault's keys. The file is taken for
 * hostile: its transaction must be ours, byte for byte; nothing else of it is used but its signatures, partial ones
 * (BIP174) or those of final witnesses; each must be by a key of the vault for that very input, and valid for a sighash of
 * our own PSBT; and who has signed one input must have signed all.
 *
 * Faults: E_PSBT_CHANGED (another transaction), E_SIG_MISSING (no signature at all, or not for every input), the others of
 * `proveSigner`; E_PSBT_PARSE and E_PSBT_VERSION for either PSBT.
 */
export function partsOf(theirs: Uint8Array, ours: Uint8Array, deriver: Deriver): Result<readonly SignerPart[], Fault> {
  const brought = splitPsbt(theirs);
  if (!brought.ok) return brought;
  const own = splitPsbt(ours);
  if (!own.ok) return own;
  const difference = differenceBetween(own.value.unsigned, brought.value.unsigned);
  if (difference !== null) {
    return fail('E_PSBT_CHANGED', `it is of another transaction: ${difference}`, {
      remedy: 'use none of it; hand the PSBT of this batch out again',
    });
  }
  const found = signaturesOf(brought.value, theirs, deriver);
  if (!found.ok) return found;
  const attributed = attributeSignatures(ours, deriver, found.value);
  if (!attributed.ok) return attributed;
  if (attributed.value.length === 0) {
    return fail('E_SIG_MISSING', 'it brings no signature', { remedy: 'have the cosigner sign it and save it again' });
  }
  return partsBySigner(ours, deriver, attributed.value);
}

function signaturesOf(
  { inputs }: PsbtParts,
  theirs: Uint8Array,
  { vault }: Deriver,
): Result<readonly ReturnedSignature[], Fault> {
  const isFinal = (map: KeyMap): boolean => map.some(({ type }) => type === INPUT.FINAL_SCRIPTWITNESS);
  if (inputs.length > 0 && inputs.every(isFinal)) return finalSignatures(theirs, vault);
  return ok(
    inputs.flatMap((map, input) =>
      map
        .filter(({ type }) => type === INPUT.PARTIAL_SIG)
        .map(({ keyData, value }) => ({ input, publicKey: keyData, signature: value })),
    ),
  );
}

/** What is nobody's is judged with the first cosigner's, whose proof refuses it by name. */
function partsBySigner(
  ours: Uint8Array,
  deriver: Deriver,
  attributed: readonly AttributedSignature[],
): Result<readonly SignerPart[], Fault> {
  const signers = [...new Set(signingKeys(deriver.vault).map(({ fingerprint }) => fingerprint))];
  const parts: SignerPart[] = [];
  for (const signer of signers) {
    const its = attributed.filter((one) => (one.signer ?? signers[0]) === signer);
    if (its.length === 0) continue;
    const proven = proveSigner(ours, deriver, signer, its);
    if (!proven.ok) return proven;
    parts.push({ signer, signatures: proven.value });
  }
  return ok(parts);
}

/**
 * As many signatures of an input as the vault's threshold asks for, out of all that are proven: those of the first keys in
 * lexicographic order, so that the same parts give the same transaction in whatever order they came. Null while some input
 * has too few.
 */
export function enoughSignatures({ vault }: Deriver, parts: readonly SignerPart[]): readonly ProvenSignature[] | null {
  const byInput = new Map<number, ProvenSignature[]>();
  for (const signature of parts.flatMap(({ signatures }) => signatures)) {
    const others = byInput.get(signature.input) ?? [];
    others.push(signature);
    byInput.set(signature.input, others);
  }
  if (byInput.size === 0) return null;
  const chosen = [...byInput.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, own]) => own.sort((a, b) => Buffer.compare(a.publicKey, b.publicKey)).slice(0, vault.threshold));
  return chosen.every((own) => own.length === vault.threshold) ? chosen.flat() : null;
}
