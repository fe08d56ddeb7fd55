import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { activatePolicy } from '../../workflow/documents.js';
import type { Verb } from '../command.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 0);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const activated = await activatePolicy(desk, bytes.value, file);
    if (!activated.ok) return activated;
    const { digest, document } = activated.value;
    return ok({
      schema: 'countersign.policy-activate/1',
      exit: 'OK',
      data: { version: document.version, digest, expires_at: formatTime(document.expiresAt) },
      text: [
        `Version ${document.version} of the policy is in force, until ${formatTime(document.expiresAt)}`,
        `  digest ${digest}`,
        '  its signatures are not checked yet: see docs/not-covered.md',
      ],
    });
  });
