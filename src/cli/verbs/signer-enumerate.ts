import { ok } from '../../domain/result.js';
import { listSigners } from '../../workflow/external-signer.js';
import type { Verb } from '../command.js';
import { nodeCall } from '../node-answer.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const listed = await listSigners(desk, nodeCall(words));
    if (!listed.ok) return listed;
    const { vault, signers } = listed.value;
    // A node shows the model as the name of the signer.
    const answer = signers.map((fingerprint) => ({
      fingerprint,
      type: 'countersign',
      model: `countersign ${vault.id}`,
    }));
    return ok({ schema: 'countersign.signer-enumerate/1', exit: 'OK', data: { signers: answer }, text: [], answer });
  });
