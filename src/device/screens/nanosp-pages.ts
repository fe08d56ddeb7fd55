import type { Screen } from '../types.js';
import { isDelimiter, LINE_PIXELS, nanospFont } from './font.js';

/** Lines of text under the title of a page. */
const LINES = 3;

/**
 * A titled text of printable ASCII as the Nano S Plus pages it (Ledger's SDK, nbgl_getTextMaxLenInNbLines): three lines a
 * page, each filled up to its width, and cut after the last space, hyphen or underscore where there is one. The title
 * counts the pages if there are several.
 */
export function pages(title: string, text: string): readonly Screen[] {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const length = lineLength(rest);
    lines.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  const count = Math.ceil(lines.length / LINES);
  if (count <= 1) return [{ title, text: lines.join('\n') }];
  return Array.from({ length: count }, (_, page) => ({
    title: `${title} (${page + 1}/${count})`,
    text: lines.slice(page * LINES, (page + 1) * LINES).join('\n'),
  }));
}

function lineLength(text: string): number {
  let pixels = 0;
  let afterDelimiter = 0;
  for (let length = 0; length < text.length; length += 1) {
    // A delimiter that does not fit any more stays at the end of its line, where it is not seen.
    if (isDelimiter(text[length])) afterDelimiter = length + 1;
    pixels += nanospFont(text[length]);
    if (pixels > LINE_PIXELS) return afterDelimiter > 0 ? afterDelimiter : length;
  }
  return text.length;
}
