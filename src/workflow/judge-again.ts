import { equalBytes, type Hex, utf8 } from '../domain/bytes.js';
import { jsonDifference, ownValue, parsedJson } from '../domain/json-difference.js';
import { err, ok, type Result } from '../domain/result.js';
import { parseTime, type UnixSeconds } from '../domain/time.js';
import type { Entry } from '../journal/entries.js';
import type { BatchRecord } from '../journal/state.js';
import type { Approval, LoadedPolicy, Verdict } from '../policy/types.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { type ApprovalScene, proveApproval } from './approvals.js';
import type { Assessment } from './assess.js';
import type { DocumentAudit } from './audit-documents.js';
import type { Body, Problem } from './audit-problem.js';
import type { Examined, Past } from './past.js';
import type { Desk } from './ports.js';

/** A verdict of the journal beside the one that comes out now, from the same bytes by the policy of its moment. */
export interface JudgedAgain {
  /** The canonical verdict that the journal keeps, and what it says. */
  readonly kept: Uint8Array;
  readonly said: unknown;
  readonly judgedAt: UnixSeconds;
  readonly policy: LoadedPolicy;
  readonly assessment: Assessment;
}

/** Judges the verdict of an entry again, in the state before it; in words where it cannot be judged at all. */
export async function judgeAgain(
  { journal }: Pick<Desk, 'journal'>,
  past: Past,
  documents: DocumentAudit,
  entry: Entry,
  body: Body<'batch.verdict'>,
  batch: BatchRecord,
): Promise<Result<JudgedAgain, string>> {
  const kept = await journal.blob(body.verdict);
  if (!kept.ok) return err(kept.error.message);
  const said = parsedJson(kept.value);
  const judgedAt = timeOf(ownValue(said, 'evaluated_at')) ?? secondsOf(entry.at);
  const policy = documents.policyFor(null, judgedAt);
  if (policy === null) return err('it was judged before any policy was in force');
  const examined = await past.examine(batch, body.stage, policy);
  if (!examined.ok) return err(examined.error.message);
  const approvals = body.stage === 'plan' ? [] : await countedApprovals(journal, past, batch, examined.value);
  const assessment = past.judge(examined.value, approvals, clockOf(said, judgedAt));
  return ok({ kept: kept.value, said, judgedAt, policy, assessment });
}

/** The approvals that counted then: each proven as it is when a batch is signed. */
async function countedApprovals(
  journal: Desk['journal'],
  past: Past,
  batch: BatchRecord,
  examined: Examined,
): Promise<readonly Approval[]> {
  const scene = sceneOf(batch, examined, past.state.book?.digest ?? null);
  const valid: Approval[] = [];
  for (const record of batch.approvals) {
    const statement = await journal.blob(record.statement);
    const proven = statement.ok ? proveApproval(scene, record, statement.value) : statement;
    if (proven.ok) valid.push(proven.value);
  }
  return valid;
}

function sceneOf(batch: BatchRecord, { deriver, policy, decoded, facts }: Examined, book: Hex | null): ApprovalScene {
  return { vault: deriver.vault, policy, book, batch, decoded, facts };
}

/** The verdict that the journal keeps has to be the one that comes out now, byte for byte. */
export function verdictDifference({ kept, said, assessment: { verdict } }: JudgedAgain): Problem {
  const text = canonicalVerdict(verdict);
  if (equalBytes(kept, utf8(text))) return null;
  const due: unknown = JSON.parse(text);
  if (ownValue(said, 'schema') !== ownValue(due, 'schema'))
    return `what it keeps is no verdict; due is ${rulingOf(verdict)}`;
  const difference = jsonDifference(said, due);
  if (difference === null) return 'its verdict says the right things but is not written in canonical form';
  const { path, found, due: again } = difference;
  return `its verdict does not come out again: ${path} is ${found}, and now ${again}; due is ${rulingOf(verdict)}`;
}

export function rulingOf({ decision, findings }: Verdict): string {
  const codes = findings.filter(({ outcome }) => outcome === 'deny' || outcome === 'need').map(({ code }) => code);
  return [decision, ...new Set(codes)].join(' ');
}

/**
 * What the clock showed: a verdict is given as of the newest entry where the clock is behind it, and says by how much. A
 * false answer comes out as another verdict.
 */
function clockOf(said: unknown, judgedAt: UnixSeconds): UnixSeconds {
  const findings = ownValue(said, 'findings');
  const finding = Array.isArray(findings) ? findings.find((one) => ownValue(one, 'code') === 'CLOCK_BACK') : undefined;
  const behind = ownValue(finding, 'measured');
  return typeof behind === 'string' && /^[0-9]{1,9}$/.test(behind) ? judgedAt - Number(behind) : judgedAt;
}

const timeOf = (value: unknown): UnixSeconds | null => (typeof value === 'string' ? parseTime(value) : null);

export function secondsOf(text: string): UnixSeconds {
  const seconds = parseTime(text);
  if (seconds === null) throw new Error(`the entry was not checked: ${text} is not a time`);
  return seconds;
}
