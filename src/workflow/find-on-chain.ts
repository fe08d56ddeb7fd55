import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { JournalState } from '../journal/state.js';
import { completeFrom } from '../psbt/completed.js';
import type { FinalTransaction } from '../psbt/types.js';
import type { Snapshot } from '../vault/snapshot-types.js';
import type { Deriver } from '../vault/types.js';
import { type ChainSpends, chainSpends, isOf } from './chain-spends.js';
import type { Desk } from './ports.js';
import { type ProvenSpends, provenSpends, signedTxids, thefts } from './proven-spends.js';

/** Signed transactions that the chain showed of batches for which the journal has none, by batch. */
export type FoundOnChain = ReadonlyMap<
  string,
  { readonly psbt: Hex; readonly final: FinalTransaction; readonly signatures: number }
>;

/**
 * Looks for the transactions of batches of which a signature may exist (after a crash, on another machine) among those that
 * a snapshot brings along, and proves their signatures as a device's are proven. One that cannot be proven is not taken: its
 * batch goes on counting.
 */
async function findOnChain(
  desk: Desk,
  { state, deriver }: { readonly state: JournalState; readonly deriver: Deriver },
  { spenders }: ChainSpends,
): Promise<Result<FoundOnChain, Fault>> {
  const found = new Map<string, { psbt: Hex; final: FinalTransaction; signatures: number }>();
  for (const batch of state.batches.values()) {
    const spend = batch.signed === null ? spenders.get(batch.inputs[0] ?? '') : undefined;
    if (spend === undefined || !isOf(batch, spend.transaction)) continue;
    const psbt = await desk.journal.blob(batch.psbt);
    if (!psbt.ok) return psbt;
    const completed = completeFrom(psbt.value, spend.transaction, deriver);
    if (completed.ok) found.set(batch.id, { psbt: batch.psbt, ...completed.value });
  }
  return ok(found);
}

/** What the signatures of the transactions that a snapshot brings along prove. */
export interface ShownOnChain extends ProvenSpends {
  readonly found: FoundOnChain;
  /** Coins that the vault's keys spent past this journal, in the mempool or in a block, by the transaction of that txid. */
  readonly stolen: readonly { readonly outpoint: string; readonly txid: Hex }[];
}

export async function shownOnChain(
  desk: Desk,
  open: { readonly state: JournalState; readonly deriver: Deriver },
  snapshot: Snapshot,
): Promise<Result<ShownOnChain, Fault>> {
  const { state, deriver } = open;
  const spends = chainSpends(snapshot, state.batches);
  const found = await findOnChain(desk, open, spends);
  if (!found.ok) return found;
  const batches = [...state.batches.values()];
  const proven = await provenSpends(desk.journal, deriver, batches, signedTxids(batches), snapshot, spends);
  if (!proven.ok) return proven;
  return ok({ found: found.value, ...proven.value, stolen: thefts(proven.value, batches, spends) });
}
