import { fromHex } from '../domain/bytes.js';
import { at, type Fault, fail } from '../domain/fault.js';
import { err, type Result } from '../domain/result.js';
import { type Completed, completeFrom, completeWith } from '../psbt/completed.js';
import { parseTransaction } from '../psbt/transaction.js';
import type { Deriver } from '../vault/types.js';
import type { Desk } from './ports.js';

const OTHER_FILE = 'give the file that batch sign wrote for this batch, or the transaction that it printed';

/**
 * What the one device of a vault signed, as the files or the message have it that `batch sign` left where the journal could not
 * keep it: a finalised PSBT, or the raw transaction in hex. Each signature is proven as if the device had returned it now.
 *
 * Faults: E_USAGE, those of reading the file, and those of `completeFrom`, each with its file.
 */
export async function takeSigned(
  desk: Desk,
  files: readonly string[],
  psbt: Uint8Array,
  deriver: Deriver,
): Promise<Result<Completed, Fault>> {
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) {
    return fail('E_USAGE', `${deriver.vault.id} has one key: what it signed is in one file`, {
      remedy: 'give signed.psbt or transaction.hex, as batch sign wrote or printed it',
    });
  }
  const bytes = await desk.ports.files.read(file);
  if (!bytes.ok) return bytes;
  const completed = completedBy(desk, file, bytes.value, psbt, deriver);
  return completed.ok ? completed : err(at({ file }, { remedy: OTHER_FILE, ...completed.error }));
}

function completedBy(
  desk: Desk,
  file: string,
  bytes: Uint8Array,
  psbt: Uint8Array,
  deriver: Deriver,
): Result<Completed, Fault> {
  const raw = fromHex(Buffer.from(bytes).toString('latin1').trim());
  const transaction = raw.ok ? parseTransaction(raw.value) : raw;
  if (transaction.ok) return completeFrom(psbt, transaction.value, deriver);
  const read = desk.ports.documents.psbt(bytes, file);
  return read.ok ? completeWith(psbt, read.value, deriver) : read;
}
