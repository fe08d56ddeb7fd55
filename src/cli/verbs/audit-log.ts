import { ok } from '../../domain/result.js';
import type { Entry } from '../../journal/entries.js';
import type { Verb } from '../command.js';
import type { Style } from '../render/style.js';
import { printable, visibleWidth, wrap } from '../render/text.js';
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
      text: entries.flatMap((entry) => logLines(entry, context.style)),
    });
  });

/** Columns of an entry for people: sequence, time, kind and hash take half of them. */
const MOST_COLUMNS = 200;
/** What belongs to an entry and has no room on its line stands below, behind the sequence number. */
const BELOW = ' '.repeat(7);

/**
 * One line per entry: who, then what fits whole. Lists, documents and signatures are left to --json. On a terminal it is
 * broken between words, so that no hash and no id goes over the edge.
 */
function logLines({ seq, at, body, hash }: Entry, { dim, width }: Style): string[] {
  const { kind, ...rest } = body;
  const head = `${`${seq}`.padStart(5)}  ${at}  ${kind.padEnd(16)}`;
  const words = Object.entries(rest)
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => ({ rank: rankOf(name), word: `${name}=${printable(`${value}`)}` }))
    .sort((a, b) => a.rank - b.rank);
  const chosen: string[] = [];
  let used = visibleWidth(head);
  for (const { word } of words) {
    const next = used + 2 + visibleWidth(word);
    if (next + MORE.length + 4 + hash.length > MOST_COLUMNS) continue;
    chosen.push(word);
    used = next;
  }
  if (chosen.length < Object.keys(rest).length) chosen.push(MORE);
  const lines = [head];
  for (const word of width === null ? chosen : chosen.flatMap((word) => wrap(word, width - BELOW.length))) {
    addWord(lines, word, visibleWidth(word), width);
  }
  addWord(lines, dim(hash), hash.length, width);
  return lines;
}

function addWord(lines: string[], word: string, columns: number, width: number | null): void {
  const last = lines.pop() ?? '';
  if (width === null || visibleWidth(last) + 2 + columns <= width) lines.push(`${last}  ${word}`);
  else lines.push(last.trimEnd(), `${BELOW}${word}`);
}

/** Says that --json has more of this entry. */
const MORE = '...';

const WHO = ['by', 'person', 'source', 'initiator'];
const WHAT = ['batch', 'halt', 'scope', 'outpoint', 'vault', 'version', 'stage', 'decision', 'reason', 'txid', 'fault'];

function rankOf(name: string): number {
  if (WHO.includes(name)) return 0;
  const what = WHAT.indexOf(name);
  return what === -1 ? 1 + WHAT.length : 1 + what;
}
