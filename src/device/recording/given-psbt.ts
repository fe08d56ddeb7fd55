import { toHex } from '../../domain/bytes.js';
import { decodePsbt } from '../../psbt/decode.js';
import { GLOBAL, INPUT, OUTPUT } from '../../psbt/fields.js';
import type { KeyMap } from '../../psbt/key-map.js';
import { type PsbtParts, splitPsbt } from '../../psbt/parts.js';
import { parseTransaction, serialiseOutput } from '../../psbt/transaction.js';
import { ByteWriter, uint32Bytes } from '../../psbt/wire.js';
import { mapName, type Scope } from './meaning.js';
import type { SignedSubject } from './streamed.js';

/** The transaction of a version 0 PSBT with what its inputs spend; null where it does not say that of every input. */
export function givenSubject(psbt: Uint8Array): SignedSubject | null {
  const decoded = decodePsbt(psbt);
  const parts = splitPsbt(psbt);
  if (!decoded.ok || !parts.ok) return null;
  const inputs = decoded.value.inputs.flatMap(({ prevout, redeemScript, witnessScript, sighashType }) =>
    prevout === null ? [] : [{ prevout, redeemScript, witnessScript, sighashType }],
  );
  return inputs.length === decoded.value.inputs.length ? { unsigned: parts.value.unsigned, inputs } : null;
}

/**
 * The fields of a version 0 PSBT as the device may be sent them: those of version 2 that say what its transaction does,
 * its own, and what the copy for the device derives (see deviceCopy). By map and key: "input 0 0e". Null where it
 * is no PSBT.
 */
export function givenFields(psbt: Uint8Array): {
  readonly inputs: number;
  readonly outputs: number;
  readonly fields: ReadonlyMap<string, Uint8Array>;
} | null {
  const parts = splitPsbt(psbt);
  const decoded = decodePsbt(psbt);
  if (!parts.ok || !decoded.ok) return null;
  const { unsigned, inputs, outputs } = parts.value;
  const fields = new Map<string, Uint8Array>();
  const put = (scope: Scope, map: number, key: Uint8Array, value: Uint8Array): void => {
    fields.set(`${mapName(scope, map)} ${toHex(key)}`, value);
  };
  const bare = (scope: Scope, map: number, type: number, value: Uint8Array): void => {
    put(scope, map, Uint8Array.of(type), value);
  };
  putGlobal(parts.value, bare);
  for (const [index, input] of unsigned.inputs.entries()) {
    bare('input', index, INPUT.PREVIOUS_TXID, input.hash);
    bare('input', index, INPUT.OUTPUT_INDEX, uint32Bytes(input.vout));
    bare('input', index, INPUT.SEQUENCE, uint32Bytes(input.sequence));
    const prevout = decoded.value.inputs[index]?.prevout ?? null;
    if (prevout !== null) bare('input', index, INPUT.WITNESS_UTXO, serialiseOutput(prevout));
    for (const { type, keyData, value } of inputs[index] ?? []) {
      put(
        'input',
        index,
        Uint8Array.of(type, ...keyData),
        type === INPUT.NON_WITNESS_UTXO ? withoutWitness(value) : value,
      );
    }
  }
  for (const [index, output] of unsigned.outputs.entries()) {
    bare('output', index, OUTPUT.AMOUNT, new ByteWriter(8).uint64(output.value).finish());
    bare('output', index, OUTPUT.SCRIPT, output.script);
    const map: KeyMap = outputs[index] ?? [];
    for (const { type, keyData, value } of map) put('output', index, Uint8Array.of(type, ...keyData), value);
  }
  return { inputs: unsigned.inputs.length, outputs: unsigned.outputs.length, fields };
}

function putGlobal(
  { unsigned }: PsbtParts,
  bare: (scope: Scope, map: number, type: number, value: Uint8Array) => void,
): void {
  const count = (value: number): Uint8Array => new ByteWriter().compactSize(value).finish();
  bare('global', 0, GLOBAL.TX_VERSION, uint32Bytes(unsigned.version));
  bare('global', 0, GLOBAL.FALLBACK_LOCKTIME, uint32Bytes(unsigned.locktime));
  bare('global', 0, GLOBAL.INPUT_COUNT, count(unsigned.inputs.length));
  bare('global', 0, GLOBAL.OUTPUT_COUNT, count(unsigned.outputs.length));
  bare('global', 0, GLOBAL.VERSION, uint32Bytes(2));
}

/** The device is sent a previous transaction without its witnesses, which no txid covers. */
function withoutWitness(previous: Uint8Array): Uint8Array {
  const transaction = parseTransaction(previous);
  return transaction.ok ? transaction.value.stripped : previous;
}
