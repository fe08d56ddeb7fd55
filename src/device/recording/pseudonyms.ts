import { type Hex, sha256, toHex, utf8 } from '../../domain/bytes.js';

/** What a value is: values of different kinds have different pseudonyms even where their bytes are the same. */
export type SecretKind =
  | 'hash'
  | 'txid'
  | 'fingerprint'
  | 'public key'
  | 'extended key'
  | 'script hash'
  | 'script'
  | 'address'
  | 'amount'
  | 'locktime'
  | 'name'
  | 'signature'
  | 'other';

/** Kinds whose originals must not stand anywhere in what is given away: they lead to a person, a coin or a payment. */
const SEARCHED: ReadonlySet<SecretKind> = new Set([
  'txid',
  'fingerprint',
  'public key',
  'extended key',
  'script hash',
  'address',
  'amount',
  'signature',
]);

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/**
 * Pseudonyms of one file: the same value has the same one throughout, of the same length. They come from a hash with a
 * salt that is drawn for the file and forgotten; without it amounts, which are easily guessed, could be tried out.
 */
export class Pseudonyms {
  readonly #salt: Uint8Array;
  readonly #originals = new Map<Hex, SecretKind>();

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** Bytes for bytes. Zeros stand for "none" (no HMAC, nothing paid) and stay. */
  bytes(kind: SecretKind, value: Uint8Array): Uint8Array {
    if (value.every((byte) => byte === 0)) return value.slice();
    this.#keep(kind, value);
    return this.#stream(kind, value, value.length);
  }

  /** 8 bytes, little endian, below 2^48 sat. */
  amount(value: Uint8Array): Uint8Array {
    const amount = this.bytes('amount', value);
    amount.fill(0, 6);
    return amount;
  }

  /** A compressed key keeps the form of one: 33 bytes, of which the first is 02 or 03. */
  publicKey(value: Uint8Array): Uint8Array {
    const key = this.bytes('public key', value);
    if (key.length === 33) key[0] = 2 + ((key[0] ?? 0) & 1);
    return key;
  }

  /** 4 bytes, a height. */
  locktime(value: Uint8Array): Uint8Array {
    const locktime = this.bytes('locktime', value);
    locktime.fill(0, 3);
    return locktime;
  }

  /** An extended key: its prefix (xpub, tpub), and characters of base58 without a valid checksum. */
  extendedKey(text: string): string {
    return this.#text('extended key', text, 4, BASE58);
  }

  /** An address: its prefix up to the witness version, and characters without a valid checksum, so that nobody can pay it. */
  address(text: string): string {
    const separator = /^[a-z]+1/.exec(text)?.[0].length ?? 0;
    return separator === 0
      ? this.#text('address', text, 1, BASE58)
      : this.#text('address', text, separator + 1, BECH32);
  }

  name(text: string): string {
    return this.#text('name', text, 0, LETTERS);
  }

  /** The first original that a text holds in hex, by its kind; null where it holds none. */
  leak(text: string): SecretKind | null {
    for (const [hex, kind] of this.#originals) {
      if (SEARCHED.has(kind) && text.includes(hex)) return kind;
    }
    return null;
  }

  #text(kind: SecretKind, text: string, kept: number, alphabet: string): string {
    const value = utf8(text);
    this.#keep(kind, value);
    const rest = this.#stream(kind, value, Math.max(0, text.length - kept));
    return text.slice(0, kept) + [...rest].map((byte) => alphabet[byte % alphabet.length]).join('');
  }

  #keep(kind: SecretKind, value: Uint8Array): void {
    this.#originals.set(toHex(value), kind);
  }

  #stream(kind: SecretKind, value: Uint8Array, length: number): Uint8Array {
    const seed = sha256(Uint8Array.of(...this.#salt, ...utf8(`${kind}\0`), ...value));
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 32) {
      const block = sha256(Uint8Array.of(...seed, at & 0xff, (at >> 8) & 0xff, at >> 16));
      out.set(block.subarray(0, Math.min(32, length - at)), at);
    }
    return out;
  }
}
