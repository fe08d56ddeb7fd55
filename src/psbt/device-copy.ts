import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { claimedOrigin } from '../vault/own-output.js';
import type { DerivationClaim, Vault } from '../vault/types.js';
import { decodePsbt } from './decode.js';
import { encodeKeyOrigin, encodeTapKeyOrigin, GLOBAL, INPUT, OUTPUT } from './fields.js';
import { type Field, field, fieldValue, type KeyMap, keyedField, writePsbt } from './key-map.js';
import { describeInput, provenPrevout } from './own.js';
import { parseFault, splitPsbt } from './parts.js';
import { isUsualSighash, SIGHASH_DEFAULT } from './sighash.js';
import { parseTransaction, serialiseOutput, type TransactionInput, type TransactionOutput } from './transaction.js';
import type { DecodedInput, DecodedOutput } from './types.js';
import { ByteWriter, uint32Bytes } from './wire.js';

/**
 * The same transaction as a version 2 PSBT (BIP370), with the fields that Ledger's Bitcoin app reads and no others: every
 * field of an input costs the device about 8 exchanges, one of an output 4. So there is no sighash type, no key of anybody
 * else, no derivation but on inputs and change, no redeem or witness script of change, no taproot internal key; taproot
 * comes without previous transactions, and the others without their witnesses, which no txid covers. Of a multisig vault
 * only the derivations of the cosigner (the master key fingerprint of the device) are left: the app derives the other keys
 * from the registered policy. It is for the device alone: what it signs is proven against the original.
 *
 * Faults: E_PSBT_PARSE, E_PSBT_VERSION; E_PSBT_SIGHASH, E_PSBT_FOREIGN, E_PREVTX_MISSING and E_PREVTX_MISMATCH where the
 * device would sign, or refuse late, what countersign never asks for.
 */
export function deviceCopy(psbt: Uint8Array, vault: Vault, cosigner: Hex | null = null): Result<Uint8Array, Fault> {
  const decoded = decodePsbt(psbt);
  if (!decoded.ok) return decoded;
  if (decoded.value.malformed !== null) return parseFault(decoded.value.malformed);
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const { unsigned } = parts.value;

  const maps: KeyMap[] = [
    [
      field(GLOBAL.TX_VERSION, uint32Bytes(unsigned.version)),
      field(GLOBAL.FALLBACK_LOCKTIME, uint32Bytes(unsigned.locktime)),
      field(GLOBAL.INPUT_COUNT, new ByteWriter().compactSize(unsigned.inputs.length).finish()),
      field(GLOBAL.OUTPUT_COUNT, new ByteWriter().compactSize(unsigned.outputs.length).finish()),
      field(GLOBAL.VERSION, uint32Bytes(2)),
    ],
  ];
  for (const [index, input] of decoded.value.inputs.entries()) {
    const fields = inputFields(input, index, parts.value.inputs[index] ?? [], vault, cosigner);
    if (!fields.ok) return fields;
    maps.push([...spentFields(unsigned.inputs[index]), ...fields.value]);
  }
  for (const [index, output] of decoded.value.outputs.entries()) {
    maps.push([...paidFields(unsigned.outputs[index]), ...changeFields(output, vault, cosigner)]);
  }
  return ok(writePsbt(maps));
}

function inputFields(
  input: DecodedInput,
  index: number,
  map: KeyMap,
  vault: Vault,
  cosigner: Hex | null,
): Result<readonly Field[], Fault> {
  const subject = describeInput(index, input.outpoint);
  const prevout = provenPrevout(input, subject, vault);
  if (!prevout.ok) return prevout;
  const { sighashType, redeemScript, witnessScript } = input;
  if (!isUsualSighash(vault.kind, sighashType)) {
    return fail('E_PSBT_SIGHASH', `${subject} asks for the sighash type ${sighashType}`);
  }
  const own = input.derivations.filter((claim) => isMeant(claim, cosigner) && claimedOrigin(vault, claim) !== null);
  if (own.length === 0) {
    const whom = cosigner === null ? '' : ` by a key of ${cosigner}`;
    return fail('E_PSBT_FOREIGN', `${subject} does not claim to be of the vault ${vault.id}${whom}`);
  }

  const fields = own.map((claim) => derivationField(claim, INPUT));
  const previous = fieldValue(map, INPUT.NON_WITNESS_UTXO);
  if (previous !== null && vault.kind !== 'tr') fields.push(field(INPUT.NON_WITNESS_UTXO, withoutWitnesses(previous)));
  if (vault.kind !== 'pkh') {
    fields.push(field(INPUT.WITNESS_UTXO, serialiseOutput(prevout.value)));
  }
  if (redeemScript !== null) fields.push(field(INPUT.REDEEM_SCRIPT, redeemScript));
  if (witnessScript !== null) fields.push(field(INPUT.WITNESS_SCRIPT, witnessScript));
  // Only taproot's explicit ALL differs from what an absent field means: its signature has one byte more.
  if (vault.kind === 'tr' && sighashType !== null && sighashType !== SIGHASH_DEFAULT) {
    fields.push(field(INPUT.SIGHASH_TYPE, uint32Bytes(sighashType)));
  }
  return ok(fields);
}

function spentFields(input: TransactionInput | undefined): readonly Field[] {
  if (input === undefined) throw new Error('a decoded input has no place in its transaction');
  return [
    field(INPUT.PREVIOUS_TXID, input.hash),
    field(INPUT.OUTPUT_INDEX, uint32Bytes(input.vout)),
    field(INPUT.SEQUENCE, uint32Bytes(input.sequence)),
  ];
}

function paidFields(output: TransactionOutput | undefined): readonly Field[] {
  if (output === undefined) throw new Error('a decoded output has no place in its transaction');
  return [field(OUTPUT.AMOUNT, new ByteWriter().uint64(output.value).finish()), field(OUTPUT.SCRIPT, output.script)];
}

/**
 * The device hides an output only if it is change and claims to be: everything else it must show. It computes the script
 * of change from the policy and reads no script field of an output, each of which would cost it 4 exchanges.
 */
function changeFields({ derivations }: DecodedOutput, vault: Vault, cosigner: Hex | null): readonly Field[] {
  const own = derivations.filter((claim) => isMeant(claim, cosigner) && claimedOrigin(vault, claim)?.branch === 1);
  if (own.length === 0) return [];
  return own.map((claim) => derivationField(claim, OUTPUT));
}

const isMeant = ({ fingerprint }: DerivationClaim, cosigner: Hex | null): boolean =>
  cosigner === null || fingerprint === cosigner;

function derivationField(claim: DerivationClaim, types: typeof INPUT | typeof OUTPUT): Field {
  return claim.publicKey.length === 32
    ? keyedField(types.TAP_BIP32_DERIVATION, claim.publicKey, encodeTapKeyOrigin(claim))
    : keyedField(types.BIP32_DERIVATION, claim.publicKey, encodeKeyOrigin(claim));
}

function withoutWitnesses(previous: Uint8Array): Uint8Array {
  const transaction = parseTransaction(previous);
  if (!transaction.ok) throw new Error(`a proven previous transaction cannot be read: ${transaction.error}`);
  return transaction.value.stripped;
}
