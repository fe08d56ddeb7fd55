import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { BroughtStatement } from '../workflow/halt-scene.js';
import type { VerbContext, Words } from './command.js';
import { required } from './with-workspace.js';

export type WordSource =
  | { readonly kind: 'key'; readonly keyFile: string }
  | ({ readonly kind: 'signature' } & BroughtStatement);

/** A person's word: signed here with --key, or brought with --signature and --over; null where none of them is given. */
export async function wordSource(words: Words, { compose }: VerbContext): Promise<Result<WordSource | null, Fault>> {
  const keyFile = words.text('key');
  const signatureFile = words.text('signature');
  if (keyFile !== undefined && signatureFile !== undefined) {
    return fail('E_USAGE', 'give either --key FILE, or --signature FILE with --over STATEMENT, not both');
  }
  if (keyFile !== undefined) return ok({ kind: 'key', keyFile });
  if (signatureFile === undefined) return ok(null);
  const over = required(words, 'over', 'statement.json');
  if (!over.ok) return over;
  const armored = await compose.files.read(signatureFile);
  if (!armored.ok) return armored;
  const statement = await compose.files.read(over.value);
  if (!statement.ok) return statement;
  return ok({ kind: 'signature', armored: Buffer.from(armored.value).toString('utf8'), statement: statement.value });
}

export function noWord(): Result<never, Fault> {
  return fail('E_USAGE', 'nobody signs: give --key FILE, or --signature FILE with --over STATEMENT', {
    remedy: 'FILE is your SSH key (its .pub beside it), or a signature that ssh-keygen -Y made over the statement',
  });
}
