import { nearestName } from '../domain/nearest.js';
import { COMMANDS } from './tree.js';

/** What to say of a command that there is not: the likeliest one, and whose help to read. */
export interface Mistyped {
  readonly message: string;
  /** The words behind "countersign" that its remedy names. */
  readonly help: readonly string[];
}

/**
 * Looks for the verb that was meant by the first words of a command line: a verb of the group that they name, else a group
 * or a verb like the first of them, else the group that has such a verb ("lint" for "policy lint").
 */
export function mistyped(words: readonly string[]): Mistyped {
  const [first = '', second] = words;
  const verbs = verbsOf(first);
  if (verbs.length > 0) {
    const meant = second === undefined ? null : nearestName(second, verbs);
    return { message: said(second ?? '', meant === null ? null : `${first} ${meant}`), help: [first] };
  }
  const group = nearestName(first, [...new Set(COMMANDS.map(({ path }) => path[0] ?? ''))]);
  const named = COMMANDS.find(({ path }) => path[1] === first);
  if (named !== undefined) return { message: said(first, named.path.join(' ')), help: named.path.slice(0, 1) };
  if (group === null) return { message: said(first, null), help: [] };
  const inGroup = second === undefined ? null : nearestName(second, verbsOf(group));
  return {
    message: said(first, inGroup === null ? group : `${group} ${inGroup}`),
    help: verbsOf(group).length > 0 ? [group] : [],
  };
}

function verbsOf(group: string): readonly string[] {
  return COMMANDS.flatMap(({ path: [first, second] }) => (first === group && second !== undefined ? [second] : []));
}

function said(word: string, meant: string | null): string {
  const unknown = `unknown command '${word}'`;
  return meant === null ? unknown : `${unknown}: did you mean countersign ${meant}?`;
}
