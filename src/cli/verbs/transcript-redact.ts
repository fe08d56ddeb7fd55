import { redactTranscript } from '../../device/recording/redact.js';
import { formatTranscript } from '../../device/transcript.js';
import { trustedHex } from '../../domain/bytes.js';
import { at } from '../../domain/fault.js';
import { err, ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { plural, printable } from '../render/text.js';
import { takeTranscript } from '../take-transcript.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace. The salt of the pseudonyms is drawn here and kept nowhere. */
export const run: Verb = async (words, context) => {
  const { compose, style } = context;
  const [file, out] = [argument(words, 0), argument(words, 1)];
  const taken = await takeTranscript(context, file);
  if (!taken.ok) return taken;
  const salt = trustedHex(compose.random(32));
  const redacted = redactTranscript(taken.value.transcript, salt, `countersign ${compose.version}`);
  if (!redacted.ok) return err(at({ file }, redacted.error));
  const written = await compose.files.writeNew(out, Buffer.from(formatTranscript(redacted.value)));
  if (!written.ok) return written;
  const { header, exchanges } = redacted.value;
  return ok({
    schema: 'countersign.transcript-redact/1',
    exit: 'OK',
    data: { file: out, exchanges: exchanges.length, redacted: header.redacted },
    text: [
      `${style.good('redacted')}  ${printable(out)}, ${plural(exchanges.length, 'exchange')}`,
      'Derivation paths, sizes, field types, the app and its version are as they were: look at it before you give it away.',
    ],
  });
};
