import type { Hex } from '../../domain/bytes.js';
import type { Network } from '../../domain/network.js';
import type { Sats } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { BatchRecord, JournalState } from '../../journal/state.js';
import type { Destinations } from '../../policy/counterparties.js';
import { destinationsOf } from '../destinations.js';
import type { Step } from './step.js';

/** Who is paid: a destination of the book by its id, or a script that the book of that moment did not hold. */
export interface Payee {
  readonly destination: string | null;
  /** Of the first payment; a destination by a descriptor has many. */
  readonly script: Hex;
  /** As the request wrote it. */
  readonly address: string | null;
}

export interface Paid {
  readonly payee: Payee;
  /** Since when the book has it; null for what is not in it. */
  readonly since: UnixSeconds | null;
  readonly requests: number;
  /** What the transaction pays, without a share of the fee that the payee bears. */
  readonly amount: Sats;
}

/** The first payment that a destination ever got, since it is in the book. */
export interface FirstPayment {
  readonly destination: string;
  readonly since: string;
  /** When the transaction was signed. */
  readonly at: string;
  /** Seconds between the two. */
  readonly age: number;
  readonly batch: string;
}

/**
 * Payments by the names that the book had for them when the batch last went out to be signed: the verdict of that moment was
 * by that book, whatever it says later.
 */
export class Payees {
  #book: JournalState['book'] = null;
  #destinations: Destinations;
  readonly #bookOf = new Map<string, Destinations>();
  readonly #paid = new Set<string>();
  readonly #first: FirstPayment[] = [];

  constructor(readonly network: Network) {
    this.#destinations = destinationsOf({ book: null }, network);
  }

  /** `book` is the one in force after the entry. */
  take({ entry, at, counts, after }: Step, book: JournalState['book']): void {
    if (book !== this.#book) {
      this.#book = book;
      this.#destinations = destinationsOf({ book }, this.network);
    }
    if (after === undefined) return;
    const { kind } = entry.body;
    if (kind === 'batch.sent' || kind === 'batch.exported') this.#bookOf.set(after.id, this.#destinations);
    if (kind !== 'batch.signed') return;
    for (const { payee, since } of this.of(after)) {
      if (payee.destination === null || since === null) continue;
      const key = `${payee.destination} ${since}`;
      if (this.#paid.has(key)) continue;
      this.#paid.add(key);
      if (!counts) continue;
      this.#first.push({
        destination: payee.destination,
        since: formatTime(since),
        at: formatTime(at),
        age: at - since,
        batch: after.id,
      });
    }
  }

  /** The payments of a batch, one a destination and one a script outside of the book. */
  of(batch: BatchRecord): readonly Paid[] {
    const book = this.#bookOf.get(batch.id) ?? this.#destinations;
    const paid = new Map<string, Paid>();
    const add = (script: Hex, requests: number, amount: Sats): void => {
      const request = batch.requests.find((one) => one.script === script);
      const found = book.find(script, request?.index);
      const key = found?.id ?? ` ${script}`;
      const known = paid.get(key) ?? {
        payee: { destination: found?.id ?? null, script, address: request?.address ?? null },
        since: found?.since ?? null,
        requests: 0,
        amount: 0n,
      };
      paid.set(key, { ...known, requests: known.requests + requests, amount: known.amount + amount });
    };
    for (const { script } of batch.requests) add(script, 1, 0n);
    for (const { script, amount, change } of batch.outputs) if (change === null) add(script, 0, amount);
    return [...paid.values()];
  }

  result(): readonly FirstPayment[] {
    return this.#first;
  }
}
