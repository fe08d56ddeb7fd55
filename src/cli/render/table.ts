import type { Style } from './style.js';
import { padEnd, padStart, visibleWidth, wrap } from './text.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows under titles, two spaces apart, with no lines drawn; the last left-aligned column is not padded. Where a row is
 * wider than the terminal, the last columns of all rows go to lines of their own below: nothing is cut or shortened.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], style: Style): string[] {
  const widths = columns.map((column, index) =>
    rows.reduce((most, row) => Math.max(most, visibleWidth(row[index] ?? '')), visibleWidth(column.title)),
  );
  const line = (cells: readonly string[], from: number, to: number): string =>
    columns
      .slice(from, to)
      .map((column, offset) => {
        const index = from + offset;
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        if (column.align === 'right' && from === 0) return padStart(cell, width);
        return index === to - 1 ? cell : padEnd(cell, width);
      })
      .join('  ')
      .trimEnd();
  const folds = linesOf(widths, style.width);
  const laidOut = (cells: readonly string[]): string[] =>
    folds.map(({ from, to }) => (from === 0 ? line(cells, from, to) : `${FOLDED}${line(cells, from, to)}`));
  const titles = laidOut(columns.map((column) => column.title));
  return [
    ...titles.filter((title) => title.trim() !== '').map(style.dim),
    ...rows.flatMap((row) => laidOut(row).filter((text, index) => index === 0 || text.trim() !== '')),
  ];
}

/** What folded columns are indented by. */
const FOLDED = '      ';
/** Tables stand up to this far from the left. */
const TABLE_INDENT = 2;

interface Fold {
  readonly from: number;
  readonly to: number;
}

/** Which columns stand on which line of a row: all on the first one where they fit, else as many on each as do. */
function linesOf(widths: readonly number[], width: number | null): readonly Fold[] {
  const folds: Fold[] = [];
  let from = 0;
  let used = 0;
  for (const [index, own] of widths.entries()) {
    const indent = folds.length === 0 ? 0 : FOLDED.length;
    const next = index === from ? indent + own : used + 2 + own;
    if (width !== null && index > from && next > width - TABLE_INDENT) {
      folds.push({ from, to: index });
      from = index;
      used = FOLDED.length + own;
    } else used = next;
  }
  return [...folds, { from, to: widths.length }];
}

/** "name  value" lines with the names aligned; on a terminal a longer value is broken at its spaces and goes on below. */
export function fields(pairs: readonly (readonly [name: string, value: string])[], style: Style): string[] {
  const width = Math.max(...pairs.map(([name]) => visibleWidth(name)));
  return pairs.flatMap(([name, value]) => {
    const [first = '', ...rest] = style.width === null ? [value] : wrap(value, style.width - width - 2);
    return [`${style.dim(padEnd(name, width))}  ${first}`, ...rest.map((line) => `${' '.repeat(width)}  ${line}`)];
  });
}
