import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { INPUT, OUTPUT } from '../psbt/fields.js';
import { fieldValue } from '../psbt/key-map.js';
import { splitPsbt } from '../psbt/parts.js';
import type { DefaultKind, SigningShape } from './estimate.js';

/** What in a version 0 PSBT decides how long the device takes. Faults: E_PSBT_PARSE, E_PSBT_VERSION. */
export function signingShape(psbt: Uint8Array, kind: DefaultKind): Result<SigningShape, Fault> {
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const { inputs, outputs } = parts.value;
  const previousTransactions = inputs.flatMap((map) => fieldValue(map, INPUT.NON_WITNESS_UTXO)?.length ?? []);
  const changeOutputs = outputs.filter((map) =>
    map.some(({ type }) => type === OUTPUT.BIP32_DERIVATION || type === OUTPUT.TAP_BIP32_DERIVATION),
  ).length;
  return ok({ kind, inputs: inputs.length, outputs: outputs.length, changeOutputs, previousTransactions });
}
