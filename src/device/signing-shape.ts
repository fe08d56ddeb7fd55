import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { INPUT, OUTPUT } from '../psbt/fields.js';
import { fieldValue } from '../psbt/key-map.js';
import { splitPsbt } from '../psbt/parts.js';
import type { Vault } from '../vault/types.js';
import type { SigningShape } from './estimate.js';

/** What in a version 0 PSBT decides how long the device takes; `cosigner` is the device's fingerprint. Faults: E_PSBT_PARSE, E_PSBT_VERSION. */
export function signingShape(
  psbt: Uint8Array,
  { kind, keys }: Pick<Vault, 'kind' | 'keys'>,
  cosigner: Hex | null = null,
): Result<SigningShape, Fault> {
  const parts = splitPsbt(psbt);
  if (!parts.ok) return parts;
  const { inputs, outputs } = parts.value;
  const previousTransactions = inputs.flatMap((map) => fieldValue(map, INPUT.NON_WITNESS_UTXO)?.length ?? []);
  const changeOutputs = outputs.filter((map) =>
    map.some(({ type }) => type === OUTPUT.BIP32_DERIVATION || type === OUTPUT.TAP_BIP32_DERIVATION),
  ).length;
  return ok({
    kind,
    cosigners: keys.length,
    position: positionOf(keys, cosigner),
    inputs: inputs.length,
    outputs: outputs.length,
    changeOutputs,
    previousTransactions,
  });
}

/** How many keys of a vault come before that of a device; none where it is not said which device. */
export function positionOf(keys: Vault['keys'], cosigner: Hex | null): number {
  return Math.max(
    0,
    keys.findIndex(({ fingerprint }) => fingerprint === cosigner),
  );
}
