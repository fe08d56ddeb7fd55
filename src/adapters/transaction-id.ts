import type { Transaction } from 'bitcoinjs-lib';
import { type Hex, hash256, toHex } from '../domain/bytes.js';

/**
 * The txid of a transaction that was read from these bytes and that they hold in its one form, in display order: hashed as
 * they stand, since writing the transaction anew for it takes several times as long.
 */
export function txidOf(bytes: Uint8Array, transaction: Transaction): Hex {
  if (!transaction.hasWitnesses()) return toHex(hash256(bytes).reverse());
  // Without marker, flag and witnesses (BIP144): the version, what lies between, and the locktime.
  const stripped = new Uint8Array(transaction.byteLength(false));
  stripped.set(bytes.subarray(0, 4));
  stripped.set(bytes.subarray(6, 6 + stripped.length - 8), 4);
  stripped.set(bytes.subarray(-4), stripped.length - 4);
  return toHex(hash256(stripped).reverse());
}

/**
 * Whether the bytes that a transaction was read from are the transaction of that txid, in its one form. Without witnesses the
 * txid covers every byte. With them another form of the same transaction would hash alike: a length written longer than it
 * has to be is all that can differ between bytes that are read as the same, and makes them longer.
 */
export function isTransaction(bytes: Uint8Array, transaction: Transaction, txid: Hex): boolean {
  if (transaction.hasWitnesses() && transaction.byteLength() !== bytes.length) return false;
  return txidOf(bytes, transaction) === txid;
}
