import { isDefaultKind } from '../device/estimate.js';
import { registrationProblem } from '../device/registration.js';
import type { Registration } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { JournalState } from '../journal/state.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Vault } from '../vault/types.js';

/** Whether a fingerprint that was typed names a cosigner of the vault. Faults: E_USAGE. */
export function checkCosigner(vault: Vault, fingerprint: Hex): Result<void, Fault> {
  const own = signingKeys(vault).map((key) => key.fingerprint);
  if (own.includes(fingerprint)) return ok(undefined);
  return fail('E_USAGE', `${JSON.stringify(fingerprint.slice(0, 40))} is not a signer of the vault ${vault.id}`, {
    remedy: `name one by its master key fingerprint: ${[...new Set(own)].join(', ')}`,
  });
}

/**
 * The registration of a device that the journal keeps, fit to be used; null for a vault that needs none. The policy's id is
 * computed again. Faults: E_DEVICE_UNREGISTERED.
 */
export function registrationFor(
  state: JournalState,
  vault: Vault,
  fingerprint: Hex,
): Result<Registration | null, Fault> {
  if (isDefaultKind(vault.kind)) return ok(null);
  const kept = state.registrations.get(fingerprint) ?? null;
  const problem = registrationProblem(vault, fingerprint, kept);
  if (problem === null) return ok(kept);
  return fail('E_DEVICE_UNREGISTERED', problem, {
    remedy: `have the policy approved on the device: countersign device register --signer ${fingerprint}`,
  });
}
