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
  const rows = describeTranscript(transcript, lines, words.flag('all'));
  const none = (text: string | null): string => printable(text ?? 'none');
  return ok({
    schema: 'countersign.transcript-show/1',
    exit: 'OK',
    data: { header: headerJson(transcript), exchanges: exchanges.length, rows },
    text: [
      ...fields(
        [
          ['device', printable(header.device)],
          ['app', `${none(header.app)} ${printable(header.version ?? '')}`.trimEnd()],
          ['fingerprint', none(header.fingerprint)],
          ['psbt', none(header.psbt)],
          ['exchanges', `${exchanges.length}`],
          ...(header.redacted === undefined ? [] : [['redacted', printable(header.redacted)] as const]),
        ],
        style.dim,
      ),
      '',
      ...rows.flatMap((row) => lineOf(row, style)),
    ],
  });
};

const INDENT = 10;

function lineOf({ line, exchanges, phase, text }: Row, style: Style): string[] {
  const size = exchanges > 1 ? ` (${plural(exchanges, 'exchange')})` : '';
  const prefix = phase === null ? '' : `${phase}: `;
  const [first = '', ...rest] = wrap(printable(`${prefix}${text}${size}`), sentenceWidth(style, 120, INDENT));
  return [
    `${style.dim(padStart(`${line}`, INDENT - 2))}  ${first}`,
    ...rest.map((part) => `${' '.repeat(INDENT + 2)}${part}`),
  ];
}
