import { toHex } from '../domain/bytes.js';
import { type Hash, perfectRoot } from '../journal/merkle.js';
import { TILE_WIDTH, type TreeRow } from '../journal/merkle-tree.js';
import type { JournalStore, TreeRows } from './journal-store.js';

/**
 * Keeps the roots of complete subtrees beside the entries, in their own transactions: one more row in 256 entries. What is
 * kept is derived; a proof made from rows that somebody changed leads to no root that anybody signed.
 */
export class StoredTree {
  readonly #store: JournalStore;
  /** How many subtrees of each level are known to be there; unknown after a rollback, and when another process wrote. */
  #known: number[] = [];

  constructor(store: JournalStore) {
    this.#store = store;
  }

  /** Within a transaction that leaves so many entries behind. */
  async grow(entries: number): Promise<void> {
    const { tree } = this.#store;
    if (tree === undefined) return;
    let below = entries;
    for (let level = 1; below >= TILE_WIDTH; level += 1) {
      const due = Math.floor(below / TILE_WIDTH);
      if ((this.#known[level] ?? 0) >= due) return;
      const made = await newSubtrees(tree, level, due);
      if (made === null) return;
      await tree.insert(made);
      this.#known[level] = due;
      below = due;
    }
  }

  forget(): void {
    this.#known = [];
  }

  /** As Journal.treeHashes says. */
  async hashes(level: number, from: number, count: number): Promise<readonly Hash[]> {
    const { tree } = this.#store;
    if (tree !== undefined) return (await tree.hashes(level, from, count)).map(hashOf);
    return level === 0 ? this.#leaves(from, count) : [];
  }

  /** As Journal.treeRows says. */
  async rows(): Promise<readonly TreeRow[]> {
    return (await this.#store.tree?.all()) ?? [];
  }

  async #leaves(from: number, count: number): Promise<readonly Hash[]> {
    const hashes: Hash[] = [];
    while (hashes.length < count) {
      const { rows, isLast } = await this.#store.page(from + hashes.length);
      const read = rows.flatMap((stored) => (stored.ok ? [hashOf(stored.value.entry.hash)] : []));
      hashes.push(...read.slice(0, count - hashes.length));
      if (isLast) break;
    }
    return hashes;
  }
}

/** Made at a time, where many are due: one question to a store that is far away. */
const SUBTREES = 64;

/** Null where rows below are missing, which somebody took away: what they said can be computed, and audit verify tells. */
async function newSubtrees(tree: TreeRows, level: number, due: number): Promise<readonly TreeRow[] | null> {
  const made: TreeRow[] = [];
  for (let from = await tree.count(level, due); from < due; from += SUBTREES) {
    const end = Math.min(from + SUBTREES, due);
    const children = await tree.hashes(level - 1, from * TILE_WIDTH, (end - from) * TILE_WIDTH);
    if (children.length < (end - from) * TILE_WIDTH) return null;
    for (let n = from; n < end; n += 1) {
      const own = children.slice((n - from) * TILE_WIDTH, (n + 1 - from) * TILE_WIDTH);
      made.push({ level, n, hash: toHex(perfectRoot(own.map(hashOf))) });
    }
  }
  return made;
}

/** A row of another length, which somebody changed, is no hash of anything; it is made one so that the tree comes out wrong. */
function hashOf(hex: string): Hash {
  const hash = new Uint8Array(32);
  hash.set(Buffer.from(hex, 'hex').subarray(0, 32));
  return hash;
}
