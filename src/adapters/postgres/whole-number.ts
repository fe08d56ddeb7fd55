/** What a bigint column gives is text; a number beyond 2^53 is nobody's entry, and is left as it is. */
export function wholeNumber(seq: unknown): unknown {
  const value = Number(seq);
  return Number.isSafeInteger(value) ? value : seq;
}
