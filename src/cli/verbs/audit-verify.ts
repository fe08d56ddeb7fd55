import { ok } from '../../domain/result.js';
import { parseAnchor, verifyJournal } from '../../workflow/audit.js';
import type { Verb } from '../command.js';
import { fields } from '../render/table.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const noted = words.text('head');
    const anchor = noted === undefined ? null : parseAnchor(noted);
    if (anchor !== null && !anchor.ok) return anchor;
    const verified = await verifyJournal(desk, anchor === null ? [] : [anchor.value]);
    if (!verified.ok) return verified;
    const { entries, head, blobs, batches, approvals, documentSignatures } = verified.value;
    return ok({
      schema: 'countersign.audit-verify/1',
      exit: 'OK',
      data: { entries, head, blobs, batches, approvals, document_signatures: documentSignatures },
      text: [
        `${context.style.good('verified')}  the journal is whole`,
        ...fields(
          [
            ['  entries', `${entries}, each hash computed again, each linked to the one before`],
            ['  head', `${head.seq}:${head.hash}`],
            ['  documents', `${blobs}, each equal to the hash that names it`],
            [
              '  policies',
              `each version and each book in its place, ${documentSignatures} signatures verified, notice kept`,
            ],
            ['  batches', `${batches}, every step legal, state folded again from nothing`],
            ['  approvals', `${approvals}, every signature verified`],
          ],
          context.style.dim,
        ),
        anchor === null
          ? '  A chain cannot show that its newest entries were cut off: note the head elsewhere, and give it as --head.'
          : `  The head noted elsewhere, ${noted}, lies on this chain.`,
      ],
    });
  });
