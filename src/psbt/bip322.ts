import { isPointCompressed, verify, verifySchnorr } from 'tiny-secp256k1';
import { equalBytes, hash160, hash256, sha256, utf8 } from '../domain/bytes.js';
import { scriptKind } from '../domain/script.js';
import { decodeDer, inRange, isLowS } from './ecdsa.js';
import { SIGHASH_ALL, SIGHASH_DEFAULT, Sighashes } from './sighash.js';
import { serialiseUnsigned, type Transaction } from './transaction.js';
import { ByteReader, ByteWriter } from './wire.js';

const TAG = sha256('BIP0322-signed-message');

/** BIP340-tagged hash of a message, which is taken as it is in UTF-8. */
export function messageHash(message: string): Uint8Array {
  return sha256(new ByteWriter().bytes(TAG).bytes(TAG).bytes(utf8(message)).finish());
}

/** The virtual transaction whose output a signature spends: it can never be on a chain. Network serialisation. */
export function toSpend(script: Uint8Array, message: string): Uint8Array {
  return new ByteWriter()
    .uint32(0) // version
    .compactSize(1)
    .bytes(new Uint8Array(32))
    .uint32(0xffffffff)
    .lengthPrefixed(new ByteWriter().uint8(0).lengthPrefixed(messageHash(message)).finish()) // OP_0 PUSH32
    .uint32(0) // sequence
    .compactSize(1)
    .uint64(0n)
    .lengthPrefixed(script)
    .uint32(0) // locktime
    .finish();
}

/** The virtual transaction that is signed, without its witness. */
export function toSign(script: Uint8Array, message: string): Transaction {
  const transaction = {
    version: 0,
    inputs: [{ hash: hash256(toSpend(script, message)), vout: 0, scriptSig: new Uint8Array(), sequence: 0 }],
    outputs: [{ value: 0n, script: Uint8Array.of(0x6a) }],
    locktime: 0,
  };
  return { ...transaction, segwit: false, stripped: serialiseUnsigned(transaction), witnesses: [] };
}

const OP_CHECKMULTISIG = 0xae;
const SHAPE = 'its witness is not one that spends this kind of address';
const NOT_VALID = 'it is not valid for this message and this address';

/**
 * What is wrong with a "simple" signature of BIP322 (a witness in base64, with or without the prefix smp) over a message by
 * whoever can spend a script, in words that continue "the signature cannot be taken:"; null where it is good.
 *
 * Taken are P2WPKH, P2TR by its key path, P2WSH of a plain multisig, and the two version 0 programs inside P2SH. Not taken,
 * though BIP322 knows them: P2PKH and timelocks, which need the "full" form, and other scripts, which need an interpreter.
 */
export function messageProblem(script: Uint8Array, message: string, signature: string): string | null {
  const witness = decodeSimple(signature);
  if (typeof witness === 'string') return witness;
  const kind = scriptKind(script);
  const hashes = new Sighashes(toSign(script, message), [{ value: 0n, script }]);
  switch (kind) {
    case 'p2wpkh':
      return keyHashProblem(script, witness, hashes);
    case 'p2wsh':
      return multisigProblem(script, witness, hashes);
    case 'p2tr':
      return taprootProblem(script, witness, hashes);
    case 'p2sh':
      return wrappedProblem(script, witness, hashes);
    case 'p2pkh':
      return 'BIP322 has no simple signature for P2PKH addresses, and the full form is not read here';
    case 'p2a':
    case 'op_return':
    case 'witness_unknown':
    case 'p2tr_off_curve':
    case 'nonstandard':
      return `nobody can sign for a script of type ${kind}`;
  }
}

function decodeSimple(signature: string): readonly Uint8Array[] | string {
  if (/^(?:ful|pof)/.test(signature)) return 'it is of another form than the simple one';
  const text = signature.startsWith('smp') ? signature.slice(3) : signature;
  const bytes = Buffer.from(text, 'base64');
  if (text === '' || bytes.toString('base64') !== text) return 'it is not base64';
  const reader = new ByteReader(bytes);
  const items: Uint8Array[] = [];
  for (let left = reader.compactSize(); left > 0 && reader.problem === null; left--)
    items.push(reader.lengthPrefixed());
  return reader.problem === null && reader.remaining === 0 ? items : 'it is not a witness in base64';
}

type Witness = readonly Uint8Array[];

