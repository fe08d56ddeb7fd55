import type { Transaction } from 'bitcoinjs-lib';
import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { revealedScripts } from '../domain/revealed-script.js';
import { decodePrevious } from './previous-transactions.js';

/**
 * Holds stated sources against the transactions whose inputs they are said to be, as far as those are there: one script an
 * input, and none other than an input shows by itself. Where a transaction is not there its maker's word is all there is.
 */
export function checkSources(
  sources: ReadonlyMap<string, readonly Uint8Array[]>,
  previous: ReadonlyMap<string, Uint8Array>,
  placeOf: (txid: string) => SourcePosition,
): Result<void, Fault> {
  for (const [txid, scripts] of sources) {
    const bytes = previous.get(txid);
    const transaction = bytes === undefined ? null : decodePrevious(bytes, txid);
    const problem = transaction === null ? null : contradiction(transaction, scripts);
    if (problem === null) continue;
    return fail('E_SNAPSHOT_SOURCES', `sources.${txid}: ${problem}`, {
      remedy: 'take the snapshot again, and ask how it came to be wrong',
      where: placeOf(txid),
    });
  }
  return ok(undefined);
}

function contradiction(transaction: Transaction, scripts: readonly Uint8Array[]): string | null {
  if (transaction.isCoinbase()) return 'the transaction is a coinbase, which spends nothing';
  const { ins } = transaction;
  if (ins.length !== scripts.length)
    return `${scripts.length} scripts are stated, and the transaction has ${ins.length} inputs`;
  const index = ins.findIndex(({ script, witness }, place) => {
    const revealed = revealedScripts(script, witness);
    return revealed.length > 0 && !revealed.some((one) => equalBytes(one, scripts[place] ?? new Uint8Array()));
  });
  return index === -1 ? null : `input ${index} spent another script than is stated`;
}
