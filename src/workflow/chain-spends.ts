import { type Hex, toHex } from '../domain/bytes.js';
import { formatOutpoint } from '../domain/outpoint.js';
import type { UnixSeconds } from '../domain/time.js';
import type { BatchRecord } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { outpointOf, parseTransaction, type Transaction, txidOf } from '../psbt/transaction.js';
import type { Snapshot } from '../vault/snapshot-types.js';

/** A transaction that spends coins of batches, as a snapshot brings it along. */
export interface ChainSpend {
  readonly txid: Hex;
  readonly transaction: Transaction;
  /** Its block; null while it waits for one. */
  readonly block: { readonly height: number; readonly time: UnixSeconds } | null;
}

/** What a snapshot says of the coins of batches, by "TXID:VOUT". */
export interface ChainSpends {
  /** Every coin that it lists. */
  readonly unspent: ReadonlySet<string>;
  /** Who spends coins of undecided batches, as far as the transactions stand in it. */
  readonly spenders: ReadonlyMap<string, ChainSpend>;
  /** Coins that batches spend whose transactions it has in a block, with the batch. */
  readonly buried: ReadonlyMap<string, BatchRecord>;
}

type Batches = ReadonlyMap<string, BatchRecord>;

/** From this depth on a spend counts from its block's time, and what it excludes is settled. */
export const CONFIRMED_DEPTH = 6;

/** Whether the chain can still change what is known of a batch: it is open, or settled, or confirmed and not for long. */
export function isUndecided({ state, confirmed, settled }: BatchRecord, tipHeight: number, batches: Batches): boolean {
  const winner = settled === null ? undefined : batches.get(settled.by)?.confirmed;
  const height = confirmed?.height ?? settled?.spent?.height ?? winner?.height ?? tipHeight;
  const isSettled = state === 'CONFIRMED' || state === 'REPLACED' || state === 'CONFLICTED';
  return nextState(state, 'batch.replaced') !== null || (isSettled && height > tipHeight - REORG_DEPTH);
}

/**
 * Coins, by "TXID:VOUT", of every batch of which a signature may exist and that is not settled: its transaction may wait for a
 * block somewhere and be unknown elsewhere.
 */
export function leavingCoins({ batches }: { readonly batches: Batches }): ReadonlySet<string> {
  const open = [...batches.values()].filter(({ state }) => nextState(state, 'batch.replaced') !== null);
  return new Set(open.flatMap(({ inputs }) => inputs));
}

/** No reorganisation of the main chain has been deeper than this since 2013; a coinbase waits as long (COINBASE_MATURITY). */
export const REORG_DEPTH = 100;

/**
 * What a snapshot says of the coins of batches, looked up once for all of them. Who spends one is known as far as it brings
 * that transaction along: it stands among its previous transactions, which their txids prove, and its block among the
 * confirmed ones.
 */
export function chainSpends(snapshot: Snapshot, batches: Batches): ChainSpends {
  const unspent = outpointsOf(snapshot);
  const buried = new Map<string, BatchRecord>();
  for (const batch of batches.values()) {
    if (batch.signed === null || !snapshot.confirmed.has(batch.signed.txid)) continue;
    for (const input of batch.inputs) buried.set(input, batch);
  }
  return { unspent, spenders: spendersOf(snapshot, batches, unspent), buried };
}

/** Every coin that a snapshot lists. */
export function outpointsOf({ coins }: Pick<Snapshot, 'coins'>): ReadonlySet<string> {
  return new Set(coins.map(({ outpoint }) => formatOutpoint(outpoint)));
}

function spendersOf(
  snapshot: Snapshot,
  batches: Batches,
  unspent: ReadonlySet<string>,
): ReadonlyMap<string, ChainSpend> {
  const wanted = new Set<string>();
  for (const batch of batches.values()) {
    if (!isUndecided(batch, snapshot.tip.height, batches)) continue;
    // A coin that is listed may be spent by what waits for a block, and be the first sign of a signature.
    for (const input of batch.inputs) if (batch.signed === null || !unspent.has(input)) wanted.add(input);
  }
  const found = new Map<string, ChainSpend>();
  if (wanted.size === 0) return found;
  for (const [txid, bytes] of snapshot.previous) {
    const parsed = parseTransaction(bytes);
    if (!parsed.ok || txidOf(parsed.value) !== txid) continue;
    for (const input of parsed.value.inputs) {
      const outpoint = formatOutpoint(outpointOf(input));
      if (!wanted.has(outpoint)) continue;
      const other = found.get(outpoint);
      // Where a snapshot names two, the one in a block is the one that counts.
      if (other?.block != null) continue;
      found.set(outpoint, { txid, transaction: parsed.value, block: snapshot.confirmed.get(txid) ?? null });
    }
  }
  return found;
}

export interface Conflict {
  readonly txid: Hex;
  readonly outpoint: string;
  readonly height: number;
}

/**
 * The foreign transaction that a batch lost a coin to for good, or null. One coin is enough where the batch's transaction is
 * known, since that spends them all. Where only signatures may exist, all coins have to be gone: nobody knows what they are
 * over. A child loses with its parent. Of the spends only those count that the vault's keys are `proven` to have signed: one
 * that was made up would free the batch's budget and its requests.
 */
export function conflictOf(
  batch: BatchRecord,
  snapshot: Snapshot,
  spends: ChainSpends,
  batches: Batches,
  proven: ReadonlyMap<string, Hex>,
): Conflict | null {
  const parent = batch.childOf === null ? undefined : batches.get(batch.childOf);
  if (parent?.state === 'CONFLICTED' && parent.settled?.spent != null) {
    return { txid: parent.settled.by, ...parent.settled.spent };
  }
  const taken = batch.inputs.flatMap((outpoint): Conflict[] => {
    const spend = spends.spenders.get(outpoint);
    if (spend?.block == null || !proven.has(outpoint) || isOf(batch, spend.transaction)) return [];
    const { height } = spend.block;
    return snapshot.tip.height - height + 1 < CONFIRMED_DEPTH ? [] : [{ txid: spend.txid, outpoint, height }];
  });
  if (taken.length === 0) return null;
  const own = new Set([...batches.values()].flatMap(({ signed }) => (signed === null ? [] : [signed.txid])));
  const lost = taken.filter(({ txid }) => !own.has(txid));
  const [first] = lost;
  return first !== undefined && (batch.signed !== null || lost.length === batch.inputs.length) ? first : null;
}

/** Whether a transaction spends and pays what a batch was planned to: it is that batch's own, whoever has its signatures. */
export function isOf({ inputs, outputs }: BatchRecord, transaction: Transaction): boolean {
  const spent = transaction.inputs.map((input) => formatOutpoint(outpointOf(input)));
  const paid = transaction.outputs.map(({ script, value }) => `${toHex(script)} ${value}`);
  const due = outputs.map(({ script, amount }) => `${script} ${amount}`);
  return spent.join() === inputs.join() && paid.join() === due.join();
}
