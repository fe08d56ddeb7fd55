import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { proofAddress, proofMessage } from '../../policy/proof.js';
import { readBookOfAnyNetwork } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { wrap } from '../render/text.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace. A book that holds a proof that is not good cannot be read: that is the answer then. */
export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const [, id] = words.args;
  const bytes = await compose.files.read(file);
  if (!bytes.ok) return bytes;
  const book = readBookOfAnyNetwork(compose.documents, bytes.value, file);
  if (!book.ok) return book;
  const { wallet, entries } = book.value;
  const chosen = entries.filter((entry) => id === undefined || entry.id === id);
  if (chosen.length === 0 && id !== undefined) {
    return fail('E_USAGE', `${file} has no ${JSON.stringify(id)}`, { remedy: 'leave it out to see all destinations' });
  }
  const asked = chosen.map((entry) => ({
    id: entry.id,
    address: proofAddress(entry),
    message: proofMessage(wallet, entry),
    proven: entry.proof !== undefined,
  }));
  const count = asked.filter(({ proven }) => proven).length;
  return ok({
    schema: 'countersign.book-proofs/1',
    exit: 'OK',
    data: { wallet, digest: book.value.digest, entries: asked },
    text: [
      `${count} of ${asked.length} destinations of ${file} have proven that they are controlled by their owner.`,
      ...asked.flatMap(({ id: name, address, message, proven }) => [
        '',
        `${style.bold(name)}  ${proven ? style.good('proven') : style.warn('not proven')}`,
        `  sign with ${address} (BIP322, simple), as one line and nothing else:`,
        // A message that was broken into lines would be another one.
        `  ${message}`,
      ]),
      ...(count === asked.length ? [] : ['', ...wrap('Write what comes back into the entry, as proof: "...".', 96)]),
    ],
  });
};
