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
  const first = script[0] ?? 0;
  const isWitness = (first === 0 || (first >= OP_1 && first <= OP_16)) && length >= 4 && length <= 42;
  return isWitness && script[1] === length - 2 ? 'witness_unknown' : 'nonstandard';
}

/** Core's dust threshold at the default 3 sat/vB dust relay fee: spending such an output would cost more than it is worth. */
export function dustThreshold(script: Uint8Array): Sats {
  const outputSize = 8 + compactSizeLength(script.length) + script.length;
  const isWitness = scriptKind(script) !== 'nonstandard' && script.length >= 4 && script[1] === script.length - 2;
  const spendSize = isWitness ? 32 + 4 + 1 + Math.floor(107 / 4) + 4 : 32 + 4 + 1 + 107 + 4;
  return BigInt(outputSize + spendSize) * 3n;
}

/** Bytes that a CompactSize integer takes. */
export function compactSizeLength(value: number): number {
  if (value < 0xfd) return 1;
  if (value <= 0xffff) return 3;
  return value <= 0xffffffff ? 5 : 9;
}
