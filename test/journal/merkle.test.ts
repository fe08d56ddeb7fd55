import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { ok } from '../../src/domain/result.js';
import {
  consistencyRanges,
  EMPTY_ROOT,
  Frontier,
  type Hash,
  inclusionRanges,
  isPowerOfTwo,
  perfectRoot,
  splitOf,
  verifyConsistency,
  verifyInclusion,
} from '../../src/journal/merkle.js';
import { type HashReader, MerkleTree, TILE_WIDTH } from '../../src/journal/merkle-tree.js';
import { leafOf, mth, path, proof } from './merkle-rfc.js';

interface Vectors {
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  readonly nodes: readonly (readonly string[])[];
  readonly inclusion: readonly { index: number; size: number; proof: readonly string[] }[];
  readonly consistency: readonly { first: number; second: number; proof: readonly string[] }[];
}
const vectors = JSON.parse(readFileSync(new URL('../vectors/rfc6962.json', import.meta.url), 'utf8')) as Vectors;
const published = vectors.leaves.map((leaf) => leafOf(Buffer.from(leaf, 'hex')));
const numbered = (count: number): Buffer[] => Array.from({ length: count }, (_, n) => leafOf(Buffer.from(`leaf ${n}`)));
const hashes = (list: readonly string[]): Hash[] => list.map(trustedHex);
const hex = (list: readonly Hash[]): string[] => list.map(toHex);

/** What a store keeps of these leaves: higher levels only up to `levels`, and of them only the first `most`. */
function readerOf(leaves: readonly Hash[], levels = 9, most = Number.POSITIVE_INFINITY): HashReader {
  const kept: (readonly Hash[])[] = [leaves];
  for (let level = 1; level <= levels; level += 1) {
    const below = kept[level - 1] ?? [];
    const full = Math.floor(below.length / TILE_WIDTH);
    kept.push(Array.from({ length: full }, (_, n) => perfectRoot(below.slice(n * TILE_WIDTH, (n + 1) * TILE_WIDTH))));
  }
  return async (level, from, count) => {
    const row = kept[level] ?? [];
    return ok((level === 0 ? row : row.slice(0, most)).slice(from, from + count));
  };
}
const treeOf = (leaves: readonly Hash[]): MerkleTree => new MerkleTree(leaves.length, readerOf(leaves));
async function value<T>(result: Promise<{ ok: true; value: T } | { ok: false; error: unknown }>): Promise<T> {
  const got = await result;
  if (!got.ok) throw new Error(JSON.stringify(got.error));
  return got.value;
}

