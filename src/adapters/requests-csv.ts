import { CsvError, parse } from 'csv-parse/sync';
import { fault } from '../domain/fault.js';
import { nearestName } from '../domain/nearest.js';
import { quoted } from '../domain/safe-text.js';
import { complain, type Reading } from '../domain/source-reader.js';
import type { SourceMap, SourceNode } from '../domain/source-tree.js';

interface Columns {
  readonly mandatory: readonly string[];
  readonly optional: readonly string[];
}

interface Cell {
  readonly text: string;
  readonly column: number;
}

interface Row {
  readonly cells: readonly Cell[];
  readonly line: number;
}

/**
 * The rows of a CSV file (RFC 4180: commas, a header in the first line; LF alone, which the caller saw to) as the objects that the same requests
 * would be in JSON, so that one reader serves both. Faults go to the reading; null where the header cannot be used.
 * Reading stops behind `maxRows` and one more.
 */
export function readCsv(
  text: string,
  reading: Reading,
  columns: Columns,
  maxRows: number,
): readonly SourceNode[] | null {
  const [header, ...body] = parseRows(text, reading, maxRows + 2);
  if (header === undefined) return reading.faults.length === 0 ? [] : null;
  const names = readHeader(header, reading, columns);
  if (names === null) return null;
  return body.flatMap((row) => readRow(row, names, reading, columns) ?? []);
}

/** All rows up to the first one that is badly quoted. */
function parseRows(text: string, reading: Reading, maxRows: number): readonly Row[] {
  const rows: Row[] = [];
  let cells: Cell[] = [];
  let column = 1;
  try {
    parse(text, {
      record_delimiter: '\n',
      relax_column_count: true,
      skip_empty_lines: true,
      to: maxRows,
      cast: (value, { quoting }) => {
        cells.push({ text: value, column });
        column += value.length + 1 + (quoting ? 2 + value.split('"').length - 1 : 0);
        return value;
      },
      on_record: (_record, { lines }) => {
        // csv-parse names the line on which a record ends; a cell may hold line breaks.
        const text = cells.map((cell) => cell.text).join('');
        rows.push({ cells, line: lines - (text.split('\n').length - 1) });
        cells = [];
        column = 1;
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? error.lines : 1;
    const remedy =
      'put a cell that holds quotes, commas or line breaks in double quotes, and double each quote inside it';
    const where = { file: reading.file, line };
    reading.faults.push(
      fault('E_CSV_ROW', `the quotes of a row do not match: ${error.message.slice(0, 200)}`, { remedy, where }),
    );
  }
  return rows;
}

function readHeader(header: Row, reading: Reading, { mandatory, optional }: Columns): readonly string[] | null {
  const known = [...mandatory, ...optional];
  const names = header.cells.map(({ text }) => text);
  const before = reading.faults.length;
  const refuse = (column: number, message: string, remedy: string): void => {
    complain({ ...reading, path: 'header' }, { line: header.line, column }, 'E_CSV_HEADER', message, remedy);
  };
  const example = `the first line names the columns, in any order: ${mandatory.join(',')}[,${optional.join(',')}]`;
  if (names.length === 1 && /[;\t|]/.test(names[0] ?? '')) {
    refuse(1, 'the columns are not separated by commas', 'save the file as comma-separated values');
    return null;
  }
  for (const [index, { text, column }] of header.cells.entries()) {
    if (names.indexOf(text) < index)
      refuse(column, `the column ${quoted(text)} stands there twice`, 'remove one of them');
    if (known.includes(text)) continue;
    const meant = nearestName(text.trim(), known);
    refuse(
      column,
      `there is no column ${quoted(text)}`,
      meant === null ? example : `did you mean ${meant}? ${example}`,
    );
  }
  for (const name of mandatory) {
    if (!names.includes(name)) refuse(1, `the column ${name} is missing`, example);
  }
  return reading.faults.length === before ? names : null;
}

function readRow(
  { cells, line }: Row,
  names: readonly string[],
  reading: Reading,
  { optional }: Columns,
): SourceMap | null {
  if (cells.length !== names.length) {
    const message = `the row has ${cells.length} cells, the header ${names.length}`;
    const remedy = 'put a cell that holds a comma in double quotes; leave a cell empty rather than out';
    complain({ ...reading, path: 'row' }, { line, column: 1 }, 'E_CSV_ROW', message, remedy);
    return null;
  }
  const entries: Map<string, { key: { line: number; column: number }; value: SourceNode }> = new Map();
  for (const [index, name] of names.entries()) {
    const { text, column } = cells[index] ?? { text: '', column: 1 };
    if (text === '' && optional.includes(name)) continue;
    const place = { line, column };
    const value = plainCell(text, name, { ...reading, path: name }, place);
    entries.set(name, { key: place, value: { kind: 'scalar', value, quoted: true, ...place } });
  }
  return { kind: 'map', entries, line, column: 1 };
}

/** A signed number is no formula to worry about: the amount's own reader refuses it, with its own words. */
const FORMULA = /^[=+\-@\t]/;
const SIGNED = /^[+-][0-9]/;

/** The text of a cell; where a fault was added, the text without what was wrong, so that the row is read to its end. */
function plainCell(
  text: string,
  name: string,
  at: Reading,
  place: { readonly line: number; readonly column: number },
): string {
  if (FORMULA.test(text) && !(name === 'amount' && SIGNED.test(text))) {
    const message = `${quoted(text, 40)} begins like a formula of a spreadsheet`;
    const remedy = 'remove what stands before the value (= + - @, a tab or a line break)';
    complain(at, place, 'E_CSV_FORMULA', message, remedy);
    return text.replace(/^[=+\-@\s]+/, '');
  }
  if (/^\s|\s$/.test(text)) {
    const message = `${quoted(text, 40)} begins or ends with a space`;
    complain(at, place, 'E_CSV_SPACE', message, 'remove the space; spaces beside a comma belong to the cell');
  }
  return text.trim();
}
