import { type Fault, fail } from './fault.js';
import { ok, type Result } from './result.js';
import { quoted } from './safe-text.js';

/** What a halt stops: everything, what pays one destination of the book, or what one person asked for. */
export type HaltScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'destination'; readonly id: string }
  | { readonly kind: 'initiator'; readonly person: string };

/** Names of the book and of people, as policies and books write them. */
const NAME = '[a-z0-9][a-z0-9-]{0,31}';
export const HALT_SCOPE = new RegExp(`^(?:all|(destination|initiator):(${NAME}))$`);

/** Reads "all", "destination:ID" or "initiator:NAME". E_HALT_SCOPE for any other spelling. */
export function parseHaltScope(text: string): Result<HaltScope, Fault> {
  const match = HALT_SCOPE.exec(text);
  if (match === null) {
    return fail('E_HALT_SCOPE', `${quoted(text, 60)} is not what a halt can stop`, {
      remedy: 'write all, destination:ID with an id of the address book, or initiator:NAME with a name of the policy',
    });
  }
  const [, kind, name] = match;
  if (kind === 'destination' && name !== undefined) return ok({ kind, id: name });
  if (kind === 'initiator' && name !== undefined) return ok({ kind, person: name });
  return ok({ kind: 'all' });
}

export function formatHaltScope(scope: HaltScope): string {
  switch (scope.kind) {
    case 'all':
      return 'all';
    case 'destination':
      return `destination:${scope.id}`;
    case 'initiator':
      return `initiator:${scope.person}`;
  }
}

/** For people, in the middle of a sentence. */
export function haltScopeText(scope: HaltScope): string {
  switch (scope.kind) {
    case 'all':
      return 'everything';
    case 'destination':
      return `what pays ${scope.id}`;
    case 'initiator':
      return `what ${scope.person} asks for`;
  }
}
