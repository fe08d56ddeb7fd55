import { ok } from '../../domain/result.js';
import type { Entry } from '../../journal/entries.js';
import type { Verb } from '../command.js';
import { printable } from '../render/text.js';
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
      text: entries.map((entry) => logLine(entry, context.style.dim)),
    });
  });

/** One line per entry, whatever stands in it. */
function logLine({ seq, at, body, hash }: Entry, dim: (text: string) => string): string {
  const { kind, ...rest } = body;
  return `${`${seq}`.padStart(5)}  ${at}  ${kind.padEnd(16)}  ${printable(JSON.stringify(rest))}  ${dim(hash)}`;
}
