import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { all, ok, type Result } from '../domain/result.js';
import { miniscriptOf } from '../vault/signing-keys.js';
import type { MiniscriptPolicy, Vault, WitnessPiece } from '../vault/types.js';
import { INPUT } from './fields.js';
import { fieldValue, type KeyMap } from './key-map.js';
import { splitPsbt } from './parts.js';
import type { ReturnedSignature } from './types.js';
import { ByteReader, directPushes } from './wire.js';

/**
 * The signatures of a finalised PSBT (BIP174), taken out of its final scripts as a device would have returned them, to be
 * proven like those: one a key hash input with the key that it names, one a taproot key path without, and those of a
 * multisig witness without their keys, which it does not name (`attributeSignatures` finds them). Nothing is believed
 * here. Faults: E_SIG_ENCODING; E_PSBT_PARSE and E_PSBT_VERSION for the PSBT itself.
 */
export function finalSignatures(psbt: Uint8Array, vault: Vault): Result<readonly ReturnedSignature[], Fault> {
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const read = all(
    parts.value.inputs.map((map, input) => {
      const signatures = signaturesOf(vault, map);
      if (signatures !== null) return ok(signatures.map((signature) => ({ input, ...signature })));
      return fail('E_SIG_ENCODING', `input ${input} has no final script of the form that ${vault.kind} has`);
    }),
  );
  return read.ok ? ok(read.value.flat()) : read;
}

type Unplaced = Omit<ReturnedSignature, 'input'>;

function signaturesOf(vault: Vault, map: KeyMap): readonly Unplaced[] | null {
  const { kind, threshold } = vault;
  switch (kind) {
    case 'pkh':
      return keyHashSignature(directPushes(fieldValue(map, INPUT.FINAL_SCRIPTSIG) ?? new Uint8Array(0)));
    case 'wpkh':
    case 'sh(wpkh)':
      return keyHashSignature(witnessItems(fieldValue(map, INPUT.FINAL_SCRIPTWITNESS)));
    case 'tr': {
      const [signature, ...others] = witnessItems(fieldValue(map, INPUT.FINAL_SCRIPTWITNESS)) ?? [];
      return signature === undefined || others.length > 0 ? null : [{ publicKey: null, signature }];
    }
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))':
      return multisigSignatures(witnessItems(fieldValue(map, INPUT.FINAL_SCRIPTWITNESS)) ?? [], threshold);
    case 'wsh(miniscript)':
      return miniscriptSignatures(witnessItems(fieldValue(map, INPUT.FINAL_SCRIPTWITNESS)) ?? [], miniscriptOf(vault));
  }
}

/** The signatures where a witness has the form of one of the ways without a time lock; keys and script are not looked at. */
function miniscriptSignatures(
  items: readonly Uint8Array[],
  { satisfactions }: MiniscriptPolicy,
): readonly Unplaced[] | null {
  const hasForm = (stack: readonly WitnessPiece[]): boolean =>
    stack.length === items.length - 1 &&
    stack.every((piece, index) => {
      const item = items[index] ?? new Uint8Array(0);
      return piece.kind === 'bytes' ? equalBytes(item, piece.bytes) : item.length > 1;
    });
  const way = satisfactions.find(({ stack }) => hasForm(stack));
  if (way === undefined) return null;
  return way.stack.flatMap(({ kind }, index) => {
    const signature = items[index];
    return kind === 'signature' && signature !== undefined ? [{ publicKey: null, signature }] : [];
  });
}

/** An empty item for what OP_CHECKMULTISIG pops too much (BIP147), the signatures, the witness script. */
function multisigSignatures(items: readonly Uint8Array[], threshold: number): readonly Unplaced[] | null {
  const [dummy, ...rest] = items;
  if (dummy === undefined || dummy.length > 0 || rest.length !== threshold + 1) return null;
  return rest.slice(0, threshold).map((signature) => ({ publicKey: null, signature }));
}

function keyHashSignature(items: readonly Uint8Array[] | null): readonly Unplaced[] | null {
  const [signature, publicKey, ...others] = items ?? [];
  return signature === undefined || publicKey === undefined || others.length > 0 ? null : [{ publicKey, signature }];
}

/** The value of PSBT_IN_FINAL_SCRIPTWITNESS: a count, and that many items. */
function witnessItems(value: Uint8Array | null): Uint8Array[] | null {
  if (value === null) return null;
  const reader = new ByteReader(value);
  const items: Uint8Array[] = [];
  for (let left = reader.compactSize(); left > 0 && reader.problem === null; left--)
    items.push(reader.lengthPrefixed());
  return reader.problem === null && reader.remaining === 0 ? items : null;
}
