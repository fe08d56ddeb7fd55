import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { parseTime, type UnixSeconds } from '../../domain/time.js';
import type { Entry } from '../../journal/entries.js';
import type { LoadedPolicy } from '../../policy/types.js';
import { readPolicyRecord } from '../active-policy.js';
import type { Desk } from '../ports.js';
import { type AuditReport, ReportFold } from './fold.js';

export interface MadeReport {
  readonly report: AuditReport;
  /** How far time had come: the end of the period, or the second behind this moment where that is not over. */
  readonly until: UnixSeconds;
  readonly isOver: boolean;
}

/**
 * Reads the journal from its first entry up to the end of a period, by default all of it, and computes the report. Needs no
 * vault, no workspace policy and nothing that a halt stops, and writes nothing. The faults of the journal, and
 * E_POLICY_INTEGRITY where the text of a policy can no longer be read.
 */
export async function makeReport(
  desk: Desk,
  { from, to }: { readonly from: UnixSeconds | null; readonly to: UnixSeconds | null },
  progress: (done: number) => void,
): Promise<Result<MadeReport, Fault>> {
  const known = await desk.journal.read();
  if (!known.ok) return known;
  const soon = Math.max(desk.ports.clock(), known.value.head?.at ?? 0) + 1;
  const isOver = to !== null && to <= soon;
  const until = isOver ? to : soon;
  const fold = new ReportFold({ from, to: to ?? soon }, desk.config.network);
  for await (const entry of desk.journal.entries()) {
    // Somebody else may write at this moment; that belongs to a report of a later one.
    if ((parseTime(entry.at) ?? until) >= until) break;
    const policy = await policyOf(desk, entry);
    if (!policy.ok) return policy;
    const taken = fold.take(entry, policy.value);
    if (!taken.ok) return taken;
    progress(entry.seq + 1);
  }
  return ok({ report: fold.finish(until), until, isOver });
}

async function policyOf(desk: Desk, { body }: Entry): Promise<Result<LoadedPolicy | null, Fault>> {
  if (body.kind !== 'policy.activated') return ok(null);
  const { digest, version, document, effectiveAt } = body;
  return readPolicyRecord(desk, { digest, version, document, effectiveAt: parseTime(effectiveAt) ?? 0 });
}
