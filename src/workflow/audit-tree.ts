import { toHex } from '../domain/bytes.js';
import { type Fault, fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import { Frontier } from '../journal/merkle.js';
import { TILE_WIDTH, type TreeRow } from '../journal/merkle-tree.js';
import type { Journal } from '../journal/port.js';

/** So many levels of a binary tree lie between two levels that are kept. */
const HEIGHT = 8;

/**
 * Makes the tree of the entries again and compares every row of it that the store keeps. A store that keeps none at all has
 * nothing to compare: a journal from before they were kept has its own made with the next entry.
 */
export class TreeAudit {
  readonly #rows: ReadonlyMap<string, TreeRow>;
  /** How many entries there were before the rows were read: those have theirs. */
  readonly #size: number;
  readonly #frontier = new Frontier();
  /** Of the rows, how many are of a complete subtree of the entries so far. */
  #placed = 0;

  private constructor(rows: readonly TreeRow[], size: number) {
    this.#rows = new Map(rows.map((row) => [keyOf(row), row]));
    this.#size = size;
  }

  /** Before the first entry is taken: what others write from then on is not looked at. */
  static async begin(journal: Pick<Journal, 'size' | 'treeRows'>): Promise<Result<TreeAudit, Fault>> {
    const size = await journal.size();
    if (!size.ok) return size;
    const rows = await journal.treeRows();
    return rows.ok ? ok(new TreeAudit(rows.value, size.value)) : rows;
  }

  /** The next entry. Answers E_JOURNAL_TAMPERED for each row that it completes and that is another one, or is not there. */
  take({ seq, hash }: Entry): readonly Fault[] {
    const findings: Fault[] = [];
    for (const subtree of this.#frontier.append(new Uint8Array(Buffer.from(hash, 'hex')))) {
      if (subtree.height % HEIGHT !== 0) continue;
      const place = { level: subtree.height / HEIGHT, n: subtree.index };
      const row = this.#rows.get(keyOf(place));
      if (row !== undefined) this.#placed += 1;
      if (row === undefined && this.#rows.size > 0 && seq < this.#size) findings.push(finding(place, 'was removed'));
      if (row !== undefined && row.hash !== toHex(subtree.hash))
        findings.push(finding(place, 'is not that of its entries'));
    }
    return findings;
  }

  /** After the last entry: the rows of entries that are not there, and of no place in the tree at all. */
  end(): readonly Fault[] {
    if (this.#placed === this.#rows.size) return [];
    return [...this.#rows.values()]
      .filter((row) => !this.#isPlaced(row))
      .map((row) => finding(row, 'is kept, and its entries are not there'));
  }

  #isPlaced({ level, n }: TreeRow): boolean {
    return level >= 1 && n >= 0 && (n + 1) * TILE_WIDTH ** level <= this.#frontier.size;
  }
}

const keyOf = ({ level, n }: Pick<TreeRow, 'level' | 'n'>): string => `${level}/${n}`;

function finding({ level, n }: Pick<TreeRow, 'level' | 'n'>, what: string): Fault {
  const first = BigInt(n) * BigInt(TILE_WIDTH) ** BigInt(Math.max(level, 0));
  const entries =
    level >= 1 && level < HEIGHT && n >= 0
      ? `over entries ${first} to ${first + BigInt(TILE_WIDTH) ** BigInt(level) - 1n}`
      : `${n} of level ${level}`;
  return fault('E_JOURNAL_TAMPERED', `the tree of the journal: the hash ${entries} ${what}`, {
    remedy:
      'stop signing, and find out who could write to the journal; no decision rests on these hashes, and countersign journal copy derives them anew',
  });
}
