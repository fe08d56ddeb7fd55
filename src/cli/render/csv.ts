/**
 * What spreadsheets take for the beginning of a formula (OWASP, "CSV injection"): the four signs, their full-width and small
 * forms, which some of them make plain ones of, and tab, carriage return and line feed. Spaces and characters without a
 * width in front of a sign are dropped by some readers. An apostrophe is one more, so that each cell can be read back.
 */
const FORMULA = /^(?:['\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212])/u;

/**
 * RFC 4180 with every cell in quotes. A cell that a spreadsheet would compute is written as the text that it is, behind an
 * apostrophe: labels and references come from outside.
 */
export function csvText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, ...rows].map((cells) => `${cells.map(cellText).join(',')}\r\n`).join('');
}

function cellText(cell: string): string {
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return `"${text.replaceAll('"', '""')}"`;
}
