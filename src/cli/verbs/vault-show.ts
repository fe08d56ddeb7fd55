import { ok } from '../../domain/result.js';
import { openVault } from '../../workflow/open-vault.js';
import type { Verb } from '../command.js';
import { vaultData, vaultLines } from '../render/vault.js';
import { withWorkspace } from '../with-workspace.js';

export const run: Verb = async (_words, context) =>
  withWorkspace(context, async (desk) => {
    const open = await openVault(desk);
    if (!open.ok) return open;
    const { vault } = open.value;
    return ok({
      schema: 'countersign.vault-show/1',
      exit: 'OK',
      data: { vault: vaultData(vault) },
      text: [`Vault ${vault.id}`, ...vaultLines(vault, context.style)],
    });
  });
