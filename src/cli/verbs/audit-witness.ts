import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { readSignerKey, readVerifierKeys } from '../../workflow/checkpoint-files.js';
import { cosign } from '../../workflow/witness.js';
import type { Verb } from '../command.js';
import { plural } from '../render/text.js';
import { argument, required } from '../with-workspace.js';

export const run: Verb = async (words, { compose, style }) => {
  const file = argument(words, 0);
  const { files, clock } = compose;
  const keyFile = required(words, 'key', 'erin.key');
  if (!keyFile.ok) return keyFile;
  const stateFile = required(words, 'state', 'witness.json');
  if (!stateFile.ok) return stateFile;
  const key = await readSignerKey(files, keyFile.value);
  if (!key.ok) return key;
  const named = words.text('log');
  const logs = await readVerifierKeys(files, named === undefined ? [] : [named]);
  if (!logs.ok) return logs;
  const [log = null, ...more] = logs.value;
  if (more.length > 0) return fail('E_USAGE', '--log names more than one key', { remedy: 'give that of one journal' });
  const out = words.text('out') ?? `${file}.cosigned`;
  const request = { file, key: key.value, stateFile: stateFile.value, log, out };
  const done = await cosign({ files, clock }, request);
  if (!done.ok) return done;
  const { origin, size, root, at, before } = done.value;
  return ok({
    schema: 'countersign.audit-witness/1',
    exit: 'OK',
    data: {
      file: out,
      origin,
      size,
      root: Buffer.from(root).toString('base64'),
      at: formatTime(at),
      witness: key.value.verifier.text,
      ...(before === null ? {} : { before }),
    },
    text: [
      `${style.good('cosigned')}  ${out}: ${plural(size, 'entry', 'entries')} as of ${formatTime(at)}`,
      `  of ${origin}`,
      before === null
        ? '  It is the first one of this journal here: from now on every other one has to begin with it.'
        : `  It begins with the ${plural(before, 'entry', 'entries')} that were cosigned before.`,
      `  Remembered in ${stateFile.value}: keep a copy.`,
    ],
  });
};
