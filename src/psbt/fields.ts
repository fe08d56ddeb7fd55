import { toHex, trustedHex } from '../domain/bytes.js';
import type { Path } from '../domain/path.js';
import type { DerivationClaim } from '../vault/types.js';
import type { KeyMap } from './key-map.js';
import { ByteReader, ByteWriter } from './wire.js';

/** Key types by name, as BIP174 (v0), BIP370 (v2) and BIP371 (taproot) number them. */
export const GLOBAL = {
  UNSIGNED_TX: 0x00,
  XPUB: 0x01,
  TX_VERSION: 0x02,
  FALLBACK_LOCKTIME: 0x03,
  INPUT_COUNT: 0x04,
  OUTPUT_COUNT: 0x05,
  TX_MODIFIABLE: 0x06,
  VERSION: 0xfb,
} as const;

export const INPUT = {
  NON_WITNESS_UTXO: 0x00,
  WITNESS_UTXO: 0x01,
  PARTIAL_SIG: 0x02,
  SIGHASH_TYPE: 0x03,
  REDEEM_SCRIPT: 0x04,
  WITNESS_SCRIPT: 0x05,
  BIP32_DERIVATION: 0x06,
  FINAL_SCRIPTSIG: 0x07,
  FINAL_SCRIPTWITNESS: 0x08,
  POR_COMMITMENT: 0x09,
  RIPEMD160: 0x0a,
  SHA256: 0x0b,
  HASH160: 0x0c,
  HASH256: 0x0d,
  PREVIOUS_TXID: 0x0e,
  OUTPUT_INDEX: 0x0f,
  SEQUENCE: 0x10,
  REQUIRED_TIME_LOCKTIME: 0x11,
  REQUIRED_HEIGHT_LOCKTIME: 0x12,
  TAP_KEY_SIG: 0x13,
  TAP_SCRIPT_SIG: 0x14,
  TAP_LEAF_SCRIPT: 0x15,
  TAP_BIP32_DERIVATION: 0x16,
  TAP_INTERNAL_KEY: 0x17,
  TAP_MERKLE_ROOT: 0x18,
} as const;

export const OUTPUT = {
  REDEEM_SCRIPT: 0x00,
  WITNESS_SCRIPT: 0x01,
  BIP32_DERIVATION: 0x02,
  AMOUNT: 0x03,
  SCRIPT: 0x04,
  TAP_INTERNAL_KEY: 0x05,
  TAP_TREE: 0x06,
  TAP_BIP32_DERIVATION: 0x07,
} as const;

/** Input fields that hold signatures, partial or final. */
export const SIGNATURE_FIELDS: ReadonlySet<number> = new Set([
  INPUT.PARTIAL_SIG,
  INPUT.FINAL_SCRIPTSIG,
  INPUT.FINAL_SCRIPTWITNESS,
  INPUT.TAP_KEY_SIG,
  INPUT.TAP_SCRIPT_SIG,
]);

/** What a v0 PSBT may hold under a key type: lengths of key data and value, in bytes. */
interface Shape {
  readonly name: string;
  readonly key: (length: number) => boolean;
  readonly value: (length: number) => boolean;
}

type Shapes = ReadonlyMap<number, Shape | 'v2'>;

const any = (): boolean => true;
const exactly =
  (...lengths: readonly number[]) =>
  (length: number): boolean =>
    lengths.includes(length);
const none = exactly(0);
const publicKey = exactly(33, 65);
const schnorrSignature = exactly(64, 65);
/** Fingerprint and path: 4 bytes each step, so a multiple of 4. */
const keyOrigin = (length: number): boolean => length >= 4 && length % 4 === 0;

const GLOBAL_SHAPES: Shapes = new Map<number, Shape | 'v2'>([
  [GLOBAL.UNSIGNED_TX, { name: 'unsignedTx', key: none, value: any }],
  [GLOBAL.XPUB, { name: 'xpub', key: exactly(78), value: keyOrigin }],
  [GLOBAL.TX_VERSION, 'v2'],
  [GLOBAL.FALLBACK_LOCKTIME, 'v2'],
  [GLOBAL.INPUT_COUNT, 'v2'],
  [GLOBAL.OUTPUT_COUNT, 'v2'],
  [GLOBAL.TX_MODIFIABLE, 'v2'],
  [GLOBAL.VERSION, { name: 'version', key: none, value: exactly(4) }],
]);

