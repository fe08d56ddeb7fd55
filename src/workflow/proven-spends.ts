import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { formatOutpoint, type Outpoint } from '../domain/outpoint.js';
import { ok, type Result } from '../domain/result.js';
import type { Journal } from '../journal/port.js';
import type { BatchRecord } from '../journal/state.js';
import { nextState } from '../journal/transitions.js';
import { decodePsbt } from '../psbt/decode.js';
import { isSignedByVault } from '../psbt/foreign-spend.js';
import { ownInputs } from '../psbt/own.js';
import { outpointOf, parseTransaction } from '../psbt/transaction.js';
import type { Prevout } from '../psbt/types.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import { type ChainSpends, isOf } from './chain-spends.js';

/** What the signatures of foreign transactions prove. Outpoints as "TXID:VOUT". */
export interface ProvenSpends {
  /** Coins of batches that the keys of the vault spent in a transaction that no batch is known to have, by its txid. */
  readonly proven: ReadonlyMap<string, Hex>;
  /** Coins of which the snapshot says the same, and no signature proves it. */
  readonly doubtful: readonly { readonly batch: string; readonly outpoint: string; readonly txid: Hex }[];
}

/**
 * Of the spends that a snapshot shows of the coins of these batches, those by transactions that the keys of the vault
 * signed and that are not this journal's `own`. Whoever makes snapshots can make up a transaction and a block: what it says would free a budget, and let
 * the same withdrawals be paid again. A signature cannot be made up.
 */
export async function provenSpends(
  journal: Pick<Journal, 'blob'>,
  deriver: Deriver,
  batches: Iterable<BatchRecord>,
  own: ReadonlySet<Hex>,
  snapshot: Snapshot,
  spends: ChainSpends,
): Promise<Result<ProvenSpends, Fault>> {
  const proven = new Map<string, Hex>();
  const doubtful: ProvenSpends['doubtful'][number][] = [];
  for (const batch of batches) {
    if (nextState(batch.state, 'batch.conflicted') === null) continue;
    const foreign = batch.inputs.flatMap((outpoint) => {
      const spend = spends.spenders.get(outpoint);
      const isOwn = spend === undefined || own.has(spend.txid) || isOf(batch, spend.transaction);
      return isOwn ? [] : [{ outpoint, spend }];
    });
    if (foreign.length === 0) continue;
    const psbt = await journal.blob(batch.psbt);
    if (!psbt.ok) return psbt;
    const decoded = decodePsbt(psbt.value);
    const inputs = decoded.ok ? ownInputs(decoded.value, deriver) : decoded;
    if (!inputs.ok)
      return fail(inputs.error.tag, `the PSBT of batch ${batch.id}: ${inputs.error.message}`, inputs.error);
    const coins = new Map(batch.inputs.map((outpoint, index) => [outpoint, inputs.value[index]]));
    for (const { outpoint, spend } of foreign) {
      const coin = coins.get(outpoint);
      const bytes = snapshot.previous.get(spend.txid);
      if (coin === undefined || bytes === undefined) continue;
      const spent = spend.transaction.inputs.map(outpointOf);
      const index = spent.findIndex((one) => formatOutpoint(one) === outpoint);
      const prevouts = spent.map((one) => coins.get(formatOutpoint(one))?.prevout ?? prevoutIn(snapshot, one));
      const claim = { transaction: spend.transaction, bytes, index, coin, prevouts };
      if (isSignedByVault(claim, deriver.vault)) proven.set(outpoint, spend.txid);
      else doubtful.push({ batch: batch.id, outpoint, txid: spend.txid });
    }
  }
  return ok({ proven, doubtful });
}

/** The txids of all that this journal has signed. */
export function signedTxids(batches: Iterable<BatchRecord>): ReadonlySet<Hex> {
  return new Set([...batches].flatMap(({ signed }) => (signed === null ? [] : [signed.txid])));
}

/**
 * Of the proven spends, those that no batch of which a signature may exist can have made: somebody has the keys, and other
 * software.
 */
export function thefts(
  { proven }: Pick<ProvenSpends, 'proven'>,
  batches: Iterable<BatchRecord>,
  { spenders }: ChainSpends,
): readonly { readonly outpoint: string; readonly txid: Hex }[] {
  const open = [...batches].filter(({ state }) => nextState(state, 'batch.conflicted') !== null);
  return [...proven].flatMap(([outpoint, txid]) => {
    const spend = spenders.get(outpoint);
    return spend === undefined || open.some((batch) => isOf(batch, spend.transaction)) ? [] : [{ outpoint, txid }];
  });
}

/** The output that an outpoint names, where the snapshot has its transaction, which the txid proves. */
function prevoutIn({ previous }: Snapshot, { txid, vout }: Outpoint): Prevout | null {
  const bytes = previous.get(txid);
  const parsed = bytes === undefined ? null : parseTransaction(bytes);
  return parsed?.ok === true ? (parsed.value.outputs[vout] ?? null) : null;
}
