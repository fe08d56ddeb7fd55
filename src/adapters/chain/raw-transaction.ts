import { Transaction } from 'bitcoinjs-lib';
import type { Hex } from '../../domain/bytes.js';

/** The transaction of this txid that these bytes are, or null where they are another or none. */
export function transactionOf(txid: Hex, bytes: Uint8Array): Transaction | null {
  try {
    const transaction = Transaction.fromBuffer(bytes);
    return transaction.getId() === txid ? transaction : null;
  } catch {
    // The library has no other way of saying that bytes are not a transaction.
    return null;
  }
}
