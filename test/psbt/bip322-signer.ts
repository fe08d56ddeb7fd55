import { pointFromScalar, privateAdd, privateNegate, sign, signSchnorr } from 'tiny-secp256k1';
import { hash160, sha256 } from '../../src/domain/bytes.js';
import { toSign } from '../../src/psbt/bip322.js';
import { Sighashes } from '../../src/psbt/sighash.js';
import { ByteWriter } from '../../src/psbt/wire.js';

// Signs messages as a counterparty would (BIP322, simple), with keys made from a number: they protect nothing.

export const SIGNED_KINDS = ['p2wpkh', 'p2tr', 'p2wsh', 'p2sh-p2wpkh', 'p2sh-p2wsh'] as const;
export type SignedKind = (typeof SIGNED_KINDS)[number];

const secretOf = (seed: number, signer = 0): Uint8Array => sha256(`bip322 signer ${seed} ${signer}`);

export function publicOf(secret: Uint8Array): Uint8Array {
  const point = pointFromScalar(secret, true);
  if (point === null) throw new Error('no point');
  return point;
}

const keysOf = (seed: number): Uint8Array[] => [0, 1, 2].map((signer) => publicOf(secretOf(seed, signer)));

/** Two of three, the keys as they come. */
function multisig(seed: number): Uint8Array {
  return Uint8Array.of(0x52, ...keysOf(seed).flatMap((key) => [33, ...key]), 0x53, 0xae);
}

const keyHash = (key: Uint8Array): Uint8Array => Uint8Array.of(0, 20, ...hash160(key));
const scriptHash = (script: Uint8Array): Uint8Array => Uint8Array.of(0, 32, ...sha256(script));
const wrapped = (program: Uint8Array): Uint8Array => Uint8Array.of(0xa9, 20, ...hash160(program), 0x87);

/** The secret of a taproot output key without a script path (BIP341, BIP86). */
export function taprootSecret(secret: Uint8Array): Uint8Array {
  const key = publicOf(secret);
  const even = key[0] === 2 ? secret : privateNegate(secret);
  const tag = sha256('TapTweak');
  const tweaked = privateAdd(even, sha256(Uint8Array.of(...tag, ...tag, ...key.subarray(1))));
  if (tweaked === null) throw new Error('no key');
  return tweaked;
}

export function signedScript(kind: SignedKind, seed: number): Uint8Array {
  const [key = new Uint8Array()] = keysOf(seed);
  switch (kind) {
    case 'p2wpkh':
      return keyHash(key);
    case 'p2tr':
      return Uint8Array.of(0x51, 32, ...publicOf(taprootSecret(secretOf(seed))).subarray(1));
    case 'p2wsh':
      return scriptHash(multisig(seed));
    case 'p2sh-p2wpkh':
      return wrapped(keyHash(key));
    case 'p2sh-p2wsh':
      return wrapped(scriptHash(multisig(seed)));
  }
}

/** A simple signature over a message; of a multisig by these of its three signers. */
export function proofOf(kind: SignedKind, seed: number, message: string, signers: readonly number[] = [0, 1]): string {
  const script = signedScript(kind, seed);
  switch (kind) {
    case 'p2wpkh':
    case 'p2sh-p2wpkh':
      return keyHashProof(script, secretOf(seed), message);
    case 'p2tr':
      return taprootProof(script, taprootSecret(secretOf(seed)), message);
    case 'p2wsh':
    case 'p2sh-p2wsh': {
      const code = multisig(seed);
      const hash = hashesOf(script, message).witnessV0(0, code);
      return simple([new Uint8Array(), ...signers.map((one) => der(sign(hash, secretOf(seed, one)))), code]);
    }
  }
}

/** Of whoever has the key of a P2WPKH output, by itself or in P2SH. */
export function keyHashProof(script: Uint8Array, secret: Uint8Array, message: string): string {
  const key = publicOf(secret);
  const code = Uint8Array.of(0x76, 0xa9, 20, ...hash160(key), 0x88, 0xac);
  return simple([der(sign(hashesOf(script, message).witnessV0(0, code), secret)), key]);
}

/** Of whoever has the tweaked key of a taproot output. */
export function taprootProof(script: Uint8Array, tweaked: Uint8Array, message: string): string {
  return simple([signSchnorr(hashesOf(script, message).taproot(0, 0), tweaked)]);
}

const hashesOf = (script: Uint8Array, message: string): Sighashes =>
  new Sighashes(toSign(script, message), [{ value: 0n, script }]);

function simple(items: readonly Uint8Array[]): string {
  const writer = new ByteWriter().compactSize(items.length);
  for (const item of items) writer.lengthPrefixed(item);
  return Buffer.from(writer.finish()).toString('base64');
}

function der(signature: Uint8Array): Uint8Array {
  const number = (bytes: Uint8Array): number[] => {
    const digits = [...bytes.subarray(bytes.findIndex((byte) => byte !== 0))];
    const positive = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits;
    return [0x02, positive.length, ...positive];
  };
  const body = [...number(signature.subarray(0, 32)), ...number(signature.subarray(32))];
  return Uint8Array.of(0x30, body.length, ...body, 0x01);
}
