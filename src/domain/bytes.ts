import { hash } from 'node:crypto';
import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

export type Hex = string;

export function toHex(bytes: Uint8Array): Hex {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Strict: lower-case digits, even length. Buffer.from would silently stop at the first other character. */
export function fromHex(text: string): Result<Uint8Array, Fault> {
  if (text.length % 2 !== 0 || /[^0-9a-f]/.test(text)) {
    return fail('E_HEX_SYNTAX', `not lower-case hexadecimal of even length: ${JSON.stringify(text.slice(0, 80))}`);
  }
  const bytes = new Uint8Array(text.length / 2);
  Buffer.from(bytes.buffer).write(text, 'hex');
  return ok(bytes);
}

/** For texts that this program wrote itself (constants, its own journal); anything else goes through fromHex. */
export function trustedHex(text: Hex): Uint8Array {
  const bytes = fromHex(text);
  if (!bytes.ok) throw new Error(bytes.error.message);
  return bytes.value;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function sha256(data: Uint8Array | string): Uint8Array {
  return new Uint8Array(hash('sha256', data, 'buffer'));
}

export function sha256Hex(data: Uint8Array | string): Hex {
  return hash('sha256', data, 'hex');
}

/** Double SHA-256, Bitcoin's transaction and block hash. */
export function hash256(data: Uint8Array): Uint8Array {
  return sha256(hash('sha256', data, 'buffer'));
}

/** RIPEMD-160 of SHA-256: the hash in P2PKH, P2WPKH and P2SH outputs. */
export function hash160(data: Uint8Array): Uint8Array {
  return new Uint8Array(hash('ripemd160', sha256(data), 'buffer'));
}

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}
