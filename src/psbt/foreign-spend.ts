import { Transaction as BitcoinjsTransaction } from 'bitcoinjs-lib';
import { verify, verifySchnorr } from 'tiny-secp256k1';
import { equalBytes } from '../domain/bytes.js';
import { miniscriptOf } from '../vault/signing-keys.js';
import type { DerivedScript, Vault } from '../vault/types.js';
import { decodeDer, inRange } from './ecdsa.js';
import { keyHashScript } from './sighash.js';
import type { Transaction } from './transaction.js';
import type { Prevout } from './types.js';
import { directPushes } from './wire.js';

/** A transaction that somebody says spends a coin of the vault. */
export interface ClaimedSpend {
  readonly transaction: Transaction;
  /** The bytes that it was parsed from. */
  readonly bytes: Uint8Array;
  /** Which of its inputs spends the coin. */
  readonly index: number;
  readonly coin: { readonly prevout: Prevout; readonly derived: DerivedScript };
  /** What each input spends, in their order; null where it is not known. Only taproot asks for it (BIP341). */
  readonly prevouts: readonly (Prevout | null)[];
}

/** Nodes relay no more witness items than this (MAX_STANDARD_P2WSH_STACK_ITEMS of Bitcoin Core); each may be tried as a signature. */
const MOST_ITEMS = 100;

/** For a coin that a signature of every key that it takes was given over this transaction, in any sighash type that Bitcoin has. */
type Verifies = (publicKey: Uint8Array, signature: Uint8Array) => boolean;

/**
 * Whether the keys of the vault signed it. Anybody can write down a transaction that spends a coin, and a txid covers no
 * witness; only who holds the keys can sign one, with whatever software. Where it cannot be told (an input whose prevout is
 * not known, in taproot; a form that nodes do not relay) it is not proven.
 */
export function isSignedByVault(claim: ClaimedSpend, vault: Vault): boolean {
  const { transaction, index, coin } = claim;
  const { derived, prevout } = coin;
  const input = transaction.inputs[index];
  const items = transaction.witnesses[index] ?? [];
  if (input === undefined || items.length > MOST_ITEMS) return false;
  switch (vault.kind) {
    case 'pkh':
      return isKeyHashSpend(directPushes(input.scriptSig), derived, ecdsaOver(claim, prevout.script, 'legacy'));
    case 'wpkh':
      return isKeyHashSpend(items, derived, ecdsaOver(claim, keyHashScript(prevout.script), 'v0'));
    case 'sh(wpkh)':
      return isKeyHashSpend(items, derived, ecdsaOver(claim, keyHashScript(required(derived.redeemScript)), 'v0'));
    case 'tr':
      return isKeyPathSpend(claim, items);
    case 'wsh(sortedmulti)':
    case 'sh(wsh(sortedmulti))':
      return signersOf(claim, items).size >= vault.threshold;
    case 'wsh(miniscript)': {
      const signers = signersOf(claim, items);
      const { satisfactions, delayed } = miniscriptOf(vault);
      return [...satisfactions, ...delayed].some(
        ({ keys }) => keys.length > 0 && keys.every((position) => signers.has(position)),
      );
    }
  }
}

function isKeyHashSpend(items: readonly Uint8Array[] | null, { keys }: DerivedScript, verifies: Verifies): boolean {
  const [signature, publicKey, ...others] = items ?? [];
  const [key] = keys;
  if (signature === undefined || publicKey === undefined || key === undefined || others.length > 0) return false;
  return equalBytes(publicKey, key.publicKey) && verifies(publicKey, signature);
}

/** Positions of the keys, in the order of the vault, of which the witness of a script has a signature. */
function signersOf(claim: ClaimedSpend, items: readonly Uint8Array[]): ReadonlySet<number> {
  const { keys, witnessScript } = claim.coin.derived;
  const script = required(witnessScript);
  const last = items.at(-1);
  if (last === undefined || !equalBytes(last, script)) return new Set();
  const verifies = ecdsaOver(claim, script, 'v0');
  const given = items.slice(0, -1);
  const signers = [...keys.entries()].filter(([, { publicKey }]) => given.some((item) => verifies(publicKey, item)));
  return new Set(signers.map(([position]) => position));
}

function ecdsaOver({ bytes, index, coin }: ClaimedSpend, scriptCode: Uint8Array, form: 'legacy' | 'v0'): Verifies {
  const transaction = BitcoinjsTransaction.fromBuffer(bytes);
  // Once a type, however many items there are and however large the transaction is.
  const hashes = new Map<number, Uint8Array>();
  const hashOf = (type: number): Uint8Array => {
    const hash =
      hashes.get(type) ??
      (form === 'legacy'
        ? transaction.hashForSignature(index, scriptCode, type)
        : transaction.hashForWitnessV0(index, scriptCode, coin.prevout.value, type));
    hashes.set(type, hash);
    return hash;
  };
  return (publicKey, item) => {
    const signature = decodeDer(item.subarray(0, -1));
    const type = item.at(-1);
    if (signature === null || type === undefined || !inRange(signature)) return false;
    const hash = hashOf(type);
    // A high S is valid in a block; it is only not relayed.
    return verify(hash, publicKey, signature, false);
  };
}

/** The sighash types of taproot (BIP341); 0 is written by leaving it out. */
const TAPROOT_TYPES: ReadonlySet<number> = new Set([0x01, 0x02, 0x03, 0x81, 0x82, 0x83]);
const ANYONE_CAN_PAY = 0x80;
const SINGLE = 0x03;

/** By its key path and without annex, as every wallet spends; the vault has no script path. */
function isKeyPathSpend({ bytes, transaction, index, coin, prevouts }: ClaimedSpend, items: readonly Uint8Array[]) {
  const [item, ...others] = items;
  if (item === undefined || others.length > 0 || (item.length !== 64 && item.length !== 65)) return false;
  const type = item[64] ?? 0;
  if (item.length === 65 && !TAPROOT_TYPES.has(type)) return false;
  if ((type & SINGLE) === SINGLE && index >= transaction.outputs.length) return false;
  const isAlone = (type & ANYONE_CAN_PAY) !== 0;
  // Of the others nothing is hashed where the signature leaves them out.
  const spent = transaction.inputs.map((_, place) => (place === index || isAlone ? coin.prevout : prevouts[place]));
  const known = spent.flatMap((prevout) => (prevout == null ? [] : [prevout]));
  if (known.length < transaction.inputs.length) return false;
  const hash = BitcoinjsTransaction.fromBuffer(bytes).hashForWitnessV1(
    index,
    known.map(({ script }) => script),
    known.map(({ value }) => value),
    type,
  );
  const signature = item.subarray(0, 64);
  return inRange(signature) && verifySchnorr(hash, coin.prevout.script.subarray(2), signature);
}

function required(script: Uint8Array | undefined): Uint8Array {
  if (script === undefined) throw new Error('the vault derived a script without the script that it hashes');
  return script;
}
