import { equalBytes } from '../domain/bytes.js';
import type { Branch, OwnOrigin } from '../domain/coin.js';
import { equalPaths, isHardened, type Path } from '../domain/path.js';
import type { DerivationClaim, DerivedScript, Deriver, OwnProof, Vault, VaultKey } from './types.js';

/** How far ahead of the last used address an own output may lie. */
export interface ChangeGap {
  /** Highest index known to be used on the change branch, -1 if none. */
  readonly lastUsedChange: number;
  readonly maxGap: number;
}

/**
 * Proves or refutes that a script is the vault's own. The proof is the script derived again; a claim (an output's BIP32
 * derivation field) only says where to look beyond the gap, and its being wrong is a problem in itself.
 *
 * - own on the change branch up to `lastUsedChange + maxGap`, or anywhere on the receive branch: `own: true`. The receive
 *   branch is for the policy to judge: it is never change. `claimed` is false where no field said so.
 * - CHANGE_GAP: own, on the change branch, beyond the gap: coins there can be hidden and held to ransom.
 * - CHANGE_PATH: a key with our fingerprint at a path that is not the account's, branch 0 or 1 and a plain index.
 * - CHANGE_UNPROVEN: our fingerprint at a path of ours, but the script or the public key is not what is derived there. A
 *   fingerprint has four bytes and can be imitated.
 * - `problem: null`: somebody else's output, which says nothing of us.
 */
export function proveOwn(
  deriver: Deriver,
  script: Uint8Array,
  claims: readonly DerivationClaim[],
  gap: ChangeGap,
): OwnProof {
  const { vault } = deriver;
  const limit = gap.lastUsedChange + gap.maxGap;
  const ours = claims.filter((claim) => vault.keys.some((key) => key.fingerprint === claim.fingerprint));
  const own = deriver.find(script, limit) ?? findClaimed(deriver, script, claims);
  if (own === null) {
    if (ours.length === 0) return { own: false, problem: null };
    const misplaced = ours.some((claim) => claimedOrigin(vault, claim) === null);
    return { own: false, problem: misplaced ? 'CHANGE_PATH' : 'CHANGE_UNPROVEN' };
  }
  const problem = ours.map((claim) => claimProblem(own, claim)).find((found) => found !== null);
  if (problem !== undefined) return { own: false, problem };
  if (own.origin.branch === 1 && own.origin.index > limit) return { own: false, problem: 'CHANGE_GAP' };
  return { own: true, origin: own.origin, claimed: ours.length > 0 };
}

/** A script beyond the gap is found only where a claim points; a false claim costs one derivation and proves nothing. */
function findClaimed(deriver: Deriver, script: Uint8Array, claims: readonly DerivationClaim[]): DerivedScript | null {
  for (const { path } of claims) {
    const origin = deriver.vault.keys.map((key) => originOf(key, path)).find((found) => found !== null);
    if (origin === undefined) continue;
    const derived = deriver.at(origin.branch, origin.index);
    if (equalBytes(derived.script, script)) return derived;
  }
  return null;
}

/** Where in the vault a claim points: origin of one of the vault's keys, branch, index. Null if it points elsewhere. */
export function claimedOrigin(vault: Vault, claim: DerivationClaim): OwnOrigin | null {
  for (const key of vault.keys) {
    const origin = key.fingerprint === claim.fingerprint ? originOf(key, claim.path) : null;
    if (origin !== null) return origin;
  }
  return null;
}

/** Branch and index of a path that continues a key's account path by exactly these two, unhardened. */
function originOf(key: VaultKey, path: Path): OwnOrigin | null {
  const account = key.path.length;
  const [branch, index] = path.slice(account);
  if (path.length !== account + 2 || !equalPaths(path.slice(0, account), key.path)) return null;
  if (!isBranch(branch) || index === undefined || isHardened(index)) return null;
  return { branch, index };
}

function isBranch(step: number | undefined): step is Branch {
  return step === 0 || step === 1;
}

/** What is wrong with a claim about a script that is ours: it must name a key of the script and that key's own path. */
function claimProblem(own: DerivedScript, claim: DerivationClaim): 'CHANGE_PATH' | 'CHANGE_UNPROVEN' | null {
  const key = own.keys.find(({ publicKey }) =>
    equalBytes(claim.publicKey.length === 32 ? publicKey.subarray(1) : publicKey, claim.publicKey),
  );
  if (key === undefined) return 'CHANGE_UNPROVEN';
  return key.fingerprint === claim.fingerprint && equalPaths(key.path, claim.path) ? null : 'CHANGE_PATH';
}
