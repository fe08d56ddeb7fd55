import type { CommandSpec } from './command.js';
import { AUDIT_COMMANDS } from './tree/audit.js';
import { BATCH_COMMANDS } from './tree/batches.js';
import { DOCUMENT_COMMANDS } from './tree/documents.js';
import { OTHER_COMMANDS } from './tree/looking.js';
import { SIGNER_COMMANDS } from './tree/signer.js';
import { VAULT_COMMANDS } from './tree/vault.js';

/** Its script is made of all the others, which it is given: it cannot look for them itself, since they lead to it. */
const COMPLETION: CommandSpec = {
  path: ['completion'],
  about: 'print what a shell completes of these verbs and their options, to be sourced',
  args: [{ name: '<shell>', about: 'bash; zsh takes it after: autoload -U bashcompinit; bashcompinit' }],
  options: [],
  example: 'countersign completion bash',
  load: async () => ({ run: (await import('./verbs/completion.js')).completing(COMMANDS) }),
};

/** Every verb, in the order of the journey. */
export const COMMANDS: readonly CommandSpec[] = [
  ...VAULT_COMMANDS,
  ...DOCUMENT_COMMANDS,
  ...BATCH_COMMANDS,
  ...SIGNER_COMMANDS,
  ...AUDIT_COMMANDS,
  ...OTHER_COMMANDS,
  COMPLETION,
];
