/** What of `a` is not in `b`. */
export function minus<T>(a: Iterable<T>, b: ReadonlySet<T>): Set<T> {
  return new Set([...a].filter((item) => !b.has(item)));
}

export function overlap<T>(a: Iterable<T>, b: ReadonlySet<T>): Set<T> {
  return new Set([...a].filter((item) => b.has(item)));
}

export function sameSet<T>(a: Iterable<T>, b: Iterable<T>): boolean {
  const [first, second] = [new Set(a), new Set(b)];
  return first.size === second.size && minus(first, second).size === 0;
}
