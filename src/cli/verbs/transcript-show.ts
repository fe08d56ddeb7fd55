import { type Span, spanOf, wholeTime } from '../../device/recording/times.js';
import { describeTranscript, type Row } from '../../device/recording/words.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { type Style, sentenceWidth } from '../render/style.js';
import { fields } from '../render/table.js';
import { padStart, plural, printable, wrap } from '../render/text.js';
import { headerJson, takeTranscript } from '../take-transcript.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace and no device: only the file. */
export const run: Verb = async (words, context) => {
  const { style } = context;
  const taken = await takeTranscript(context, argument(words, 0));
  if (!taken.ok) return taken;
  const { transcript, lines } = taken.value;
  const { header, exchanges } = transcript;
  const rows = describeTranscript(transcript, lines, words.flag('all')).map(
    (row): TimedRow => ({ ...row, time: spanOf(transcript, lines, row.line, row.exchanges) }),
  );
  const whole = wholeTime(transcript);
  const none = (text: string | null): string => printable(text ?? 'none');
  return ok({
    schema: 'countersign.transcript-show/1',
    exit: 'OK',
    data: {
      header: headerJson(transcript),
      exchanges: exchanges.length,
      ...(whole === null ? {} : { milliseconds: whole }),
      rows: rows.map(({ time, ...row }) => (time === null ? row : { ...row, time })),
    },
    text: [
      ...fields(
        [
          ['device', printable(header.device)],
          ['app', `${none(header.app)} ${printable(header.version ?? '')}`.trimEnd()],
          ['fingerprint', none(header.fingerprint)],
          ['psbt', none(header.psbt)],
          ['exchanges', `${exchanges.length}${whole === null ? '' : `, in ${seconds(whole)}`}`],
          ...(header.redacted === undefined ? [] : [['redacted', printable(header.redacted)] as const]),
        ],
        style,
      ),
      '',
      ...rows.flatMap((row) => lineOf(row, style)),
    ],
  });
};

const INDENT = 10;

type TimedRow = Row & { readonly time: Span | null };

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(3)} s`;

/** "(4 exchanges, at 1.250 s, the device took 0.081 s)". */
function sizeOf({ exchanges, time }: TimedRow): string {
  const parts = [
    ...(exchanges > 1 ? [plural(exchanges, 'exchange')] : []),
    ...(time === null ? [] : [`at ${seconds(time.at)}, the device took ${seconds(time.took)}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function lineOf(row: TimedRow, style: Style): string[] {
  const { line, phase, text } = row;
  const size = sizeOf(row);
  const prefix = phase === null ? '' : `${phase}: `;
  const [first = '', ...rest] = wrap(printable(`${prefix}${text}${size}`), sentenceWidth(style, 120, INDENT));
  return [
    `${style.dim(padStart(`${line}`, INDENT - 2))}  ${first}`,
    ...rest.map((part) => `${' '.repeat(INDENT + 2)}${part}`),
  ];
}
