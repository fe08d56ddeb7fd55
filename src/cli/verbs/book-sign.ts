import { ok } from '../../domain/result.js';
import { bookFields } from '../../workflow/policy-life.js';
import { readBookOfAnyNetwork } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { signingReport, statementReport } from '../render/signing.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace. A book names nobody, so --as says whose name the file gets. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const book = readBookOfAnyNetwork(compose.documents, bytes.value, file);
  if (!book.ok) return book;
  const fields = bookFields(book.value);
  if (words.flag('statement')) return ok(statementReport(fields));
  return signingReport(words, { compose, style }, fields, file, async () => ok(null));
};
