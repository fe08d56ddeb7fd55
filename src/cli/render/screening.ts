import { plural, printable } from './text.js';

const MOST_NAMED = 20;

/** Lines that could not be used, with why; the first ones of very many. All of them stand in --json. */
export function unusableLines(unusable: readonly { readonly line: number; readonly reason: string }[]): string[] {
  if (unusable.length === 0) return [];
  const more = unusable.length - MOST_NAMED;
  return [
    `  WARNING: ${plural(unusable.length, 'line')} could not be used, so nothing is screened against what it stands for:`,
    ...unusable.slice(0, MOST_NAMED).map(({ line, reason }) => `    line ${line}: ${printable(reason)}`),
    ...(more > 0 ? [`    and ${plural(more, 'more line')}`] : []),
  ];
}
