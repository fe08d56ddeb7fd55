import canonicalize from 'canonicalize';

/** What may stand in a document that is hashed or signed: no floats, no null, no undefined. Amounts are strings. */
export type Json = string | boolean | number | readonly Json[] | { readonly [key: string]: Json };

/**
 * RFC 8785 text of a value. Numbers must be safe integers, so that no reader can round them.
 * Throws on anything else: such a value is a bug of the caller, never an input.
 */
export function canonicalJson(value: Json): string {
  const written = inOrder(value);
  if (written !== null) return written;
  assertPlain(value, '$');
  const text = inOrder(sorted(value)) ?? canonicalize(value);
  if (text === undefined) throw new Error('canonical JSON of undefined');
  return text;
}

/** Whether a text is the canonical one of the value that JSON.parse made of it. Throws as canonicalJson does. */
export function isCanonicalText(text: string, value: Json): boolean {
  // Keys that are whole numbers come out of JSON.parse in an order of their own.
  return inOrder(value) === text || canonicalJson(value) === text;
}

/**
 * The text of a value whose keys are in order already, several times faster: RFC 8785 writes strings and numbers as
 * JSON.stringify does, which leaves keys where they are. Null for any other value.
 */
function inOrder(value: Json): string | null {
  if (!isInOrder(value)) return null;
  const text = JSON.stringify(value);
  // So it writes a lone surrogate, which has no canonical form.
  return text.includes('\\ud') ? null : text;
}

/** The same value with its keys in order, as far as an object can hold them so: whole numbers stand first in any. */
function sorted(value: Json): Json {
  if (typeof value !== 'object') return value;
  if (isList(value)) return value.map(sorted);
  const copy: Record<string, Json> = Object.create(null);
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item !== undefined) copy[key] = sorted(item);
  }
  return copy;
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object') {
    return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
  }
  if (value === null) return false;
  if (Array.isArray(value)) return value.every(isInOrder);
  if (!isPlain(value)) return false;
  let before: string | null = null;
  for (const key of Object.keys(value)) {
    if ((before !== null && key < before) || !isInOrder((value as Record<string, unknown>)[key])) return false;
    before = key;
  }
  return true;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
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
      if (!isPlain(value)) throw new Error(`${path}: not a plain object`);
      for (const [key, item] of Object.entries(value)) assertPlain(item, `${path}.${key}`);
      return;
    default:
      throw new Error(`${path}: ${typeof value} has no place in a canonical document`);
  }
}
