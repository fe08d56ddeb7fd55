import { type Fault, fail } from '../domain/fault.js';
import { networkParameters } from '../domain/network.js';
import { formatPath, HARDENED, isHardened } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import type { Vault, VaultKey } from '../vault/types.js';
import { type DefaultKind, isDefaultKind } from './estimate.js';

/** BIP44, BIP49, BIP84, BIP86. */
const PURPOSES: Readonly<Record<DefaultKind, number>> = { pkh: 44, 'sh(wpkh)': 49, wpkh: 84, tr: 86 };
/** The app takes a higher account for a mistake and answers 6a82. */
const MAX_ACCOUNT = 100;

/** A vault that the Bitcoin app signs for without a registered policy. */
export interface DefaultVault {
  readonly kind: DefaultKind;
  readonly key: VaultKey;
}

/**
 * Whether the device can sign for a vault at all, asked before anything is plugged in: one key, at the standard path of
 * its script type and network, account at most 100. Faults: E_DEVICE_UNSUPPORTED.
 */
export function defaultVault({ kind, keys, network }: Vault): Result<DefaultVault, Fault> {
  const [key] = keys;
  if (!isDefaultKind(kind) || key === undefined || keys.length !== 1) {
    return fail(
      'E_DEVICE_UNSUPPORTED',
      `a ${kind} vault cannot be signed for yet: its wallet policy must be registered`,
      {
        remedy: 'watch it with this version, and sign with a later one',
      },
    );
  }
  const { coinType } = networkParameters(network);
  const [purpose, coin, account, ...rest] = key.path;
  const isStandard =
    purpose === PURPOSES[kind] + HARDENED &&
    coin === coinType + HARDENED &&
    account !== undefined &&
    isHardened(account) &&
    rest.length === 0;
  if (!isStandard) {
    return fail(
      'E_DEVICE_UNSUPPORTED',
      `the Bitcoin app signs for ${kind} on ${network} only at ${PURPOSES[kind]}'/${coinType}'/ACCOUNT', and this vault is at ${formatPath(key.path)}`,
      { remedy: 'move the coins to a vault at the standard path' },
    );
  }
  if (account - HARDENED > MAX_ACCOUNT) {
    return fail(
      'E_DEVICE_UNSUPPORTED',
      `the Bitcoin app signs for accounts 0 to ${MAX_ACCOUNT}, and this vault is account ${account - HARDENED}`,
      { remedy: 'move the coins to a vault with a lower account' },
    );
  }
  return ok({ kind, key });
}
