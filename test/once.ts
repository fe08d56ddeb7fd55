import { beforeAll } from 'vitest';

/**
 * Several tests of a suite look at one costly outcome, which the first of them computes: in a test and not while tests are
 * collected, so that a failure is a test's, and so that it is known which tests run which code.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  beforeAll(() => {
    made = undefined;
  });
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
