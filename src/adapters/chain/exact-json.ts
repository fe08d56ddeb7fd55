import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';

/** Where a string or what could be a number begins. */
const BEGINNING = /["\-0-9]/g;
const NUMBER = /-?[0-9][-+.0-9eE]*/y;
/** Pieces that are kept apart before they are joined: the list of all of them may be longer than a list can be. */
const PIECES = 10_000;

/**
 * An answer in JSON, with every number as the text that stood there: a node writes amounts as decimal numbers of BTC, and
 * JSON.parse would round them. What each number may be is for its reader to say.
 */
export function parseExactJson(text: string, from: string): Result<unknown, Fault> {
  try {
    return ok(JSON.parse(withNumbersQuoted(text)));
  } catch {
    // JSON.parse has no other way of saying that a text is not JSON; nor has V8 of saying that one would be too long.
    return fail('E_CHAIN_ANSWER', `${from} answers ${quoted(text, 60)}, which is not JSON`, {
      remedy: 'check that the address is that of the service itself, and not of a page or a proxy before it',
    });
  }
}

/** In one pass from left to right, whatever the text is: no character of it is looked at again for each one before it. */
function withNumbersQuoted(text: string): string {
  let done = '';
  let pieces: string[] = [];
  let taken = 0;
  for (let at = nextAfter(BEGINNING, text, 0); at >= 0; ) {
    let next = text[at] === '"' ? stringEnd(text, at) : at + 1;
    // Of a string that never ends, JSON.parse says so.
    if (next < 0) break;
    NUMBER.lastIndex = at;
    const [number] = text[at] === '"' ? [] : (NUMBER.exec(text) ?? []);
    if (number !== undefined) {
      next = at + number.length;
      pieces.push(text.slice(taken, at), '"', number, '"');
      taken = next;
    }
    if (pieces.length >= PIECES) {
      done += pieces.join('');
      pieces = [];
    }
    at = nextAfter(BEGINNING, text, next);
  }
  return done + pieces.join('') + text.slice(taken);
}

function nextAfter(expression: RegExp, text: string, from: number): number {
  expression.lastIndex = from;
  return expression.exec(text)?.index ?? -1;
}

/** Behind the quote that ends the string which begins at `start`; -1 where none does. */
function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text[quote - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
  return -1;
}
