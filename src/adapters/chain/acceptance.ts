import { quoted } from '../../domain/safe-text.js';
import type { Acceptance } from '../../vault/chain.js';

/** Bitcoin Core's words (src/validation.cpp, src/node/transaction.cpp) for a transaction that it has already. */
const KNOWN = /txn-already-(?:in-mempool|known)|already in (?:block chain|utxo set)|"code":-27/i;

/** What a back end says of a transaction that it did not take; indexers hand on the words of the node behind them. */
export function acceptanceOf(words: string): Acceptance {
  return KNOWN.test(words) ? { state: 'known' } : { state: 'rejected', reason: quoted(words.trim(), 200) };
}
