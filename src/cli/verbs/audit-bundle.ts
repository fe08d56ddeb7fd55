import { utf8 } from '../../domain/bytes.js';
import { ok } from '../../domain/result.js';
import { readCheckpoint } from '../../workflow/checkpoint-files.js';
import { makeEvidence } from '../../workflow/evidence.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { argument, noPeriod, periodOptions, required, withWorkspace } from '../with-workspace.js';

/** A shorter journal is read before anybody wonders. */
const STEP = 2000;

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const out = argument(words, 0);
    const file = required(words, 'checkpoint', 'checkpoint-1');
    if (!file.ok) return file;
    const asked = periodOptions(words);
    if (!asked.ok) return asked;
    const { from, to } = asked.value;
    if (from === null || to === null) return noPeriod();
    const checkpoint = await readCheckpoint(desk.ports.files, file.value);
    if (!checkpoint.ok) return checkpoint;
    const made = await makeEvidence(desk, { from, to }, checkpoint.value, (done) => {
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
