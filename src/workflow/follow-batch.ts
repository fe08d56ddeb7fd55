import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import { familyOf } from '../journal/rivals.js';
import type { BatchRecord, BatchState } from '../journal/state.js';
import type { ChainBackend, TransactionStatus } from '../vault/chain.js';
import { signedTransaction } from './broadcast-batch.js';
import { CONFIRMED_DEPTH } from './chain-spends.js';
import { checkNetwork } from './chain-views.js';
import type { Desk } from './ports.js';

export interface Followed {
  readonly batch: string;
  readonly state: BatchState;
  readonly txid: Hex;
  readonly views: readonly FollowedView[];
  /** Every back end has buried it deep enough. */
  readonly buried: boolean;
  /** The batch that is buried in its place, as every back end has it; null for none. */
  readonly lostTo: string | null;
  /** Since when it waits, where it waits for so long that somebody should do something; else null. */
  readonly stuckSince: UnixSeconds | null;
}

export interface FollowedView {
  readonly name: string;
  readonly status: TransactionStatus;
  readonly confirmations: number;
}

/** A day without a block that holds it: fees have risen above it, or it was forgotten. */
const STUCK_AFTER = 86_400;

/** What each back end says of a signed transaction, and of those that compete with it. It only asks. */
export async function followBatch(
  desk: Desk,
  backends: readonly ChainBackend[],
  id: string,
): Promise<Result<Followed, Fault>> {
  const signed = await signedTransaction(desk, id);
  if (!signed.ok) return signed;
  const { batch, txid } = signed.value;
  const views: FollowedView[] = [];
  for (const backend of backends) {
    const right = await checkNetwork(backend, desk.config.network);
    if (!right.ok) return right;
    const tip = await backend.tip();
    if (!tip.ok) return tip;
    const status = await backend.status(txid, batch.plannedHeight);
    if (!status.ok) return status;
    const height = status.value.state === 'confirmed' ? status.value.height : null;
    views.push({
      name: backend.name,
      status: status.value,
      confirmations: height === null ? 0 : Math.max(0, tip.value.height - height + 1),
    });
  }
  const waiting = views.every(({ status }) => status.state !== 'confirmed');
  const since = batch.broadcastAt;
  const lostTo = await buriedRival(desk, batch, backends);
  if (!lostTo.ok) return lostTo;
  return ok({
    lostTo: lostTo.value,
    batch: id,
    state: batch.state,
    txid,
    views,
    buried: views.length > 0 && views.every(({ confirmations }) => confirmations >= CONFIRMED_DEPTH),
    stuckSince: waiting && since !== null && desk.ports.clock() - since >= STUCK_AFTER ? since : null,
  });
}

/** Of the batches that take its place, or whose place it takes, the one that every back end has buried. */
async function buriedRival(
  desk: Desk,
  batch: BatchRecord,
  backends: readonly ChainBackend[],
): Promise<Result<string | null, Fault>> {
  const read = await desk.journal.read();
  if (!read.ok) return read;
  for (const { id, signed, plannedHeight } of familyOf(read.value.batches, batch)) {
    if (id === batch.id || signed === null) continue;
    let depth = Number.POSITIVE_INFINITY;
    for (const backend of backends) {
      const [tip, status] = [await backend.tip(), await backend.status(signed.txid, plannedHeight)];
      if (!tip.ok) return tip;
      if (!status.ok) return status;
      const { value } = status;
      depth = Math.min(depth, value.state === 'confirmed' ? tip.value.height - value.height + 1 : 0);
    }
    if (depth >= CONFIRMED_DEPTH) return ok(id);
  }
  return ok(null);
}
