import { type Fault, fail } from '../domain/fault.js';
import { type Network, networkParameters } from '../domain/network.js';
import { formatPath, HARDENED, isHardened, type Path } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import { defaultAccount } from '../vault/descriptor.js';
import { signingKeys } from '../vault/signing-keys.js';
import type { Vault, VaultKey } from '../vault/types.js';
import { type DefaultKind, isDefaultKind } from './estimate.js';
import { MAX_ACCOUNT } from './limits.js';

/** BIP44, BIP49, BIP84, BIP86. */
const PURPOSES: Readonly<Record<DefaultKind, number>> = { pkh: 44, 'sh(wpkh)': 49, wpkh: 84, tr: 86 };

/** A vault that the Bitcoin app signs for without a registered policy. */
export interface DefaultVault {
  readonly kind: DefaultKind;
  readonly key: VaultKey;
}

/**
 * Whether the device can sign for a vault by itself: one key, at the standard path of its script type and network, account
 * at most 100. Faults: E_DEVICE_UNSUPPORTED.
 */
export function defaultVault(vault: Vault): Result<DefaultVault, Fault> {
  const { kind, keys, network } = vault;
  const [key] = keys;
  if (!isDefaultKind(kind) || key === undefined) {
    return fail('E_DEVICE_UNSUPPORTED', `a ${kind} vault is signed for under a registered wallet policy`);
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

/**
 * The keys of a vault that a Ledger can hold, of which there is at least one: the key of a single-key vault at its standard
 * path, or the cosigners of a multisig vault at 48'/COIN'/ACCOUNT'/1' or /2' (BIP48), of a miniscript those who sign its
 * branch without a time lock. Cosigners elsewhere are other devices, whose signatures come in a file.
 * Faults: E_DEVICE_UNSUPPORTED.
 */
export function signableKeys(vault: Vault): Result<readonly VaultKey[], Fault> {
  const { kind, network } = vault;
  const keys = signingKeys(vault);
  if (isDefaultKind(kind)) {
    const standard = defaultVault(vault);
    return standard.ok ? ok([standard.value.key]) : standard;
  }
  const own = keys.filter(({ path }) => isCosignerPath(path, network));
  if (own.length > 0) return ok(own);
  const { coinType } = networkParameters(network);
  const paths = keys.map(({ path }) => formatPath(path)).join(', ');
  return fail(
    'E_DEVICE_UNSUPPORTED',
    `the Bitcoin app gives cosigner keys on ${network} at 48'/${coinType}'/ACCOUNT'/1' or 48'/${coinType}'/ACCOUNT'/2' with an account up to 100, and this vault has ${paths}`,
    { remedy: 'sign with other devices and bring their signatures, or move the coins to a vault at such paths' },
  );
}

/** BIP48: purpose, coin type, account, script type (1 nested, 2 native segwit), all hardened. */
function isCosignerPath(path: Path, network: Network): boolean {
  if (path.length !== 4 || !path.every(isHardened)) return false;
  const [purpose, coinType, account = MAX_ACCOUNT + 1, script] = path.map((step) => step - HARDENED);
  const { coinType: due } = networkParameters(network);
  return purpose === 48 && coinType === due && account <= MAX_ACCOUNT && (script === 1 || script === 2);
}
