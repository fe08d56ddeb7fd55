import { type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { quoted } from '../domain/safe-text.js';
import type { Vault } from '../vault/types.js';

interface Header {
  readonly network: string;
  readonly vault: string;
  readonly checksum: string;
}

/** Whether a snapshot is of this vault: E_SNAPSHOT_NETWORK, E_SNAPSHOT_VAULT. */
export function checkVault(
  { network, vault, checksum }: Header,
  own: Vault,
  placeIn: (field: string) => SourcePosition,
): Result<void, Fault> {
  if (network !== own.network) {
    return fail('E_SNAPSHOT_NETWORK', `network: the snapshot is of ${network}, the vault ${own.id} of ${own.network}`, {
      remedy: `take the snapshot from a node of ${own.network}`,
      where: placeIn('network'),
    });
  }
  if (vault !== own.id) {
    return fail('E_SNAPSHOT_VAULT', `vault: the snapshot is of ${quoted(vault, 40)}, not of ${own.id}`, {
      remedy: `import it into that vault, or take one of ${own.id}`,
      where: placeIn('vault'),
    });
  }
  const due = own.descriptor.slice(-8);
  if (checksum === due) return ok(undefined);
  return fail('E_SNAPSHOT_VAULT', `descriptor_checksum: ${checksum} is not that of the vault ${own.id}, ${due}`, {
    remedy: `the snapshot was taken with another descriptor under the same name: take it with the one that ends in #${due}`,
    where: placeIn('descriptor_checksum'),
  });
}
