import { equalBytes, hash256, toHex } from '../../domain/bytes.js';
import { GLOBAL, INPUT, OUTPUT } from '../../psbt/fields.js';
import {
  parseTransaction,
  parseUnsignedTransaction,
  sameOutput,
  serialiseUnsigned,
  type Transaction,
  type TransactionInput,
  type TransactionOutput,
} from '../../psbt/transaction.js';
import { ByteReader } from '../../psbt/wire.js';
import { mapName, type Reading, type ReadMap, type Scope } from './meaning.js';
import { HASH, type Start } from './protocol.js';

/** What a signature of one input commits to beside the transaction. */
export interface SpentInput {
  readonly prevout: TransactionOutput;
  readonly redeemScript: Uint8Array | null;
  readonly witnessScript: Uint8Array | null;
  readonly sighashType: number | null;
}

/** A transaction as signatures are checked against it. */
export interface SignedSubject {
  readonly unsigned: Transaction;
  readonly inputs: readonly SpentInput[];
}

/** What the device was told: a transaction; what of it was never read; or how the parts of it contradict each other. */
export type Streamed =
  | { readonly kind: 'whole'; readonly subject: SignedSubject }
  | { readonly kind: 'partial'; readonly lacks: string }
  | { readonly kind: 'contradiction'; readonly message: string };

type SignStart = Extract<Start, { kind: 'sign' }>;

/**
 * Puts the transaction together again from the maps that the device read. The device verifies each part by its hash, so
 * this is what it signed.
 */
export function streamedTransaction(start: SignStart, reading: Reading): Streamed {
  return new Assembly(reading.maps).whole(start);
}

const NOTHING = new Uint8Array(0);
const ZERO = new Uint8Array(4);
const FINAL = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/** Reads straight on, as ByteReader does: the first thing that is absent or contradicts another is kept. */
class Assembly {
  readonly #maps: Reading['maps'];
  #lacks: string | null = null;
  #contradiction: string | null = null;

  constructor(maps: Reading['maps']) {
    this.#maps = maps;
  }

