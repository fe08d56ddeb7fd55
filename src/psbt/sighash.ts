import { Transaction as BitcoinjsTransaction } from 'bitcoinjs-lib';
import { hash256, sha256 } from '../domain/bytes.js';
import type { VaultKind } from '../vault/types.js';
import { type Transaction, writeOutput } from './transaction.js';
import type { Prevout } from './types.js';
import { ByteWriter } from './wire.js';

export const SIGHASH_DEFAULT = 0x00;
export const SIGHASH_ALL = 0x01;

/** Whether PSBT_IN_SIGHASH_TYPE, or its absence, asks for ALL (or taproot's DEFAULT). */
export function isUsualSighash(kind: VaultKind, type: number | null): boolean {
  return type === null || type === SIGHASH_ALL || (kind === 'tr' && type === SIGHASH_DEFAULT);
}

/** The script code of a version 0 key hash program: what a P2PKH output of the same key would be (BIP143). */
export function keyHashScript(program: Uint8Array): Uint8Array {
  return Uint8Array.of(0x76, 0xa9, 20, ...program.subarray(2), 0x88, 0xac);
}

const TAP_SIGHASH_TAG = sha256('TapSighash');

/**
 * What the signatures of one transaction commit to, for the only types that countersign accepts. bitcoinjs-lib hashes all
 * inputs and outputs again for every input, which is quadratic; here BIP143 and BIP341 share them, so that proving 512
 * signatures costs 512 times one. Legacy hashing (pkh) is quadratic by its definition and left to bitcoinjs-lib.
 */
export class Sighashes {
  readonly #unsigned: Transaction;
  readonly #prevouts: readonly Prevout[];
  readonly #hashes: Record<'outpoints' | 'amounts' | 'scripts' | 'sequences' | 'outputs', Uint8Array>;
  #legacy: BitcoinjsTransaction | null = null;

  /** `prevouts` are those of all inputs, in their order. */
  constructor(unsigned: Transaction, prevouts: readonly Prevout[]) {
    this.#unsigned = unsigned;
    this.#prevouts = prevouts;
    const { inputs, outputs } = unsigned;
    this.#hashes = {
      outpoints: hashEach(inputs, (writer, { hash, vout }) => writer.bytes(hash).uint32(vout)),
      amounts: hashEach(prevouts, (writer, { value }) => writer.uint64(value)),
      scripts: hashEach(prevouts, (writer, { script }) => writer.lengthPrefixed(script)),
      sequences: hashEach(inputs, (writer, { sequence }) => writer.uint32(sequence)),
      outputs: hashEach(outputs, writeOutput),
    };
  }

  /** ALL of an input before segwit. */
  legacy(index: number, scriptCode: Uint8Array): Uint8Array {
    this.#legacy ??= BitcoinjsTransaction.fromBuffer(this.#unsigned.stripped);
    return this.#legacy.hashForSignature(index, scriptCode, SIGHASH_ALL);
  }

  /** ALL of a version 0 witness (BIP143). */
  witnessV0(index: number, scriptCode: Uint8Array): Uint8Array {
    const { input, prevout } = this.#at(index);
    const { outpoints, sequences, outputs } = this.#hashes;
    const preimage = new ByteWriter()
      .uint32(this.#unsigned.version)
      .bytes(sha256(outpoints))
      .bytes(sha256(sequences))
      .bytes(input.hash)
      .uint32(input.vout)
      .lengthPrefixed(scriptCode)
      .uint64(prevout.value)
      .uint32(input.sequence)
      .bytes(sha256(outputs))
      .uint32(this.#unsigned.locktime)
      .uint32(SIGHASH_ALL);
    return hash256(preimage.finish());
  }

  /** DEFAULT or ALL of a taproot key path without annex (BIP341). */
  taproot(index: number, type: typeof SIGHASH_DEFAULT | typeof SIGHASH_ALL): Uint8Array {
    const { outpoints, amounts, scripts, sequences, outputs } = this.#hashes;
    const message = new ByteWriter()
      .bytes(TAP_SIGHASH_TAG)
      .bytes(TAP_SIGHASH_TAG)
      .uint8(0) // epoch
      .uint8(type)
      .uint32(this.#unsigned.version)
      .uint32(this.#unsigned.locktime)
      .bytes(outpoints)
      .bytes(amounts)
      .bytes(scripts)
      .bytes(sequences)
      .bytes(outputs)
      .uint8(0) // spend type: key path, no annex
      .uint32(index);
    return sha256(message.finish());
  }

  #at(index: number) {
    const input = this.#unsigned.inputs[index];
    const prevout = this.#prevouts[index];
    if (input === undefined || prevout === undefined) throw new Error(`the transaction has no input ${index}`);
    return { input, prevout };
  }
}

function hashEach<T>(items: readonly T[], write: (writer: ByteWriter, item: T) => ByteWriter): Uint8Array {
  const writer = new ByteWriter();
  for (const item of items) write(writer, item);
  return sha256(writer.finish());
}
