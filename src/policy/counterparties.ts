import { encodeAddress } from '../domain/address.js';
import { type Hex, toHex, trustedHex } from '../domain/bytes.js';
import type { Network } from '../domain/network.js';
import type { WithdrawalRequest } from '../domain/request.js';
import { type ScriptKind, scriptKind } from '../domain/script.js';
import { type Counterparty, parseCounterparty } from '../vault/counterparty.js';
import { Looks, looksLike } from './alike.js';
import { scriptIndexes } from './scripts-of-book.js';
import type { BookEntry, Counterparties, DestinationAge, Facts, PolicyState, SpendRecord } from './types.js';

/** A script that an entry of the book stands for: its only one, or the first of a descriptor. */
export function firstScript(entry: BookEntry): Uint8Array {
  return entry.kind === 'address' ? entry.script : entry.counterparty.at(0);
}

/** The kind of all scripts of an entry; an address in a book is one that can be paid. */
export function entryKind(entry: BookEntry): ScriptKind {
  return entry.kind === 'address' ? scriptKind(entry.script) : entry.counterparty.scriptKind;
}

/** An entry of the book as the journal has it. */
export type BookRecord = Omit<DestinationAge, 'script' | 'index'> &
  ({ readonly script: Hex } | { readonly descriptor: string; readonly maxIndex: number });

/** What is known of a script that requests called an index of a descriptor. */
export interface IndexedPayments {
  /** The index, as it was declared, and the other batches that hold budget for a payment there. */
  get(script: Hex): { readonly index: number; readonly batches: readonly string[] } | undefined;
}

/** What a verdict is about, as far as it decides which scripts of descriptors matter. */
export interface Paid {
  readonly outputs: readonly Pick<Facts['outputs'][number], 'script' | 'address' | 'own'>[];
  readonly requests: readonly WithdrawalRequest[];
  readonly spends: readonly SpendRecord[];
  readonly indexed: IndexedPayments;
}

interface Ranged {
  readonly age: Omit<DestinationAge, 'script' | 'index'>;
  readonly counterparty: Counterparty;
  readonly maxIndex: number;
  /** All scripts, derived when a script turns up that nobody gave an index for. */
  table: ReadonlyMap<Hex, number> | null;
  readonly scripts: Set<Hex>;
}

/**
 * The destinations of one version of the book. A descriptor's scripts are found by deriving them again: an index that a
 * request declares only says where to look first, so a false one costs a search and changes nothing.
 *
 * What is found is remembered, and the maps of all verdicts are the same growing ones: whether a script is in them depends
 * on the book alone, once a verdict has asked for it.
 */
export class Destinations {
  readonly #known: Map<Hex, DestinationAge>;
  readonly #unknown = new Set<Hex>();
  readonly #ranged: ReadonlyMap<string, Ranged>;
  readonly #network: Network;
  readonly #searched = new WeakSet<SpendRecord>();
  /** Of the scripts of descriptors that were found so far. */
  readonly #looks = new Looks<DestinationAge>();

  constructor(entries: Iterable<BookRecord>, network: Network) {
    const known = new Map<Hex, DestinationAge>();
    const ranged = new Map<string, Ranged>();
    for (const entry of entries) {
      if ('script' in entry) {
        known.set(entry.script, entry);
        continue;
      }
      const { descriptor, maxIndex, ...age } = entry;
      // Only a forged journal holds a descriptor that cannot be read: it then stands for no script, and nothing is paid to it.
      const counterparty = parseCounterparty(network, descriptor);
      if (!counterparty.ok) continue;
      ranged.set(age.id, {
        age,
        counterparty: counterparty.value,
        maxIndex,
        table: null,
        scripts: new Set(),
      });
    }
    this.#known = known;
    this.#ranged = ranged;
    this.#network = network;
  }

  /** Whether there is a descriptor at all: without one a verdict needs nothing that is not in the book itself. */
  get hasDescriptors(): boolean {
    return this.#ranged.size > 0;
  }

  /** The part of a state that is about destinations. */
  about(paid: Paid): Pick<PolicyState, 'destinations' | 'counterparties'> {
    if (!this.hasDescriptors) return { destinations: this.#known, counterparties: NO_COUNTERPARTIES };
    const declared = new Map(paid.requests.map(({ script, index }) => [toHex(script), index]));
    const payees = paid.outputs.filter(({ own }) => !own.own);
    const scripts = payees.map(({ script }) => toHex(script));
    for (const script of [...scripts, ...declared.keys()]) {
      this.find(script, declared.get(script) ?? paid.indexed.get(script)?.index);
    }
    for (const request of paid.requests) this.#deriveDeclared(request);
    this.#searchSpends(paid);
    return {
      destinations: this.#known,
      counterparties: {
        entries: new Map(
          [...this.#ranged].map(([id, { age, maxIndex, scripts: found }]) => [
            id,
            { ...age, maxIndex, scripts: found },
          ]),
        ),
        paidBefore: this.#paidBefore(scripts, paid.indexed),
        alike: this.#alike(payees, paid.indexed),
      },
    };
  }

