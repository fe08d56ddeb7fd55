import { randomBytes } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { locked } from './file-lock.js';
import { cannotWrite, codeOf, discard, FOR_EVERYBODY, reasonOf, syncFolder, writeSynced } from './files.js';

/**
 * Puts other content in the place of a file, in one step and durable when it resolves: a reader sees the old file or the new
 * one, and so does whoever comes after a crash. `before` is what the file has to hold, null where there must be none: two
 * processes that read the same cannot both replace it. E_FILE_EXISTS where it holds something else by now.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  before: Uint8Array | null,
): Promise<Result<void, Fault>> {
  const lock = `${path}.lock`;
  try {
    const held = await locked(lock, () => replace(path, bytes, before));
    return held?.done ?? changedMeanwhile(path, `another process is writing to it (if none is, remove ${lock})`);
  } catch (error) {
    return cannotWrite(path, reasonOf(error));
  }
}

async function replace(path: string, bytes: Uint8Array, before: Uint8Array | null): Promise<Result<void, Fault>> {
  if (!(await holds(path, before))) return changedMeanwhile(path, 'it was changed by another process');
  const beside = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeSynced(beside, bytes, FOR_EVERYBODY);
    await rename(beside, path);
  } finally {
    await discard(beside);
  }
  await syncFolder(dirname(path));
  return ok(undefined);
}

async function holds(path: string, before: Uint8Array | null): Promise<boolean> {
  try {
    const now = await readFile(path);
    return before !== null && equalBytes(new Uint8Array(now), before);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return before === null;
    throw error;
  }
}

function changedMeanwhile(path: string, why: string): Result<never, Fault> {
  return fail('E_FILE_EXISTS', `${path}: ${why}`, { where: { file: path }, remedy: 'run the same command again' });
}
