import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import {
  consistencyRanges,
  EMPTY_ROOT,
  type Hash,
  inclusionRanges,
  isPowerOfTwo,
  type LeafRange,
  nodeHash,
  perfectRoot,
  splitOf,
} from './merkle.js';

/** Stores and tiles keep every eighth level of the tree: 256 hashes under each of the level above (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;

/**
 * Kept hashes: of level 0 the leaves, of level L the roots of complete subtrees of 256^L leaves. Hashes of one level from an
 * index on, as many as are asked for or as are kept: what is missing of a higher level is computed from the one below.
 */
export type HashReader = (level: number, from: number, count: number) => Promise<Result<readonly Hash[], Fault>>;

/** A row of a table of such hashes above level 0, as it stands there: right, wrong, or of no place in the tree. */
export interface TreeRow {
  readonly level: number;
  readonly n: number;
  readonly hash: string;
}

/** Roots and proofs of the tree over the first `size` leaves, from kept hashes: a proof reads some hundred of a million. */
export class MerkleTree {
  readonly #read: HashReader;

  constructor(
    readonly size: number,
    read: HashReader,
  ) {
    this.#read = read;
  }

  /** The root when the tree had its first `size` leaves. */
  root(size: number = this.size): Promise<Result<Hash, Fault>> {
    return size === 0 ? Promise.resolve(ok(EMPTY_ROOT)) : this.#rangeRoot({ start: 0, end: size });
  }

  /** From the leaf's sibling up to the root's child. */
  inclusion(index: number): Promise<Result<readonly Hash[], Fault>> {
    return this.roots(inclusionRanges(index, this.size));
  }

  /** That the tree begins with its first `first` leaves. */
  consistency(first: number): Promise<Result<readonly Hash[], Fault>> {
    return this.roots(consistencyRanges(first, this.size));
  }

  /** The roots of runs of leaves that a proof asks for. */
  async roots(ranges: readonly LeafRange[]): Promise<Result<readonly Hash[], Fault>> {
    const roots: Hash[] = [];
    for (const range of ranges) {
      const root = await this.#rangeRoot(range);
      if (!root.ok) return root;
      roots.push(root.value);
    }
    return ok(roots);
  }

  /** MTH of a run that begins where a tree of that size may: perfect subtrees, the last ones folded from the right. */
  async #rangeRoot({ start, end }: LeafRange): Promise<Result<Hash, Fault>> {
    const parts: Hash[] = [];
    let at = start;
    while (at < end) {
      const rest = end - at;
      const length = isPowerOfTwo(rest) ? rest : splitOf(rest);
      const part = await this.#perfect(at, length);
      if (!part.ok) return part;
      parts.push(part.value);
      at += length;
    }
    return ok(parts.reduceRight((right, left) => nodeHash(left, right)));
  }

  /** The root of a perfect subtree, from the highest kept level below it. */
  async #perfect(start: number, length: number): Promise<Result<Hash, Fault>> {
    let [level, span] = [0, 1];
    while (span * TILE_WIDTH <= length) [level, span] = [level + 1, span * TILE_WIDTH];
    const hashes = await this.hashes(level, start / span, length / span);
    return hashes.ok ? ok(perfectRoot(hashes.value)) : hashes;
  }

  /** Kept hashes of a level, and those made from the level below that are not kept. All of them must be complete subtrees. */
  async hashes(level: number, from: number, count: number): Promise<Result<readonly Hash[], Fault>> {
    const kept = await this.#read(level, from, count);
    if (!kept.ok || kept.value.length === count) return kept;
    if (level === 0) throw new Error(`the tree of ${this.size} leaves lacks leaf ${from + kept.value.length}`);
    const hashes = [...kept.value];
    while (hashes.length < count) {
      const below = await this.hashes(level - 1, (from + hashes.length) * TILE_WIDTH, TILE_WIDTH);
      if (!below.ok) return below;
      hashes.push(perfectRoot(below.value));
    }
    return ok(hashes);
  }
}
