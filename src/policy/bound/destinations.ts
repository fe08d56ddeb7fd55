import { entryKind } from '../counterparties.js';
import type { Cap, LoadedBook, PolicyDocument } from '../types.js';

/** What can be paid, as far as caps go. */
export interface Destinations {
  /** Cap of each destination that is known by its id, ascending by id. */
  readonly known: readonly { readonly id: string; readonly cap: Cap }[];
  /** How many more there may be, each with the default cap: null where the book is not known, or can be added to. */
  readonly others: 0 | null;
}

/**
 * The destinations of a book that may be paid at all, or, where no book is given or somebody can add to it, any number of them. Ages are left out:
 * over time every destination comes of age.
 */
export function destinationsOf(
  { destinations }: PolicyDocument,
  book: LoadedBook | null,
  growing: boolean,
): Destinations {
  const { caps24h, defaultCap24h, scriptTypes } = destinations;
  const payable: readonly string[] = scriptTypes;
  const asksProof = destinations.proof === 'required';
  const ids =
    book === null
      ? [...caps24h.keys()]
      : book.entries
          .filter((entry) => payable.includes(entryKind(entry)) && (entry.proof !== undefined || !asksProof))
          .map(({ id }) => id);
  const known = ids.sort().map((id) => ({ id, cap: caps24h.has(id) ? (caps24h.get(id) ?? null) : defaultCap24h }));
  return { known, others: book === null || growing ? null : 0 };
}

/** What all destinations together may get within 24 hours; null where that is no bound. */
export function togetherIn24h({ known, others }: Destinations, { destinations }: PolicyDocument): Cap {
  if (others === null && destinations.defaultCap24h !== 0n) return null;
  let total = 0n;
  for (const { cap } of known) {
    if (cap === null) return null;
    total += cap;
  }
  return total;
}

/** The highest cap of a single destination. */
export function highestCap({ known, others }: Destinations, { destinations }: PolicyDocument): Cap {
  const caps = [...known.map(({ cap }) => cap), ...(others === null ? [destinations.defaultCap24h] : [])];
  if (caps.includes(null)) return null;
  return caps.reduce<bigint>((most, cap) => (cap !== null && cap > most ? cap : most), 0n);
}
