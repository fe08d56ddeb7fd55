import { sha256Hex } from '../../domain/bytes.js';
import { type Fault, fail } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { openVault } from '../../workflow/open-vault.js';
import type { Desk } from '../../workflow/ports.js';
import { signerName } from '../../workflow/sign-document.js';
import { signSnapshot } from '../../workflow/snapshot-signature.js';
import type { Verb, VerbContext } from '../command.js';
import { proposedData, proposedLines } from '../render/feerate.js';
import { plural } from '../render/text.js';
import { takeFrom, withBackends } from '../take-from.js';
import { argument } from '../with-workspace.js';

export const run: Verb = async (words, context) =>
  withBackends(words, context, async (desk, backends, sources) => {
    const out = argument(words, 0);
    const keyFile = words.text('key');
    const name = signerName(words.text('as') ?? 'snapshot');
    if (!name.ok) return name;
    if (keyFile === undefined && words.text('as') !== undefined) {
      return fail('E_USAGE', '--as names the signature of --key', { remedy: 'give --key FILE, or leave out --as' });
    }
    const taken = await takeFrom(words, context, desk, backends, sources);
    if (!taken.ok) return taken;
    const { bytes, from, coins, feerate } = taken.value;
    const written = await context.compose.files.writeNew(out, bytes);
    if (!written.ok) return written;
    const sha256 = sha256Hex(bytes);
    const signature = keyFile === undefined ? ok(null) : await signed(desk, context, bytes, out, keyFile, name.value);
    if (!signature.ok) return unsigned(out, signature.error);
    return ok({
      schema: 'countersign.chain-snapshot/1',
      exit: 'OK',
      data: {
        file: out,
        sha256,
        from,
        coins,
        bytes: bytes.length,
        signature: signature.value,
        feerate: proposedData(feerate),
      },
      text: [
        `Wrote ${plural(coins, 'coin')} as ${from} knows them to ${out}`,
        `  SHA-256 ${sha256}`,
        ...proposedLines(feerate),
        ...(signature.value === null ? [] : [`  signature in ${signature.value}`]),
        `  carry ${signature.value === null ? 'it' : 'both'} to the offline machine, and take the coins in there: countersign coins import ${out}`,
      ],
    });
  });

/** Read again from the bytes that were written: what is signed is what an import will see. */
async function signed(
  desk: Desk,
  { compose }: VerbContext,
  bytes: Uint8Array,
  out: string,
  keyFile: string,
  name: string,
): Promise<Result<string, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const snapshot = compose.documents.knownSnapshot(bytes, out, open.value.deriver);
  return snapshot.ok ? signSnapshot(compose, snapshot.value, out, keyFile, name) : snapshot;
}

/** The snapshot is there, and its signature is not: somebody has to know that. */
function unsigned(out: string, { tag, message, where, remedy }: Fault): Result<never, Fault> {
  return fail(tag, `${out} is written and not signed: ${message}`, { where, remedy });
}
