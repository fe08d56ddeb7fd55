import { equalBytes, hash256, toHex } from '../domain/bytes.js';
import { formatOutpoint, type Outpoint } from '../domain/outpoint.js';
import { err, ok, type Result } from '../domain/result.js';
import { MAX_SATS, type Sats } from '../domain/sats.js';
import { compactSizeLength } from '../domain/script.js';
import { ByteReader, ByteWriter } from './wire.js';

export interface TransactionInput {
  /** The previous txid in wire order (as hashed); `outpointOf` turns it into display order. */
  readonly hash: Uint8Array;
  readonly vout: number;
  readonly scriptSig: Uint8Array;
  readonly sequence: number;
}

export interface TransactionOutput {
  readonly value: Sats;
  readonly script: Uint8Array;
}

export interface Transaction {
  readonly version: number;
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  readonly locktime: number;
  /** Written with marker, flag and witnesses (BIP144). */
  readonly segwit: boolean;
  /** The serialisation without witnesses: what a txid hashes. */
  readonly stripped: Uint8Array;
  /** One an input where it was written with witnesses, else none at all. No txid covers them. */
  readonly witnesses: readonly (readonly Uint8Array[])[];
}

/**
 * Parses a whole transaction in network serialisation (BIP144), strictly: nothing may be left over, lengths are in their
 * shortest form, no output is above 21,000,000 BTC, and a witness serialisation has a witness. Never throws; the error
 * says what is wrong with the bytes, for a caller who knows whose bytes they are.
 */
export function parseTransaction(bytes: Uint8Array): Result<Transaction, string> {
  return bytes[4] === 0 && bytes[5] === 1 ? parse(bytes, true) : parse(bytes, false);
}

/**
 * Parses the global transaction of a PSBT, which BIP174 wants without witnesses. A transaction without inputs looks like
 * the beginning of a witness serialisation, so that form is tried only after the plain one.
 */
export function parseUnsignedTransaction(bytes: Uint8Array): Result<Transaction, string> {
  const plain = parse(bytes, false);
  return plain.ok || !(bytes[4] === 0 && bytes[5] === 1) ? plain : parse(bytes, true);
}

function parse(bytes: Uint8Array, segwit: boolean): Result<Transaction, string> {
  const reader = new ByteReader(bytes);
  const version = reader.uint32();
  if (segwit) reader.take(2);

  const bodyStart = reader.offset;
  const inputs: TransactionInput[] = [];
  for (let left = reader.compactSize(); left > 0 && reader.problem === null; left--) {
    inputs.push({
      hash: reader.take(32),
      vout: reader.uint32(),
      scriptSig: reader.lengthPrefixed(),
      sequence: reader.uint32(),
    });
  }
  const outputs: TransactionOutput[] = [];
  for (let left = reader.compactSize(); left > 0 && reader.problem === null; left--) {
    const value = reader.uint64();
    if (value > MAX_SATS) reader.fail('an output is above 21,000,000 BTC');
    outputs.push({ value, script: reader.lengthPrefixed() });
  }
  const bodyEnd = reader.offset;

  const witnesses = segwit ? readWitnesses(reader, inputs.length) : [];
  const hasWitness = reader.problem !== null || witnesses.some((items) => items.length > 0);
  if (segwit && !hasWitness) reader.fail('a witness serialisation holds no witness');
  const locktime = reader.uint32();
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the transaction`);
  if (reader.problem !== null) return err(reader.problem);
  const stripped = segwit
    ? new ByteWriter(bodyEnd - bodyStart + 8)
        .uint32(version)
        .bytes(bytes.subarray(bodyStart, bodyEnd))
        .uint32(locktime)
        .finish()
    : bytes;
  return ok({ version, inputs, outputs, locktime, segwit, stripped, witnesses });
}

function readWitnesses(reader: ByteReader, inputs: number): Uint8Array[][] {
  const witnesses: Uint8Array[][] = [];
  for (let input = 0; input < inputs && reader.problem === null; input++) {
    const items: Uint8Array[] = [];
    for (let left = reader.compactSize(); left > 0 && reader.problem === null; left--) {
      items.push(reader.lengthPrefixed());
    }
    witnesses.push(items);
  }
  return witnesses;
}

/** The network serialisation of a transaction that nobody has signed: scriptSigs empty, no witnesses. */
export function serialiseUnsigned(transaction: Omit<Transaction, 'segwit' | 'stripped' | 'witnesses'>): Uint8Array {
  const writer = new ByteWriter().uint32(transaction.version).compactSize(transaction.inputs.length);
  for (const { hash, vout, sequence } of transaction.inputs) {
    writer.bytes(hash).uint32(vout).compactSize(0).uint32(sequence);
  }
  writer.compactSize(transaction.outputs.length);
  for (const output of transaction.outputs) writeOutput(writer, output);
  return writer.uint32(transaction.locktime).finish();
}

/** Value and script of an output, as it stands in a transaction. */
export function writeOutput(writer: ByteWriter, { value, script }: TransactionOutput): ByteWriter {
  return writer.uint64(value).lengthPrefixed(script);
}

/** The value of PSBT_IN_WITNESS_UTXO: an output on its own. */
export function serialiseOutput(output: TransactionOutput): Uint8Array {
  const { length } = output.script;
  return writeOutput(new ByteWriter(8 + compactSizeLength(length) + length), output).finish();
}

/** Whether two outputs agree in value and script. */
export function sameOutput(a: TransactionOutput, b: TransactionOutput): boolean {
  return a.value === b.value && equalBytes(a.script, b.script);
}

/** The txid in display order. */
export function txidOf(transaction: Transaction): string {
  return toHex(hash256(transaction.stripped).reverse());
}

/** The txid that an input spends from, turned into display order. */
export function outpointOf({ hash, vout }: TransactionInput): Outpoint {
  return { txid: toHex(new Uint8Array(hash).reverse()), vout };
}

/**
 * What a signed transaction does differently from the unsigned one that it should complete, in one sentence; null if
 * nothing. Signatures are what may differ, and only they.
 */
export function differenceBetween(unsigned: Transaction, signed: Transaction): string | null {
  if (signed.version !== unsigned.version) return `its version is ${signed.version}, not ${unsigned.version}`;
  if (signed.locktime !== unsigned.locktime) return `its locktime is ${signed.locktime}, not ${unsigned.locktime}`;
  if (signed.inputs.length !== unsigned.inputs.length) {
    return `it has ${signed.inputs.length} inputs, not ${unsigned.inputs.length}`;
  }
  if (signed.outputs.length !== unsigned.outputs.length) {
    return `it has ${signed.outputs.length} outputs, not ${unsigned.outputs.length}`;
  }
  for (const [index, due] of unsigned.inputs.entries()) {
    const input = signed.inputs[index];
    if (input === undefined) return `input ${index} is missing`;
    const outpoints = [outpointOf(input), outpointOf(due)].map(formatOutpoint);
    if (outpoints[0] !== outpoints[1]) return `input ${index} spends ${outpoints[0]}, not ${outpoints[1]}`;
    if (input.sequence !== due.sequence) {
      return `the sequence of input ${index} is ${input.sequence}, not ${due.sequence}`;
    }
  }
  for (const [index, due] of unsigned.outputs.entries()) {
    const output = signed.outputs[index];
    if (output === undefined) return `output ${index} is missing`;
    if (output.value !== due.value) return `output ${index} pays ${output.value} sat, not ${due.value} sat`;
    if (!equalBytes(output.script, due.script)) {
      return `output ${index} pays the script ${toHex(output.script)}, not ${toHex(due.script)}`;
    }
  }
  return null;
}
