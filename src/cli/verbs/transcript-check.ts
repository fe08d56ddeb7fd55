import { checkTranscript } from '../../device/recording/check.js';
import type { CheckReport } from '../../device/recording/findings.js';
import { type ExitName, exitCode } from '../../domain/exit-codes.js';
import { FAULTS, type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import type { Verb, VerbContext, VerbResult, Words } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { table } from '../render/table.js';
import { plural, printable, wrap } from '../render/text.js';
import { takeTranscript } from '../take-transcript.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace and no device: the files, and of one the PSBT where it is at hand. */
export const run: Verb = async (words, context) => {
  if (words.args.length > 1) return checkSeveral(words, context);
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

/** A line for each, and the highest exit code of any: a file that cannot be read does not hide one that contradicts itself. */
async function checkSeveral(words: Words, context: VerbContext): Promise<VerbResult> {
  if (words.text('psbt') !== undefined) {
    return fail('E_USAGE', '--psbt is of one recording, and several are given', {
      remedy: 'check the recording that signed this PSBT on its own',
    });
  }
  const checked: CheckedFile[] = [];
  for (const file of words.args) checked.push(await checkOne(file, context));
  const { style } = context;
  const good = checked.filter(({ faults }) => faults.length === 0).length;
  return ok({
    schema: 'countersign.transcript-checks/1',
    exit: worstOf(checked),
    data: {
      files: checked.length,
      consistent: good,
      results: checked.map(({ file, exchanges, redacted, report, faults }) => ({
        file,
        consistent: faults.length === 0,
        exchanges,
        redacted,
        proven: report?.proven ?? [],
        unproven: report?.unproven ?? [],
        faults: faults.slice(0, MOST_SHOWN),
      })),
    },
    text: [
      ...table(
        COLUMNS,
        checked.map((one) => row(one, style)),
        style,
      ),
      good === checked.length
        ? `${style.good('all consistent')}  ${plural(good, 'recording')}`
        : `${style.bad(`${checked.length - good} of ${checked.length} not consistent`)}, ${good} consistent`,
    ],
  });
}

interface CheckedFile {
  readonly file: string;
  /** Null, as the report, of a file that is no transcript or cannot be read. */
  readonly exchanges: number | null;
  readonly redacted: boolean | null;
  readonly report: CheckReport | null;
  readonly faults: readonly Fault[];
}

async function checkOne(file: string, context: VerbContext): Promise<CheckedFile> {
  const taken = await takeTranscript(context, file);
  if (!taken.ok) return { file, exchanges: null, redacted: null, report: null, faults: [taken.error] };
  const { transcript } = taken.value;
  const report = checkTranscript({ ...taken.value, file, psbt: null });
  const redacted = transcript.header.redacted !== undefined;
  return { file, exchanges: transcript.exchanges.length, redacted, report, faults: report.contradictions };
}

const worstOf = (checked: readonly CheckedFile[]): ExitName =>
  checked
    .flatMap(({ faults }) => faults.map(({ tag }): ExitName => FAULTS[tag].exit))
    .reduce((worst, one) => (exitCode(one) > exitCode(worst) ? one : worst), 'OK');

const COLUMNS = [
  { title: 'result' },
  { title: 'recording' },
  { title: 'exchanges', align: 'right' as const },
  { title: 'proven', align: 'right' as const },
  { title: 'not provable', align: 'right' as const },
  { title: 'first finding' },
];

function row({ file, exchanges, report, faults }: CheckedFile, style: Style): string[] {
  const [first] = faults;
  const result =
    first === undefined ? style.good('consistent') : style.bad(report === null ? 'not read' : 'contradicts');
  const line = first?.where?.line === undefined ? '' : `line ${first.where.line}: `;
  return [
    result,
    printable(file),
    exchanges === null ? '' : `${exchanges}`,
    report === null ? '' : `${report.proven.reduce((sum, { count }) => sum + count, 0)}`,
    report === null ? '' : `${report.unproven.length}`,
    first === undefined ? '' : printable(`${line}${first.message}`),
  ];
}

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
