import { formatPath } from '../../domain/path.js';
import type { Vault } from '../../vault/types.js';
import { walletPolicy } from '../../vault/wallet-policy.js';
import type { Style } from './style.js';
import { fields } from './table.js';

export function vaultLines(vault: Vault, style: Style): string[] {
  const quorum = vault.keys.length === 1 ? '1 key' : `${vault.threshold} of ${vault.keys.length} keys`;
  return fields(
    [
      ['  network', vault.network],
      ['  kind', `${vault.kind}, ${quorum}`],
      ...vault.keys.map((key): [string, string] => [
        '  key',
        `[${key.fingerprint}/${formatPath(key.path)}] ${key.xpub}`,
      ]),
      ['  wallet policy', walletPolicy(vault).template],
      ['  descriptor', vault.descriptor],
    ],
    style.dim,
  );
}

export function vaultData(vault: Vault): Record<string, unknown> {
  return {
    id: vault.id,
    network: vault.network,
    kind: vault.kind,
    threshold: vault.threshold,
    keys: vault.keys.map(({ fingerprint, path, xpub }) => ({ fingerprint, path: formatPath(path), xpub })),
    wallet_policy: walletPolicy(vault).template,
    descriptor: vault.descriptor,
  };
}
