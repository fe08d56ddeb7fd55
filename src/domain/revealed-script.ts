import { hash160, sha256 } from './bytes.js';

/**
 * The scripts that an input can have spent, as far as its scriptSig and its witness show them; none where they do not. A
 * P2PKH input shows its key, P2WPKH its key in the witness, P2SH its redeem script and P2WSH its witness script (BIP16,
 * BIP141). A taproot input shows nothing that is looked at here, nor does a bare key or a bare multisig. Where what is
 * shown fits two kinds of script, both are given.
 *
 * A scriptSig is part of what a txid hashes; a witness is not (BIP141): who hands a transaction over can put another key
 * into it, and its txid stays the same.
 */
export function revealedScripts(scriptSig: Uint8Array, witness: readonly Uint8Array[]): readonly Uint8Array[] {
  return scriptSig.length === 0 ? fromWitness(witness) : fromScriptSig(scriptSig, witness);
}

function fromScriptSig(scriptSig: Uint8Array, witness: readonly Uint8Array[]): readonly Uint8Array[] {
  const pushes = pushesOf(scriptSig);
  const last = pushes?.at(-1);
  if (pushes === null || last === undefined || last.length === 0) return [];
  // P2SH around a witness program: the program is all that the scriptSig may hold.
  if (pushes.length === 1 && isProgramV0(last)) return [p2sh(last)];
  // A signature on top is that of a bare key or a bare multisig: neither names its script.
  if (witness.length > 0 || isSignature(last)) return [];
  const [signature] = pushes;
  const isKeyHash = pushes.length === 2 && signature !== undefined && isSignature(signature) && isPublicKey(last);
  return isKeyHash ? [p2pkh(last), p2sh(last)] : [p2sh(last)];
}

function fromWitness(witness: readonly Uint8Array[]): readonly Uint8Array[] {
  const last = witness.at(-1);
  if (last === undefined || last.length === 0) return [];
  if (witness.length === 1) return last.length === 64 || last.length === 65 ? [] : [p2wsh(last)];
  if (last[0] === TAPROOT_ANNEX) return [];
  if (witness.length === 2 && last.length === 33 && isPublicKey(last)) return [p2wpkh(last), p2wsh(last)];
  // As long as a control block of taproot (BIP341): it may be one, and then it is no script.
  return last.length % 32 === 1 ? [] : [p2wsh(last)];
}

const TAPROOT_ANNEX = 0x50;

const script = (...parts: readonly (number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])));

const p2pkh = (key: Uint8Array): Uint8Array => script(0x76, 0xa9, 20, hash160(key), 0x88, 0xac);
const p2wpkh = (key: Uint8Array): Uint8Array => script(0, 20, hash160(key));
const p2sh = (redeem: Uint8Array): Uint8Array => script(0xa9, 20, hash160(redeem), 0x87);
const p2wsh = (witnessScript: Uint8Array): Uint8Array => script(0, 32, sha256(witnessScript));

const isProgramV0 = ({ length, 0: version, 1: size }: Uint8Array): boolean =>
  version === 0 && ((length === 22 && size === 20) || (length === 34 && size === 32));

const isPublicKey = ({ length, 0: prefix }: Uint8Array): boolean =>
  (length === 33 && (prefix === 2 || prefix === 3)) || (length === 65 && prefix === 4);

/** DER with its sighash byte. */
const isSignature = ({ length, 0: tag, 1: size }: Uint8Array): boolean =>
  length >= 9 && length <= 73 && tag === 0x30 && size === length - 3;

const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA4 = 0x4e;
const OP_16 = 0x60;

/** What a script pushes, where it does nothing else; null otherwise. A number is pushed as one byte. */
function pushesOf(bytes: Uint8Array): readonly Uint8Array[] | null {
  const pushes: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const opcode = bytes[offset] ?? OP_16 + 1;
    offset += 1;
    let length = opcode;
    if (opcode > OP_16) return null;
    if (opcode > OP_PUSHDATA4) {
      pushes.push(Uint8Array.of(opcode));
      continue;
    }
    if (opcode >= OP_PUSHDATA1) {
      const width = 2 ** (opcode - OP_PUSHDATA1);
      const size = bytes.subarray(offset, offset + width);
      if (size.length < width) return null;
      length = size.reduceRight((sum, byte) => sum * 256 + byte, 0);
      offset += width;
    }
    if (length > bytes.length - offset) return null;
    pushes.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return pushes;
}