function keyHashProblem(program: Uint8Array, [signature, key, ...others]: Witness, hashes: Sighashes): string | null {
  if (signature === undefined || key === undefined || others.length > 0) return SHAPE;
  if (!isKey(key) || !equalBytes(hash160(key), program.subarray(2))) return NOT_VALID;
  const code = Uint8Array.of(0x76, 0xa9, 20, ...program.subarray(2), 0x88, 0xac);
  return signedBy(signature, key, hashes.witnessV0(0, code)) ? null : NOT_VALID;
}

function taprootProblem(program: Uint8Array, [signature, ...others]: Witness, hashes: Sighashes): string | null {
  if (signature === undefined) return SHAPE;
  if (others.length > 0) return 'it spends a script path or carries an annex; the key path alone is taken';
  const type = signature.length === 64 ? SIGHASH_DEFAULT : signature[64];
  if (signature.length > 65 || (signature.length === 65 && type !== SIGHASH_ALL)) return NOT_VALID;
  const [r, s] = [signature.subarray(0, 64), hashes.taproot(0, type === SIGHASH_ALL ? SIGHASH_ALL : SIGHASH_DEFAULT)];
  return r.length === 64 && inRange(r) && verifySchnorr(s, program.subarray(2), r) ? null : NOT_VALID;
}

/** OP_CHECKMULTISIG: signatures in the order of their keys, each by another one, after the empty item that it takes too many. */
function multisigProblem(program: Uint8Array, witness: Witness, hashes: Sighashes): string | null {
  const script = witness.at(-1);
  const [dummy, ...signatures] = witness.slice(0, -1);
  if (script === undefined || dummy === undefined || dummy.length > 0) return SHAPE;
  if (!equalBytes(sha256(script), program.subarray(2))) return NOT_VALID;
  const multisig = readMultisig(script);
  if (multisig === null) return 'its script is no plain multisig';
  if (signatures.length !== multisig.threshold) return NOT_VALID;
  const hash = hashes.witnessV0(0, script);
  let next = 0;
  for (const signature of signatures) {
    while (next < multisig.keys.length && !signedBy(signature, multisig.keys[next] ?? signature, hash)) next += 1;
    if (next === multisig.keys.length) return NOT_VALID;
    next += 1;
  }
  return null;
}

/** BIP322 leaves out the scriptSig of a wrapped program: it is what the witness says it must be, and the hash decides. */
function wrappedProblem(script: Uint8Array, witness: Witness, hashes: Sighashes): string | null {
  const last = witness.at(-1);
  if (last === undefined) return SHAPE;
  const isWrapped = (program: Uint8Array): boolean => equalBytes(hash160(program), script.subarray(2, 22));
  const keyHash = Uint8Array.of(0, 20, ...hash160(last));
  const scriptHash = Uint8Array.of(0, 32, ...sha256(last));
  if (isWrapped(keyHash)) return keyHashProblem(keyHash, witness, hashes);
  return isWrapped(scriptHash) ? multisigProblem(scriptHash, witness, hashes) : NOT_VALID;
}

function readMultisig(script: Uint8Array): { readonly threshold: number; readonly keys: readonly Uint8Array[] } | null {
  const reader = new ByteReader(script);
  const threshold = reader.uint8() - 0x50;
  const count = (script.at(-2) ?? 0) - 0x50;
  const keys: Uint8Array[] = [];
  for (let left = count; left > 0 && reader.problem === null; left--) keys.push(reader.lengthPrefixed());
  reader.take(1);
  const closes = reader.uint8() === OP_CHECKMULTISIG && reader.remaining === 0 && reader.problem === null;
  const counts = threshold >= 1 && threshold <= count && count <= 16;
  return closes && counts && keys.every(isKey) ? { threshold, keys } : null;
}

const isKey = (key: Uint8Array): boolean => key.length === 33 && isPointCompressed(key);

/** Strict DER, low S and SIGHASH_ALL, as BIP322 requires. */
function signedBy(signature: Uint8Array, key: Uint8Array, hash: Uint8Array): boolean {
  const numbers = decodeDer(signature.subarray(0, -1));
  if (numbers === null || signature.at(-1) !== SIGHASH_ALL || !inRange(numbers) || !isLowS(numbers)) return false;
  return isKey(key) && verify(hash, key, numbers, true);
}
