import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import { Frontier } from '../journal/merkle.js';
import { TILE_WIDTH } from '../journal/merkle-tree.js';
import type { Journal } from '../journal/port.js';

/** So many levels of a binary tree lie between two levels that are kept. */
const HEIGHT = 8;

/**
 * Makes the tree of the entries again and compares every hash of it that the store keeps: the one thing that a journal holds
 * beside its entries and their documents. What is not kept is no finding, since it is computed where it is needed.
 */
export class TreeAudit {
  readonly #journal: Pick<Journal, 'treeHashes'>;
  readonly #frontier = new Frontier();

  constructor(journal: Pick<Journal, 'treeHashes'>) {
    this.#journal = journal;
  }

  /** The next entry. E_JOURNAL_TAMPERED where a kept hash that it completes is another one. */
  async take({ hash }: Entry): Promise<Result<void, Fault>> {
    for (const subtree of this.#frontier.append(new Uint8Array(Buffer.from(hash, 'hex')))) {
      if (subtree.height % HEIGHT !== 0) continue;
      const level = subtree.height / HEIGHT;
      const kept = await this.#journal.treeHashes(level, subtree.index, 1);
      if (!kept.ok) return kept;
      const [own] = kept.value;
      if (own !== undefined && !equalBytes(own, subtree.hash))
        return other(level, subtree.index, 'is not that of its entries');
    }
    return ok(undefined);
  }

  /** After the last entry: whether hashes are kept of entries that are not there. */
  async end(): Promise<Result<void, Fault>> {
    let [level, beyond] = [1, Math.floor(this.#frontier.size / TILE_WIDTH)];
    for (;;) {
      const kept = await this.#journal.treeHashes(level, beyond, 1);
      if (!kept.ok) return kept;
      if (kept.value.length > 0) return other(level, beyond, 'is kept, and its entries are not there');
      if (beyond === 0) return ok(undefined);
      [level, beyond] = [level + 1, Math.floor(beyond / TILE_WIDTH)];
    }
  }
}

function other(level: number, n: number, what: string): Result<never, Fault> {
  const first = n * TILE_WIDTH ** level;
  const entries = `entries ${first} to ${first + TILE_WIDTH ** level - 1}`;
  return fail('E_JOURNAL_TAMPERED', `the tree of the journal: the hash over ${entries} ${what}`, {
    remedy: 'stop signing; keep the journal as it is and find out which program wrote to it',
  });
}
