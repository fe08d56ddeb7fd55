import { initEccLib, Psbt } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { toHex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { miniscriptOf } from '../vault/signing-keys.js';
import type { Deriver, Vault } from '../vault/types.js';
import { decodePsbt } from './decode.js';
import { INPUT, SIGNATURE_FIELDS } from './fields.js';
import { type Field, field, keyedField, writePsbt } from './key-map.js';
import { miniscriptWitness } from './miniscript-witness.js';
import { type OwnInput, ownInputs } from './own.js';
import { type PsbtParts, parseFault, splitPsbt } from './parts.js';
import { differenceBetween, parseTransaction, type Transaction } from './transaction.js';
import type { FinalTransaction, ProvenSignature } from './types.js';

initEccLib(ecc);

/**
 * Combines proven signatures with the PSBT that they are for, finalises every input (BIP174), extracts the transaction, and
 * reads it again: it must spend and pay exactly what the PSBT does. Signatures that the PSBT brought along are dropped.
 *
 * Faults: E_SIG_MISSING, E_SIG_UNEXPECTED (more than an input needs), E_FINAL_MISMATCH; E_PSBT_PARSE, E_PSBT_VERSION and
 * those of `ownInputs` for the PSBT itself. Signatures that were not proven make it throw.
 */
export function finalise(
  psbt: Uint8Array,
  deriver: Deriver,
  proven: readonly ProvenSignature[],
): Result<FinalTransaction, Fault> {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  if (decoded.value.malformed !== null) return parseFault(decoded.value.malformed);
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const own = ownInputs(decoded.value, deriver);
  if (!own.ok) return own;

  const { vault } = deriver;
  const counts = new Map<number, number>();
  for (const { input } of proven) counts.set(input, (counts.get(input) ?? 0) + 1);
  for (const { index, subject } of own.value) {
    const count = counts.get(index) ?? 0;
    const text = `${subject} has ${count} of the ${vault.threshold} signatures that it needs`;
    if (count < vault.threshold) return fail('E_SIG_MISSING', text);
    if (count > vault.threshold) return fail('E_SIG_UNEXPECTED', text);
  }

  const combined = joined(parts.value, vault, proven);
  const finished = finishInputs(Psbt.fromBuffer(combined), deriver, own.value, proven);
  // Fees are the policy's business, decided before anything was signed; the library's own cap would only hide it.
  const transaction = finished.extractTransaction(true);
  const bytes = new Uint8Array(transaction.toBuffer());
  const mismatch = finalMismatch(parts.value.unsigned, bytes);
  if (mismatch !== null) {
    return fail('E_FINAL_MISMATCH', `the final transaction is not the planned one: ${mismatch}`, {
      remedy: 'do not broadcast it; keep the files and report this',
    });
  }
  return ok({
    psbt: new Uint8Array(finished.toBuffer()),
    transaction: bytes,
    txid: toHex(new Uint8Array(transaction.getHash()).reverse()),
    weight: transaction.weight(),
  });
}

/** bitcoinjs-lib knows the witnesses of every kind but miniscript, whose stack its policy says. */
function finishInputs(
  psbt: Psbt,
  { vault }: Deriver,
  inputs: readonly OwnInput[],
  proven: readonly ProvenSignature[],
): Psbt {
  if (vault.kind !== 'wsh(miniscript)') return psbt.finalizeAllInputs();
  for (const { index, derived } of inputs) {
    const finalScriptWitness = miniscriptWitness(
      miniscriptOf(vault),
      derived,
      proven.filter(({ input }) => input === index),
    );
    psbt.finalizeInput(index, () => ({ finalScriptSig: undefined, finalScriptWitness }));
  }
  return psbt;
}

/** What is wrong with the bytes of a final transaction, in one sentence; null if it completes the unsigned one. */
export function finalMismatch(unsigned: Transaction, bytes: Uint8Array): string | null {
  const signed = parseTransaction(bytes);
  return signed.ok ? differenceBetween(unsigned, signed.value) : `it cannot be read: ${signed.error}`;
}

/**
 * The PSBT with these signatures and no others, not finalised: what is handed on to the next cosigner. Equal signatures
 * give equal bytes. Faults: E_PSBT_PARSE, E_PSBT_VERSION.
 */
export function withSignatures(
  psbt: Uint8Array,
  { vault }: Deriver,
  proven: readonly ProvenSignature[],
): Result<Uint8Array, Fault> {
  const parts = splitPsbt(psbt);
  return parts.ok ? ok(joined(parts.value, vault, proven)) : parts;
}

function joined({ global, inputs, outputs }: PsbtParts, vault: Vault, proven: readonly ProvenSignature[]): Uint8Array {
  const signatures = new Map<number, Field[]>();
  for (const signature of proven) {
    const fields = signatures.get(signature.input) ?? [];
    fields.push(signatureField(vault, signature));
    signatures.set(signature.input, fields);
  }
  return writePsbt([
    global,
    ...inputs.map((map, index) => [
      ...map.filter(({ type }) => !SIGNATURE_FIELDS.has(type)),
      ...(signatures.get(index) ?? []),
    ]),
    ...outputs,
  ]);
}

function signatureField({ kind }: Vault, { publicKey, signature }: ProvenSignature): Field {
  return kind === 'tr' ? field(INPUT.TAP_KEY_SIG, signature) : keyedField(INPUT.PARTIAL_SIG, publicKey, signature);
}
