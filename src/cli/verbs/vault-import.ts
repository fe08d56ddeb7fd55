import { isUtf8 } from 'node:buffer';
import { checkSignable } from '../../device/preflight.js';
import { at, type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { importVault } from '../../workflow/vault.js';
import type { Verb } from '../command.js';
import { vaultData, vaultLines } from '../render/vault.js';
import { argument, withWorkspace } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withWorkspace(context, async (desk) => {
    const file = argument(words, 1);
    const bytes = await context.compose.files.read(file);
    if (!bytes.ok) return bytes;
    const text = descriptorText(bytes.value, file);
    if (!text.ok) return text;
    const vault = await importVault(desk, argument(words, 0), text.value);
    if (!vault.ok) return vault.error.tag.startsWith('E_DESCRIPTOR_') ? err(at({ file }, vault.error)) : vault;
    const signable = checkSignable(vault.value);
    return ok({
      schema: 'countersign.vault-import/1',
      exit: 'OK',
      data: {
        vault: vaultData(vault.value),
        signable: signable.ok,
        ...(signable.ok ? {} : { not_signable_because: signable.error.message }),
      },
      text: [
        `Imported the vault ${vault.value.id}`,
        ...vaultLines(vault.value, context.style),
        ...(signable.ok
          ? []
          : [`  ${context.style.warn('WARNING')}: it can be watched only: ${signable.error.message}`]),
      ],
    });
  });

/** A descriptor of sixteen keys has three thousand characters. */
const MAX_DESCRIPTOR_BYTES = 10_000;

/** The text of a file that should hold a descriptor and nothing else; the size is looked at before anything is read. */
function descriptorText(bytes: Uint8Array, file: string): Result<string, Fault> {
  const remedy = 'give a text file in UTF-8 that holds one descriptor with its checksum and nothing else';
  if (bytes.length > MAX_DESCRIPTOR_BYTES) {
    const message = `the file has ${bytes.length} bytes, and a descriptor has at most ${MAX_DESCRIPTOR_BYTES}`;
    return fail('E_PARSE', message, { where: { file }, remedy });
  }
  if (!isUtf8(bytes)) return fail('E_PARSE', 'the file is not UTF-8', { where: { file }, remedy });
  return ok(Buffer.from(bytes).toString('utf8').trim());
}
