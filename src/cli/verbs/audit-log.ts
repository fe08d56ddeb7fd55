import { ok } from '../../domain/result.js';
import type { Entry } from '../../journal/entries.js';
import type { Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { printable, visibleWidth } from '../render/text.js';
import { wholeNumber, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const from = wholeNumber(words.text('from') ?? '0', Number.MAX_SAFE_INTEGER, 'a sequence number');
    if (!from.ok) return from;
    const entries: Entry[] = [];
    for await (const entry of desk.journal.entries(from.value)) entries.push(entry);
    return ok({
      schema: 'countersign.audit-log/1',
      exit: 'OK',
      data: { entries },
      text: entries.map((entry) => logLine(entry, context.style)),
    });
  });

/** Columns of a line for people: sequence, time, kind and hash take half of them. */
const MOST_COLUMNS = 200;

/** One line per entry: who, then what fits whole. Lists, documents and signatures are left to --json. */
function logLine({ seq, at, body, hash }: Entry, { dim }: Style): string {
  const { kind, ...rest } = body;
  const head = `${`${seq}`.padStart(5)}  ${at}  ${kind.padEnd(16)}`;
  const words = Object.entries(rest)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => ({ rank: rankOf(name), word: `${name}=${printable(`${value}`)}` }))
    .sort((a, b) => a.rank - b.rank);
  let line = head;
  let isCut = words.length < Object.keys(rest).length;
  for (const { word } of words) {
    const fits = visibleWidth(line) + 2 + visibleWidth(word) + MORE.length + 2 + hash.length <= MOST_COLUMNS;
    if (fits) line = `${line}  ${word}`;
    else isCut = true;
  }
  return `${line}${isCut ? MORE : ''}  ${dim(hash)}`;
}

/** Says that --json has more of this entry. */
const MORE = '  ...';

const WHO = ['by', 'person', 'source', 'initiator'];
const WHAT = ['batch', 'halt', 'scope', 'outpoint', 'vault', 'version', 'stage', 'decision', 'reason', 'txid', 'fault'];

function rankOf(name: string): number {
  if (WHO.includes(name)) return 0;
  const what = WHAT.indexOf(name);
  return what === -1 ? 1 + WHAT.length : 1 + what;
}
