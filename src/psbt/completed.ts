import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Deriver } from '../vault/types.js';
import { INPUT } from './fields.js';
import { finalSignatures } from './final-signatures.js';
import { finalise } from './finalise.js';
import { type Field, field, writePsbt } from './key-map.js';
import { splitPsbt } from './parts.js';
import { differenceBetween, type Transaction } from './transaction.js';
import type { FinalTransaction } from './types.js';
import { attributeSignatures, proveSignatures } from './verify.js';
import { ByteWriter } from './wire.js';

/** A transaction of which every signature is proven, and how many they are. */
export interface Completed {
  readonly final: FinalTransaction;
  readonly signatures: number;
}

/**
 * A PSBT with the signatures that its transaction was found with on the chain, each proven as if a device had returned it.
 * E_FINAL_MISMATCH where it is another transaction; the faults of `finalSignatures`, `proveSignatures` and `finalise`.
 */
export function completeFrom(psbt: Uint8Array, transaction: Transaction, deriver: Deriver): Result<Completed, Fault> {
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const { unsigned, global, inputs, outputs } = parts.value;
  const difference = differenceBetween(unsigned, transaction);
  if (difference !== null) return fail('E_FINAL_MISMATCH', `it is another transaction: ${difference}`);
  const carried = inputs.map((map, index) => [...map, ...finalFields(transaction, index)]);
  return completeWith(psbt, writePsbt([global, ...carried, ...outputs]), deriver);
}

/**
 * The same with a finalised PSBT (BIP174) of the same transaction, of which nothing is used but its final scripts.
 * E_PSBT_CHANGED where it is of another one.
 */
export function completeWith(psbt: Uint8Array, finalised: Uint8Array, deriver: Deriver): Result<Completed, Fault> {
  const [ours, theirs] = [splitPsbt(psbt), splitPsbt(finalised)];
  if (!ours.ok) return ours;
  if (!theirs.ok) return theirs;
  const difference = differenceBetween(ours.value.unsigned, theirs.value.unsigned);
  if (difference !== null) return fail('E_PSBT_CHANGED', `it is of another transaction: ${difference}`);
  const found = finalSignatures(finalised, deriver.vault);
  if (!found.ok) return found;
  const attributed = attributeSignatures(psbt, deriver, found.value);
  if (!attributed.ok) return attributed;
  const proven = proveSignatures(psbt, deriver, attributed.value);
  if (!proven.ok) return proven;
  const final = finalise(psbt, deriver, proven.value);
  return final.ok ? ok({ final: final.value, signatures: proven.value.length }) : final;
}

/** PSBT_IN_FINAL_SCRIPTSIG and PSBT_IN_FINAL_SCRIPTWITNESS (BIP174) of an input, as far as it has them. */
function finalFields({ inputs, witnesses }: Transaction, index: number): readonly Field[] {
  const scriptSig = inputs[index]?.scriptSig ?? new Uint8Array(0);
  const items = witnesses[index] ?? [];
  const writer = new ByteWriter().compactSize(items.length);
  for (const item of items) writer.lengthPrefixed(item);
  return [
    ...(scriptSig.length === 0 ? [] : [field(INPUT.FINAL_SCRIPTSIG, scriptSig)]),
    ...(items.length === 0 ? [] : [field(INPUT.FINAL_SCRIPTWITNESS, writer.finish())]),
  ];
}
