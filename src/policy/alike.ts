/**
 * How many characters two different addresses must share, counted from the first one that is not fixed by the network
 * and from the last one together. Six by chance happen once in about 10^8 pairs; people compare fewer.
 */
const SHARED = 6;

/** Human-readable part, separator and witness version of segwit, the first character of base58: the same for everybody. */
const FIXED_PREFIX = /^(?:(?:bc|tb|bcrt)1[qp]|.)/;

/** An address without what its network and type fix, and that. */
export interface SplitAddress {
  readonly prefix: string;
  readonly body: string;
}

export function splitAddress(address: string): SplitAddress {
  const prefix = FIXED_PREFIX.exec(address)?.[0] ?? '';
  return { prefix, body: address.slice(prefix.length) };
}

/** Different addresses of the same form that share six characters at their ends, fixed ones not counted. */
export function areAlike(a: SplitAddress, b: SplitAddress): boolean {
  if (a.prefix !== b.prefix || a.body === b.body) return false;
  const most = Math.min(a.body.length, b.body.length);
  let leading = 0;
  while (leading < most && a.body.charCodeAt(leading) === b.body.charCodeAt(leading)) leading += 1;
  const lastA = a.body.length - 1;
  const lastB = b.body.length - 1;
  let trailing = 0;
  while (trailing < most && a.body.charCodeAt(lastA - trailing) === b.body.charCodeAt(lastB - trailing)) trailing += 1;
  return leading + trailing >= SHARED;
}

/**
 * Addresses to be asked for those that look like another one. Whoever shares six characters at the ends shares, for some
 * number of them, so many in front and the rest behind: seven look-ups find them all.
 */
export class Looks<T> {
  readonly #byEnds = new Map<string, (SplitAddress & { readonly of: T })[]>();

  add(address: string, of: T): void {
    const split = { ...splitAddress(address), of };
    for (const ends of endsOf(split)) {
      const same = this.#byEnds.get(ends);
      if (same === undefined) this.#byEnds.set(ends, [split]);
      else same.push(split);
    }
  }

  /** In no particular order; one may come more than once. */
  like(address: string): T[] {
    const split = splitAddress(address);
    return endsOf(split).flatMap((ends) =>
      (this.#byEnds.get(ends) ?? []).filter((other) => areAlike(split, other)).map(({ of }) => of),
    );
  }
}

function endsOf({ prefix, body }: SplitAddress): string[] {
  return Array.from({ length: SHARED + 1 }, (_, leading) => {
    const trailing = SHARED - leading;
    return `${prefix} ${leading} ${body.slice(0, leading)} ${body.slice(body.length - trailing)}`;
  });
}

/** areAlike for addresses as they are written. */
export function looksLike(a: string, b: string): boolean {
  return areAlike(splitAddress(a), splitAddress(b));
}
