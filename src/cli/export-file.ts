import { toHex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { FinalTransaction } from '../psbt/types.js';
import type { Desk } from '../workflow/ports.js';

/** Writes a copy of what the journal keeps into the folder of a batch, and returns its path in the workspace. */
export async function exportFile(
  desk: Desk,
  batch: string,
  name: string,
  bytes: Uint8Array,
): Promise<Result<string, Fault>> {
  const { files } = desk.ports;
  const folder = `${desk.config.batches}/${batch}`;
  const made = await files.makeFolder(files.inWorkspace(desk.root, folder));
  if (!made.ok) return made;
  const path = `${folder}/${name}`;
  const written = await files.writeNew(files.inWorkspace(desk.root, path), bytes);
  return written.ok ? ok(path) : written;
}

/** Writes the signed PSBT and the raw transaction into the folder of a batch. */
export async function exportFinal(
  desk: Desk,
  batch: string,
  { psbt, transaction }: FinalTransaction,
): Promise<readonly Result<string, Fault>[]> {
  return [
    await exportFile(desk, batch, 'signed.psbt', psbt),
    await exportFile(desk, batch, 'transaction.hex', Buffer.from(`${toHex(transaction)}\n`)),
  ];
}