describe('the published tree of eight leaves', () => {
  it('has the published leaf hashes, node hashes and roots', async () => {
    expect(hex(published)).toEqual(vectors.nodes[0]);
    for (const [size, root] of vectors.roots.entries()) {
      const leaves = published.slice(0, size);
      const frontier = new Frontier();
      for (const leaf of leaves) frontier.append(leaf);
      expect([toHex(frontier.root()), toHex(await value(treeOf(leaves).root())), toHex(mth(leaves))]).toEqual(
        Array.from({ length: 3 }, () => root),
      );
    }
    const frontier = new Frontier();
    const completed = published.flatMap((leaf) => [...frontier.append(leaf)]);
    for (const { height, index, hash } of completed) expect(toHex(hash)).toBe(vectors.nodes[height]?.[index]);
    expect(completed).toHaveLength(7);
  });

  it.each(vectors.inclusion)('has the published proof that leaf $index is among $size', async (vector) => {
    const { index, size } = vector;
    expect(hex(await value(treeOf(published.slice(0, size)).inclusion(index)))).toEqual(vector.proof);
    const [leaf, root] = [published[index] as Buffer, trustedHex(vectors.roots[size] ?? '')];
    expect(verifyInclusion(leaf, index, size, hashes(vector.proof), root)).toBe(true);
  });

  it.each(vectors.consistency)('has the published proof that $second leaves begin with $first', async (vector) => {
    const { first, second } = vector;
    expect(hex(await value(treeOf(published.slice(0, second)).consistency(first)))).toEqual(vector.proof);
    const heads = [first, second].map((size) => ({ size, root: trustedHex(vectors.roots[size] ?? '') }));
    const [older, newer] = heads;
    if (older === undefined || newer === undefined) throw new Error('two heads');
    expect(verifyConsistency(older, newer, hashes(vector.proof))).toBe(true);
  });

  it('has the proofs of the figures in RFC 6962, section 2.1.3, by the runs of leaves under their nodes', () => {
    // PATH(0) = [b, h, l], PATH(3) = [c, g, l], PATH(4) = [f, j, k], PATH(6) = [i, k] in the tree of seven leaves.
    const run = (start: number, end: number) => ({ start, end });
    const [b, c, f, g, h, i, j, k, l] = [
      run(1, 2),
      run(2, 3),
      run(5, 6),
      run(0, 2),
      run(2, 4),
      run(4, 6),
      run(6, 7),
      run(0, 4),
      run(4, 7),
    ];
    expect(inclusionRanges(0, 7)).toEqual([b, h, l]);
    expect(inclusionRanges(3, 7)).toEqual([c, g, l]);
    expect(inclusionRanges(4, 7)).toEqual([f, j, k]);
    expect(inclusionRanges(6, 7)).toEqual([i, k]);
    // PROOF(3, D[7]) = [c, d, g, l], PROOF(4, D[7]) = [l], PROOF(6, D[7]) = [i, j, k].
    const d = run(3, 4);
    expect(consistencyRanges(3, 7)).toEqual([c, d, g, l]);
    expect(consistencyRanges(4, 7)).toEqual([l]);
    expect(consistencyRanges(6, 7)).toEqual([i, j, k]);
  });
});

