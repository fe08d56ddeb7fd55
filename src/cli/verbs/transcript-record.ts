import type { Fault } from '../../domain/fault.js';
import { formatPath, parsePath } from '../../domain/path.js';
import { ok, type Result } from '../../domain/result.js';
import { recordDevice } from '../../workflow/record-device.js';
import type { Verb, VerbContext } from '../command.js';
import { fields } from '../render/table.js';
import { printable } from '../render/text.js';
import { argument, openAttended } from '../with-workspace.js';

/** With --device it needs no workspace. */
export const run: Verb = async (words, context) => {
  const out = argument(words, 0);
  const given = words.text('path');
  const path = given === undefined ? ok(null) : parsePath(given);
  if (!path.ok) return path;
  const text = path.value === null ? null : formatPath(path.value);
  const named = words.text('device');
  const spec = named === undefined ? await deviceOfWorkspace(context) : ok(named);
  if (!spec.ok) return spec;
  const recorded = await recordDevice(context.compose.openDevice, spec.value, out, text);
  if (!recorded.ok) return recorded;
  const { name, app, fingerprint, xpub } = recorded.value;
  return ok({
    schema: 'countersign.transcript-record/1',
    exit: 'OK',
    data: { file: out, device: name, app, fingerprint, ...(xpub === null ? {} : { path: text, xpub }) },
    text: fields(
      [
        ['recorded', printable(out)],
        ['app', `${app.name} ${app.version}`],
        ['fingerprint', fingerprint],
        ...(xpub === null ? [] : [[`key ${text}`, xpub] as const]),
      ],
      context.style,
    ),
  });
};

async function deviceOfWorkspace(context: VerbContext): Promise<Result<string, Fault>> {
  const opened = await openAttended(context);
  if (!opened.ok) return opened;
  await opened.value.journal.close();
  return ok(opened.value.config.device);
}