  whole(start: SignStart): Streamed {
    const global = this.#map('global', 0);
    const inputs: TransactionInput[] = [];
    const spent: SpentInput[] = [];
    // A count that was read ends where the maps do: nothing is allocated for what is not there.
    for (let index = 0; index < start.inputs.size && this.#isSound(); index++) {
      const map = this.#map('input', index);
      const input = this.#outpoint(map, index);
      inputs.push(input);
      spent.push(this.#spent(map, input, index));
    }
    const outputs: TransactionOutput[] = [];
    for (let index = 0; index < start.outputs.size && this.#isSound(); index++) {
      const map = this.#map('output', index);
      const value = this.#amount(this.#required(map, OUTPUT.AMOUNT, `the amount of output ${index}`));
      outputs.push({ value, script: this.#required(map, OUTPUT.SCRIPT, `the script of output ${index}`) });
    }
    const version = this.#number(this.#required(global, GLOBAL.TX_VERSION, 'the version of the transaction'));
    const locktime = this.#number(this.#optional(global, GLOBAL.FALLBACK_LOCKTIME, 'the locktime') ?? ZERO);
    const unsigned = parseUnsignedTransaction(serialiseUnsigned({ version, inputs, outputs, locktime }));
    if (!unsigned.ok && this.#isSound()) this.#contradict(`the maps make no transaction: ${unsigned.error}`);
    if (this.#contradiction !== null) return { kind: 'contradiction', message: this.#contradiction };
    if (this.#lacks !== null || !unsigned.ok) return { kind: 'partial', lacks: this.#lacks ?? 'a transaction' };
    return { kind: 'whole', subject: { unsigned: unsigned.value, inputs: spent } };
  }

  #outpoint(map: ReadMap, index: number): TransactionInput {
    for (const type of [INPUT.REQUIRED_TIME_LOCKTIME, INPUT.REQUIRED_HEIGHT_LOCKTIME]) {
      if (position(map, type) !== null) this.#lack(`the locktime, which input ${index} has a say in`);
    }
    const hash = this.#required(map, INPUT.PREVIOUS_TXID, `the txid of input ${index}`);
    if (hash.length !== HASH && this.#isSound())
      this.#contradict(`the txid of input ${index} has ${hash.length} bytes`);
    return {
      hash,
      vout: this.#number(this.#required(map, INPUT.OUTPUT_INDEX, `the output index of input ${index}`)),
      scriptSig: NOTHING,
      sequence: this.#number(this.#optional(map, INPUT.SEQUENCE, `the sequence of input ${index}`) ?? FINAL),
    };
  }

  #spent(map: ReadMap, { hash, vout }: TransactionInput, index: number): SpentInput {
    const previous = value(map, INPUT.NON_WITNESS_UTXO);
    const stated = value(map, INPUT.WITNESS_UTXO);
    const proven = previous === null ? null : this.#outputOf(previous, hash, vout, index);
    const claimed = stated === null ? null : this.#soleOutput(stated, index);
    if (proven !== null && claimed !== null && !sameOutput(proven, claimed)) {
      this.#contradict(`input ${index}: the previous transaction and the witness UTXO disagree`);
    }
    const prevout = proven ?? claimed;
    if (prevout === null) this.#lack(`the output that input ${index} spends`);
    const type = this.#optional(map, INPUT.SIGHASH_TYPE, `the sighash type of input ${index}`);
    return {
      prevout: prevout ?? { value: 0n, script: NOTHING },
      redeemScript: value(map, INPUT.REDEEM_SCRIPT),
      witnessScript: value(map, INPUT.WITNESS_SCRIPT),
      sighashType: type === null ? null : this.#number(type),
    };
  }

  #outputOf(previous: Uint8Array, hash: Uint8Array, vout: number, index: number): TransactionOutput | null {
    if (!this.#isSound()) return null;
    const transaction = parseTransaction(previous);
    if (!transaction.ok) return this.#contradict(`input ${index}: its previous transaction: ${transaction.error}`);
    if (!equalBytes(hash256(transaction.value.stripped), hash)) {
      const due = toHex(Uint8Array.from(hash).reverse());
      return this.#contradict(`input ${index}: its previous transaction does not hash to the txid ${due}`);
    }
    const output = transaction.value.outputs[vout];
    return output ?? this.#contradict(`input ${index}: its previous transaction has no output ${vout}`);
  }

  #soleOutput(bytes: Uint8Array, index: number): TransactionOutput | null {
    const reader = new ByteReader(bytes);
    const output = { value: reader.uint64(), script: reader.lengthPrefixed() };
    const isWhole = reader.problem === null && reader.remaining === 0;
    return isWhole ? output : this.#contradict(`input ${index}: its witness UTXO is no output`);
  }

  #map(scope: Scope, map: number): ReadMap {
    const found = this.#maps.get(mapName(scope, map));
    if (found === undefined) this.#lack(`the map of ${mapName(scope, map)}`);
    return found ?? { commitment: { size: 0, keys: NOTHING, values: NOTHING }, keys: new Map(), values: new Map() };
  }

  #required(map: ReadMap, type: number, name: string): Uint8Array {
    const found = value(map, type);
    if (found === null) this.#lack(name);
    return found ?? NOTHING;
  }

  /** Null where the map has no such field: to know that, all keys must have been read. */
  #optional(map: ReadMap, type: number, name: string): Uint8Array | null {
    if (position(map, type) !== null) return this.#required(map, type, name);
    if (map.keys.size < map.commitment.size) this.#lack(name);
    return null;
  }

  #number(bytes: Uint8Array): number {
    if (bytes.length !== 4 && this.#isSound()) this.#contradict(`a number has ${bytes.length} bytes, and 4 are due`);
    return new ByteReader(bytes).uint32();
  }

  #amount(bytes: Uint8Array): bigint {
    if (bytes.length !== 8 && this.#isSound()) this.#contradict(`an amount has ${bytes.length} bytes, and 8 are due`);
    return new ByteReader(bytes).uint64();
  }

  #isSound(): boolean {
    return this.#lacks === null && this.#contradiction === null;
  }

  #lack(what: string): void {
    this.#lacks ??= what;
  }

  #contradict(message: string): null {
    this.#contradiction ??= message;
    return null;
  }
}

/** The place of the key that is this type alone. */
function position({ keys }: ReadMap, type: number): number | null {
  return [...keys].find(([, key]) => key.length === 1 && key[0] === type)?.[0] ?? null;
}

function value(map: ReadMap, type: number): Uint8Array | null {
  const at = position(map, type);
  return at === null ? null : (map.values.get(at) ?? null);
}
