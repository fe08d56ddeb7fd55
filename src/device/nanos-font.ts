import type { Screen } from './types.js';

/** Width of a text line of the Nano S in pixels: 128 less the arrows at both sides. */
const LINE_PIXELS = 114;

/** Advance widths of the Nano S's Open Sans Regular 11 px, in pixels, by the characters that have them. */
const WIDTHS: readonly (readonly [number, string])[] = [
  [2, "'"],
  [3, ' !(),.:;Iil'],
  [4, '"-/J[\\]jrt{}'],
  [5, '?_cfsz'],
  [6, '$*+012356789<=>EFLSXYZ^`aegkvxy|~'],
  [7, '#ABCKPRTVbdhnopqu'],
  [8, '&4DGHNU'],
  [9, '%OQw'],
  [10, '@MWm'],
];

const WIDTH_OF = new Map(WIDTHS.flatMap(([width, characters]) => [...characters].map((c) => [c, width] as const)));

/**
 * A titled text of printable ASCII as the Nano S pages it: each page one line, filled up to its width, cut at the last
 * space, hyphen or underscore where the cut would part a word. The title counts the pages if there are several.
 */
export function pages(title: string, text: string): readonly Screen[] {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const length = lineLength(rest);
    lines.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  if (lines.length <= 1) return [{ title, text }];
  return lines.map((line, index) => ({ title: `${title} (${index + 1}/${lines.length})`, text: line }));
}

function lineLength(text: string): number {
  const fitting = fittingLength(text);
  if (fitting === text.length) return fitting;
  const line = text.slice(0, fitting);
  const cut = Math.max(line.lastIndexOf(' '), line.lastIndexOf('-'), line.lastIndexOf('_'));
  const partsWord = !isDelimiter(text[fitting - 1]) && !isDelimiter(text[fitting]);
  return cut > 0 && partsWord ? cut : fitting;
}

function fittingLength(text: string): number {
  let pixels = 0;
  for (let length = 0; length < text.length; length += 1) {
    pixels += WIDTH_OF.get(text[length] ?? '') ?? 0;
    // A character wider than the line cannot occur: the first one always fits.
    if (pixels > LINE_PIXELS) return length;
  }
  return text.length;
}

const isDelimiter = (character: string | undefined): boolean =>
  character === ' ' || character === '-' || character === '_';
