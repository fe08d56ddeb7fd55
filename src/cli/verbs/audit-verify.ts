import { ok } from '../../domain/result.js';
import type { EntryKind } from '../../journal/entries.js';
import type { JournalReport } from '../../workflow/audit.js';
import type { Held } from '../../workflow/audit-checkpoints.js';
import type { Report, Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { fields } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { verifyBundleFile } from '../verify-bundle.js';
import { verifyProofFile } from '../verify-proof.js';
import { heldData, type VerifiedJournal, verifyWorkspace } from '../verify-workspace.js';

export const run: Verb = async (words, context) => {
  const bundle = words.text('bundle');
  if (bundle !== undefined) return verifyBundleFile(words, bundle, context);
  const proof = words.text('proof');
  if (proof !== undefined) return verifyProofFile(words, proof, context);
  const verified = await verifyWorkspace(words, context);
  return verified.ok ? ok(verifiedReport(verified.value, context.style)) : verified;
};

function verifiedReport({ report, noted, held }: VerifiedJournal, style: Style): Report {
  const { entries, head, blobs, kinds, documentSignatures, signatures, questions } = report;
  const count = (kind: EntryKind): number => kinds.get(kind) ?? 0;
  return {
    schema: 'countersign.audit-verify/1',
    exit: 'OK',
    data: {
      entries,
      head,
      blobs,
      batches: count('batch.planned'),
      verdicts: count('batch.verdict'),
      approvals: count('batch.approved'),
      reservations: count('batch.reserved'),
      signed: count('batch.signed'),
      signatures,
      document_signatures: documentSignatures,
      kinds: Object.fromEntries([...kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
      ask: questions,
      ...(held.checkpoints.length === 0 ? {} : { checkpoints: heldData(held) }),
    },
    text: [
      `${style.good('verified')}  the journal is whole, and every decision in it comes out again`,
      ...fields(
        [
          ['  entries', `${entries}, each hash computed again, each linked to the one before, every step legal`],
          ['  head', `${head.seq}:${head.hash}`],
          ['  documents', `${blobs}, each equal to the hash that names it`],
          [
            '  policies',
            `each version and each book in its place, ${documentSignatures} signatures verified, notice kept`,
          ],
          ['  coins', `${plural(count('coins.imported'), 'snapshot')}, every coin derived again`],
          ['  batches', `${count('batch.planned')}, each plan what its PSBT does`],
          ['  verdicts', `${count('batch.verdict')}, each judged again by the policy of its day, equal to the byte`],
          ['  approvals', `${count('batch.approved')}, every signature verified, every statement written again`],
          [
            '  halts',
            `${count('halt.raised')}, and ${count('halt.resumed')} ended, each by its quorum and after its delay`,
          ],
          ['  reserved', `${count('batch.reserved')}, each allowed and approved by a complete quorum`],
          [
            '  signed',
            `${count('batch.signed')}, ${plural(signatures, 'signature')} verified, each the planned transaction`,
          ],
        ],
        style,
      ),
      ...questionLines(report, style),
      ...heldLines(held),
      ...(noted === null ? [] : [`  The head noted elsewhere, ${noted}, lies on this chain.`]),
      ...(noted === null && held.checkpoints.length === 0 ? [END_UNKNOWN] : []),
    ],
  };
}

const END_UNKNOWN =
  '  A chain cannot show that its newest entries were cut off: note the head elsewhere and give it as --head, or have checkpoints witnessed.';

function heldLines({ checkpoints, signed, copy }: Held): string[] {
  return checkpoints.map(({ file, checkpoint }, at) => {
    const names = (signed[at] ?? []).map(({ key }) => key.name);
    const by = names.length === 0 ? 'whose signatures nobody checked (--trust)' : `signed by ${names.join(', ')}`;
    const entries = plural(checkpoint.size, 'entry', 'entries');
    const compared = copy !== null && at === checkpoints.length - 1 ? ', each compared with the export' : '';
    return `  The journal begins with the ${entries} of ${file}, ${by}${compared}.`;
  });
}

/** What no journal can prove is left to people. */
function questionLines({ questions }: JournalReport, style: Style): string[] {
  if (questions.length === 0) return [];
  return [
    `  ${style.bold('ask about')}  ${plural(questions.length, 'entry', 'entries')} whose truth lies outside the journal`,
    ...questions.map(({ seq, at, batch, text }) => {
      const about = batch === null ? '' : `, batch ${batch}`;
      return `    entry ${seq}, ${at}${about}: ${printable(text)}`;
    }),
  ];
}
