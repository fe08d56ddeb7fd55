import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';

/**
 * Characters that a person cannot see, or that change how what follows is shown: C0 and C1 controls (ESC, CR, TAB, CSI),
 * format characters (direction overrides and isolates, zero-width spaces, soft hyphens), line and paragraph separators,
 * halves of surrogate pairs. A terminal, a spreadsheet and a diff would each show them differently.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** A text without any of them. */
export const VISIBLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
const EVERY_INVISIBLE = new RegExp(INVISIBLE.source, 'gu');

/** Unicode code points that a label, an owner, a purpose, a reference or a reason may have. */
export const MAX_LABEL_LENGTH = 200;

/** A text that people will read beside money: visible characters only, at most 200 code points; empty is allowed. */
export function checkLabel(text: string, name: string): Result<string, Fault> {
  const found = INVISIBLE.exec(text)?.[0];
  if (found !== undefined) {
    return fail('E_TEXT_UNSAFE', `the ${name} holds the character ${codePoint(found)}, which is not shown as it is`, {
      remedy: `write the ${name} in one line, without control and direction-changing characters`,
    });
  }
  // A code point takes at most two UTF-16 units: a huge text is refused before it is spread into an array.
  const length = text.length > 2 * MAX_LABEL_LENGTH ? text.length : [...text].length;
  if (length <= MAX_LABEL_LENGTH) return ok(text);
  return fail('E_TEXT_UNSAFE', `the ${name} has ${length} characters; at most ${MAX_LABEL_LENGTH} are allowed`, {
    remedy: `shorten the ${name}`,
  });
}

/** Somebody else's text for a message: quoted, cut at `limit` characters, with every invisible character as \u{...}. */
export function quoted(text: string, limit = 80): string {
  const cut = [...text.slice(0, 2 * limit)].slice(0, limit).join('');
  const escaped = cut.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replace(EVERY_INVISIBLE, escapeInvisible);
  return `"${escaped}"${cut.length < text.length ? '...' : ''}`;
}

function escapeInvisible(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** U+202E and the like. */
export function codePoint(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, '0')}`;
}
