import { sha256Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import { MAX_SATS } from '../domain/sats.js';
import { INPUT, inputFieldName, OUTPUT, readDerivations, SIGNATURE_FIELDS } from './fields.js';
import { fieldValue, type KeyMap } from './key-map.js';
import { parseFault, splitPsbt } from './parts.js';
import {
  outpointOf,
  parseTransaction,
  sameOutput,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
  txidOf,
} from './transaction.js';
import type { DecodedInput, DecodedOutput, DecodedPsbt, Prevout, PrevoutProof } from './types.js';
import { ByteReader } from './wire.js';

/**
 * Decodes a version 0 PSBT (BIP174, BIP371) from raw bytes, strictly: a byte too many or too few, a key that stands
 * twice, a field of a wrong length or of version 2 is E_PSBT_PARSE; another version is E_PSBT_VERSION. Never throws,
 * whatever the bytes. What the PSBT claims is not believed: `proof` tells how far each prevout is shown to be true.
 */
export function decodePsbt(contents: Uint8Array): Result<DecodedPsbt, Fault> {
  // One private copy: the facts and their hash stay true even if the caller changes its buffer.
  const bytes = new Uint8Array(contents);
  const parts = splitPsbt(bytes);
  if (!parts.ok) return parts;
  const { unsigned } = parts.value;

  const inputs: DecodedInput[] = [];
  for (const [index, input] of unsigned.inputs.entries()) {
    const decoded = decodeInput(input, parts.value.inputs[index] ?? []);
    if (!decoded.ok) return parseFault(`input ${index}: ${decoded.error}`);
    inputs.push(decoded.value);
  }
  const outputs: DecodedOutput[] = [];
  for (const [index, output] of unsigned.outputs.entries()) {
    const decoded = decodeOutput(output, parts.value.outputs[index] ?? []);
    if (!decoded.ok) return parseFault(`output ${index}: ${decoded.error}`);
    outputs.push(decoded.value);
  }
  return ok({
    sha256: sha256Hex(bytes),
    unsignedTxid: txidOf(unsigned),
    version: unsigned.version,
    locktime: unsigned.locktime,
    inputs,
    outputs,
    malformed: malformation(unsigned),
  });
}

/** BIP174 wants the global transaction unsigned: whoever fills it in tries to slip something past a reader. */
function malformation(unsigned: Transaction): string | null {
  if (unsigned.segwit) return 'the global transaction has witnesses';
  const signed = unsigned.inputs.findIndex(({ scriptSig }) => scriptSig.length > 0);
  return signed === -1 ? null : `input ${signed} of the global transaction has a scriptSig`;
}

function decodeInput(input: TransactionInput, map: KeyMap): Result<DecodedInput, string> {
  const prevout = readPrevout(input, map);
  if (!prevout.ok) return prevout;
  const { claims, leaves, problem } = readDerivations(map, INPUT);
  if (problem !== null) return err(problem);
  const sighash = fieldValue(map, INPUT.SIGHASH_TYPE);
  return ok({
    outpoint: outpointOf(input),
    sequence: input.sequence,
    prevout: prevout.value.prevout,
    proof: prevout.value.proof,
    sighashType: sighash === null ? null : new ByteReader(sighash).uint32(),
    redeemScript: fieldValue(map, INPUT.REDEEM_SCRIPT),
    witnessScript: fieldValue(map, INPUT.WITNESS_SCRIPT),
    derivations: claims,
    presigned: map.some(({ type }) => SIGNATURE_FIELDS.has(type)),
    foreignFields: foreignFields(map, leaves),
  });
}

function decodeOutput({ value, script }: TransactionOutput, map: KeyMap): Result<DecodedOutput, string> {
  const { claims, problem } = readDerivations(map, OUTPUT);
  if (problem !== null) return err(problem);
  return ok({
    value,
    script,
    redeemScript: fieldValue(map, OUTPUT.REDEEM_SCRIPT),
    witnessScript: fieldValue(map, OUTPUT.WITNESS_SCRIPT),
    derivations: claims,
  });
}

/** The prevout of an input with its proof. Where two statements disagree neither is passed on. */
function readPrevout(
  input: TransactionInput,
  map: KeyMap,
): Result<{ readonly prevout: Prevout | null; readonly proof: PrevoutProof }, string> {
  const witnessUtxo = fieldValue(map, INPUT.WITNESS_UTXO);
  const claimed = witnessUtxo === null ? null : readWitnessUtxo(witnessUtxo);
  if (claimed?.ok === false) return claimed;
  const nonWitnessUtxo = fieldValue(map, INPUT.NON_WITNESS_UTXO);
  if (nonWitnessUtxo === null) {
    return ok(claimed === null ? { prevout: null, proof: 'absent' } : { prevout: claimed.value, proof: 'claimed' });
  }

  const previous = parseTransaction(nonWitnessUtxo);
  if (!previous.ok) return err(`its previous transaction: ${previous.error}`);
  const output = previous.value.outputs[input.vout];
  if (txidOf(previous.value) !== outpointOf(input).txid || output === undefined) {
    return ok({ prevout: null, proof: 'mismatch' });
  }
  if (claimed !== null && !sameOutput(claimed.value, output)) return ok({ prevout: null, proof: 'mismatch' });
  return ok({ prevout: output, proof: 'proven' });
}

function readWitnessUtxo(bytes: Uint8Array): Result<Prevout, string> {
  const reader = new ByteReader(bytes);
  const prevout = { value: reader.uint64(), script: reader.lengthPrefixed() };
  if (prevout.value > MAX_SATS) reader.fail('it is above 21,000,000 BTC');
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow it`);
  return reader.problem === null ? ok(prevout) : err(`its witness_utxo: ${reader.problem}`);
}

const REPORTED_ELSEWHERE: ReadonlySet<number> = new Set([
  INPUT.NON_WITNESS_UTXO,
  INPUT.WITNESS_UTXO,
  INPUT.SIGHASH_TYPE,
  INPUT.REDEEM_SCRIPT,
  INPUT.WITNESS_SCRIPT,
  INPUT.BIP32_DERIVATION,
  INPUT.TAP_BIP32_DERIVATION,
  INPUT.TAP_INTERNAL_KEY,
  ...SIGNATURE_FIELDS,
]);

function foreignFields(map: KeyMap, leaves: boolean): readonly string[] {
  const names = map.filter(({ type }) => !REPORTED_ELSEWHERE.has(type)).map(({ type }) => inputFieldName(type));
  return [...new Set(leaves ? [...names, 'tapLeafHashes'] : names)];
}
