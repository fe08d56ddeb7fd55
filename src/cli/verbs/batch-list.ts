import { ok } from '../../domain/result.js';
import { formatBtc } from '../../domain/sats.js';
import { formatTime, type UnixSeconds } from '../../domain/time.js';
import type { BatchRecord } from '../../journal/state.js';
import { listBatches } from '../../workflow/batches.js';
import type { Verb } from '../command.js';
import { table } from '../render/table.js';
import { printable } from '../render/text.js';
import { withWorkspace } from '../with-workspace.js';

/** A batch that was sent and has no answer in the journal: another terminal is signing it, or was killed. */
export const UNANSWERED = 'no answer is recorded, so it counts as UNKNOWN';

function stateNote({ state, reason, approvals, objections, childOf }: BatchRecord, now: UnixSeconds): string {
  if (state === 'SENT') return UNANSWERED;
  const [against] = objections;
  if (against !== undefined && state !== 'ABANDONED') {
    return against.kind === 'rejected' ? `rejected by ${against.person}` : `approval withdrawn by ${against.person}`;
  }
  if (reason !== null) return printable(reason);
  if (childOf !== null) return `child of ${childOf}`;
  const people = approvals.filter(({ validUntil }) => validUntil > now).map(({ person }) => person);
  return state === 'DRAFT' && people.length > 0 ? `approved by ${people.join(', ')}` : '';
}

/** The batches that a batch is tied to, as far as there are any. */
export function tiesData({ replaces, replacedBy, childOf }: BatchRecord): Record<string, string> {
  return {
    ...(replaces === null ? {} : { replaces }),
    ...(replacedBy === null ? {} : { replaced_by: replacedBy }),
    ...(childOf === null ? {} : { child_of: childOf }),
  };
}

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const listed = await listBatches(desk);
    if (!listed.ok) return listed;
    const rows = listed.value.map((batch) => [
      batch.id,
      batch.state,
      formatTime(batch.plannedAt),
      batch.initiator,
      batch.kind === 'withdrawal' ? `${batch.requests.length}` : batch.kind,
      `${batch.spend}`,
      formatBtc(batch.spend),
      batch.replaces ?? '',
      batch.signed?.txid ?? stateNote(batch, context.compose.clock()),
    ]);
    const columns = [
      { title: 'batch' },
      { title: 'state' },
      { title: 'planned' },
      { title: 'by' },
      { title: 'requests', align: 'right' as const },
      { title: 'sat', align: 'right' as const },
      { title: 'BTC', align: 'right' as const },
      { title: 'replaces' },
      { title: 'txid, reason or approvals' },
    ];
    return ok({
      schema: 'countersign.batch-list/1',
      exit: 'OK',
      data: {
        batches: listed.value.map((batch) => ({
          id: batch.id,
          kind: batch.kind,
          state: batch.state,
          planned_at: formatTime(batch.plannedAt),
          initiator: batch.initiator,
          requests: batch.requests.length,
          spend: batch.spend,
          fee: batch.fee,
          ...tiesData(batch),
          ...(batch.signed === null ? {} : { txid: batch.signed.txid }),
          ...(batch.reason === null ? {} : { reason: batch.reason }),
        })),
      },
      text: listed.value.length === 0 ? ['No batches yet.'] : table(columns, rows, context.style),
    });
  });
