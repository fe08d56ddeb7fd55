import { ok } from '../../domain/result.js';
import { copyJournal } from '../../workflow/copy-journal.js';
import type { Verb } from '../command.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = (words, context) =>
  withWorkspace(context, async (desk) => {
    const to = argument(words, 0);
    const close = words.flag('close');
    const copied = await copyJournal(desk, context.compose, to, close, (done) =>
      context.progress(`copying the journal: ${done} entries`),
    );
    if (!copied.ok) return copied;
    const { name, head, blobs } = copied.value;
    const field = name.startsWith('postgres') ? 'store' : 'journal';
    return ok({
      schema: 'countersign.journal-copy/1',
      exit: 'OK',
      data: { to: name, head, entries: head.seq + 1, blobs, closed: close },
      text: [
        `copied   ${head.seq + 1} entries and ${blobs} documents to ${name}`,
        `head     ${head.seq}:${head.hash}`,
        'proven   the copy was read back, and each hash of it computed again',
        ...(close
          ? ['closed   nothing more is written here', `  next: write ${field}: ${to} into countersign.yaml`]
          : ['  this is a copy: the journal goes on here, and what is written there from now on is another one']),
      ],
    });
  });
