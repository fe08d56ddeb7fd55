import { formatPath, parsePath } from '../../domain/path.js';
import { ok } from '../../domain/result.js';
import { accountKey } from '../../workflow/device.js';
import type { Verb } from '../command.js';
import { fields } from '../render/table.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const path = parsePath(argument(words, 0));
    if (!path.ok) return path;
    const text = formatPath(path.value);
    const request = {
      spec: words.text('device') ?? desk.config.device,
      record: words.text('record') ?? null,
      psbt: null,
    };
    const key = await accountKey(context.compose.openDevice, request, text, words.flag('verify'));
    if (!key.ok) return key;
    const { fingerprint, xpub } = key.value;
    const origin = `[${fingerprint}/${text.replaceAll("'", 'h')}]`;
    return ok({
      schema: 'countersign.device-xpub/1',
      exit: 'OK',
      data: { fingerprint, path: text, xpub, key: `${origin}${xpub}` },
      text: fields(
        [
          ['fingerprint', fingerprint],
          ['path', text],
          ['xpub', xpub],
          ['in a descriptor', `${origin}${xpub}/<0;1>/*`],
        ],
        context.style.dim,
      ),
    });
  });
