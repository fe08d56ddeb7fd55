import { formatPath } from '../../domain/path.js';
import { miniscriptOf, signingKeys } from '../../vault/signing-keys.js';
import type { TimeLock, Vault } from '../../vault/types.js';
import { walletPolicy } from '../../vault/wallet-policy.js';
import type { Style } from './style.js';
import { fields } from './table.js';

export function vaultLines(vault: Vault, style: Style): string[] {
  const signing = signingKeys(vault).length;
  const quorum =
    vault.keys.length === 1 ? '1 key' : `${vault.threshold} of ${signing} ${signing === 1 ? 'key' : 'keys'}`;
  return fields(
    [
      ['  network', vault.network],
      ['  kind', `${vault.kind}, ${quorum}`],
      ...vault.keys.map((key): [string, string] => [
        '  key',
        `[${key.fingerprint}/${formatPath(key.path)}] ${key.xpub}`,
      ]),
      ['  wallet policy', walletPolicy(vault).template],
      ...delayedBranches(vault).map((branch): [string, string] => ['  later', branch.text]),
      ['  descriptor', vault.descriptor],
    ],
    style,
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
    ...(vault.kind === 'wsh(miniscript)' ? { later: delayedBranches(vault).map(({ data }) => data) } : {}),
    descriptor: vault.descriptor,
  };
}

/** Bit 22 of a sequence: the count is of 512 s (BIP68); from this locktime on it is a Unix time (BIP65). */
const SEQUENCE_TIME = 0x400000;
const LOCKTIME_TIME = 500_000_000;
/** A block takes ten minutes on average. */
const BLOCKS_A_DAY = 144;

/** What others can do with the coins once a time lock is over, which no policy of countersign's can prevent. */
function delayedBranches(vault: Vault): readonly { readonly text: string; readonly data: Record<string, unknown> }[] {
  if (vault.kind !== 'wsh(miniscript)') return [];
  return miniscriptOf(vault).delayed.map(({ keys, lock }) => {
    const signers = keys.map((index) => vault.keys[index]?.fingerprint ?? '');
    const data = { signers, sequence: lock.sequence, locktime: lock.locktime };
    return { text: `${lockText(lock)} spent by ${signers.join(' and ')}: not through countersign`, data };
  });
}

function lockText({ sequence, locktime }: TimeLock): string {
  const parts: string[] = [];
  if (sequence !== null) {
    const count = sequence & 0xffff;
    const days = Math.floor((sequence & SEQUENCE_TIME) === 0 ? count / BLOCKS_A_DAY : (count * 512) / 86_400);
    const unit = (sequence & SEQUENCE_TIME) === 0 ? `${count} blocks` : `${count} times 512 s`;
    parts.push(`${unit} (about ${days} days) after a coin came`);
  }
  if (locktime !== null) {
    parts.push(locktime < LOCKTIME_TIME ? `from block ${locktime} on` : `from ${locktime} (Unix time) on`);
  }
  return parts.join(' and ');
}
