import { quoted } from './safe-text.js';

/** Where two JSON values part: a path such as "outputs[1].amount", and what stands there in each. */
export interface JsonDifference {
  readonly path: string;
  readonly found: string;
  readonly due: string;
}

/** The first difference of two JSON values in the order of their keys; null if there is none. */
export function jsonDifference(found: unknown, due: unknown, path = ''): JsonDifference | null {
  if (!isObject(found) || !isObject(due) || Array.isArray(found) !== Array.isArray(due)) {
    return found === due ? null : { path, found: shown(found), due: shown(due) };
  }
  const keys = [...new Set([...Object.keys(found), ...Object.keys(due)])].sort();
  for (const key of keys) {
    const inner = Array.isArray(due) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const difference = jsonDifference(ownValue(found, key), ownValue(due, key), inner);
    if (difference !== null) return difference;
  }
  return null;
}

/** JSON text from outside, or null where the bytes are none. */
export function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

/** Own properties alone: a document must not answer for a field by way of a prototype. */
export function ownValue(holder: unknown, key: string): unknown {
  return isObject(holder) ? Object.getOwnPropertyDescriptor(holder, key)?.value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Never more than its kind where it is a list or an object: whoever wrote the document chose how deep and long it is. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value, SHOWN);
  if (isObject(value)) {
    const [empty, other] = Array.isArray(value) ? ['[]', 'a list'] : ['{}', 'an object'];
    return Object.keys(value).length === 0 ? empty : other;
  }
  return String(value);
}

const SHOWN = 120;
