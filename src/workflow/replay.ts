import { type Fault, fail, fault } from '../domain/fault.js';
import { jsonDifference, parsedJson } from '../domain/json-difference.js';
import { ok, type Result } from '../domain/result.js';
import type { Entry } from '../journal/entries.js';
import { canonicalVerdict } from '../policy/verdict.js';
import { DocumentAudit } from './audit-documents.js';
import { judgeAgain, verdictDifference } from './judge-again.js';
import { Past } from './past.js';
import type { Desk } from './ports.js';

/** A verdict that came out otherwise. */
export interface Difference {
  readonly seq: number;
  readonly at: string;
  readonly batch: string;
  readonly stage: 'plan' | 'sign';
  /** Where the two differ first: a path into the verdict; null where it is no verdict, or could not be judged. */
  readonly path: string | null;
  /** What the journal keeps and what comes out now; null where nothing does. */
  readonly expected: string;
  readonly got: string | null;
  readonly text: string;
}

export interface Replay {
  readonly verdicts: number;
  readonly differences: readonly Difference[];
}

/**
 * Judges every verdict of the journal again: the same PSBT, request and approvals, by the policy and the book of the moment,
 * over the state as the entries before it fold to, by the clock that the verdict recorded. Each has to come out to the byte.
 * Signatures of devices, halts and imports are not its matter (audit verify has them). E_JOURNAL_TAMPERED where the journal
 * cannot be followed.
 */
export async function replayVerdicts(
  desk: Desk,
  progress: (entries: number, verdicts: number) => void,
): Promise<Result<Replay, Fault>> {
  const documents = new DocumentAudit(desk);
  const past = new Past(desk, 'snapshot');
  const differences: Difference[] = [];
  let verdicts = 0;
  for await (const entry of desk.journal.entries()) {
    const taken = await documents.take(entry);
    if (!taken.ok) return taken;
    if (entry.body.kind === 'batch.verdict') {
      const difference = await again(desk, past, documents, entry, entry.body);
      if (difference !== null) differences.push(difference);
      verdicts += 1;
    }
    const applied = past.apply(entry);
    if (!applied.ok) return fail('E_JOURNAL_TAMPERED', `entry ${entry.seq}: ${applied.error.message}`);
    progress(entry.seq + 1, verdicts);
  }
  return ok({ verdicts, differences });
}

async function again(
  desk: Desk,
  past: Past,
  documents: DocumentAudit,
  entry: Entry,
  body: Extract<Entry['body'], { kind: 'batch.verdict' }>,
): Promise<Difference | null> {
  const { seq, at } = entry;
  const { batch: id, stage } = body;
  const about = { seq, at, batch: id, stage };
  const batch = past.batch(id);
  if (batch === undefined) return { ...about, path: null, expected: '', got: null, text: 'nobody planned its batch' };
  const judged = await judgeAgain(desk, past, documents, entry, body, batch);
  if (!judged.ok) return { ...about, path: null, expected: '', got: null, text: judged.error };
  const text = verdictDifference(judged.value);
  if (text === null) return null;
  const got = canonicalVerdict(judged.value.assessment.verdict);
  const path = jsonDifference(judged.value.said, parsedJson(Buffer.from(got)))?.path ?? null;
  return { ...about, path, expected: Buffer.from(judged.value.kept).toString('utf8'), got, text };
}

export function differenceFault({ seq, batch, stage, text }: Difference): Fault {
  return fault(
    'E_VERDICT_DIFFERS',
    `entry ${seq}, batch ${batch}, at ${stage === 'plan' ? 'planning' : 'signing'}: ${text}`,
    {
      remedy:
        'replay it with the version of countersign that wrote the entry; if it differs there too, stop signing and find out who changed the journal',
    },
  );
}
