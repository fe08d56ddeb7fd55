import { encodeAddress } from '../domain/address.js';
import { type Hex, trustedHex } from '../domain/bytes.js';
import type { Network } from '../domain/network.js';
import { areAlike, splitAddress } from './alike.js';
import { faultOfAges } from './sound.js';
import type { DestinationAge, PolicyState } from './types.js';

/** An entry of the book with its address, taken apart for comparison. */
export interface BookAddress {
  readonly id: string;
  readonly script: Hex;
  readonly address: string;
  readonly prefix: string;
  readonly body: string;
}

interface Resembling {
  readonly address: string;
  readonly others: readonly BookAddress[];
}

/** One book is asked by a hundred thousand verdicts for the same few hundred destinations of its own. By script. */
const resembling = new WeakMap<BookIndex, Map<Hex, Resembling>>();

/** Entries whose address looks like this one and that are other destinations. */
export function lookalikes(book: BookIndex, script: Hex, address: string): readonly BookAddress[] {
  const known = resembling.get(book)?.get(script);
  if (known?.address === address) return known.others;
  const split = splitAddress(address);
  const others = book.addresses.filter((entry) => entry.script !== script && areAlike(split, entry));
  if (book.destinations.get(script) === undefined) return others;
  const kept = resembling.get(book) ?? new Map<Hex, Resembling>();
  resembling.set(book, kept.set(script, { address, others }));
  return others;
}

/** The addresses of a book, encoded and in order once for all verdicts that rest on it. */
export interface BookIndex {
  /** The very map and the network that it was built from. */
  readonly destinations: PolicyState['destinations'];
  readonly network: Network;
  /** Where an entry is missing something or mistyped; null for a sound book. It denies, as if it were found by the verdict. */
  readonly fault: string | null;
  /** By id; scripts without an address are left out, and those of descriptors, which are compared where they are found. */
  readonly addresses: readonly BookAddress[];
}

/** n log n. Of a book with a fault nothing is arranged: every verdict on it denies. */
export function createBookIndex(destinations: PolicyState['destinations'], network: Network): BookIndex {
  const fault = faultOfAges(destinations);
  if (fault !== null) return { destinations, network, fault, addresses: [] };
  const addresses = [...destinations.values()]
    .filter(({ index }) => index === undefined)
    .flatMap((entry) => {
      const address = addressOf(entry, network);
      return address === null ? [] : [{ id: entry.id, script: entry.script, address, ...splitAddress(address) }];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { destinations, network, fault, addresses };
}

/** One book is judged by again and again: an address is encoded once for as long as its entry lives. */
const encoded = new WeakMap<DestinationAge, { network: Network; script: Hex; address: string | null }>();

function addressOf(entry: DestinationAge, network: Network): string | null {
  const { script } = entry;
  const known = encoded.get(entry);
  if (known !== undefined && known.network === network && known.script === script) return known.address;
  const address = encodeAddress(trustedHex(script), network);
  encoded.set(entry, { network, script, address });
  return address;
}
