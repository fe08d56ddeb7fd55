import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { GLOBAL, shapeProblem } from './fields.js';
import { fieldValue, type KeyMap, readKeyMap, readMagic } from './key-map.js';
import { parseUnsignedTransaction, type Transaction } from './transaction.js';
import { ByteReader } from './wire.js';

/** A version 0 PSBT taken apart: its transaction, and one map of fields for each input and output. */
export interface PsbtParts {
  readonly unsigned: Transaction;
  readonly global: KeyMap;
  readonly inputs: readonly KeyMap[];
  readonly outputs: readonly KeyMap[];
}

export function parseFault(problem: string): Result<never, Fault> {
  return fail('E_PSBT_PARSE', `not a readable PSBT: ${problem}`, {
    remedy: 'take the file again from where it was made; it may have been cut off or changed on the way',
  });
}

/**
 * Takes a version 0 PSBT apart and holds every field to the shape that BIP174, BIP370 and BIP371 give it.
 * The parts are views of `bytes`, which must not change while they are in use. Never throws.
 */
export function splitPsbt(bytes: Uint8Array): Result<PsbtParts, Fault> {
  const reader = new ByteReader(bytes);
  readMagic(reader);
  const global = readKeyMap(reader);
  if (reader.problem !== null) return parseFault(reader.problem);

  const version = versionOf(global);
  const transaction = fieldValue(global, GLOBAL.UNSIGNED_TX);
  if (version !== 0 && transaction === null) return versionFault(version);
  if (version !== 0) return parseFault(`it says version ${version} but has a global transaction, as version 0 has`);
  const globalProblem = shapeProblem('global', global);
  if (globalProblem !== null) return parseFault(globalProblem);
  if (transaction === null) return parseFault('it has no global transaction');
  const unsigned = parseUnsignedTransaction(transaction);
  if (!unsigned.ok) return parseFault(`its global transaction: ${unsigned.error}`);

  const inputs = unsigned.value.inputs.map(() => readKeyMap(reader));
  const outputs = unsigned.value.outputs.map(() => readKeyMap(reader));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the last output`);
  if (reader.problem !== null) return parseFault(reader.problem);
  for (const [scope, maps] of [
    ['input', inputs],
    ['output', outputs],
  ] as const) {
    for (const [index, map] of maps.entries()) {
      const problem = shapeProblem(scope, map);
      if (problem !== null) return parseFault(`${scope} ${index}: ${problem}`);
    }
  }
  return ok({ unsigned: unsigned.value, global, inputs, outputs });
}

/** PSBT_GLOBAL_VERSION; 0 where it is absent, or of a length that `shapeProblem` will name. */
function versionOf(global: KeyMap): number {
  const value = fieldValue(global, GLOBAL.VERSION);
  return value?.length === 4 ? new ByteReader(value).uint32() : 0;
}

function versionFault(version: number): Result<never, Fault> {
  return fail('E_PSBT_VERSION', `this is a PSBT of version ${version}; countersign reads version 0 (BIP174)`, {
    remedy: 'export it as version 0 in the program that made it',
  });
}
