import { at } from '../../domain/fault.js';
import { err, ok } from '../../domain/result.js';
import { importVault } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { vaultData, vaultLines } from '../render/vault.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 1);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const vault = await importVault(desk, argument(words, 0), Buffer.from(bytes.value).toString('utf8').trim());
    if (!vault.ok) return vault.error.tag.startsWith('E_DESCRIPTOR_') ? err(at({ file }, vault.error)) : vault;
    return ok({
      schema: 'countersign.vault-import/1',
      exit: 'OK',
      data: { vault: vaultData(vault.value) },
      text: [`Imported the vault ${vault.value.id}`, ...vaultLines(vault.value, context.style)],
    });
  });
