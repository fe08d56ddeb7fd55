import { parseTime } from '../../../src/domain/time.js';
import type { Entry } from '../../../src/journal/entries.js';
import { type AuditReport, ReportFold } from '../../../src/workflow/report/fold.js';
import { START } from '../../journal/chains.js';
import { loaded, type PolicyChange } from '../../policy/fixture-policy.js';

/** Behind whatever these tests write. */
export const FAR = START + 400_000;

/** The report as the reading part makes it: every entry before the end, and the policy with the entry that names it. */
export function reportOf(
  entries: readonly Entry[],
  from: number | null = null,
  to: number = FAR,
  change: PolicyChange = {},
): AuditReport {
  const fold = new ReportFold({ from, to }, 'regtest');
  for (const entry of entries) {
    if (secondsOf(entry) >= to) break;
    const { body } = entry;
    const taken = fold.take(
      entry,
      body.kind === 'policy.activated' ? loaded({ ...change, version: body.version }) : null,
    );
    if (!taken.ok) throw new Error(taken.error.message);
  }
  return fold.finish(to);
}

const secondsOf = (entry: Entry): number => parseTime(entry.at) ?? Number.NaN;
