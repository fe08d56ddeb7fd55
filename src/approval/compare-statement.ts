import { equalBytes, utf8 } from '../domain/bytes.js';
import { canonicalJson, type Json } from '../domain/canonical-json.js';
import { type Fault, type FaultTag, fail } from '../domain/fault.js';
import { jsonDifference, ownValue, parsedJson } from '../domain/json-difference.js';
import { ok, type Result } from '../domain/result.js';

/** Bytes of a statement that are looked at, where a real one has about a thousand. */
export const MAX_STATEMENT_BYTES = 65_536;

const LINE_END = 0x0a;

export type StatementJson = { readonly [key: string]: Json } & { readonly schema: string };

/** Whether a statement is, byte for byte, the one that is due. The fault names the first field that differs. */
export function compareStatement(statement: Uint8Array, due: StatementJson, tag: FaultTag): Result<void, Fault> {
  if (equalBytes(statement, utf8(canonicalJson(due)))) return ok(undefined);
  const found = statement.length > MAX_STATEMENT_BYTES ? null : parsedJson(statement);
  const remedy = 'have it signed as --statement prints it now, without a change of spaces, order or line ends';
  if (found === null || ownValue(found, 'schema') !== due.schema) {
    return fail(tag, `what was signed is not a statement of ${due.schema}`, { remedy });
  }
  const different = jsonDifference(found, due);
  if (different === null) {
    return fail(tag, `the statement says the right things but ${formFault(statement)}`, { remedy });
  }
  const { path, found: signed, due: now } = different;
  return fail(tag, `the statement is of another ${path}: it says ${signed}, and ${now} is due`, { remedy });
}

/** How a statement with the right fields differs from the bytes that were printed. */
export function formFault(statement: Uint8Array): string {
  return statement.at(-1) === LINE_END
    ? 'ends with a line end, which was signed with it'
    : 'is not written in canonical form';
}

/** A text in a statement that somebody brought; nothing is believed of it before the whole of it is compared. */
export function textIn(statement: Uint8Array, field: string): string | null {
  const value = statement.length > MAX_STATEMENT_BYTES ? undefined : ownValue(parsedJson(statement), field);
  return typeof value === 'string' ? value : null;
}
