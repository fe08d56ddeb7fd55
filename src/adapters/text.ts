import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { codePoint } from '../domain/safe-text.js';

/** 5 MB: a hundred times the largest policy or book that people could still read. */
export const MAX_DOCUMENT_BYTES = 5_000_000;

/** How deep lists and objects may lie in one another. The deepest document of countersign has 5 levels. */
export const MAX_NESTING = 64;

export interface TextOptions {
  /** Size in bytes above which nothing is read; MAX_DOCUMENT_BYTES by default. */
  readonly maxBytes?: number;
}

/** Bytes to text: strict UTF-8, one code unit of doubt and all of it is refused. The size is looked at first. */
export function decodeText(bytes: Uint8Array, file: string, options: TextOptions = {}): Result<string, Fault> {
  const size = checkSize(bytes.length, file, options.maxBytes);
  if (!size.ok) return size;
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return fail('E_PARSE', `${file} is UTF-16`, { remedy: 'save it as UTF-8', where: { file, line: 1, column: 1 } });
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return fail('E_PARSE', `${file} begins with a byte order mark`, {
      remedy: 'save it as UTF-8 without a byte order mark (BOM)',
      where: { file, line: 1, column: 1 },
    });
  }
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  // A fatal decoder would throw without saying where; a replacement character that the bytes do not hold says it.
  const bad = text.includes('\ufffd') ? firstReplaced(text, bytes) : -1;
  if (bad >= 0) {
    return fail('E_PARSE', `${file} is not UTF-8`, { remedy: 'save it as UTF-8', where: placeOf(text, bad, file) });
  }
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    return fail('E_PARSE', `${file} holds a NUL character`, {
      remedy: 'it is a binary file, or UTF-16: save it as UTF-8 text',
      where: placeOf(text, nul, file),
    });
  }
  return ok(text);
}

/** Index of the first U+FFFD that stands for broken bytes rather than for itself (EF BF BD); -1 if there is none. */
function firstReplaced(text: string, bytes: Uint8Array): number {
  let offset = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0xfffd && !(bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd)) {
      return index;
    }
    // Each half of a surrogate pair stands for two of its four bytes.
    offset += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return -1;
}

export function checkSize(size: number, file: string, maxBytes = MAX_DOCUMENT_BYTES): Result<void, Fault> {
  if (size <= maxBytes) return ok(undefined);
  return fail('E_PARSE', `${file} has ${size} bytes; at most ${maxBytes} are read`, { where: { file } });
}

/** Control characters but TAB and LF, the byte order mark, and the nine characters that reorder what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose.
const FORBIDDEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/u;

/**
 * What no document may hold anywhere, comments included, so that what an auditor sees is what the program reads. A
 * carriage return is among it: editors show a lone one as a line break where YAML sees none, and a document that is
 * signed has one form of line end.
 */
export function checkCharacters(text: string, file: string): Result<void, Fault> {
  const found = FORBIDDEN.exec(text);
  if (found === null) return ok(undefined);
  const [character] = found;
  const where = placeOf(text, found.index, file);
  switch (character) {
    case '\r':
      return checkLineEnds(text, file);
    case '\ufeff':
      return fail('E_PARSE', 'the file holds a byte order mark', {
        remedy: 'save it as UTF-8 without a byte order mark (BOM)',
        where,
      });
    default:
      break;
  }
  const name = codePoint(character);
  if (/[\u202a-\u202e\u2066-\u2069]/.test(character)) {
    return fail('E_TEXT_UNSAFE', `the character ${name} changes the direction of what follows it`, {
      remedy: 'remove it: it makes a line read otherwise than the program reads it',
      where,
    });
  }
  return fail('E_PARSE', `the character ${name} has no place in a text file`, { remedy: 'remove it', where });
}

/** One form of line end, LF: what a person approves has one form, and two spreadsheets give the same bytes. */
export function checkLineEnds(text: string, file: string): Result<void, Fault> {
  const found = text.indexOf('\r');
  if (found < 0) return ok(undefined);
  return fail('E_PARSE', 'the file has carriage returns (CR or CRLF line ends)', {
    remedy: "save it with LF line ends, or remove them: tr -d '\\r' < FILE > NEW_FILE",
    where: placeOf(text, found, file),
  });
}

/** Line and column of an offset, both from 1; columns count UTF-16 units, as editors do. */
export function placeOf(text: string, offset: number, file: string): { file: string; line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < offset; next = text.indexOf('\n', start)) {
    line++;
    start = next + 1;
  }
  return { file, line, column: offset - start + 1 };
}
