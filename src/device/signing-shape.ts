import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { INPUT, OUTPUT } from '../psbt/fields.js';
import { fieldValue } from '../psbt/key-map.js';
import { splitPsbt } from '../psbt/parts.js';
import { scriptLength } from '../vault/miniscript.js';
import { miniscriptOf } from '../vault/signing-keys.js';
import type { Vault } from '../vault/types.js';
import type { SigningShape } from './estimate.js';

/** What in a version 0 PSBT decides how long the device takes; `cosigner` is the device's fingerprint. Faults: E_PSBT_PARSE, E_PSBT_VERSION. */
export function signingShape(
  psbt: Uint8Array,
  vault: Pick<Vault, 'kind' | 'keys' | 'miniscript'>,
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
    ...policyShape(vault, cosigner),
    inputs: inputs.length,
    outputs: outputs.length,
    changeOutputs,
    previousTransactions,
  });
}

/** What the policy of a vault adds to the shape; `cosigner` is the device's fingerprint. */
export function policyShape(
  vault: Pick<Vault, 'kind' | 'keys' | 'miniscript'>,
  cosigner: Hex | null,
): Pick<SigningShape, 'kind' | 'cosigners' | 'position' | 'scriptBytes'> {
  const { kind, keys } = vault;
  const script = kind === 'wsh(miniscript)' ? { scriptBytes: scriptLength(miniscriptOf(vault)) } : {};
  return { kind, cosigners: keys.length, position: positionOf(keys, cosigner), ...script };
}

/** How many keys of a vault come before that of a device; none where it is not said which device. */
function positionOf(keys: Vault['keys'], cosigner: Hex | null): number {
  return Math.max(
    0,
    keys.findIndex(({ fingerprint }) => fingerprint === cosigner),
  );
}
