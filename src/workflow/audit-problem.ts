import { jsonDifference, ownValue } from '../domain/json-difference.js';
import type { EntryBody } from '../journal/entries.js';

export type Body<K extends EntryBody['kind']> = Extract<EntryBody, { kind: K }>;

/** Why an entry does not hold, in words that follow "entry 7, batch X: ". Null where it does. */
export type Problem = string | null;

/** The first field of an entry that is not as it has to be. */
export function fieldDifference<T extends object>(body: T, due: { readonly [K in keyof T]?: unknown }): Problem {
  for (const field of Object.keys(due).sort()) {
    const difference = jsonDifference(ownValue(body, field), ownValue(due, field), field);
    if (difference !== null) return `${difference.path} is ${difference.found}, and has to be ${difference.due}`;
  }
  return null;
}
