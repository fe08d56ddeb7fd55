import {
  isKeyName,
  makeSignerKey,
  type NoteKeyKind,
  type SignerKey,
  type VerifierKey,
} from '../../approval/note-key.js';
import { utf8 } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { originOf } from '../../journal/checkpoint.js';
import { readSignerKey } from '../../workflow/checkpoint-files.js';
import type { Files } from '../../workflow/ports.js';
import type { Report, Verb, VerbContext, Words } from '../command.js';
import { argument, openAttended } from '../with-workspace.js';

export const run: Verb = async (words, context) => {
  const file = argument(words, 0);
  const named = await nameOf(words, context);
  if (!named.ok) return named;
  const { name, kind } = named.value;
  const { files } = context.compose;
  const begun = await begunKey(files, file, name, kind);
  if (begun !== null) return publish(context, file, begun.verifier);
  const { key, text } = makeSignerKey(name, kind, context.compose.random(32));
  for (const one of [file, `${file}.pub`]) {
    if (!(await files.exists(one))) continue;
    return fail('E_FILE_EXISTS', `${one} is there already, and a key is never overwritten`, {
      remedy: 'give another name, or move it away',
      where: { file: one },
    });
  }
  const secret = await files.writeSecret(file, utf8(text));
  if (!secret.ok) return secret;
  return publish(context, file, key.verifier);
};

/** A key of that name which a run that was killed left without its other half; null where there is none. */
async function begunKey(files: Files, file: string, name: string, kind: NoteKeyKind): Promise<SignerKey | null> {
  if (!(await files.exists(file)) || (await files.exists(`${file}.pub`))) return null;
  const key = await readSignerKey(files, file);
  return key.ok && key.value.verifier.name === name && key.value.verifier.kind === kind ? key.value : null;
}

async function publish(
  { compose, style }: VerbContext,
  file: string,
  { name, kind, text: verifier }: VerifierKey,
): Promise<Result<Report, Fault>> {
  const published = await compose.files.writeNew(`${file}.pub`, utf8(`${verifier}\n`));
  if (!published.ok) return published;
  return ok({
    schema: 'countersign.audit-key/1',
    exit: 'OK',
    data: { file, verifier_file: `${file}.pub`, kind, name, verifier },
    text: [
      `${style.good('made')}  ${file}, for its owner alone: whoever has it can sign as ${name}`,
      `  ${file}.pub holds the verifier key, which others need; read it to them in person:`,
      `  ${verifier}`,
    ],
  });
}

/** A witness has the name that it is given, a journal that of its first entry. */
async function nameOf(
  words: Words,
  context: VerbContext,
): Promise<Result<{ readonly name: string; readonly kind: NoteKeyKind }, Fault>> {
  const witness = words.text('witness');
  if (witness !== undefined) {
    if (isKeyName(witness)) return ok({ name: witness, kind: 'witness' });
    return fail('E_USAGE', `${JSON.stringify(witness.slice(0, 80))} is not a name for a key`, {
      remedy: 'use printable ASCII without spaces and plus, best like a web address: erin.example.org/witness',
    });
  }
  const opened = await openAttended(context);
  if (!opened.ok) return opened;
  const state = await opened.value.journal.read();
  await opened.value.journal.close();
  if (!state.ok) return state;
  const origin = originOf(state.value);
  if (origin === null) throw new Error('a journal was opened without an entry');
  return ok({ name: origin, kind: 'log' });
}
