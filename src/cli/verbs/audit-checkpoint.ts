import { utf8 } from '../../domain/bytes.js';
import type { Fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { type Checkpoint, wholeSize } from '../../journal/checkpoint.js';
import { readCheckpoint, readSignerKey } from '../../workflow/checkpoint-files.js';
import { makeCheckpoint } from '../../workflow/checkpoints.js';
import type { Files } from '../../workflow/ports.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { argument, required, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const out = argument(words, 0);
    const { files } = desk.ports;
    const keyFile = required(words, 'key', 'journal.key');
    if (!keyFile.ok) return keyFile;
    const key = await readSignerKey(files, keyFile.value);
    if (!key.ok) return key;
    const older = await olderOf(files, words.text('old'));
    if (!older.ok) return older;
    const made = await makeCheckpoint(desk, key.value, older.value);
    if (!made.ok) return made;
    const written = await files.writeNew(out, utf8(made.value.text));
    if (!written.ok) return written;
    const { checkpoint, old } = made.value;
    const root = Buffer.from(checkpoint.root).toString('base64');
    return ok({
      schema: 'countersign.audit-checkpoint/1',
      exit: 'OK',
      data: { file: out, origin: checkpoint.origin, size: checkpoint.size, root, ...(old === null ? {} : { old }) },
      text: [
        `${context.style.good('signed')}  ${out}: ${plural(checkpoint.size, 'entry', 'entries')}, root ${root}`,
        `  of ${checkpoint.origin}`,
        old === null
          ? '  It carries no proof: a witness that has cosigned before wants one (--old).'
          : `  It proves that the journal still begins with the ${plural(old, 'entry', 'entries')} of the older one.`,
      ],
    });
  });

/** A checkpoint that was cosigned, or its size alone. */
async function olderOf(files: Files, named: string | undefined): Promise<Result<Checkpoint | number | null, Fault>> {
  if (named === undefined) return ok(null);
  const size = wholeSize(named);
  if (size !== null) return ok(size);
  const read = await readCheckpoint(files, named);
  return read.ok ? ok(read.value.checkpoint) : read;
}
