import type { Branch } from '../../domain/coin.js';
import { descriptorChecksum } from '../../vault/descriptor-checksum.js';
import type { Vault } from '../../vault/types.js';

/** The descriptor of one branch of a vault: nodes before Core 29 do not know `<0;1>`. */
export function branchDescriptor({ descriptor }: Vault, branch: Branch): string {
  const body = descriptor.replace(/#.*$/, '').replaceAll('<0;1>', `${branch}`);
  return `${body}#${descriptorChecksum(body)}`;
}
