import { encodeAddress } from '../domain/address.js';
import { scriptKind } from '../domain/script.js';
import { messageProblem } from '../psbt/bip322.js';
import { firstScript } from './counterparties.js';
import type { BookEntry } from './types.js';

/**
 * What the owner of a destination signs (BIP322, simple): it names the wallet that may pay, the entry of its book, and what
 * is entered, so that a proof for one book, one name or one descriptor is none for another. It says nothing of versions:
 * a proof holds for as long as the entry stands for the same.
 */
export function proofMessage(wallet: string, entry: BookEntry): string {
  const what = entry.kind === 'address' ? 'address' : `descriptor ${entry.counterparty.descriptor} at index 0, address`;
  return `countersign.book/1 of wallet ${wallet}, destination ${entry.id}, ${what} ${proofAddress(entry)}`;
}

/** The address whose keys sign: of a descriptor the first one. However a book spells an address, it is written in one way. */
export function proofAddress(entry: BookEntry): string {
  if (entry.kind === 'descriptor') {
    const { counterparty } = entry;
    return encodeAddress(counterparty.at(0), counterparty.network) ?? '';
  }
  const kind = scriptKind(entry.script);
  return kind === 'p2pkh' || kind === 'p2sh' ? entry.address : entry.address.toLowerCase();
}

/** What is wrong with the proof of an entry, in words that follow "the proof cannot be taken:"; null for a good or no proof. */
export function proofProblem(wallet: string, entry: BookEntry): string | null {
  if (entry.proof === undefined) return null;
  return messageProblem(firstScript(entry), proofMessage(wallet, entry), entry.proof);
}