  /** The script of a descriptor at an index that the book allows; null for any other. */
  at(id: string, index: number): DestinationAge | null {
    const ranged = this.#ranged.get(id);
    if (ranged === undefined || index > ranged.maxIndex) return null;
    return this.#learn(ranged, toHex(ranged.counterparty.at(index)), index);
  }

  /** The script at the index that a request declares, so that a denial can say which address would be right. */
  #deriveDeclared({ destination, index, script }: WithdrawalRequest): void {
    const id = destination ?? this.#known.get(toHex(script))?.id;
    if (id !== undefined && index !== undefined) this.at(id, index);
  }

  /** What the book knows of a script. `declared` is the index at which it is looked for first. */
  find(script: Hex, declared?: number): DestinationAge | null {
    const known = this.#known.get(script);
    if (known !== undefined) return known;
    if (this.#unknown.has(script)) return null;
    const kind = scriptKind(trustedHex(script));
    const alike = [...this.#ranged.values()].filter(({ counterparty }) => counterparty.scriptKind === kind);
    for (const ranged of alike) {
      if (declared === undefined || declared > ranged.maxIndex) continue;
      if (toHex(ranged.counterparty.at(declared)) === script) return this.#learn(ranged, script, declared);
    }
    for (const ranged of alike) {
      const index = tableOf(ranged).get(script);
      if (index !== undefined) return this.#learn(ranged, script, index);
    }
    this.#unknown.add(script);
    return null;
  }

  #learn(ranged: Ranged, script: Hex, index: number): DestinationAge {
    const known = this.#known.get(script);
    if (known !== undefined) return known;
    const found = { ...ranged.age, script, index };
    this.#known.set(script, found);
    ranged.scripts.add(script);
    const address = encodeAddress(trustedHex(script), this.#network);
    if (address !== null) this.#looks.add(address, found);
    return found;
  }

  #searchSpends({ spends, indexed }: Paid): void {
    for (const spend of spends) {
      if (this.#searched.has(spend)) continue;
      this.#searched.add(spend);
      for (const { script } of spend.outputs) this.find(script, indexed.get(script)?.index);
    }
  }

  #paidBefore(scripts: readonly Hex[], indexed: IndexedPayments): ReadonlyMap<Hex, readonly string[]> {
    return new Map(
      scripts.flatMap((script): [Hex, readonly string[]][] => {
        const batches = indexed.get(script)?.batches ?? [];
        return batches.length > 0 && this.#known.get(script)?.index !== undefined ? [[script, batches]] : [];
      }),
    );
  }

  /**
   * A payee that the book does not hold is held against every address of every descriptor; one that it holds against those
   * that were paid before, since nobody copies from an address that was never used.
   */
  #alike(payees: Paid['outputs'], indexed: IndexedPayments): readonly DestinationAge[] {
    const found = payees.flatMap(({ script, address }) => {
      if (address === null) return [];
      if (!this.#known.has(toHex(script))) return this.#alikeAnywhere(address, scriptKind(script));
      return this.#looks.like(address).filter((one) => (indexed.get(one.script)?.batches.length ?? 0) > 0);
    });
    return [...new Map(found.map((one) => [one.script, one])).values()].sort((a, b) => (a.script < b.script ? -1 : 1));
  }

  #alikeAnywhere(address: string, kind: ScriptKind): DestinationAge[] {
    const alike: DestinationAge[] = [];
    for (const ranged of this.#ranged.values()) {
      if (ranged.counterparty.scriptKind !== kind) continue;
      for (const [script, index] of tableOf(ranged)) {
        const other = encodeAddress(trustedHex(script), this.#network);
        if (other !== null && looksLike(address, other)) alike.push(this.#learn(ranged, script, index));
      }
    }
    return alike;
  }
}

/** Where the book holds no descriptor. */
export const NO_COUNTERPARTIES: Counterparties = { entries: new Map(), paidBefore: new Map(), alike: [] };

function tableOf(ranged: Ranged): ReadonlyMap<Hex, number> {
  ranged.table ??= scriptIndexes(ranged.counterparty, ranged.maxIndex);
  return ranged.table;
}
