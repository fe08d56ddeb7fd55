import { compactSizeLength } from '../domain/script.js';
import { scriptLength } from './miniscript.js';
import { miniscriptOf } from './signing-keys.js';
import type { Vault, WitnessPiece } from './types.js';

/** What the weight of an input depends on. */
export type WeighedVault = Pick<Vault, 'kind' | 'threshold' | 'keys' | 'miniscript'>;

/** A low-S DER signature has at most 71 bytes, and one sighash byte follows (BIP66, BIP146). */
const ECDSA_SIGNATURE = 72;
const PUBLIC_KEY = 33;
const SCHNORR_SIGNATURE = 64;
/** Outpoint, length of an empty scriptSig, sequence. */
const BARE_INPUT = 36 + 1 + 4;

/** Upper bound of the weight of one signed input of a vault, in weight units (BIP141). */
export function signedInputWeight(vault: WeighedVault): bigint {
  const { kind, threshold, keys } = vault;
  const keyHashWitness = 1 + 1 + ECDSA_SIGNATURE + 1 + PUBLIC_KEY;
  const witnessScript = 3 + (1 + PUBLIC_KEY) * keys.length;
  const multisigWitness = 1 + 1 + threshold * (1 + ECDSA_SIGNATURE) + compactSizeLength(witnessScript) + witnessScript;
  switch (kind) {
    case 'pkh':
      return BigInt(4 * (BARE_INPUT + 1 + ECDSA_SIGNATURE + 1 + PUBLIC_KEY));
    case 'wpkh':
      return BigInt(4 * BARE_INPUT + keyHashWitness);
    case 'sh(wpkh)':
      return BigInt(4 * (BARE_INPUT + 23) + keyHashWitness);
    case 'tr':
      return BigInt(4 * BARE_INPUT + 1 + 1 + SCHNORR_SIGNATURE);
    case 'wsh(sortedmulti)':
      return BigInt(4 * BARE_INPUT + multisigWitness);
    case 'sh(wsh(sortedmulti))':
      return BigInt(4 * (BARE_INPUT + 35) + multisigWitness);
    case 'wsh(miniscript)':
      return BigInt(4 * BARE_INPUT + miniscriptWitness(vault));
  }
}

/** The heaviest witness of the branch without a time lock: which keys sign is not known when a batch is planned. */
function miniscriptWitness(vault: WeighedVault): number {
  const miniscript = miniscriptOf(vault);
  const script = scriptLength(miniscript);
  const stacks = miniscript.satisfactions.map(({ stack }) => {
    const items = stack.reduce((sum, piece) => sum + 1 + itemLength(piece), 0);
    return compactSizeLength(stack.length + 1) + items;
  });
  return Math.max(...stacks) + compactSizeLength(script) + script;
}

function itemLength(piece: WitnessPiece): number {
  switch (piece.kind) {
    case 'signature':
      return ECDSA_SIGNATURE;
    case 'key':
      return PUBLIC_KEY;
    case 'bytes':
      return piece.bytes.length;
  }
}

/** Weight units of an output: value, length, script. */
export function outputWeight(script: Uint8Array): bigint {
  return BigInt(4 * (8 + compactSizeLength(script.length) + script.length));
}

/** Weight units of everything but inputs and outputs: version, locktime, counts, and the segwit marker and flag. */
export function overheadWeight(vault: Pick<Vault, 'kind'>, inputs: number, outputs: number): bigint {
  const plain = 4 * (4 + compactSizeLength(inputs) + compactSizeLength(outputs) + 4);
  return BigInt(vault.kind === 'pkh' ? plain : plain + 2);
}

/** Upper bound of the weight of a signed transaction of a vault. */
export function signedTransactionWeight(
  vault: WeighedVault,
  inputs: number,
  outputScripts: readonly Uint8Array[],
): bigint {
  const outputs = outputScripts.reduce((sum, script) => sum + outputWeight(script), 0n);
  return overheadWeight(vault, inputs, outputScripts.length) + BigInt(inputs) * signedInputWeight(vault) + outputs;
}
