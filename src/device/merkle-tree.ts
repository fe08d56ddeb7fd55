import { createHash } from 'node:crypto';
import { sha256, toHex } from '../domain/bytes.js';

/** Stands before the content of a leaf, as INNER does before two hashes. */
export const LEAF = Uint8Array.of(0);
const INNER = Uint8Array.of(1);
const EMPTY_ROOT = new Uint8Array(32);

/** The hash of a leaf, domain-separated (RFC 6962, section 2.1; doc/merkle.md of Ledger's Bitcoin app). */
export function hashLeaf(content: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(LEAF).update(content).digest());
}

interface Node {
  readonly hash: Uint8Array;
  /** Number of leaves below. */
  readonly size: number;
  readonly children: readonly [Node, Node] | null;
}

/**
 * The Merkle tree of a list as Ledger's Bitcoin app asks about it (doc/merkle.md of the app): the left half is the largest
 * power of two below the size. Made once; a proof takes as many steps as the tree is deep, and finding a leaf one.
 */
export class MerkleTree {
  readonly #root: Node | null;
  readonly #leaves: readonly Uint8Array[];
  readonly #places = new Map<string, number>();

  /** `leaves` are hashed already. */
  constructor(leaves: readonly Uint8Array[]) {
    this.#leaves = leaves;
    this.#root = leaves.length === 0 ? null : grow(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const key = toHex(leaf);
      if (!this.#places.has(key)) this.#places.set(key, index);
    }
  }

  get size(): number {
    return this.#leaves.length;
  }

  /** 32 zero bytes where there is no leaf. */
  get root(): Uint8Array {
    return this.#root?.hash ?? EMPTY_ROOT;
  }

  leaf(index: number): Uint8Array | null {
    return this.#leaves[index] ?? null;
  }

  /** Where a leaf stands for the first time; null where it does not. */
  indexOf(leaf: Uint8Array): number | null {
    return this.#places.get(toHex(leaf)) ?? null;
  }

  /** The siblings of a leaf and of all nodes above it, from the leaf upwards. */
  proof(index: number): readonly Uint8Array[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) throw new Error(`the tree has no leaf ${index}`);
    const siblings: Uint8Array[] = [];
    let node = this.#root;
    let place = index;
    while (node?.children) {
      const [left, right]: readonly [Node, Node] = node.children;
      const isLeft = place < left.size;
      siblings.push(isLeft ? right.hash : left.hash);
      if (!isLeft) place -= left.size;
      node = isLeft ? left : right;
    }
    return siblings.reverse();
  }
}

function grow(leaves: readonly Uint8Array[]): Node {
  const [only] = leaves;
  if (only === undefined) throw new Error('a node stands over one leaf at least');
  if (leaves.length === 1) return { hash: only, size: 1, children: null };
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  const left = grow(leaves.slice(0, half));
  const right = grow(leaves.slice(half));
  const hash = sha256(Buffer.concat([INNER, left.hash, right.hash]));
  return { hash, size: leaves.length, children: [left, right] };
}
