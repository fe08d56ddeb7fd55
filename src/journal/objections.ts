import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { EntryBody } from './entries.js';
import type { BatchRecord } from './state.js';

type ObjectionBody = Extract<EntryBody, { kind: 'batch.rejected' | 'batch.withdrawn' }>;

const NOTHING: Result<void, Fault> = ok(undefined);

/** Who rejects does so once; who takes an approval back has one that stands. */
export function judgeObjection(
  batch: BatchRecord,
  { kind, person }: ObjectionBody,
  at: UnixSeconds,
): Result<void, Fault> {
  if (kind === 'batch.rejected') {
    if (!batch.objections.some((one) => one.kind === 'rejected' && one.person === person)) return NOTHING;
    return fail('E_BATCH_STATE', `${person} has rejected batch ${batch.id} already`, {
      remedy: 'it stays rejected: abandon it, and plan its withdrawals anew if they are still wanted',
    });
  }
  if (batch.approvals.some((one) => one.person === person && one.validUntil > at)) return NOTHING;
  return fail('E_BATCH_STATE', `${person} has no approval of batch ${batch.id} that could be taken back`, {
    remedy: `to speak against a batch that one has not approved: countersign batch reject ${batch.id}`,
  });
}

/** What one person said against a batch outweighs every approval, those that come later too. */
export function noObjection({ id, objections }: BatchRecord): Result<void, Fault> {
  const [first] = objections;
  if (first === undefined) return NOTHING;
  const what = first.kind === 'rejected' ? 'rejected it' : 'withdrew an approval of it';
  return fail('E_DENIED', `batch ${id} cannot go on: ${first.person} ${what} at ${formatTime(first.at)}`, {
    remedy: `abandon it, and plan its withdrawals anew if they are still wanted: countersign batch abandon ${id}`,
  });
}
