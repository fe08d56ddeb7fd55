import { checkTranscript } from '../../device/recording/check.js';
import type { CheckReport } from '../../device/recording/findings.js';
import type { Fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { Verb, VerbContext } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { plural, printable, wrap } from '../render/text.js';
import { takeTranscript } from '../take-transcript.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace and no device: the file, and the PSBT where it is at hand. */
export const run: Verb = async (words, context) => {
  const file = argument(words, 0);
  const taken = await takeTranscript(context, file);
  if (!taken.ok) return taken;
  const psbt = await takePsbt(context, words.text('psbt'));
  if (!psbt.ok) return psbt;
  const report = checkTranscript({ ...taken.value, file, psbt: psbt.value });
  const { proven, unproven, contradictions } = report;
  const data = { redacted: taken.value.transcript.header.redacted !== undefined, proven, unproven };
  if (contradictions.length > 0) {
    const more = contradictions.length - MOST_SHOWN;
    const text = more > 0 ? [`and ${plural(more, 'contradiction')} more, which may follow from these`] : [];
    return err({ faults: contradictions.slice(0, MOST_SHOWN), data, text });
  }
  return ok({
    schema: 'countersign.transcript-check/1',
    exit: 'OK',
    data,
    text: [
      `${context.style.good('consistent')}  ${printable(file)}, ${plural(taken.value.transcript.exchanges.length, 'exchange')}`,
      ...textOf(report, context.style),
    ],
  });
};

/** One changed byte may contradict much that rests on it: the first lines are what counts. */
const MOST_SHOWN = 3;

async function takePsbt({ compose }: VerbContext, file: string | undefined): Promise<Result<Uint8Array | null, Fault>> {
  if (file === undefined) return ok(null);
  const bytes = await compose.files.read(file);
  return bytes.ok ? compose.documents.psbt(bytes.value, file) : bytes;
}

function textOf({ proven, unproven }: CheckReport, style: Style): string[] {
  const sentences = (text: string): string[] => {
    const [first = '', ...rest] = wrap(printable(text), sentenceWidth(style, 110, 4));
    return [`  ${first}`, ...rest.map((line) => `    ${line}`)];
  };
  return [
    style.bold('Proven'),
    ...proven.flatMap(({ what, count }) => sentences(count === 1 ? what : `${what} (${count})`)),
    style.bold('Cannot be proven from the file'),
    ...unproven.flatMap(({ what, why, lines }) => {
      const where = lines.length === 0 ? '' : ` (${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')})`;
      return sentences(`${what}: ${why}${where}`);
    }),
  ];
}
