import { isPrivate } from 'tiny-secp256k1';
import { trustedHex } from '../domain/bytes.js';

/** Half of the order of secp256k1, rounded down: the highest S that BIP146 (LOW_S) allows. */
const HALF_ORDER = trustedHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');

/** r and s, 32 bytes each, of a signature in strict DER (BIP66, without sighash byte); null for any other encoding. */
export function decodeDer(der: Uint8Array): Uint8Array | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return null;
  const r = derInteger(der, 2);
  if (r === null) return null;
  const s = derInteger(der, r.end);
  if (s === null || s.end !== der.length) return null;
  return Uint8Array.of(...r.value, ...s.value);
}

function derInteger(der: Uint8Array, at: number): { readonly value: Uint8Array; readonly end: number } | null {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  const [first = 0, second = 0] = der.subarray(at + 2, end);
  if (der[at] !== 0x02 || length === 0 || end > der.length) return null;
  if (first >= 0x80) return null; // negative
  if (length > 1 && first === 0 && second < 0x80) return null; // padded
  const digits = der.subarray(first === 0 ? at + 3 : at + 2, end);
  if (digits.length > 32) return null;
  const value = new Uint8Array(32);
  value.set(digits, 32 - digits.length);
  return { value, end };
}

/** Whether both halves of a 64-byte signature are numbers from 1 to the order less 1: libsecp256k1 throws on others. */
export function inRange(signature: Uint8Array): boolean {
  return isPrivate(signature.subarray(0, 32)) && isPrivate(signature.subarray(32));
}

/** BIP146: of the two values of S that verify, the lower one. */
export function isLowS(signature: Uint8Array): boolean {
  return Buffer.compare(signature.subarray(32), HALF_ORDER) <= 0;
}
