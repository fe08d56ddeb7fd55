import { createHash } from 'node:crypto';

/**
 * The tree of RFC 6962, written from its text and from nothing of the program: section 2.1 (hashes), 2.1.1 (PATH), 2.1.2
 * (PROOF and SUBPROOF), word by word as recursions over lists. Leaves here are leaf hashes already.
 */
const hash = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

export const leafOf = (data: Buffer): Buffer => hash(Buffer.concat([Buffer.of(0), data]));

/** "k is the largest power of two smaller than n (i.e., k < n <= 2k)". */
function k(n: number): number {
  let found = 1;
  for (let power = 1; power < n; power *= 2) found = power;
  return found;
}

export function mth(d: readonly Buffer[]): Buffer {
  if (d.length === 0) return hash(Buffer.alloc(0));
  if (d.length === 1) return d[0] as Buffer;
  const split = k(d.length);
  return hash(Buffer.concat([Buffer.of(1), mth(d.slice(0, split)), mth(d.slice(split))]));
}

export function path(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length === 1) return [];
  const split = k(d.length);
  if (m < split) return [...path(m, d.slice(0, split)), mth(d.slice(split))];
  return [...path(m - split, d.slice(split)), mth(d.slice(0, split))];
}

export function proof(m: number, d: readonly Buffer[]): Buffer[] {
  return subproof(m, d, true);
}

function subproof(m: number, d: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (m === d.length) return isWhole ? [] : [mth(d)];
  const split = k(d.length);
  if (m <= split) return [...subproof(m, d.slice(0, split), isWhole), mth(d.slice(split))];
  return [...subproof(m - split, d.slice(split), false), mth(d.slice(0, split))];
}
