import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';

/**
 * Strings as they are, and everything that could be a number outside of them. Runs of plain characters are one step of the
 * expression: one step for each character would overflow its stack in a transaction of some megabytes.
 */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][-+.0-9eE]*/g;
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

function withNumbersQuoted(text: string): string {
  let done = '';
  let pieces: string[] = [];
  let taken = 0;
  for (const { 0: token, index } of text.matchAll(STRING_OR_NUMBER)) {
    if (token.startsWith('"')) continue;
    pieces.push(text.slice(taken, index), '"', token, '"');
    taken = index + token.length;
    if (pieces.length < PIECES) continue;
    done += pieces.join('');
    pieces = [];
  }
  return done + pieces.join('') + text.slice(taken);
}
