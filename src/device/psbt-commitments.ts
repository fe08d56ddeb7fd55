import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { GLOBAL } from '../psbt/fields.js';
import { type Field, fieldValue, type KeyMap, readKeyMap, readMagic } from '../psbt/key-map.js';
import { ByteReader, ByteWriter } from '../psbt/wire.js';
import type { ClientCommands } from './client-commands.js';

/**
 * What SIGN_PSBT is told of a PSBT (doc/bitcoin.md of Ledger's Bitcoin app): the commitment to its global map, and for its
 * inputs and outputs their number and the root of the list of their maps' commitments. All that these commit to becomes known to
 * `commands`, out of which the device fetches it.
 *
 * `psbt` is of version 2 and one of our own making; anything else is E_PSBT_PARSE.
 */
export function commitToPsbt(psbt: Uint8Array, commands: ClientCommands): Result<Uint8Array, Fault> {
  const reader = new ByteReader(psbt);
  readMagic(reader);
  const global = readKeyMap(reader);
  const [inputs, outputs] = [GLOBAL.INPUT_COUNT, GLOBAL.OUTPUT_COUNT].map((type) =>
    mapCommitments(reader, countOf(global, type), commands),
  );
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the last output`);
  if (reader.problem !== null || inputs === undefined || outputs === undefined) {
    return fail('E_PSBT_PARSE', `not a readable PSBT of version 2: ${reader.problem}`);
  }
  const writer = new ByteWriter(160).bytes(commitToMap(global, commands));
  for (const commitments of [inputs, outputs]) {
    writer.compactSize(commitments.length).bytes(commands.addList(commitments));
  }
  return ok(writer.finish());
}

function countOf(global: KeyMap, type: number): number {
  const value = fieldValue(global, type);
  return value === null ? 0 : new ByteReader(value).compactSize();
}

function mapCommitments(reader: ByteReader, count: number, commands: ClientCommands): readonly Uint8Array[] {
  const commitments: Uint8Array[] = [];
  for (let left = count; left > 0 && reader.problem === null; left -= 1) {
    commitments.push(commitToMap(readKeyMap(reader), commands));
  }
  return commitments;
}

/** Number of fields, root of the keys, root of the values in the same order (doc/merkle.md of the app). */
function commitToMap(map: KeyMap, commands: ClientCommands): Uint8Array {
  const fields = map.map(({ value, ...key }) => ({ key: keyBytes(key), value }));
  fields.sort((a, b) => Buffer.compare(a.key, b.key));
  return new ByteWriter(73)
    .compactSize(fields.length)
    .bytes(commands.addList(fields.map(({ key }) => key)))
    .bytes(commands.addList(fields.map(({ value }) => value)))
    .finish();
}

function keyBytes({ type, keyData }: Omit<Field, 'value'>): Uint8Array {
  return new ByteWriter(5 + keyData.length).compactSize(type).bytes(keyData).finish();
}
