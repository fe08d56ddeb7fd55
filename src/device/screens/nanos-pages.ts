import type { Screen } from '../types.js';
import { isDelimiter, LINE_PIXELS, nanosFont } from './font.js';

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
    pixels += nanosFont(text[length]);
    // A character wider than the line cannot occur: the first one always fits.
    if (pixels > LINE_PIXELS) return length;
  }
  return text.length;
}
