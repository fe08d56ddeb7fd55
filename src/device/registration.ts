import type { Hex } from '../domain/bytes.js';
import type { Vault } from '../vault/types.js';
import { namedPolicy, policyId } from '../vault/wallet-policy.js';
import type { Registration } from './types.js';

/**
 * Why a registration cannot be used for a vault, in words; null where it can, as far as this machine can tell. Whether the
 * HMAC is the device's own only the device knows: it answers b008 where it is not.
 */
export function registrationProblem(
  vault: Vault,
  fingerprint: Hex | null,
  registration: Registration | null,
): string | null {
  const device = fingerprint === null ? 'the device' : `the device ${fingerprint}`;
  if (registration === null) return `the wallet policy of the vault ${vault.id} is not registered on ${device}`;
  const due = policyId(namedPolicy(vault));
  if (registration.policy === due) return null;
  return `${device} has registered the policy ${registration.policy}, and that of the vault ${vault.id} is ${due}`;
}
