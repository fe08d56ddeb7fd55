import { type Hash, type LeafRange, nodeHash, splitOf } from './merkle.js';

/**
 * One proof for several leaves of the tree of RFC 6962: the roots of the largest subtrees that hold none of them, from left
 * to right. For a run of leaves these are two or three dozen hashes, however long the run is.
 */
export function closedRanges(seqs: readonly number[], size: number): readonly LeafRange[] {
  const ranges: LeafRange[] = [];
  walk(seqs, size, (range) => ranges.push(range));
  return ranges;
}

/**
 * The root of a tree of `size` leaves, from some of its leaves and the hashes of what lies between them; null where there are
 * too few hashes, or too many. `seqs` are the places of `leaves`, rising, each below `size`.
 */
export function rootOfSome(
  leaves: readonly Hash[],
  seqs: readonly number[],
  size: number,
  hashes: readonly Hash[],
): Hash | null {
  if (!isRising(seqs, size) || leaves.length !== seqs.length || size === 0) return null;
  let used = 0;
  let next = 0;
  let isShort = false;
  const root = foldTree(seqs, size, {
    closed: () => {
      const hash = hashes[used];
      used += 1;
      if (hash === undefined) isShort = true;
      return hash ?? NOTHING;
    },
    leaf: () => {
      const leaf = leaves[next];
      next += 1;
      if (leaf === undefined) throw new Error('a leaf was promised and is not there');
      return leaf;
    },
    node: nodeHash,
  });
  return isShort || used !== hashes.length ? null : root;
}

const NOTHING: Hash = new Uint8Array(32);

function isRising(seqs: readonly number[], size: number): boolean {
  return seqs.every((seq, index) => Number.isSafeInteger(seq) && seq > (seqs[index - 1] ?? -1) && seq < size);
}

interface Folding<T> {
  closed(range: LeafRange): T;
  leaf(seq: number): T;
  node(left: T, right: T): T;
}

function walk(seqs: readonly number[], size: number, visit: (range: LeafRange) => void): void {
  foldTree<null>(seqs, size, {
    closed: (range) => {
      visit(range);
      return null;
    },
    leaf: () => null,
    node: () => null,
  });
}

/** Depth first from the left. `from` and `to` are the part of `seqs` that lies within the run. */
function foldTree<T>(seqs: readonly number[], size: number, folding: Folding<T>): T {
  const visit = (start: number, end: number, from: number, to: number): T => {
    if (from === to) return folding.closed({ start, end });
    if (end - start === 1) return folding.leaf(start);
    const middle = start + splitOf(end - start);
    let split = from;
    while (split < to && (seqs[split] ?? end) < middle) split += 1;
    const left = visit(start, middle, from, split);
    return folding.node(left, visit(middle, end, split, to));
  };
  return visit(0, size, 0, seqs.length);
}
