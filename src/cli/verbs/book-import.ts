import { ok } from '../../domain/result.js';
import { importBook } from '../../workflow/documents.js';
import { readSignatures } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { plural, wrap } from '../render/text.js';
import { argument, withWorkspace } from '../with-workspace.js';

function listed(what: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  return [`  ${ids.length} ${what}:`, ...wrap(ids.join(' '), 96).map((line) => `    ${line}`)];
}

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 0);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const signatures = await readSignatures(context.compose.files, file, words.list('signature'));
    if (!signatures.ok) return signatures;
    const changed = await importBook(desk, { bytes: bytes.value, file, signatures: signatures.value });
    if (!changed.ok) return changed;
    const { book, added, removed, narrowed, proven, signers } = changed.value;
    return ok({
      schema: 'countersign.book-import/1',
      exit: 'OK',
      data: {
        version: book.version,
        digest: book.digest,
        entries: book.entries.length,
        added,
        removed,
        narrowed,
        proven,
        signers,
      },
      text: [
        `The address book has ${plural(book.entries.length, 'entry', 'entries')}, digest ${book.digest}`,
        `  version ${book.version}, signed by ${signers.join(', ')}`,
        ...listed('new, their cool-down begins now', added),
        ...listed('removed', removed),
        ...listed('with a proof of control', proven),
        ...listed('narrowed to fewer addresses, with the age they had', narrowed),
      ],
    });
  });
