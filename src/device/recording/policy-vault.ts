import type { Network } from '../../domain/network.js';
import { parseVault } from '../../vault/descriptor.js';
import { descriptorChecksum, foreignCharacter } from '../../vault/descriptor-checksum.js';
import type { Vault } from '../../vault/types.js';
import type { Reading } from './meaning.js';

/** Apps by the networks that their addresses are of: the test app knows one test network. */
const NETWORKS: ReadonlyMap<string, Network> = new Map([
  ['Bitcoin', 'main'],
  ['Bitcoin Test', 'testnet3'],
]);

export const networkOf = (app: string | null): Network | null => NETWORKS.get(app ?? '') ?? null;

/** The wallet policy of a command as a vault; null where it was not read whole, or is not one that countersign knows. */
export function policyVault({ policy, template, policyKeys }: Reading, network: Network): Vault | null {
  if (policy === null || template === null || policyKeys.size !== policy.keys.size) return null;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  let isWhole = true;
  const body = text(template).replace(/@(\d+)\/\*\*/g, (_, position) => {
    const key = policyKeys.get(Number(position));
    isWhole &&= key !== undefined;
    return `${text(key ?? new Uint8Array(0))}/<0;1>/*`;
  });
  // The text of an altered file may hold anything, and a checksum is only defined for what descriptors hold.
  if (!isWhole || foreignCharacter(body) >= 0) return null;
  const vault = parseVault('policy', network, `${body}#${descriptorChecksum(body)}`);
  return vault.ok ? vault.value : null;
}
