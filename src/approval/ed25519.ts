/** The field prime of Curve25519, 2^255 - 19 (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;

/**
 * The y coordinates of the eight points whose order divides 8: the identity (1), the point of order 2 (-1), the two of
 * order 4 (0), and the four of order 8 (the last two values).
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  P - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);

/**
 * Whether an Ed25519 public key may be trusted with a signature at all. Under a key of small order one signature fits
 * many messages, so it proves nobody's will; node:crypto accepts such keys. A y of P or more is a second spelling of a
 * point and is refused with them (RFC 8032, section 5.1.3).
 */
export function isSoundEd25519Key(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const bigEndian = Buffer.from(key).reverse().toString('hex');
  const y = BigInt(`0x${bigEndian}`) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER_Y.has(y);
}
