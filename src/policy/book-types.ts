import type { Hex } from '../domain/bytes.js';
import type { SourcePosition } from '../domain/fault.js';
import type { UnixSeconds } from '../domain/time.js';
import type { Counterparty } from '../vault/counterparty.js';

// ---------------------------------------------------------------- the document (countersign.book/1)

interface BookWords {
  readonly id: string;
  /** A good signature over its message (see proof.ts), by whoever controls it. */
  readonly proof?: string;
  readonly label: string;
  readonly owner: string;
  readonly purpose: string;
  readonly where: SourcePosition;
}

/** One address. */
interface AddressEntry extends BookWords {
  readonly kind: 'address';
  readonly address: string;
  readonly script: Uint8Array;
}

/** The receiving addresses of a counterparty's descriptor at the indexes 0 to `maxIndex`: one destination, many scripts. */
interface DescriptorEntry extends BookWords {
  readonly kind: 'descriptor';
  readonly counterparty: Counterparty;
  readonly maxIndex: number;
}

/** One destination of the address book (countersign.book/1). */
export type BookEntry = AddressEntry | DescriptorEntry;

export interface LoadedBook {
  readonly digest: string;
  readonly file: string;
  readonly entries: readonly BookEntry[];
}

// ---------------------------------------------------------------- what verdicts look at

/** A script that the book lets be paid, and since when. */
export interface DestinationAge {
  readonly id: string;
  readonly label: string;
  readonly script: Hex;
  readonly since: UnixSeconds;
  /** Where the entry is a descriptor: the index at which it derives this script. */
  readonly index?: number;
  /** Whether the book in force holds a proof that somebody controls it. */
  readonly proven?: true;
}

/** A descriptor of the book, as far as verdicts look at it. */
export interface CounterpartyAge {
  readonly id: string;
  readonly label: string;
  readonly since: UnixSeconds;
  readonly maxIndex: number;
  /** Those of its scripts that were asked for: paid before, paid by the batch, or declared by a request. */
  readonly scripts: ReadonlySet<Hex>;
}

/** What the descriptors of the book add to a verdict. */
export interface Counterparties {
  /** By id. */
  readonly entries: ReadonlyMap<string, CounterpartyAge>;
  /** Scripts of descriptors that the batch pays, to the earlier batches that paid them. */
  readonly paidBefore: ReadonlyMap<Hex, readonly string[]>;
  /** Addresses of descriptors that look like another one that the batch pays. */
  readonly alike: readonly DestinationAge[];
}
