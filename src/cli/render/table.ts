import { padEnd, padStart, visibleWidth } from './text.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Rows under titles, two spaces apart, with no lines drawn; the last left-aligned column is not padded. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  dim: (text: string) => string,
): string[] {
  const widths = columns.map((column, index) =>
    Math.max(visibleWidth(column.title), ...rows.map((row) => visibleWidth(row[index] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? '';
        const width = widths[index] ?? 0;
        if (column.align === 'right') return padStart(cell, width);
        return index === columns.length - 1 ? cell : padEnd(cell, width);
      })
      .join('  ')
      .trimEnd();
  return [dim(line(columns.map((column) => column.title))), ...rows.map(line)];
}

/** "name  value" lines with the names aligned. */
export function fields(
  pairs: readonly (readonly [name: string, value: string])[],
  dim: (text: string) => string,
): string[] {
  const width = Math.max(...pairs.map(([name]) => visibleWidth(name)));
  return pairs.map(([name, value]) => `${dim(padEnd(name, width))}  ${value}`);
}
