import { ok } from '../../domain/result.js';
import type { EntryKind } from '../../journal/entries.js';
import { type JournalReport, parseAnchor, verifyJournal } from '../../workflow/audit.js';
import type { Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { fields } from '../render/table.js';
import { plural, printable } from '../render/text.js';
import { verifyBundleFile } from '../verify-bundle.js';
import { verifyProofFile } from '../verify-proof.js';
import { withWorkspace } from '../with-workspace.js';

/** A shorter journal is done before anybody wonders. */
const LONG = 2000;
const STEP = 250;

export const run: Verb = async (words, context) => {
  const bundle = words.text('bundle');
  if (bundle !== undefined) return verifyBundleFile(words, bundle, context);
  const proof = words.text('proof');
  return proof === undefined ? verifyWorkspace(words, context) : verifyProofFile(words, proof, context);
};

const verifyWorkspace: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const noted = words.text('head');
    const anchor = noted === undefined ? null : parseAnchor(noted);
    if (anchor !== null && !anchor.ok) return anchor;
    const known = await desk.journal.read();
    const total = known.ok ? (known.value.head?.seq ?? 0) + 1 : 0;
    const verified = await verifyJournal(desk, anchor === null ? [] : [anchor.value], (done) => {
      if (total >= LONG && done % STEP === 0) context.progress(`verifying entry ${done} of ${total}`);
    });
    if (!verified.ok) return verified;
    const { entries, head, blobs, kinds, documentSignatures, signatures, questions } = verified.value;
    const count = (kind: EntryKind): number => kinds.get(kind) ?? 0;
    return ok({
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
      },
      text: [
        `${context.style.good('verified')}  the journal is whole, and every decision in it comes out again`,
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
          context.style.dim,
        ),
        ...questionLines(verified.value, context.style),
        anchor === null
          ? '  A chain cannot show that its newest entries were cut off: note the head elsewhere, and give it as --head.'
          : `  The head noted elsewhere, ${noted}, lies on this chain.`,
      ],
    });
  });

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
