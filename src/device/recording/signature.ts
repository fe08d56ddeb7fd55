import { isPointCompressed, isXOnlyPoint, verify, verifySchnorr, xOnlyPointAddTweak } from 'tiny-secp256k1';
import { equalBytes, hash160, sha256 } from '../../domain/bytes.js';
import { scriptKind } from '../../domain/script.js';
import { decodeDer, inRange, isLowS } from '../../psbt/ecdsa.js';
import { SIGHASH_ALL, SIGHASH_DEFAULT, Sighashes } from '../../psbt/sighash.js';
import type { SignedSubject, SpentInput } from './streamed.js';

/** Whether a signature is what it should be: proven, or why it is not, or why that cannot be told. */
export type SignatureVerdict =
  | { readonly kind: 'proven' }
  | { readonly kind: 'wrong'; readonly message: string }
  | { readonly kind: 'untold'; readonly why: string };

export interface YieldedSignature {
  readonly input: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

const wrong = (message: string): SignatureVerdict => ({ kind: 'wrong', message });
const untold = (why: string): SignatureVerdict => ({ kind: 'untold', why });

/** Checks signatures against one transaction: each by a key of the script that it spends, and over the whole (ALL, DEFAULT). */
export class SignatureCheck {
  readonly #subject: SignedSubject;
  readonly #hashes: Sighashes;

  constructor(subject: SignedSubject) {
    this.#subject = subject;
    this.#hashes = new Sighashes(
      subject.unsigned,
      subject.inputs.map(({ prevout }) => prevout),
    );
  }

  check({ input, publicKey, signature }: YieldedSignature): SignatureVerdict {
    const spent = this.#subject.inputs[input];
    if (spent === undefined) return wrong(`a signature for input ${input}, which the transaction does not have`);
    const { script } = spent.prevout;
    switch (scriptKind(script)) {
      case 'p2pkh':
        if (!equalBytes(hash160(publicKey), script.subarray(3, 23))) return foreign(input);
        return ecdsa(this.#hashes.legacy(input, script), publicKey, signature, input);
      case 'p2wpkh':
        return this.#keyHash(script, input, publicKey, signature);
      case 'p2wsh':
        return this.#witnessScript(script, spent, input, publicKey, signature);
      case 'p2sh':
        return this.#nested(script, spent, input, publicKey, signature);
      case 'p2tr':
        return this.#keyPath(script.subarray(2), input, publicKey, signature);
      default:
        return untold(`input ${input} spends a script that is none of the known kinds`);
    }
  }

  #nested(
    script: Uint8Array,
    spent: SpentInput,
    input: number,
    key: Uint8Array,
    signature: Uint8Array,
  ): SignatureVerdict {
    // Of a key hash, the script that the hash stands for follows from the key.
    const redeem = spent.redeemScript ?? Uint8Array.of(0, 20, ...hash160(key));
    if (!equalBytes(hash160(redeem), script.subarray(2, 22))) {
      return spent.redeemScript === null
        ? untold(`the redeem script of input ${input} is not in the conversation`)
        : wrong(`input ${input}: its redeem script does not hash to the script that it spends`);
    }
    switch (scriptKind(redeem)) {
      case 'p2wpkh':
        return this.#keyHash(redeem, input, key, signature);
      case 'p2wsh':
        return this.#witnessScript(redeem, spent, input, key, signature);
      default:
        return untold(`input ${input} has a redeem script that is no witness program`);
    }
  }

  #keyHash(program: Uint8Array, input: number, key: Uint8Array, signature: Uint8Array): SignatureVerdict {
    if (!equalBytes(hash160(key), program.subarray(2))) return foreign(input);
    // The script code of BIP143: what a P2PKH output of the same key would be.
    const code = Uint8Array.of(0x76, 0xa9, 20, ...program.subarray(2), 0x88, 0xac);
    return ecdsa(this.#hashes.witnessV0(input, code), key, signature, input);
  }

  #witnessScript(
    program: Uint8Array,
    { witnessScript }: SpentInput,
    input: number,
    key: Uint8Array,
    signature: Uint8Array,
  ): SignatureVerdict {
    if (witnessScript === null) return untold(`the witness script of input ${input} is not in the conversation`);
    if (!equalBytes(sha256(witnessScript), program.subarray(2))) {
      return wrong(`input ${input}: its witness script does not hash to the script that it spends`);
    }
    if (!Buffer.from(witnessScript).includes(Buffer.from(key))) return foreign(input);
    return ecdsa(this.#hashes.witnessV0(input, witnessScript), key, signature, input);
  }

  /** The device names the output key; other versions of the app may name the internal one. */
  #keyPath(outputKey: Uint8Array, input: number, key: Uint8Array, signature: Uint8Array): SignatureVerdict {
    const internal = key.subarray(-32);
    const tag = sha256('TapTweak');
    if (!isXOnlyPoint(internal)) return foreign(input);
    const tweaked = xOnlyPointAddTweak(internal, sha256(Uint8Array.of(...tag, ...tag, ...internal)));
    const isOurs = equalBytes(internal, outputKey) || (tweaked !== null && equalBytes(tweaked.xOnlyPubkey, outputKey));
    if (!isOurs) return foreign(input);
    if (signature.length !== 64 && !(signature.length === 65 && signature[64] === SIGHASH_ALL)) {
      return wrong(`input ${input}: the signature is not one of BIP340 over the whole transaction`);
    }
    const hash = this.#hashes.taproot(input, signature.length === 64 ? SIGHASH_DEFAULT : SIGHASH_ALL);
    const body = signature.subarray(0, 64);
    return inRange(body) && verifySchnorr(hash, outputKey, body) ? { kind: 'proven' } : invalid(input);
  }
}

function ecdsa(hash: Uint8Array, key: Uint8Array, signature: Uint8Array, input: number): SignatureVerdict {
  const body = decodeDer(signature.subarray(0, -1));
  if (body === null || !inRange(body) || !isLowS(body)) {
    return wrong(`input ${input}: the signature is not strict DER with a low S`);
  }
  // libsecp256k1 throws on what is no point of the curve.
  if (!isPointCompressed(key)) return foreign(input);
  if (signature.at(-1) !== SIGHASH_ALL) return wrong(`input ${input}: the sighash byte is not ALL (0x01)`);
  return verify(hash, key, body, true) ? { kind: 'proven' } : invalid(input);
}

const foreign = (input: number): SignatureVerdict =>
  wrong(`input ${input}: the key that signed is not one of the script that it spends`);
const invalid = (input: number): SignatureVerdict =>
  wrong(`input ${input}: the signature is not valid for this transaction`);
