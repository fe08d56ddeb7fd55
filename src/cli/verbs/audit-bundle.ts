import { utf8 } from '../../domain/bytes.js';
import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { readCheckpoint } from '../../workflow/checkpoint-files.js';
import { makeEvidence } from '../../workflow/evidence.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { argument, required, timeOption, withWorkspace } from '../with-workspace.js';

/** A shorter journal is read before anybody wonders. */
const STEP = 2000;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const out = argument(words, 0);
    const file = required(words, 'checkpoint', 'checkpoint-1');
    if (!file.ok) return file;
    const [from, to] = [timeOption(words, 'from'), timeOption(words, 'to')];
    if (!from.ok) return from;
    if (!to.ok) return to;
    if (from.value === null || to.value === null || from.value >= to.value) {
      return fail('E_USAGE', 'a period has a beginning and a later end', {
        remedy: 'for example --from 2026-06-01T00:00:00Z --to 2026-07-01T00:00:00Z',
      });
    }
    const checkpoint = await readCheckpoint(desk.ports.files, file.value);
    if (!checkpoint.ok) return checkpoint;
    const period = { from: from.value, to: to.value };
    const made = await makeEvidence(desk, period, checkpoint.value, (done) => {
      if (done % STEP === 0) context.progress(`reading entry ${done}`);
    });
    if (!made.ok) return made;
    const written = await desk.ports.files.writeNew(out, utf8(made.value.text));
    if (!written.ok) return written;
    const { entries, inPeriod, documents } = made.value;
    return ok({
      schema: 'countersign.audit-bundle/1',
      exit: 'OK',
      data: { file: out, entries, in_period: inPeriod, documents },
      text: [
        `wrote ${out}: ${plural(inPeriod, 'entry', 'entries')} of the period, ${entries - inPeriod} from around it, ${plural(documents, 'document')}`,
        '  Anybody can check it without the journal: countersign audit verify --bundle FILE --trust KEY',
      ],
    });
  });
