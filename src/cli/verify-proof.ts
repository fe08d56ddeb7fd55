import { ownValue } from '../domain/json-difference.js';
import { ok } from '../domain/result.js';
import { formatTime } from '../domain/time.js';
import { readCheckpoint, readVerifierKeys } from '../workflow/checkpoint-files.js';
import { verifyProof } from '../workflow/prove.js';
import type { VerbContext, VerbResult, Words } from './command.js';
import { plural, printable } from './render/text.js';

/** `audit verify --proof`: a proof file with the keys of those who are trusted; no workspace. */
export async function verifyProofFile(words: Words, file: string, context: VerbContext): Promise<VerbResult> {
  const { files } = context.compose;
  const trusted = await readVerifierKeys(files, words.list('trust'));
  if (!trusted.ok) return trusted;
  const oldFile = words.text('old');
  const older = oldFile === undefined ? ok(null) : await readCheckpoint(files, oldFile);
  if (!older.ok) return older;
  const bytes = await files.read(file);
  if (!bytes.ok) return bytes;
  const proven = verifyProof(bytes.value, file, trusted.value, older.value);
  if (!proven.ok) return proven;
  const { checkpoint, signed } = proven.value;
  const signers = signed.map(({ key, at }) => ({ name: key.name, ...(at === null ? {} : { at: formatTime(at) }) }));
  const about = { origin: checkpoint.origin, size: checkpoint.size, signed_by: signers };
  const by = signers.map(({ name, at }) => (at === undefined ? name : `${name} at ${at}`)).join(', ');
  const good = context.style.good('verified');
  const entries = plural(checkpoint.size, 'entry', 'entries');
  if (proven.value.kind === 'growth') {
    const { old } = proven.value;
    return ok({
      schema: 'countersign.audit-verify-proof/1',
      exit: 'OK',
      data: { ...about, old },
      text: [
        `${good}  the ${entries} begin with the ${old} of ${oldFile}`,
        `  ${checkpoint.origin}`,
        `  signed by ${by}`,
      ],
    });
  }
  const { seq, entry } = proven.value;
  const body = ownValue(entry, 'body');
  return ok({
    schema: 'countersign.audit-verify-proof/1',
    exit: 'OK',
    data: { ...about, seq, entry },
    text: [
      `${good}  entry ${seq} of ${entries}: ${printable(String(ownValue(body, 'kind')))} at ${printable(String(ownValue(entry, 'at')))}`,
      `  ${checkpoint.origin}`,
      `  signed by ${by}`,
      `  ${printable(JSON.stringify(body))}`,
    ],
  });
}
