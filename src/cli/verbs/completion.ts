import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import type { Verb } from '../command.js';
import { bashCompletion, SHELLS } from '../completion.js';
import { COMMANDS } from '../tree.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace, and looks at none: the script is of the command tree alone. */
export const run: Verb = async (words) => {
  const shell = argument(words, 0);
  if (!SHELLS.some((known) => known === shell)) {
    return fail('E_USAGE', `there is no completion for ${JSON.stringify(shell)}`, {
      remedy: `there is one for ${SHELLS.join(', ')}; zsh takes that after: autoload -U bashcompinit; bashcompinit`,
    });
  }
  const script = bashCompletion(COMMANDS);
  return ok({
    schema: 'countersign.completion/1',
    exit: 'OK',
    data: { shell, script },
    text: [script],
    verbatim: script,
  });
};
