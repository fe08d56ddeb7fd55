import { toHex } from '../domain/bytes.js';
import { compactSizeLength } from '../domain/script.js';
import { type ByteReader, ByteWriter } from './wire.js';

/** One field of a PSBT (BIP174): `<keylen> <keytype> <keydata> <valuelen> <value>`. */
export interface Field {
  readonly type: number;
  readonly keyData: Uint8Array;
  readonly value: Uint8Array;
}

export type KeyMap = readonly Field[];

const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff);
const NONE = new Uint8Array(0);

/** A field whose key has no data. */
export const field = (type: number, value: Uint8Array): Field => ({ type, keyData: NONE, value });

/** A field that is keyed by a public key. */
export const keyedField = (type: number, keyData: Uint8Array, value: Uint8Array): Field => ({ type, keyData, value });

/** The one field of a type without key data; null where it is absent. */
export function fieldValue(map: KeyMap, type: number): Uint8Array | null {
  return map.find((entry) => entry.type === type)?.value ?? null;
}

export function readMagic(reader: ByteReader): void {
  const magic = reader.take(MAGIC.length);
  if (!MAGIC.every((byte, index) => magic[index] === byte)) reader.fail('the data does not begin with "psbt" and 0xff');
}

/** Reads one map up to its terminator; a key that stands twice is a problem of the reader. */
export function readKeyMap(reader: ByteReader): KeyMap {
  const fields: Field[] = [];
  const seen = new Set<string>();
  for (;;) {
    const keyLength = reader.compactSize();
    if (keyLength === 0 || reader.problem !== null) return fields;
    const keyStart = reader.offset;
    const type = reader.compactSize();
    const typeLength = reader.offset - keyStart;
    if (typeLength > keyLength) reader.fail('a key is shorter than its type');
    const keyData = reader.take(Math.max(0, keyLength - typeLength));
    const value = reader.lengthPrefixed();
    if (reader.problem !== null) return fields;
    const key = `${type}:${toHex(keyData)}`;
    if (seen.has(key)) reader.fail(`a key of type 0x${type.toString(16)} stands twice in one map`);
    seen.add(key);
    fields.push({ type, keyData, value });
  }
}

/** Serialises a PSBT of any version. Fields are written by type and key, so that equal content gives equal bytes. */
export function writePsbt(maps: readonly KeyMap[]): Uint8Array {
  const writer = new ByteWriter(maps.reduce((sum, map) => sum + sizeBound(map), MAGIC.length)).bytes(MAGIC);
  for (const map of maps) {
    for (const { type, keyData, value } of [...map].sort(byKey)) {
      writer.compactSize(compactSizeLength(type) + keyData.length);
      writer.compactSize(type).bytes(keyData).lengthPrefixed(value);
    }
    writer.uint8(0);
  }
  return writer.finish();
}

/** At most what a map takes: three CompactSize numbers to a field, and the terminator. */
function sizeBound(map: KeyMap): number {
  return map.reduce((sum, { keyData, value }) => sum + 15 + keyData.length + value.length, 1);
}

function byKey(a: Field, b: Field): number {
  return a.type - b.type || Buffer.compare(a.keyData, b.keyData);
}
