import { type Hex, toHex } from '../domain/bytes.js';
import { scriptKind } from '../domain/script.js';
import type { Counterparty } from '../vault/counterparty.js';

/** The highest index of a descriptor of the book that says none. */
export const USUAL_MAX_INDEX = 999;

/**
 * The highest index that a book may allow. A descriptor stands for a finite list of scripts, so that whether a script is
 * among them is always decided and never guessed; 10,000 of a single key take about a second to derive, once.
 */
export const MOST_INDEXES = 9999;

/** What an entry of a book stands for. */
export type Payable =
  | { readonly script: Uint8Array }
  | { readonly counterparty: Counterparty; readonly maxIndex: number };

/** Every script of a descriptor up to an index, with its index. */
export function scriptIndexes(counterparty: Counterparty, maxIndex: number): ReadonlyMap<Hex, number> {
  const found = new Map<Hex, number>();
  for (let index = 0; index <= maxIndex; index += 1) found.set(toHex(counterparty.at(index)), index);
  return found;
}

interface Ranged {
  readonly id: string;
  readonly counterparty: Counterparty;
  readonly indexes: () => ReadonlyMap<Hex, number>;
}

/**
 * The scripts of a book, so that no two entries stand for the same one. Those of a descriptor are derived only where an
 * address of the same kind stands beside it; two descriptors are compared by what derives them.
 */
export class ScriptsOfBook {
  readonly #addresses = new Map<Hex, { readonly id: string; readonly script: Uint8Array }>();
  readonly #ranged = new Map<string, Ranged>();

  /** Adds an entry; the entry before it that stands for one of its scripts, with the index where that is a descriptor. */
  add(id: string, payable: Payable): { readonly id: string; readonly index?: number } | null {
    return 'script' in payable ? this.#addAddress(id, payable.script) : this.#addRanged(id, payable);
  }

  #addAddress(id: string, script: Uint8Array): { readonly id: string; readonly index?: number } | null {
    const hex = toHex(script);
    const same = this.#addresses.get(hex);
    if (same !== undefined) return { id: same.id };
    this.#addresses.set(hex, { id, script });
    const kind = scriptKind(script);
    for (const other of this.#ranged.values()) {
      const index = other.counterparty.scriptKind === kind ? other.indexes().get(hex) : undefined;
      if (index !== undefined) return { id: other.id, index };
    }
    return null;
  }

  #addRanged(id: string, { counterparty, maxIndex }: Extract<Payable, { counterparty: unknown }>) {
    const same = this.#ranged.get(counterparty.identity);
    if (same !== undefined) return { id: same.id };
    const indexes = onceOnly(() => scriptIndexes(counterparty, maxIndex));
    this.#ranged.set(counterparty.identity, { id, counterparty, indexes });
    for (const [hex, { id: other, script }] of this.#addresses) {
      if (scriptKind(script) === counterparty.scriptKind && indexes().has(hex)) return { id: other };
    }
    return null;
  }
}

function onceOnly<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