describe('against the recursion of the RFC', () => {
  const all = numbered(700);

  it('roots and proofs are the same for every size up to 70', async () => {
    for (let size = 0; size <= 70; size += 1) {
      const leaves = all.slice(0, size);
      const tree = treeOf(leaves);
      expect(toHex(await value(tree.root()))).toBe(toHex(mth(leaves)));
      for (let index = 0; index < size; index += 1) {
        const due = path(index, leaves);
        expect(hex(await value(tree.inclusion(index)))).toEqual(hex(due));
        expect(verifyInclusion(leaves[index] as Buffer, index, size, due, mth(leaves))).toBe(true);
      }
      for (let first = 1; first <= size; first += 1) {
        const due = proof(first, leaves);
        expect(hex(await value(tree.consistency(first)))).toEqual(hex(due));
        const heads = [
          { size: first, root: mth(all.slice(0, first)) },
          { size, root: mth(leaves) },
        ] as const;
        expect(verifyConsistency(heads[0], heads[1], due)).toBe(true);
      }
    }
  });

  it('they are the same across tiles, whatever the store keeps of the levels above', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.nat(699),
        fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY),
        async (size, place, most) => {
          const leaves = all.slice(0, size);
          const tree = new MerkleTree(size, readerOf(leaves, 2, most));
          const index = place % size;
          const [first, root] = [index + 1, mth(leaves)];
          expect(toHex(await value(tree.root()))).toBe(toHex(root));
          expect(toHex(await value(tree.root(first)))).toBe(toHex(mth(all.slice(0, first))));
          expect(hex(await value(tree.inclusion(index)))).toEqual(hex(path(index, leaves)));
          expect(hex(await value(tree.consistency(first)))).toEqual(hex(proof(first, leaves)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a frontier hands out every complete subtree once, with its root', () => {
    const frontier = new Frontier();
    const seen = new Set<string>();
    for (const leaf of all) {
      for (const { height, index, hash } of frontier.append(leaf)) {
        const span = 2 ** height;
        expect(toHex(hash)).toBe(toHex(mth(all.slice(index * span, (index + 1) * span))));
        seen.add(`${height} ${index}`);
      }
    }
    let due = 0;
    for (let span = 2; span <= all.length; span *= 2) due += Math.floor(all.length / span);
    expect([seen.size, frontier.size]).toEqual([due, all.length]);
    expect(toHex(frontier.root())).toBe(toHex(mth(all)));
  });
});

describe('proofs that do not hold', () => {
  const all = numbered(33);
  const flip = (bytes: Hash): Hash => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte));

  it('of inclusion: another leaf, place, size, root, order, a hash too many or too few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 33 }), fc.nat(32), fc.nat(5), (size, place, at) => {
        const leaves = all.slice(0, size);
        const index = place % size;
        const [leaf, root, due] = [leaves[index] as Buffer, mth(leaves), path(index, leaves)];
        expect(verifyInclusion(leaf, index, size, due, root)).toBe(true);
        const broken = due.map((hash, n) => (n === at % due.length ? flip(hash) : hash));
        for (const holds of [
          verifyInclusion(flip(leaf), index, size, due, root),
          verifyInclusion(leaf, index, size, due, flip(root)),
          verifyInclusion(leaf, index, size, broken, root),
          verifyInclusion(leaf, index, size, due.slice(1), root),
          verifyInclusion(leaf, index, size, due.slice(0, -1), root),
          verifyInclusion(leaf, index, size, [...due, root], root),
          verifyInclusion(leaf, (index + 1) % size, size, due, root),
          verifyInclusion(leaf, index + size, size, due, root),
          verifyInclusion(leaf, -1, size, due, root),
          verifyInclusion(leaf, 0.5, size, due, root),
        ]) {
          expect(holds).toBe(false);
        }
      }),
    );
  });

  it('of consistency: another root, a shorter second tree, a hash too many, too few or changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 33 }), fc.nat(31), fc.nat(5), (size, place, at) => {
        const first = 1 + (place % (size - 1));
        const older = { size: first, root: mth(all.slice(0, first)) };
        const newer = { size, root: mth(all.slice(0, size)) };
        const due = proof(first, all.slice(0, size));
        expect(verifyConsistency(older, newer, due)).toBe(true);
        const broken = due.map((hash, n) => (n === at % due.length ? flip(hash) : hash));
        for (const holds of [
          verifyConsistency({ ...older, root: flip(older.root) }, newer, due),
          verifyConsistency(older, { ...newer, root: flip(newer.root) }, due),
          verifyConsistency(older, newer, broken),
          verifyConsistency(older, newer, due.slice(1)),
          verifyConsistency(older, newer, due.slice(0, -1)),
          verifyConsistency(older, newer, [...due, older.root]),
          verifyConsistency(newer, older, due),
          verifyConsistency(older, { ...newer, size: size + 0.5 }, due),
        ]) {
          expect(holds).toBe(false);
        }
      }),
    );
  });

  it('the ends: equal sizes need equal roots and no proof, the empty tree begins every tree', () => {
    const root = mth(all);
    const head = { size: 33, root };
    expect(verifyConsistency(head, head, [])).toBe(true);
    expect(verifyConsistency(head, { ...head, root: flip(root) }, [])).toBe(false);
    expect(verifyConsistency(head, head, [root])).toBe(false);
    expect(verifyConsistency({ size: 0, root: EMPTY_ROOT }, head, [])).toBe(true);
    expect(verifyConsistency({ size: 0, root }, head, [])).toBe(false);
    expect(verifyConsistency({ size: 0, root: EMPTY_ROOT }, head, [root])).toBe(false);
  });

  it('what cannot be asked for is a bug of whoever asks', () => {
    expect(() => inclusionRanges(3, 3)).toThrow('not in a tree');
    expect(() => consistencyRanges(4, 3)).toThrow('cannot go on');
    expect(() => perfectRoot(numbered(3))).toThrow('no perfect tree');
    expect([1, 2, 3, 4, 2 ** 40, 2 ** 40 + 1].map(isPowerOfTwo)).toEqual([true, true, false, true, true, false]);
    expect([2, 3, 4, 5, 2 ** 40 + 1].map(splitOf)).toEqual([1, 2, 2, 4, 2 ** 40]);
  });
});
