import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { UnixSeconds } from '../domain/time.js';
import type { BatchState } from '../journal/state.js';
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

/** What each back end says of a signed transaction. It only asks; `chain sync` and `coins import` settle batches. */
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
  return ok({
    batch: id,
    state: batch.state,
    txid,
    views,
    buried: views.length > 0 && views.every(({ confirmations }) => confirmations >= CONFIRMED_DEPTH),
    stuckSince: waiting && since !== null && desk.ports.clock() - since >= STUCK_AFTER ? since : null,
  });
}
