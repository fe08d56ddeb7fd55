import { type Fault, fail } from '../domain/fault.js';
import { networkParameters } from '../domain/network.js';
import { formatPath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { defaultAccount } from '../vault/descriptor.js';
import type { Vault, VaultKey } from '../vault/types.js';
import { type DefaultKind, isDefaultKind } from './estimate.js';

/** BIP44, BIP49, BIP84, BIP86. */
const PURPOSES: Readonly<Record<DefaultKind, number>> = { pkh: 44, 'sh(wpkh)': 49, wpkh: 84, tr: 86 };

/** A vault that the Bitcoin app signs for without a registered policy. */
export interface DefaultVault {
  readonly kind: DefaultKind;
  readonly key: VaultKey;
}

/**
 * Whether the device can sign for a vault at all, asked before anything is plugged in: one key, at the standard path of
 * its script type and network, account at most 100. Faults: E_DEVICE_UNSUPPORTED.
 */
export function defaultVault(vault: Vault): Result<DefaultVault, Fault> {
  const { kind, keys, network } = vault;
  const [key] = keys;
  if (!isDefaultKind(kind) || key === undefined) {
    return fail(
      'E_DEVICE_UNSUPPORTED',
      `a ${kind} vault cannot be signed for yet: its wallet policy must be registered`,
      {
        remedy: 'watch it with this version, and sign with a later one',
      },
    );
  }
  if (defaultAccount(vault) === null) {
    const standard = `${PURPOSES[kind]}'/${networkParameters(network).coinType}'/ACCOUNT'`;
    return fail(
      'E_DEVICE_UNSUPPORTED',
      `the Bitcoin app signs for ${kind} on ${network} only at ${standard} with an account up to 100, and this vault is at ${formatPath(key.path)}`,
      { remedy: 'move the coins to a vault at the standard path' },
    );
  }
  return ok({ kind, key });
}
