import { ok } from '../../domain/result.js';
import { readBookOfAnyNetwork } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { plural, printable } from '../render/text.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace: whoever signs a book has only the file. What in it is new is known to the journal alone. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const book = readBookOfAnyNetwork(compose.documents, bytes.value, file);
  if (!book.ok) return book;
  const { digest, version, wallet, prev, entries } = book.value;
  const proven = entries.filter(({ proof }) => proof !== undefined).length;
  return ok({
    schema: 'countersign.book-lint/1',
    exit: 'OK',
    data: { digest, version, wallet, prev, entries: entries.length, proven },
    text: [
      `${style.good('valid')}  ${printable(file)}, version ${version}, ${digest}`,
      `  for ${wallet}: ${plural(entries.length, 'destination')}, ${proven} with a proof of control`,
    ],
  });
};
