import type { Hex } from '../domain/bytes.js';
import type { Network } from '../domain/network.js';
import type { BatchRecord, JournalState } from '../journal/state.js';
import { holdsBudget } from '../journal/transitions.js';
import { Destinations, type IndexedPayments } from '../policy/counterparties.js';
import type { DestinationAge } from '../policy/types.js';

/** The destinations of the book in force, each of them once for as long as the book is the same. */
export function destinationsOf({ book }: Pick<JournalState, 'book'>, network: Network): Destinations {
  return new Destinations(book?.entries.values() ?? [], network);
}

/** Scripts that requests called an index of a descriptor: the index, and every batch that was planned to pay it. */
export class DeclaredIndexes {
  readonly #byScript = new Map<Hex, { readonly index: number; readonly batches: string[] }>();

  /** Takes a batch that was planned. */
  add({ id, requests }: Pick<BatchRecord, 'id' | 'requests'>): void {
    for (const { script, index } of requests) {
      if (index === undefined) continue;
      const known = this.#byScript.get(script);
      if (known === undefined) this.#byScript.set(script, { index, batches: [id] });
      else if (!known.batches.includes(id)) known.batches.push(id);
    }
  }

  /** As a verdict on one batch sees them: the others that hold budget at this moment. */
  beside(except: string | null, batch: (id: string) => Pick<BatchRecord, 'state'> | undefined): IndexedPayments {
    return {
      get: (script) => {
        const known = this.#byScript.get(script);
        if (known === undefined) return undefined;
        const batches = known.batches.filter((id) => {
          const other = id === except ? undefined : batch(id);
          return other !== undefined && holdsBudget(other.state);
        });
        return { index: known.index, batches };
      },
    };
  }

  /** Each of the scripts, with the index that it was declared to have. */
  *all(): Iterable<readonly [script: Hex, index: number]> {
    for (const [script, { index }] of this.#byScript) yield [script, index];
  }
}

/** The payments of a journal that stand in it at this moment. */
export function declaredIndexes({ batches }: Pick<JournalState, 'batches'>): DeclaredIndexes {
  const declared = new DeclaredIndexes();
  for (const batch of batches.values()) declared.add(batch);
  return declared;
}

interface OpenBook {
  readonly state: Pick<JournalState, 'batches' | 'book'>;
  readonly destinations: Destinations;
}

/** One address of each destination of the book: of a descriptor the one after the highest that a batch ever declared. */
export function nextAddresses({ state, destinations }: OpenBook): DestinationAge[] {
  const highest = new Map<string, number>();
  const declared = destinations.hasDescriptors ? declaredIndexes(state).all() : [];
  for (const [script, index] of declared) {
    const found = destinations.find(script, index);
    if (found?.index === undefined) continue;
    highest.set(found.id, Math.max(highest.get(found.id) ?? -1, found.index));
  }
  return [...(state.book?.entries.values() ?? [])].flatMap((entry) => {
    if ('script' in entry) return [entry];
    const next = Math.min((highest.get(entry.id) ?? -1) + 1, entry.maxIndex);
    return destinations.at(entry.id, next) ?? [];
  });
}
