import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { EntryBody } from './entries.js';
import { type BatchesById, familyOf } from './rivals.js';
import type { SharedMap } from './shared-map.js';
import type { BatchRecord, BatchState } from './state.js';

const NOTHING: Result<void, Fault> = ok(undefined);

/** Of these a transaction may exist, and nothing has settled it. */
const OPEN: readonly BatchState[] = ['SENT', 'PARTIAL', 'UNKNOWN', 'SIGNED', 'BROADCAST'];

/** Of these it exists. */
const COMPLETE: readonly BatchState[] = ['SIGNED', 'BROADCAST'];

/** Whether a batch that is planned, or that goes on, fits the batches that it names. */
export function judgeTies(batches: BatchesById, batch: BatchRecord): Result<void, Fault> {
  const replaces = judgeReplacement(batches, batch);
  return replaces.ok ? judgeChild(batches, batch) : replaces;
}

/**
 * Whether it may take the place of the one that it names: it spends all coins of
 * that one for a higher fee, and makes the same payments or none. Only then does one of the two exclude the other, and
 * whoever is to be paid is paid once.
 */
function judgeReplacement(batches: BatchesById, batch: BatchRecord): Result<void, Fault> {
  if (batch.replaces === null) {
    return batch.kind === 'cancellation'
      ? wrong(batch, 'is a cancellation, and names no batch that it cancels')
      : NOTHING;
  }
  const original = batches.get(batch.replaces);
  if (original === undefined || original.id === batch.id)
    return wrong(batch, `replaces ${batch.replaces}, which is no batch`);
  const due = batch.kind === 'cancellation' ? OPEN : COMPLETE;
  if (!due.includes(original.state)) {
    return fail('E_BATCH_STATE', `batch ${batch.id} replaces batch ${original.id}, which is ${original.state}`, {
      remedy: `countersign batch show ${original.id} says what became of it; abandon ${batch.id}`,
    });
  }
  const inputs = new Set(batch.inputs);
  const left = original.inputs.find((outpoint) => !inputs.has(outpoint));
  if (left !== undefined)
    return wrong(batch, `replaces ${original.id}, and leaves its coin ${left}: both could confirm`);
  if (batch.fee <= original.fee) return wrong(batch, `replaces ${original.id} for no higher fee`);
  if (batch.kind === 'cancellation') {
    const cancels = original.kind === 'withdrawal' || original.kind === 'cancellation';
    return cancels ? NOTHING : wrong(batch, `cancels ${original.id}, which pays nobody`);
  }
  if (batch.kind !== original.kind || batch.childOf !== original.childOf) {
    return wrong(batch, `replaces ${original.id}, and is of another kind`);
  }
  if (paymentsOf(batch) === paymentsOf(original)) return NOTHING;
  return wrong(batch, `replaces ${original.id}, and does not pay the same`);
}

/** Whether a child spends change of a batch that is signed, and nothing else. */
function judgeChild(batches: BatchesById, batch: BatchRecord): Result<void, Fault> {
  if ((batch.kind === 'child') !== (batch.childOf !== null)) {
    return wrong(batch, 'is a child of no batch, or names one and is none');
  }
  const parent = batch.childOf === null ? undefined : batches.get(batch.childOf);
  if (batch.childOf === null) return NOTHING;
  const { signed = null } = parent ?? {};
  if (parent === undefined || signed === null || !COMPLETE.includes(parent.state)) {
    return fail(
      'E_BATCH_STATE',
      `batch ${batch.id} spends change of batch ${batch.childOf}, which is ${parent?.state ?? 'unknown'}`,
      {
        remedy: `abandon ${batch.id}: it helps a batch that is signed and waits for a block`,
      },
    );
  }
  const change = new Set(
    parent.outputs.flatMap((output, vout) => (output.change === null ? [] : [`${signed.txid}:${vout}`])),
  );
  const other = batch.inputs.find((outpoint) => !change.has(outpoint));
  return other === undefined ? NOTHING : wrong(batch, `spends ${other}, which is no change of batch ${parent.id}`);
}

/** Payments and requests in an order of their own. */
function paymentsOf({ outputs, requests }: BatchRecord): string {
  const paid = outputs.flatMap(({ script, amount, change }) => (change === null ? [`${script} ${amount}`] : []));
  return JSON.stringify([paid.sort(), requests.map(({ id }) => id).sort()]);
}

type SettlingBody = Extract<EntryBody, { kind: 'batch.replaced' | 'batch.conflicted' }>;

/** Whether a batch is settled by something that excludes it. What the chain says is the matter of the audit. */
export function judgeSettling(batches: BatchesById, batch: BatchRecord, body: SettlingBody): Result<void, Fault> {
  const parent = batch.childOf === null ? undefined : batches.get(batch.childOf);
  if (body.kind === 'batch.conflicted') {
    const isOwn = batch.inputs.includes(body.outpoint) && body.txid !== batch.signed?.txid;
    const isInherited = parent?.state === 'CONFLICTED' && parent.settled?.spent?.outpoint === body.outpoint;
    if (isOwn || isInherited) return NOTHING;
    return wrong(batch, `is in conflict about ${body.outpoint}, which neither it nor the batch before it spends`);
  }
  const by = batches.get(body.by);
  if (by?.state !== 'CONFIRMED') return wrong(batch, `is replaced by ${body.by}, which is not confirmed`);
  const inputs = new Set(by.inputs);
  const excludes = by.id !== batch.id && batch.inputs.some((outpoint) => inputs.has(outpoint));
  if (excludes || (parent?.state === 'REPLACED' && parent.settled?.by === by.id)) return NOTHING;
  return wrong(batch, `is replaced by ${by.id}, which spends none of its coins`);
}

type ChainBody = Extract<EntryBody, { kind: 'batch.broadcast' | 'batch.unconfirmed' | 'batch.confirmed' }>;

/**
 * What is said of a signed transaction has to be of the one that was signed. It is confirmed only where none is that
 * excludes it; and what it has settled counts again before it falls back, so that at no moment neither counts.
 */
export function judgeOnChain(
  batches: SharedMap<BatchRecord>,
  batch: BatchRecord,
  { kind, txid }: ChainBody,
): Result<void, Fault> {
  if (txid !== batch.signed?.txid) {
    return fail('E_JOURNAL_ENTRY', `${txid} is not the transaction that was signed for batch ${batch.id}`);
  }
  switch (kind) {
    case 'batch.broadcast':
      return NOTHING;
    case 'batch.confirmed': {
      const rivals = familyOf(batches, batch).filter(({ id }) => id !== batch.id);
      const other = rivals.find(({ state }) => state === 'CONFIRMED');
      if (other === undefined) return NOTHING;
      return wrong(batch, `is confirmed, and so is ${other.id}, which spends the same coins`);
    }
    case 'batch.unconfirmed': {
      const behind = [...batches.share().values()].find(
        ({ state, settled }) => state === 'REPLACED' && settled?.by === batch.id,
      );
      return behind === undefined ? NOTHING : wrong(batch, `falls back, and ${behind.id} is still replaced by it`);
    }
  }
}

function wrong({ id }: BatchRecord, problem: string): Result<never, Fault> {
  return fail('E_JOURNAL_ENTRY', `batch ${id} ${problem}`);
}
