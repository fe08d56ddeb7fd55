import { ok } from '../../domain/result.js';
import { formatTime } from '../../domain/time.js';
import { overallKind } from '../../policy/classify.js';
import { activatePolicy, type PolicyActivation } from '../../workflow/documents.js';
import { readSignatures } from '../../workflow/sign-document.js';
import type { Verb } from '../command.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 0);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const signatures = await readSignatures(context.compose.files, file, words.list('signature'));
    if (!signatures.ok) return signatures;
    const activated = await activatePolicy(desk, { bytes: bytes.value, file, signatures: signatures.value });
    if (!activated.ok) return activated;
    const { policy, inForce, changes } = activated.value;
    const { version, effectiveAt, expiresAt } = policy.document;
    const signers = activated.value.signatures.map(({ person }) => person);
    return ok({
      schema: 'countersign.policy-activate/1',
      exit: 'OK',
      data: {
        version,
        digest: policy.digest,
        in_force: inForce,
        effective_at: formatTime(effectiveAt),
        expires_at: formatTime(expiresAt),
        change: changes === null ? 'first' : overallKind(changes),
        changes: (changes ?? []).map(({ field, kind, before, after }) => ({ field, kind, before, after })),
        signers,
      },
      text: [
        inForce
          ? `Version ${version} of the policy is in force, until ${formatTime(expiresAt)}`
          : `Version ${version} of the policy waits; it applies from ${formatTime(effectiveAt)} until ${formatTime(expiresAt)}`,
        `  digest ${policy.digest}`,
        `  signed by ${signers.join(', ')}`,
        `  ${changeText(activated.value)}`,
      ],
    });
  });

function changeText({ changes }: PolicyActivation): string {
  if (changes === null)
    return 'the first of this journal, taken on trust: compare the digest with the one its signers have';
  if (changes.length === 0) return 'it changes nothing of what is allowed';
  return `${overallKind(changes)}: it changes ${changes.map(({ field }) => field).join(', ')}`;
}
