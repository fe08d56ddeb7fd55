import { isXOnlyPoint } from 'tiny-secp256k1';
import type { Sats } from './sats.js';

/** The output scripts that Bitcoin Core's Solver names; the first five are the ones an address can stand for here. */
export type ScriptKind =
  | 'p2pkh'
  | 'p2sh'
  | 'p2wpkh'
  | 'p2wsh'
  | 'p2tr'
  | 'p2a'
  | 'op_return'
  | 'witness_unknown'
  | 'p2tr_off_curve'
  | 'nonstandard';

export const PAYABLE_KINDS = ['p2pkh', 'p2sh', 'p2wpkh', 'p2wsh', 'p2tr'] as const satisfies readonly ScriptKind[];
export type PayableKind = (typeof PAYABLE_KINDS)[number];

const OP_RETURN = 0x6a;
const OP_1 = 0x51;
const OP_16 = 0x60;

export function scriptKind(script: Uint8Array): ScriptKind {
  const { length } = script;
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => script[index] === byte);
  if (length === 25 && starts(0x76, 0xa9, 20) && script[23] === 0x88 && script[24] === 0xac) return 'p2pkh';
  if (length === 23 && starts(0xa9, 20) && script[22] === 0x87) return 'p2sh';
  if (length === 22 && starts(0, 20)) return 'p2wpkh';
  if (length === 34 && starts(0, 32)) return 'p2wsh';
  if (length === 34 && starts(OP_1, 32)) return isXOnlyPoint(script.subarray(2)) ? 'p2tr' : 'p2tr_off_curve';
  if (length === 4 && starts(OP_1, 2, 0x4e, 0x73)) return 'p2a';
  if (starts(OP_RETURN)) return 'op_return';
  return isWitnessProgram(script) && script[0] !== 0 ? 'witness_unknown' : 'nonstandard';
}

/** A version opcode and one push of 2 to 40 bytes, whatever the version and length mean (BIP141). */
function isWitnessProgram(script: Uint8Array): boolean {
  const { length } = script;
  const version = script[0] ?? OP_RETURN;
  const known = version === 0 || (version >= OP_1 && version <= OP_16);
  return known && length >= 4 && length <= 42 && script[1] === length - 2;
}

/**
 * Core's dust threshold in sats at the default dust relay fee of 3 sat/vB: an output below it costs more to spend than it
 * holds, and nodes do not relay it. An input that spends it is taken as 148 vB, or 67 vB for a witness program
 * (GetDustThreshold). An OP_RETURN output is never spent, so it is never dust.
 */
export function dustThreshold(script: Uint8Array): Sats {
  if (script[0] === OP_RETURN) return 0n;
  const outputSize = 8 + compactSizeLength(script.length) + script.length;
  return BigInt(outputSize + (isWitnessProgram(script) ? 67 : 148)) * 3n;
}

/** Bytes that a CompactSize integer takes. */
export function compactSizeLength(value: number): number {
  if (value < 0xfd) return 1;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}
