import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/domain/bytes.js';
import { ok } from '../../src/domain/result.js';
import { EMPTY_ROOT, type Hash, inclusionRanges, nodeHash, splitOf } from '../../src/journal/merkle.js';
import { MerkleTree } from '../../src/journal/merkle-tree.js';
import { closedRanges, rootOfSome } from '../../src/journal/multi-proof.js';

const leafOf = (n: number): Hash => sha256(`leaf ${n}`);
const leavesUpTo = (size: number): Hash[] => Array.from({ length: size }, (_, n) => leafOf(n));

/** MTH as RFC 6962, section 2.1, writes it down. */
const mth = (leaves: readonly Hash[]): Hash => {
  const [only] = leaves;
  if (only === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return only;
  const k = splitOf(leaves.length);
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
};

const some = fc
  .integer({ min: 1, max: 200 })
  .chain((size) => fc.tuple(fc.constant(size), fc.uniqueArray(fc.integer({ min: 0, max: size - 1 }), { minLength: 0 })))
  .map(([size, seqs]) => ({ size, seqs: [...seqs].sort((a, b) => a - b) }));

describe('one proof for several leaves', () => {
  it('leads to the root, whichever leaves they are', () => {
    fc.assert(
      fc.property(some, ({ size, seqs }) => {
        const all = leavesUpTo(size);
        const hashes = closedRanges(seqs, size).map(({ start, end }) => mth(all.slice(start, end)));
        expect(rootOfSome(seqs.map(leafOf), seqs, size, hashes)).toEqual(mth(all));
      }),
    );
  });

  it('leads elsewhere where a leaf, a hash, a place or the size is another one', () => {
    fc.assert(
      fc.property(some, fc.nat(), ({ size, seqs }, pick) => {
        fc.pre(seqs.length > 0);
        const all = leavesUpTo(size);
        const root = mth(all);
        const leaves = seqs.map(leafOf);
        const hashes = closedRanges(seqs, size).map(({ start, end }) => mth(all.slice(start, end)));
        const at = pick % leaves.length;
        const forged = leaves.map((leaf, index) => (index === at ? leafOf(-1) : leaf));
        expect(rootOfSome(forged, seqs, size, hashes)).not.toEqual(root);
        expect(rootOfSome(leaves, seqs, size, [...hashes, leafOf(0)])).toBeNull();
        if (hashes.length > 0) {
          expect(rootOfSome(leaves, seqs, size, hashes.slice(1))).toBeNull();
          const other = hashes.map((hash, index) => (index === pick % hashes.length ? leafOf(-2) : hash));
          expect(rootOfSome(leaves, seqs, size, other)).not.toEqual(root);
        }
        const shifted = seqs.map((seq, index) => (index === seqs.length - 1 ? seq + 1 : seq));
        expect(rootOfSome(leaves, shifted, size, hashes)).not.toEqual(root);
      }),
    );
  });

  it('of a single leaf is its inclusion proof, in another order', async () => {
    const all = leavesUpTo(77);
    const tree = new MerkleTree(77, async (level, from, count) => ok(level === 0 ? all.slice(from, from + count) : []));
    const single = await tree.roots(closedRanges([41], 77));
    const inclusion = await tree.roots(inclusionRanges(41, 77));
    if (!single.ok || !inclusion.ok) throw new Error('no proof');
    const sorted = (hashes: readonly Hash[]): string[] =>
      hashes.map((hash) => Buffer.from(hash).toString('hex')).sort();
    expect(sorted(single.value)).toEqual(sorted(inclusion.value));
  });

  it('takes no places out of order, twice, or beyond the tree, and no tree without leaves', () => {
    const leaves = [leafOf(1), leafOf(0)];
    expect(rootOfSome(leaves, [1, 0], 2, [])).toBeNull();
    expect(rootOfSome([leafOf(0), leafOf(0)], [0, 0], 1, [])).toBeNull();
    expect(rootOfSome([leafOf(2)], [2], 2, [leafOf(0)])).toBeNull();
    expect(rootOfSome([], [], 0, [])).toBeNull();
    expect(rootOfSome([leafOf(0)], [0], 2, [leafOf(1)])).toEqual(nodeHash(leafOf(0), leafOf(1)));
  });
});
