import { createHmac } from 'node:crypto';
import { isPrivate, pointAdd, pointCompress, pointFromScalar, xOnlyPointAddTweak } from 'tiny-secp256k1';
import { equalBytes, hash160, sha256, toHex } from '../domain/bytes.js';
import type { Branch } from '../domain/coin.js';
import type { Network } from '../domain/network.js';
import { HARDENED } from '../domain/path.js';
import { accountNode } from './extended-key.js';
import { miniscriptScript } from './miniscript.js';
import { miniscriptOf } from './signing-keys.js';
import type { DerivedKey, DerivedScript, Deriver, PlainKind, Vault, VaultKey } from './types.js';

/** A public node whose unhardened children are derived; its key uncompressed spares a square root for every child. */
export interface ParentNode {
  readonly parent: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly chainCode: Uint8Array;
}

/** One branch of one cosigner. */
interface BranchNode extends ParentNode {
  readonly key: VaultKey;
}

interface BranchCache {
  readonly nodes: readonly BranchNode[];
  readonly scripts: Map<number, DerivedScript>;
  /** The last window that a search derived, both ends included; empty at first. */
  searched: { readonly from: number; readonly to: number };
}

/**
 * So many indexes of a branch are searched for a script, the highest ones. Twice the widest gap that a policy may have, so
 * that fresh change is always among them; older scripts are found where a claim says their place. It bounds what a search
 * may cost whatever index a file makes up: 4,000 scripts, less than a second for a single-key vault.
 */
export const MOST_SEARCHED = 2000;

/** Derives the scripts of a vault, each once. About 0.1 ms a key, the cost of one multiplication on the curve. */
export function createDeriver(vault: Vault): Deriver {
  const branches: Readonly<Record<Branch, BranchCache>> = { 0: branchCache(vault, 0), 1: branchCache(vault, 1) };
  const byScript = new Map<string, DerivedScript>();

  function at(branch: Branch, index: number): DerivedScript {
    const { nodes, scripts } = branches[branch];
    const known = scripts.get(index);
    if (known !== undefined) return known;
    if (!Number.isInteger(index) || index < 0 || index >= HARDENED) throw new Error(`no address index: ${index}`);
    const derived = deriveScript(vault, nodes, branch, index);
    scripts.set(index, derived);
    byScript.set(toHex(derived.script), derived);
    return derived;
  }

  function find(script: Uint8Array, upTo: number): DerivedScript | null {
    // Most outputs of a batch are of another form than the vault's own: they need no derivation at all.
    if (!sameForm(script, at(0, 0).script)) return null;
    const hex = toHex(script);
    const to = Math.min(Math.floor(upTo), HARDENED - 1);
    const from = Math.max(0, to - MOST_SEARCHED + 1);
    for (const branch of [1, 0] as const) {
      if (!byScript.has(hex)) search(branch, from, to);
    }
    const found = byScript.get(hex);
    // By the window alone: whether a script is found must not depend on what was derived before.
    return found !== undefined && found.origin.index >= from && found.origin.index <= to ? found : null;
  }

  function search(branch: Branch, from: number, to: number): void {
    const cache = branches[branch];
    const { searched } = cache;
    const touches = from <= searched.to + 1 && to >= searched.from - 1;
    if (!touches) cache.searched = { from, to };
    else cache.searched = { from: Math.min(from, searched.from), to: Math.max(to, searched.to) };
    const known = touches ? searched : { from: to + 1, to };
    for (let index = from; index < known.from; index += 1) at(branch, index);
    for (let index = known.to + 1; index <= to; index += 1) at(branch, index);
  }

  return { vault, at, find };
}

function branchCache(vault: Vault, branch: Branch): BranchCache {
  const nodes = vault.keys.map((key) => ({ key, ...parentNode(key.xpub, vault.network, [branch]) }));
  return { nodes, scripts: new Map(), searched: { from: 0, to: -1 } };
}

/** The node below an extended key at the end of unhardened steps. The key has been decoded before: another is a bug. */
export function parentNode(xpub: string, network: Network, steps: readonly number[]): ParentNode {
  const { publicKey, chainCode } = steps.reduce((node, step) => node.derive(step), accountNode(xpub, network));
  return { parent: pointCompress(publicKey, false), publicKey, chainCode };
}

function sameForm(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equalBytes(a.subarray(0, 2), b.subarray(0, 2));
}

/**
 * CKDpub of BIP32. An index without a key has probability 2^-127, so it is a broken library rather than bad luck. The
 * generator's multiple and the sum by themselves take three quarters of what `pointAddScalar` takes for both.
 */
