import type { CommandSpec } from './command.js';
import { AUDIT_COMMANDS } from './tree/audit.js';
import { BATCH_COMMANDS } from './tree/batches.js';
import { DOCUMENT_COMMANDS } from './tree/documents.js';
import { OTHER_COMMANDS } from './tree/looking.js';
import { SIGNER_COMMANDS } from './tree/signer.js';
import { VAULT_COMMANDS } from './tree/vault.js';

/** Every verb, in the order of the journey. */
export const COMMANDS: readonly CommandSpec[] = [
  ...VAULT_COMMANDS,
  ...DOCUMENT_COMMANDS,
  ...BATCH_COMMANDS,
  ...SIGNER_COMMANDS,
  ...AUDIT_COMMANDS,
  ...OTHER_COMMANDS,
];
