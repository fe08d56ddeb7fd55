import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
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