export function childKey({ parent, publicKey, chainCode }: ParentNode, index: number): Uint8Array {
  const data = Buffer.alloc(37);
  data.set(publicKey);
  data.writeUInt32BE(index, 33);
  const left = createHmac('sha512', chainCode).update(data).digest().subarray(0, 32);
  const tweak = isPrivate(left) ? pointFromScalar(left, false) : null;
  const child = tweak === null ? null : pointAdd(parent, tweak, true);
  if (child === null) throw new Error(`no child key at index ${index}`);
  return child;
}

function deriveScript(vault: Vault, nodes: readonly BranchNode[], branch: Branch, index: number): DerivedScript {
  const origin = { branch, index };
  const keys: DerivedKey[] = nodes.map((node) => ({
    fingerprint: node.key.fingerprint,
    path: [...node.key.path, branch, index],
    publicKey: childKey(node, index),
  }));
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  return { origin, keys, ...vaultScript(vault, publicKeys) };
}

type Scripts = Pick<DerivedScript, 'script' | 'redeemScript' | 'witnessScript'>;

function vaultScript(vault: Vault, keys: readonly Uint8Array[]): Scripts {
  const { kind, threshold } = vault;
  if (kind === 'wsh(miniscript)') return witnessProgram(miniscriptScript(miniscriptOf(vault), keys));
  return outputScript(kind, threshold, keys);
}

function witnessProgram(witnessScript: Uint8Array): Scripts {
  return { script: bytes(0, push(sha256(witnessScript))), witnessScript };
}

/** The script that a descriptor of this kind has for these compressed public keys (BIP381 to BIP386). */
export function outputScript(kind: PlainKind, threshold: number, keys: readonly Uint8Array[]): Scripts {
  switch (kind) {
    case 'pkh':
      return { script: bytes(0x76, 0xa9, push(hash160(onlyKey(keys))), 0x88, 0xac) };
    case 'wpkh':
      return { script: keyHashProgram(keys) };
    case 'sh(wpkh)': {
      const redeemScript = keyHashProgram(keys);
      return { script: scriptHash(redeemScript), redeemScript };
    }
    case 'tr':
      return { script: bytes(0x51, push(taprootOutputKey(onlyKey(keys).subarray(1)))) };
    case 'wsh(sortedmulti)':
      return witnessProgram(sortedMulti(threshold, keys));
    case 'sh(wsh(sortedmulti))': {
      const witnessScript = sortedMulti(threshold, keys);
      const redeemScript = bytes(0, push(sha256(witnessScript)));
      return { script: scriptHash(redeemScript), redeemScript, witnessScript };
    }
  }
}

function onlyKey(keys: readonly Uint8Array[]): Uint8Array {
  const [key] = keys;
  if (key === undefined || keys.length !== 1) throw new Error(`a single-key descriptor has ${keys.length} keys`);
  return key;
}

function bytes(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const out = new Uint8Array(
    parts.reduce((sum: number, part) => sum + (typeof part === 'number' ? 1 : part.length), 0),
  );
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') out[at] = part;
    else out.set(part, at);
    at += typeof part === 'number' ? 1 : part.length;
  }
  return out;
}

/** A push of at most 75 bytes. */
function push(data: Uint8Array): Uint8Array {
  return bytes(data.length, data);
}

function keyHashProgram(keys: readonly Uint8Array[]): Uint8Array {
  return bytes(0, push(hash160(onlyKey(keys))));
}

function scriptHash(redeemScript: Uint8Array): Uint8Array {
  return bytes(0xa9, push(hash160(redeemScript)), 0x87);
}

/** BIP383, BIP67: keys in lexicographic order; numbers up to 16 are single opcodes. */
function sortedMulti(threshold: number, keys: readonly Uint8Array[]): Uint8Array {
  const sorted = [...keys].sort(Buffer.compare);
  return bytes(0x50 + threshold, ...sorted.map(push), 0x50 + sorted.length, 0xae);
}

const TAP_TWEAK = sha256('TapTweak');

/** BIP386 key path only: the internal key tweaked with its own hash, so that no script path can exist (BIP341). */
function taprootOutputKey(internalKey: Uint8Array): Uint8Array {
  const tweaked = xOnlyPointAddTweak(internalKey, sha256(bytes(TAP_TWEAK, TAP_TWEAK, internalKey)));
  if (tweaked === null) throw new Error('no output key for this internal key');
  return tweaked.xOnlyPubkey;
}
