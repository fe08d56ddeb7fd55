import { utf8 } from '../../domain/bytes.js';
import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { readCheckpoint } from '../../workflow/checkpoint-files.js';
import { proveEntry, proveGrowth } from '../../workflow/prove.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { required, wholeNumber, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const { files } = desk.ports;
    const [seqText] = words.args;
    const oldFile = words.text('old');
    if ((seqText === undefined) === (oldFile === undefined)) {
      return fail('E_USAGE', 'say what to prove: an entry by its number, or --old FILE for growth since a checkpoint', {
        remedy: 'for example countersign audit prove 12 --checkpoint checkpoint-1 --out entry-12.tlog-proof',
      });
    }
    const out = required(words, 'out', 'entry-12.tlog-proof');
    if (!out.ok) return out;
    const file = required(words, 'checkpoint', 'checkpoint-1');
    if (!file.ok) return file;
    const seq = wholeNumber(seqText ?? '0', Number.MAX_SAFE_INTEGER, 'a sequence number');
    if (!seq.ok) return seq;
    const newer = await readCheckpoint(files, file.value);
    if (!newer.ok) return newer;
    const older = oldFile === undefined ? ok(null) : await readCheckpoint(files, oldFile);
    if (!older.ok) return older;
    const made =
      older.value === null
        ? await proveEntry(desk, seq.value, newer.value)
        : await proveGrowth(desk, older.value, newer.value);
    if (!made.ok) return made;
    const written = await files.writeNew(out.value, utf8(made.value));
    if (!written.ok) return written;
    const { origin, size } = newer.value.checkpoint;
    const what = older.value === null ? { entry: seq.value } : { old: older.value.checkpoint.size };
    const entries = plural(size, 'entry', 'entries');
    return ok({
      schema: 'countersign.audit-prove/1',
      exit: 'OK',
      data: { file: out.value, origin, size, ...what },
      text: [
        older.value === null
          ? `${context.style.good('proven')}  ${out.value}: entry ${seq.value} is among the ${entries} of ${file.value}`
          : `${context.style.good('proven')}  ${out.value}: the ${entries} of ${file.value} begin with those of ${oldFile}`,
        '  Anybody can check it without the journal: countersign audit verify --proof FILE --trust KEY',
      ],
    });
  });
