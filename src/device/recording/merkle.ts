import { sha256 } from '../../domain/bytes.js';

/**
 * The root that a leaf and its siblings, from the leaf upwards, give in a tree of a size; null where the proof has not
 * the length that the tree asks for, or where the tree has no such leaf.
 */
export function rootOf(
  leaf: Uint8Array,
  index: number,
  size: number,
  siblings: readonly Uint8Array[],
): Uint8Array | null {
  if (index < 0 || index >= size) return null;
  const sibling = siblings.at(-1);
  if (size === 1) return sibling === undefined ? leaf : null;
  if (sibling === undefined) return null;
  const left = 2 ** Math.ceil(Math.log2(size) - 1);
  const below = siblings.slice(0, -1);
  const own = index < left ? rootOf(leaf, index, left, below) : rootOf(leaf, index - left, size - left, below);
  if (own === null) return null;
  return sha256(index < left ? Uint8Array.of(1, ...own, ...sibling) : Uint8Array.of(1, ...sibling, ...own));
}
