/**
 * Reads the data types of SSH (RFC 4251, section 5) from bytes that may be anything. A read beyond the end yields null
 * and leaves the reader failed: all that follows is null too, so a parser may read on and ask once.
 */
export class WireReader {
  #rest: Uint8Array;
  #failed = false;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  /** All bytes were read, and none was missing. */
  get complete(): boolean {
    return !this.#failed && this.#rest.length === 0;
  }

  bytes(length: number): Uint8Array | null {
    if (this.#failed || length > this.#rest.length) {
      this.#failed = true;
      return null;
    }
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }

  byte(): number | null {
    return this.bytes(1)?.[0] ?? null;
  }

  uint32(): number | null {
    const four = this.bytes(4);
    return four === null ? null : new DataView(four.buffer, four.byteOffset, 4).getUint32(0);
  }

  /** A string of RFC 4251: length and bytes. */
  string(): Uint8Array | null {
    const length = this.uint32();
    return length === null ? null : this.bytes(length);
  }

  /** A string that must be printable ASCII, as all names are; null for any other. */
  name(): string | null {
    const bytes = this.string();
    const printable = bytes?.every((byte) => byte > 0x20 && byte < 0x7f) ?? false;
    return bytes !== null && printable ? Buffer.from(bytes).toString('latin1') : null;
  }

  /**
   * A positive mpint of at most `width` bytes, padded to it. Strict: no leading zero that the sign does not need, since a
   * second spelling of a number is a second spelling of the signature.
   */
  positiveInteger(width: number): Uint8Array | null {
    const bytes = this.string();
    if (bytes === null || bytes.length === 0) return null;
    const [first = 0, second = 0] = bytes;
    if (first >= 0x80 || (first === 0 && (bytes.length === 1 || second < 0x80))) return null;
    const digits = first === 0 ? bytes.subarray(1) : bytes;
    if (digits.length > width) return null;
    const padded = new Uint8Array(width);
    padded.set(digits, width - digits.length);
    return padded;
  }
}

/** A string of RFC 4251: the length in 4 bytes, big-endian, and the bytes. */
export function wireString(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + bytes.length);
  new DataView(out.buffer).setUint32(0, bytes.length);
  out.set(bytes, 4);
  return out;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
