import type { MiniscriptPolicy, Vault, VaultKey } from './types.js';

/** The compiled policy of a vault, which must be of the kind wsh(miniscript). */
export function miniscriptOf({ kind, miniscript }: Pick<Vault, 'kind' | 'miniscript'>): MiniscriptPolicy {
  if (kind === 'wsh(miniscript)' && miniscript !== undefined) return miniscript;
  throw new Error(`a vault of ${kind} has no miniscript`);
}

/**
 * The indexes of the keys by which countersign spends: all of a vault, or of a miniscript those of its branch without a time
 * lock. A signature by another key would be of no use, and is not taken.
 */
export function signingPositions(vault: Pick<Vault, 'kind' | 'keys' | 'miniscript'>): ReadonlySet<number> {
  return new Set(vault.kind === 'wsh(miniscript)' ? miniscriptOf(vault).signers : vault.keys.keys());
}

export function signingKeys(vault: Pick<Vault, 'kind' | 'keys' | 'miniscript'>): readonly VaultKey[] {
  const positions = signingPositions(vault);
  return vault.keys.filter((_, index) => positions.has(index));
}
