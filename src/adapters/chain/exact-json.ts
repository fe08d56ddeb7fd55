import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';

/** Strings as they are, and everything that could be a number outside of them. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?[0-9][-+.0-9eE]*/g;

/**
 * An answer in JSON, with every number as the text that stood there: a node writes amounts as decimal numbers of BTC, and
 * JSON.parse would round them. What each number may be is for its reader to say.
 */
export function parseExactJson(text: string, from: string): Result<unknown, Fault> {
  const numbersQuoted = text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`));
  try {
    return ok(JSON.parse(numbersQuoted));
  } catch {
    // JSON.parse has no other way of saying that a text is not JSON.
    return fail('E_CHAIN_ANSWER', `${from} answers ${quoted(text, 60)}, which is not JSON`, {
      remedy: 'check that the address is that of the service itself, and not of a page or a proxy before it',
    });
  }
}
