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
  /** Coins of batches that somebody spent past this journal, with the keys of the vault. */
  readonly proven: ReadonlySet<string>;
  /** Coins of which the snapshot says the same, and no signature proves it. */
  readonly doubtful: readonly { readonly batch: string; readonly outpoint: string; readonly txid: Hex }[];
}

/**
 * Of the spends that a snapshot shows of the coins of these batches, those by transactions in a block that the keys of the
 * vault signed. Whoever makes snapshots can make up a transaction and a block: what it says would free a budget, and let
 * the same withdrawals be paid again. A signature cannot be made up.
 */
export async function provenSpends(
  journal: Pick<Journal, 'blob'>,
  deriver: Deriver,
  batches: Iterable<BatchRecord>,
  snapshot: Snapshot,
  spends: ChainSpends,
): Promise<Result<ProvenSpends, Fault>> {
  const proven = new Set<string>();
  const doubtful: ProvenSpends['doubtful'][number][] = [];
  for (const batch of batches) {
    if (nextState(batch.state, 'batch.conflicted') === null) continue;
    const foreign = batch.inputs.flatMap((outpoint) => {
      const spend = spends.spenders.get(outpoint);
      return spend?.block == null || isOf(batch, spend.transaction) ? [] : [{ outpoint, spend }];
    });
    if (foreign.length === 0) continue;
    const psbt = await journal.blob(batch.psbt);
    if (!psbt.ok) return psbt;
    const decoded = decodePsbt(psbt.value);
    const own = decoded.ok ? ownInputs(decoded.value, deriver) : decoded;
    if (!own.ok) return fail(own.error.tag, `the PSBT of batch ${batch.id}: ${own.error.message}`, own.error);
    const coins = new Map(batch.inputs.map((outpoint, index) => [outpoint, own.value[index]]));
    for (const { outpoint, spend } of foreign) {
      const coin = coins.get(outpoint);
      const bytes = snapshot.previous.get(spend.txid);
      if (coin === undefined || bytes === undefined) continue;
      const spent = spend.transaction.inputs.map(outpointOf);
      const index = spent.findIndex((one) => formatOutpoint(one) === outpoint);
      const prevouts = spent.map((one) => coins.get(formatOutpoint(one))?.prevout ?? prevoutIn(snapshot, one));
      const claim = { transaction: spend.transaction, bytes, index, coin, prevouts };
      if (isSignedByVault(claim, deriver.vault)) proven.add(outpoint);
      else doubtful.push({ batch: batch.id, outpoint, txid: spend.txid });
    }
  }
  return ok({ proven, doubtful });
}

/** The output that an outpoint names, where the snapshot has its transaction, which the txid proves. */
function prevoutIn({ previous }: Snapshot, { txid, vout }: Outpoint): Prevout | null {
  const bytes = previous.get(txid);
  const parsed = bytes === undefined ? null : parseTransaction(bytes);
  return parsed?.ok === true ? (parsed.value.outputs[vout] ?? null) : null;
}
