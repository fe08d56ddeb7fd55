import { fail } from '../../domain/fault.js';
import { ok } from '../../domain/result.js';
import type { CommandSpec, Verb } from '../command.js';
import { bashCompletion, SHELLS } from '../completion.js';
import { argument } from '../with-workspace.js';

/** Needs no workspace, and looks at none: the script is of the command tree alone. */
export const completing =
  (specs: readonly CommandSpec[]): Verb =>
  async (words) => {
    const shell = argument(words, 0);
    if (!SHELLS.some((known) => known === shell)) {
      return fail('E_USAGE', `there is no completion for ${JSON.stringify(shell)}`, {
        remedy: `there is one for ${SHELLS.join(', ')}; zsh takes that after: autoload -U bashcompinit; bashcompinit`,
      });
    }
    const script = bashCompletion(specs);
    return ok({
      schema: 'countersign.completion/1',
      exit: 'OK',
      data: { shell, script },
      text: [script],
      verbatim: script,
    });
  };
