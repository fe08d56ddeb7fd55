import { ok } from '../../domain/result.js';
import { type PublishedKind, publishedSchema, publishedText } from '../../policy/published.js';
import type { Verb } from '../command.js';

/** Prints the JSON Schema of a kind of document; without --json as it would stand in a file. */
export function printing(verb: 'policy' | 'book'): Verb {
  return async (words) => {
    const kind: PublishedKind = words.flag('case') ? 'case' : verb;
    return ok({
      schema: `countersign.${verb}-schema/1`,
      exit: 'OK',
      data: { json_schema: publishedSchema(kind) },
      text: publishedText(kind).trimEnd().split('\n'),
    });
  };
}
