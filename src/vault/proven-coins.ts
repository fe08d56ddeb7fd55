import { equalBytes } from '../domain/bytes.js';
import type { Coin, OwnOrigin } from '../domain/coin.js';
import type { Snapshot } from './snapshot-types.js';

/**
 * What an earlier import proved: every coin derived from the descriptor, every previous transaction hashed and compared. It
 * is proven no better than the bytes of that snapshot are vouched for, so it is made of one that the journal names.
 *
 * A coin that a batch spends is derived again whatever stands here: where its PSBT is built, judged, signed and finalised.
 */
export interface ProvenCoins {
  /** The coin as it stood there, if it had this value, this script and this place. */
  find(coin: Pick<Coin, 'outpoint' | 'value' | 'script'>, place: OwnOrigin): Coin | null;
  /** Whether these bytes are the transaction that stood there under that txid. */
  hasBytes(txid: string, bytes: Uint8Array): boolean;
}

export function provenCoins(known: Snapshot | null): ProvenCoins {
  // By txid and number, so that no outpoint is put together only to be looked up.
  const coins = new Map<string, Map<number, Coin>>();
  for (const coin of known?.coins ?? []) {
    const { txid, vout } = coin.outpoint;
    const outputs = coins.get(txid) ?? new Map<number, Coin>();
    coins.set(txid, outputs.set(vout, coin));
  }
  return {
    find({ outpoint, value, script }, { branch, index }) {
      const before = coins.get(outpoint.txid)?.get(outpoint.vout);
      if (before?.value !== value || before.origin.branch !== branch || before.origin.index !== index) return null;
      return equalBytes(before.script, script) ? before : null;
    },
    hasBytes(txid, bytes) {
      const before = known?.previous.get(txid);
      return before !== undefined && equalBytes(before, bytes);
    },
  };
}

/** Whether nothing about a coin is new but how deep it lies. */
export function isProven(coin: Coin, before: ProvenCoins): boolean {
  return before.find(coin, coin.origin)?.coinbase === coin.coinbase;
}
