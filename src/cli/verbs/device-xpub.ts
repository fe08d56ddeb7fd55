import type { Prediction } from '../../device/types.js';
import { formatPath, HARDENED, isHardened, type Path, parsePath } from '../../domain/path.js';
import { ok } from '../../domain/result.js';
import { descriptorChecksum, scriptText } from '../../vault/descriptor.js';
import type { PlainKind } from '../../vault/types.js';
import { accountKey } from '../../workflow/device.js';
import { anyDevice } from '../../workflow/meeting.js';
import type { Verb } from '../command.js';
import { presenceOf } from '../presence.js';
import { predictionLines } from '../render/device.js';
import { fields } from '../render/table.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const path = parsePath(argument(words, 0));
    if (!path.ok) return path;
    const text = formatPath(path.value);
    const presence = presenceOf(words, context);
    if (!presence.ok) return presence;
    const request = {
      meeting: anyDevice(words.text('signer') ?? null, desk.config.network, presence.value),
      spec: words.text('device') ?? desk.config.device,
      record: words.text('record') ?? null,
      psbt: null,
    };
    const announce = (prediction: Prediction): void => {
      for (const line of predictionLines(prediction, context.style)) context.notice(line);
    };
    const shown = words.flag('verify') ? announce : null;
    const key = await accountKey(context.compose.openDevice, request, text, shown);
    if (!key.ok) return key;
    const { fingerprint, xpub } = key.value;
    const origin = `[${fingerprint}/${text.replaceAll("'", 'h')}]`;
    const descriptor = descriptorOf(path.value, `${origin}${xpub}/<0;1>/*`);
    return ok({
      schema: 'countersign.device-xpub/1',
      exit: 'OK',
      data: { fingerprint, path: text, xpub, key: `${origin}${xpub}`, ...(descriptor === null ? {} : { descriptor }) },
      text: fields(
        [
          ['fingerprint', fingerprint],
          ['path', text],
          ['xpub', xpub],
          descriptor === null ? ['in a descriptor', `${origin}${xpub}/<0;1>/*`] : ['descriptor', `${descriptor}`],
        ],
        context.style,
      ),
    });
  });

/** The kinds of BIP44, BIP49, BIP84 and BIP86, by the first step of their accounts. */
const KINDS: ReadonlyMap<number, PlainKind> = new Map([
  [44, 'pkh'],
  [49, 'sh(wpkh)'],
  [84, 'wpkh'],
  [86, 'tr'],
]);

/** The whole descriptor of a standard account, ready for vault import; null where the path does not say what it is for. */
function descriptorOf(path: Path, key: string): string | null {
  const [purpose = 0] = path;
  const kind = KINDS.get(purpose - HARDENED);
  if (kind === undefined || path.length !== 3 || !path.every(isHardened)) return null;
  const body = scriptText(kind, 1, [key]);
  return `${body}#${descriptorChecksum(body)}`;
}
