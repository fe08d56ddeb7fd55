import { equalBytes } from '../domain/bytes.js';
import type { ReturnedSignature } from '../psbt/types.js';
import { ByteReader } from '../psbt/wire.js';
import type { SigningPhase } from './types.js';

/** Instructions and client commands of the Bitcoin app's protocol, version 1 (doc/bitcoin.md of the app). */
const CLA_BITCOIN = 0xe1;
const SIGN_PSBT = 0x04;
const CLA_FRAMEWORK = 0xf8;
const YIELD = 0x10;
const GET_MERKLE_LEAF_PROOF = 0x41;
const INTERRUPTED = 0xe000;
const HASH = 32;
const X_ONLY = 32;
const COMPRESSED = 33;

/**
 * Reads along with a signing session and knows what hw-app-btc does not tell: whether SIGN_PSBT was sent at all, every
 * signature that the device gave out with the key it named, the last status word, and where the device stands.
 */
export class SigningWatch {
  exchanges = 0;
  /** True from the moment SIGN_PSBT is handed to the channel, whatever becomes of it. */
  sent = false;
  phase: SigningPhase = 'loading';
  readonly signatures: ReturnedSignature[] = [];
  /** A yield that could not be read: it was a signature all the same. */
  unreadable = false;
  /** How the last request of SIGN_PSBT was answered; null while there is no answer. */
  statusWord: number | null = null;
  /** Index of the output that the device reviews, or read last; null before and after the review. */
  output: number | null = null;
  #roots: { readonly inputs: Uint8Array; readonly outputs: Uint8Array } | null = null;

  /** Before a request is handed to the channel. */
  request(apdu: Uint8Array): void {
    if (apdu[0] === CLA_BITCOIN && apdu[1] === SIGN_PSBT) {
      this.sent = true;
      this.#roots = mapRoots(apdu.subarray(5));
    }
    if (this.sent) this.statusWord = null;
  }

  response(apdu: Uint8Array, response: Uint8Array): void {
    this.exchanges += 1;
    const isSigning = this.sent && (apdu[0] === CLA_FRAMEWORK || (apdu[0] === CLA_BITCOIN && apdu[1] === SIGN_PSBT));
    if (!isSigning) return;
    this.statusWord = ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);
    if (this.statusWord !== INTERRUPTED) return;
    const command = response.subarray(0, -2);
    if (command[0] === YIELD) {
      this.phase = 'signing';
      const signature = readYield(command.subarray(1));
      if (signature === null) this.unreadable = true;
      else this.signatures.push(signature);
    }
    if (command[0] === GET_MERKLE_LEAF_PROOF) this.#follow(command.subarray(1));
  }

  /**
   * The app reads all input maps, then the output maps while the person reviews them one by one, and reads input maps
   * again only after the final approval.
   */
  #follow(asked: Uint8Array): void {
    if (this.#roots === null) return;
    const reader = new ByteReader(asked);
    const root = reader.take(HASH);
    reader.compactSize();
    const leaf = reader.compactSize();
    if (reader.problem !== null) return;
    if (this.phase === 'loading' && equalBytes(root, this.#roots.outputs)) this.phase = 'reviewing';
    if (this.phase === 'reviewing' && equalBytes(root, this.#roots.inputs)) this.phase = 'signing';
    this.output = this.phase === 'reviewing' && equalBytes(root, this.#roots.outputs) ? leaf : this.output;
    if (this.phase === 'signing') this.output = null;
  }
}

/** SIGN_PSBT's data: global map (size, keys root, values root), then inputs and outputs, each with count and root. */
function mapRoots(data: Uint8Array): { readonly inputs: Uint8Array; readonly outputs: Uint8Array } | null {
  const reader = new ByteReader(data);
  reader.compactSize();
  reader.take(2 * HASH);
  reader.compactSize();
  const inputs = reader.take(HASH);
  reader.compactSize();
  const outputs = reader.take(HASH);
  return reader.problem === null ? { inputs: inputs.slice(), outputs: outputs.slice() } : null;
}

/** A yield of SIGN_PSBT: input index, length of the key, key, signature. Null where it has another form. */
function readYield(data: Uint8Array): ReturnedSignature | null {
  const reader = new ByteReader(data);
  const input = reader.compactSize();
  const length = reader.uint8();
  const publicKey = reader.take(length);
  const signature = reader.take(reader.remaining);
  const isKey = length === X_ONLY || length === COMPRESSED;
  if (reader.problem !== null || !isKey || signature.length === 0) return null;
  return { input, publicKey: publicKey.slice(), signature: signature.slice() };
}
