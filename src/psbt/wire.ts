import { compactSizeLength } from '../domain/script.js';

/**
 * Reads Bitcoin's wire encoding from bytes of unknown origin. It never throws: the first read that cannot be done sets
 * `problem`, and every later one returns nothing (zero, empty). So a parser reads straight on and asks once, at its end;
 * loops over a count that was read must stop on `problem`.
 */
export class ByteReader {
  #offset = 0;
  #problem: string | null = null;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  /** What was wrong first, with its byte offset; null while all is well. */
  get problem(): string | null {
    return this.#problem;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(problem: string): void {
    this.#problem ??= `${problem} (at byte ${this.#offset})`;
  }

  /** A view of the next bytes, not a copy; empty after a failure. */
  take(length: number): Uint8Array {
    if (!this.#has(length)) return new Uint8Array(0);
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  uint8(): number {
    if (!this.#has(1)) return 0;
    this.#offset += 1;
    return this.#view.getUint8(this.#offset - 1);
  }

  uint16(): number {
    if (!this.#has(2)) return 0;
    this.#offset += 2;
    return this.#view.getUint16(this.#offset - 2, true);
  }

  uint32(): number {
    if (!this.#has(4)) return 0;
    this.#offset += 4;
    return this.#view.getUint32(this.#offset - 4, true);
  }

  uint64(): bigint {
    if (!this.#has(8)) return 0n;
    this.#offset += 8;
    return this.#view.getBigUint64(this.#offset - 8, true);
  }

  /** CompactSize in its shortest form; anything over 2^32-1 is beyond every buffer and therefore refused. */
  compactSize(): number {
    const first = this.uint8();
    if (first < 0xfd) return first;
    const value = first === 0xfd ? this.uint16() : first === 0xfe ? this.uint32() : Number(this.uint64());
    const width = first === 0xfd ? 3 : first === 0xfe ? 5 : 9;
    if (this.#problem === null && compactSizeLength(value) !== width) this.fail('a length is not in its shortest form');
    if (value > 0xffffffff) this.fail('a length is beyond 32 bits');
    return this.#problem === null ? value : 0;
  }

  /** A CompactSize length and that many bytes. */
  lengthPrefixed(): Uint8Array {
    return this.take(this.compactSize());
  }

  #has(length: number): boolean {
    if (this.#problem === null && length > this.remaining) this.fail('the data is cut off');
    return this.#problem === null;
  }
}

/** Writes Bitcoin's wire encoding into a buffer that doubles as it fills: linear in what is written. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `capacity` is what will be written, if the caller knows; a wrong guess costs a copy and nothing else. */
  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  bytes(data: Uint8Array): this {
    this.#reserve(data.length);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
    return this;
  }

  uint8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  uint32(value: number): this {
    this.#reserve(4);
    for (const shift of [0, 8, 16, 24]) this.#bytes[this.#length++] = value >>> shift;
    return this;
  }

  uint64(value: bigint): this {
    return this.uint32(Number(value & 0xffffffffn)).uint32(Number(value >> 32n));
  }

  compactSize(value: number): this {
    if (value < 0xfd) return this.uint8(value);
    if (value > 0xffff) return this.uint8(0xfe).uint32(value);
    return this.uint8(0xfd)
      .uint8(value & 0xff)
      .uint8(value >> 8);
  }

  lengthPrefixed(data: Uint8Array): this {
    return this.compactSize(data.length).bytes(data);
  }

  /** What was written. The writer must not be used after it. */
  finish(): Uint8Array {
    return this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export const uint32Bytes = (value: number): Uint8Array => new ByteWriter(4).uint32(value).finish();

/** What a script of direct pushes (1 to 75 bytes each) and nothing else pushes; null for any other. */
export function directPushes(script: Uint8Array): Uint8Array[] | null {
  const reader = new ByteReader(script);
  const items: Uint8Array[] = [];
  while (reader.remaining > 0) {
    const length = reader.uint8();
    if (length === 0 || length > 75) return null;
    items.push(reader.take(length));
    if (reader.problem !== null) return null;
  }
  return items;
}
