import canonicalize from 'canonicalize';

/** What may stand in a document that is hashed or signed: no floats, no null, no undefined. Amounts are strings. */
export type Json = string | boolean | number | readonly Json[] | { readonly [key: string]: Json };

/**
 * RFC 8785 text of a value. Numbers must be safe integers, so that no reader can round them.
 * Throws on anything else: such a value is a bug of the caller, never an input.
 */
export function canonicalJson(value: Json): string {
  assertPlain(value, '$');
  const text = canonicalize(value);
  if (text === undefined) throw new Error('canonical JSON of undefined');
  return text;
}

function assertPlain(value: unknown, path: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isSafeInteger(value)) throw new Error(`${path}: ${value} is not a safe integer`);
      return;
    case 'object':
      if (value === null) throw new Error(`${path}: null has no place in a canonical document`);
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) assertPlain(item, `${path}[${index}]`);
        return;
      }
      // A Map, a Date or bytes would be written as something else than they are, and silently.
      if (![Object.prototype, null].includes(Object.getPrototypeOf(value)))
        throw new Error(`${path}: not a plain object`);
      for (const [key, item] of Object.entries(value)) assertPlain(item, `${path}.${key}`);
      return;
    default:
      throw new Error(`${path}: ${typeof value} has no place in a canonical document`);
  }
}
