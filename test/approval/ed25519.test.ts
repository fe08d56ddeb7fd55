import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSoundEd25519Key } from '../../src/approval/ed25519.js';

// Edwards25519 by its textbook formulas (RFC 8032, section 5.1): slow, and independent of the constants under test.
const P = 2n ** 255n - 19n;
const mod = (value: bigint): bigint => ((value % P) + P) % P;
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b);
  return result;
}
const inverse = (value: bigint): bigint => power(value, P - 2n);
const D = mod(-121665n * inverse(121666n));

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}
function add(a: Point, b: Point): Point {
  const product = mod(D * mod(a.x * b.x) * mod(a.y * b.y));
  return {
    x: mod((a.x * b.y + a.y * b.x) * inverse(1n + product)),
    y: mod((a.y * b.y + a.x * b.x) * inverse(1n - product)),
  };
}
function root(square: bigint): bigint | null {
  const candidate = power(square, (P + 3n) / 8n);
  for (const x of [candidate, mod(candidate * power(2n, (P - 1n) / 4n))]) if (mod(x * x) === mod(square)) return x;
  return null;
}
/** A point with this y, or null where the curve has none. */
function pointOf(y: bigint): Point | null {
  const x = root(mod((y * y - 1n) * inverse(D * y * y + 1n)));
  return x === null ? null : { x, y };
}
const times8 = (point: Point): Point => [0, 1, 2].reduce((p) => add(p, p), point);
const isIdentity = ({ x, y }: Point): boolean => x === 0n && y === 1n;
const encode = (y: bigint, sign: 0n | 1n): Uint8Array =>
  new Uint8Array(Buffer.from((y | (sign << 255n)).toString(16).padStart(64, '0'), 'hex').reverse());

/** The y of all points of small order, found by clearing the other factor of the group order from random points. */
function smallOrderYs(): Set<bigint> {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const found = new Set<bigint>();
  for (let y = 2n; found.size < 5; y += 1n) {
    let base = pointOf(y);
    if (base === null) continue;
    let multiple: Point = { x: 0n, y: 1n };
    for (let e = L; e > 0n; e >>= 1n, base = add(base, base)) if (e & 1n) multiple = add(multiple, base);
    for (let k = 0, point = multiple; k < 8; k += 1, point = add(point, multiple)) found.add(point.y);
  }
  return found;
}

describe('isSoundEd25519Key', () => {
  it('refuses every point of order 1, 2, 4 and 8, with either sign', () => {
    const ys = smallOrderYs();
    expect(ys.size).toBe(5);
    for (const y of ys) {
      const point = pointOf(y);
      expect(point !== null && isIdentity(times8(point))).toBe(true);
      expect(isSoundEd25519Key(encode(y, 0n))).toBe(false);
      expect(isSoundEd25519Key(encode(y, 1n))).toBe(false);
    }
  });

  it('refuses a y of P or more, up to the last that fits, and takes P - 2', () => {
    for (const y of [P, P + 1n, P + 3n, 2n ** 255n - 1n]) expect(isSoundEd25519Key(encode(y, 0n))).toBe(false);
    expect(isSoundEd25519Key(encode(P - 2n, 0n))).toBe(true);
  });

  it('refuses other lengths than 32 and takes real keys', () => {
    expect(isSoundEd25519Key(new Uint8Array(31).fill(9))).toBe(false);
    expect(isSoundEd25519Key(new Uint8Array(33).fill(9))).toBe(false);
    for (let i = 0; i < 20; i += 1) {
      const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
      expect(isSoundEd25519Key(new Uint8Array(Buffer.from(x ?? '', 'base64url')))).toBe(true);
    }
  });
});
