/** An expected outcome: a value, or a failure that the caller must look at. Exceptions are bugs. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): Result<T, never> => ({ ok: true, value });
export const err = <E>(error: E): Result<never, E> => ({ ok: false, error });

/** Turns a list of results into a result of the list; the first failure wins. */
export function all<T, E>(results: Iterable<Result<T, E>>): Result<T[], E> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}

/** Makes the compiler refuse a switch that misses a case; reached at run time it is a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`);
}
