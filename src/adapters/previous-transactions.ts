import { Transaction } from 'bitcoinjs-lib';
import { equalBytes } from '../domain/bytes.js';
import type { Coin } from '../domain/coin.js';
import { type Fault, fail, type SourcePosition } from '../domain/fault.js';
import { formatOutpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import { isProven, type ProvenCoins } from '../vault/proven-coins.js';
import type { Vault } from '../vault/types.js';
import { isTransaction } from './transaction-id.js';

/** Where in its document things stand, for complaints. */
export interface SnapshotPlaces {
  /** Of the coin with that number: "coins[3]" and its line. */
  readonly coin: (index: number) => { readonly path: string; readonly where: SourcePosition };
  readonly previous: (txid: string) => SourcePosition;
  /** The field that holds all previous transactions. */
  readonly all: SourcePosition;
}

/** Coins named in one message; the rest is counted. */
const NAMED = 5;

/**
 * Holds previous transactions against their txids and against the coins that they made. A Ledger takes the amounts of inputs
 * before taproot from these transactions alone, so such a vault needs one for every coin; a taproot signature commits to
 * the amounts itself (BIP341).
 */
export function checkPrevious(
  coins: readonly Coin[],
  previous: ReadonlyMap<string, Uint8Array>,
  vault: Vault,
  before: ProvenCoins,
  places: SnapshotPlaces,
): Result<void, Fault> {
  const missing = coins.filter(({ outpoint }) => !previous.has(outpoint.txid));
  if (vault.kind !== 'tr' && missing.length > 0) return missingFault(missing, places.all);

  // What was hashed before is decoded only where a coin that is new rests on it.
  const needed = new Set(coins.flatMap((coin) => (isProven(coin, before) ? [] : [coin.outpoint.txid])));
  const decoded = new Map<string, Transaction>();
  for (const [txid, bytes] of previous) {
    if (!needed.has(txid) && before.hasBytes(txid, bytes)) continue;
    const transaction = decodePrevious(bytes, txid);
    if (transaction === null) {
      return fail('E_PREVTX_MISMATCH', `previous_transactions.${txid}: the bytes are not that transaction`, {
        remedy: `fetch it again: bitcoin-cli getrawtransaction ${txid}`,
        where: places.previous(txid),
      });
    }
    decoded.set(txid, transaction);
  }
  for (const [index, coin] of coins.entries()) {
    const transaction = decoded.get(coin.outpoint.txid);
    const output = transaction?.outs[coin.outpoint.vout];
    const agrees = output?.value === coin.value && equalBytes(output.script, coin.script);
    const coinbase = transaction?.isCoinbase() ?? coin.coinbase;
    if (transaction === undefined || (agrees && coinbase === coin.coinbase)) continue;
    const { path, where } = places.coin(index);
    const contradiction =
      output === undefined
        ? `its previous transaction has ${transaction.outs.length} outputs`
        : agrees
          ? `its previous transaction is ${coinbase ? 'a' : 'no'} coinbase`
          : 'its previous transaction gives it another value or script';
    return fail('E_PREVTX_MISMATCH', `${path}: ${formatOutpoint(coin.outpoint)} is misstated: ${contradiction}`, {
      remedy: 'take the snapshot again, and ask how it came to be wrong',
      where,
    });
  }
  return ok(undefined);
}

function missingFault(missing: readonly Coin[], where: SourcePosition): Result<never, Fault> {
  const names = missing.slice(0, NAMED).map(({ outpoint }) => formatOutpoint(outpoint));
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  return fail('E_PREVTX_MISSING', `no previous transaction is given for ${names.join(', ')}${more}`, {
    remedy:
      'add it to previous_transactions (bitcoin-cli getrawtransaction TXID): the device takes the amount of the coin from it',
    where,
  });
}

/** Null where the bytes are not the transaction of that txid in its one form. */
export function decodePrevious(bytes: Uint8Array, txid: string): Transaction | null {
  let transaction: Transaction;
  try {
    transaction = Transaction.fromBuffer(bytes);
  } catch {
    // The library has no other way of saying that bytes are not a transaction.
    return null;
  }
  return isTransaction(bytes, transaction, txid) ? transaction : null;
}