const INPUT_SHAPES: Shapes = new Map<number, Shape | 'v2'>([
  [INPUT.NON_WITNESS_UTXO, { name: 'nonWitnessUtxo', key: none, value: any }],
  [INPUT.WITNESS_UTXO, { name: 'witnessUtxo', key: none, value: any }],
  [INPUT.PARTIAL_SIG, { name: 'partialSig', key: publicKey, value: any }],
  [INPUT.SIGHASH_TYPE, { name: 'sighashType', key: none, value: exactly(4) }],
  [INPUT.REDEEM_SCRIPT, { name: 'redeemScript', key: none, value: any }],
  [INPUT.WITNESS_SCRIPT, { name: 'witnessScript', key: none, value: any }],
  [INPUT.BIP32_DERIVATION, { name: 'bip32Derivation', key: publicKey, value: keyOrigin }],
  [INPUT.FINAL_SCRIPTSIG, { name: 'finalScriptSig', key: none, value: any }],
  [INPUT.FINAL_SCRIPTWITNESS, { name: 'finalScriptWitness', key: none, value: any }],
  [INPUT.POR_COMMITMENT, { name: 'porCommitment', key: none, value: any }],
  [INPUT.RIPEMD160, { name: 'ripemd160Preimage', key: exactly(20), value: any }],
  [INPUT.SHA256, { name: 'sha256Preimage', key: exactly(32), value: any }],
  [INPUT.HASH160, { name: 'hash160Preimage', key: exactly(20), value: any }],
  [INPUT.HASH256, { name: 'hash256Preimage', key: exactly(32), value: any }],
  [INPUT.PREVIOUS_TXID, 'v2'],
  [INPUT.OUTPUT_INDEX, 'v2'],
  [INPUT.SEQUENCE, 'v2'],
  [INPUT.REQUIRED_TIME_LOCKTIME, 'v2'],
  [INPUT.REQUIRED_HEIGHT_LOCKTIME, 'v2'],
  [INPUT.TAP_KEY_SIG, { name: 'tapKeySig', key: none, value: schnorrSignature }],
  [INPUT.TAP_SCRIPT_SIG, { name: 'tapScriptSig', key: exactly(64), value: schnorrSignature }],
  [
    INPUT.TAP_LEAF_SCRIPT,
    { name: 'tapLeafScript', key: (length) => length >= 33 && length % 32 === 1, value: (length) => length >= 1 },
  ],
  [INPUT.TAP_BIP32_DERIVATION, { name: 'tapBip32Derivation', key: exactly(32), value: any }],
  [INPUT.TAP_INTERNAL_KEY, { name: 'tapInternalKey', key: none, value: exactly(32) }],
  [INPUT.TAP_MERKLE_ROOT, { name: 'tapMerkleRoot', key: none, value: exactly(32) }],
]);

const OUTPUT_SHAPES: Shapes = new Map<number, Shape | 'v2'>([
  [OUTPUT.REDEEM_SCRIPT, { name: 'redeemScript', key: none, value: any }],
  [OUTPUT.WITNESS_SCRIPT, { name: 'witnessScript', key: none, value: any }],
  [OUTPUT.BIP32_DERIVATION, { name: 'bip32Derivation', key: publicKey, value: keyOrigin }],
  [OUTPUT.AMOUNT, 'v2'],
  [OUTPUT.SCRIPT, 'v2'],
  [OUTPUT.TAP_INTERNAL_KEY, { name: 'tapInternalKey', key: none, value: exactly(32) }],
  [OUTPUT.TAP_TREE, { name: 'tapTree', key: none, value: (length) => length >= 1 }],
  [OUTPUT.TAP_BIP32_DERIVATION, { name: 'tapBip32Derivation', key: exactly(32), value: any }],
]);

const SHAPES = { global: GLOBAL_SHAPES, input: INPUT_SHAPES, output: OUTPUT_SHAPES } as const;

/** The first field of a v0 map that BIP174, BIP370 or BIP371 forbids, in words; null if there is none. */
export function shapeProblem(scope: keyof typeof SHAPES, map: KeyMap): string | null {
  for (const { type, keyData, value } of map) {
    const shape = SHAPES[scope].get(type);
    if (shape === undefined) continue;
    if (shape === 'v2') return `it has the field 0x${type.toString(16)}, which belongs to PSBT version 2 (BIP370)`;
    if (!shape.key(keyData.length)) return `the key of ${shape.name} has ${keyData.length} bytes of data`;
    if (!shape.value(value.length)) return `${shape.name} has ${value.length} bytes`;
  }
  return null;
}

/** The name of an input's field: "porCommitment", or "unknown:" and its type in hex. */
export function inputFieldName(type: number): string {
  const shape = INPUT_SHAPES.get(type);
  return shape === undefined || shape === 'v2' ? `unknown:${type.toString(16).padStart(2, '0')}` : shape.name;
}

/** Fingerprint and path: the value of a BIP32_DERIVATION field. */
export function encodeKeyOrigin({ fingerprint, path }: Pick<DerivationClaim, 'fingerprint' | 'path'>): Uint8Array {
  const writer = new ByteWriter(4 + 4 * path.length).bytes(trustedHex(fingerprint));
  for (const step of path) writer.uint32(step);
  return writer.finish();
}

/** The value of a TAP_BIP32_DERIVATION field for a key path: no leaf hashes, then fingerprint and path. */
export function encodeTapKeyOrigin(origin: Pick<DerivationClaim, 'fingerprint' | 'path'>): Uint8Array {
  return new ByteWriter().compactSize(0).bytes(encodeKeyOrigin(origin)).finish();
}

/** The two kinds of derivation fields of a map (their numbers differ between inputs and outputs), as claims. */
export function readDerivations(
  map: KeyMap,
  types: typeof INPUT | typeof OUTPUT,
): { readonly claims: readonly DerivationClaim[]; readonly leaves: boolean; readonly problem: string | null } {
  const claims: DerivationClaim[] = [];
  let leaves = false;
  for (const { type, keyData, value } of map) {
    const taproot = type === types.TAP_BIP32_DERIVATION;
    if (!taproot && type !== types.BIP32_DERIVATION) continue;
    const reader = new ByteReader(value);
    if (taproot) {
      const hashes = reader.compactSize();
      reader.take(32 * hashes);
      leaves ||= hashes > 0;
      if (!keyOrigin(reader.remaining)) reader.fail('the path is not whole');
    }
    const { fingerprint, path } = readKeyOrigin(reader);
    if (reader.problem !== null) return { claims: [], leaves, problem: `a taproot derivation: ${reader.problem}` };
    claims.push({ fingerprint, path, publicKey: keyData });
  }
  return { claims, leaves, problem: null };
}

function readKeyOrigin(reader: ByteReader): { fingerprint: string; path: Path } {
  const fingerprint = toHex(reader.take(4));
  const path: number[] = [];
  while (reader.remaining > 0 && reader.problem === null) path.push(reader.uint32());
  return { fingerprint, path };
}
