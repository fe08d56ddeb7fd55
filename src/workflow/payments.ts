import { formatTime, type UnixSeconds } from '../domain/time.js';
import type { RequestRecord } from '../journal/entries.js';
import type { BatchRecord, JournalState } from '../journal/state.js';

/** One requested payment with what became of it, in words that need no journal. */
export interface PaymentRow {
  readonly request: string;
  /** What the address book of now calls it. */
  readonly destination: string;
  readonly address: string;
  /** In sats. */
  readonly amount: string;
  readonly label: string;
  readonly reference: string;
  readonly batch: string;
  readonly state: string;
  readonly plannedAt: string;
  readonly initiator: string;
  readonly approvers: readonly string[];
  readonly signedAt: string;
  readonly txid: string;
  readonly confirmedHeight: string;
}

/** Every payment that was planned in a period, in the order of the journal; `to` is not in it. */
export function paymentsOf(
  { batches }: JournalState,
  nameOf: (request: RequestRecord) => string,
  from: UnixSeconds | null,
  to: UnixSeconds | null,
): readonly PaymentRow[] {
  return [...batches.values()]
    .filter(({ plannedAt }) => (from === null || plannedAt >= from) && (to === null || plannedAt < to))
    .sort((a, b) => a.plannedSeq - b.plannedSeq)
    .flatMap((batch) => rowsOf(batch, nameOf));
}

function rowsOf(batch: BatchRecord, nameOf: (request: RequestRecord) => string): PaymentRow[] {
  return batch.requests.map((request) => ({
    request: request.id,
    destination: nameOf(request),
    address: request.address,
    amount: request.amount,
    label: request.label ?? '',
    reference: request.reference ?? '',
    batch: batch.id,
    state: batch.state,
    plannedAt: formatTime(batch.plannedAt),
    initiator: batch.initiator,
    approvers: batch.approvals.map(({ person }) => person),
    signedAt: batch.signed === null ? '' : formatTime(batch.signed.at),
    txid: batch.signed?.txid ?? '',
    confirmedHeight: batch.confirmed === null ? '' : batch.confirmed.height.toString(),
  }));
}
