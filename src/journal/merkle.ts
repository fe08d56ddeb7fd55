import { equalBytes, sha256 } from '../domain/bytes.js';

/**
 * The Merkle tree of RFC 6962, section 2 (the same in RFC 9162, section 2.1), over the entries of a journal: leaf i is the
 * hash of entry i, which has the prefix 0x00 already (chain.ts). All hashes are SHA-256, 32 bytes. Sizes and indexes are
 * whole numbers below 2^53, so they are halved by division: JavaScript's shifts know 32 bits.
 */
export type Hash = Uint8Array;

/** MTH of no leaves: the hash of an empty string. */
export const EMPTY_ROOT: Hash = sha256('');

/** A run of leaves, `end` not in it. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return sha256(bytes);
}

/** The largest power of two below n, for n of 2 or more: where a tree of n leaves is split. */
export function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH of a perfect tree by its leaves, whose number is a power of two; or of complete subtrees of one height. */
export function perfectRoot(hashes: readonly Hash[]): Hash {
  let level = hashes;
  while (level.length > 1) {
    const next: Hash[] = [];
    for (let at = 0; at + 1 < level.length; at += 2) next.push(nodeHash(at0(level, at), at0(level, at + 1)));
    if (level.length % 2 !== 0) throw new Error(`${hashes.length} hashes make no perfect tree`);
    level = next;
  }
  return at0(level, 0);
}

function at0(hashes: readonly Hash[], index: number): Hash {
  const hash = hashes[index];
  if (hash === undefined) throw new Error(`there is no hash ${index} among ${hashes.length}`);
  return hash;
}

/** The nodes of the inclusion proof of a leaf, as the runs under them: PATH(m, D[n]) of RFC 6962, section 2.1.1. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  if (index < 0 || index >= size) throw new Error(`leaf ${index} is not in a tree of ${size}`);
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** The same of a consistency proof: PROOF(m, D[n]) of RFC 6962, section 2.1.2. None for m = 0 and m = n. */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  if (first < 0 || first > second) throw new Error(`a tree of ${second} cannot go on from one of ${first}`);
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let [start, end] = [0, second];
  // While the older tree ends inside the run; once it fills it, its node is asked for, unless it is the older tree itself.
  while (first < end) {
    const middle = start + splitOf(end - start);
    if (first <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (start > 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** Whether a leaf stands at this place of the tree with that root (RFC 9162, section 2.1.3.2). */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isIndex(index) || !isIndex(size) || index >= size) return false;
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const other of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(other, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = nodeHash(hash, other);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(hash, root);
}

export interface TreeHead {
  readonly size: number;
  readonly root: Hash;
}

/**
 * Whether the second tree begins with all leaves of the first (RFC 9162, section 2.1.4.2). Every tree begins with the empty
 * one, and a tree with itself: both need no proof, and an empty one.
 */
export function verifyConsistency(first: TreeHead, second: TreeHead, proof: readonly Hash[]): boolean {
  if (!isIndex(first.size) || !isIndex(second.size) || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && equalBytes(first.root, second.root);
  if (first.size === 0) return proof.length === 0 && equalBytes(first.root, EMPTY_ROOT);
  const [seed, ...rest] = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  if (seed === undefined) return false;
  let [node, last] = [first.size - 1, second.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [older, newer] = [seed, seed];
  for (const other of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(other, older);
      newer = nodeHash(other, newer);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else newer = nodeHash(newer, other);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equalBytes(older, first.root) && equalBytes(newer, second.root);
}

const half = (n: number): number => Math.floor(n / 2);
const isIndex = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

export function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n === 1 || splitOf(n) * 2 === n);
}

/** A complete subtree: `index` counts those of its height from the left. */
export interface Subtree {
  readonly height: number;
  readonly index: number;
  readonly hash: Hash;
}

/**
 * The right edge of a growing tree: of the leaves so far it keeps one hash for each bit of their number. Adding a leaf takes
 * one node hash on average.
 */
export class Frontier {
  /** Complete subtrees from the left, each lower than the one before it. */
  readonly #edge: Subtree[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Takes the next leaf, and hands out the complete subtrees that end with it, from the lowest (the leaf itself not). */
  append(leaf: Hash): readonly Subtree[] {
    const completed: Subtree[] = [];
    let node: Subtree = { height: 0, index: this.#size, hash: leaf };
    for (let left = this.#edge.at(-1); left?.height === node.height; left = this.#edge.at(-1)) {
      this.#edge.pop();
      node = { height: node.height + 1, index: half(node.index), hash: nodeHash(left.hash, node.hash) };
      completed.push(node);
    }
    this.#edge.push(node);
    this.#size += 1;
    return completed;
  }

  /** MTH of all leaves so far. */
  root(): Hash {
    const nodes = this.#edge.map(({ hash }) => hash);
    return nodes.length === 0 ? EMPTY_ROOT : nodes.reduceRight((right, left) => nodeHash(left, right));
  }
}
