import { randomBytes } from 'node:crypto';
import { access, constants, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { equalBytes } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

/** The bytes of a file, or of standard input for "-". `name` is what the person called it. */
export async function readBytes(path: string, name = path): Promise<Result<Uint8Array, Fault>> {
  try {
    return ok(new Uint8Array(path === '-' ? await readStdin() : await readFile(path)));
  } catch (error) {
    return fail('E_FILE_MISSING', `the file cannot be read: ${reasonOf(error)}`, {
      where: { file: name },
      remedy: 'check the name and the permissions of the file',
    });
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const FOR_EVERYBODY = 0o644;
/** Keys: for nobody but their owner, as far as the file system knows owners. */
export const FOR_OWNER = 0o600;

/**
 * Writes a file whole or not at all: beside its place first, synced, then put there in one step. A file that has the
 * same content already is left as it is; one with other content is never overwritten.
 */
export async function writeNewFile(
  path: string,
  bytes: Uint8Array,
  mode = FOR_EVERYBODY,
): Promise<Result<void, Fault>> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeSynced(beside, bytes, mode);
    await putInPlace(beside, path, bytes, mode);
    await syncFolder(dirname(path));
    return ok(undefined);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return sameContent(path, bytes);
    return cannotWrite(path, reasonOf(error));
  } finally {
    await discard(beside);
  }
}

/** Puts this content there whatever was there before, in one step and durable when it resolves. */
export async function overwriteFile(path: string, bytes: Uint8Array): Promise<Result<void, Fault>> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeSynced(beside, bytes, FOR_EVERYBODY);
    await rename(beside, path);
    await syncFolder(dirname(path));
    return ok(undefined);
  } catch (error) {
    return cannotWrite(path, reasonOf(error));
  } finally {
    await discard(beside);
  }
}

/** Whether a file could be made there, as far as can be told without making it: the folder is one, and can be written to. */
export async function checkNewFile(path: string): Promise<Result<void, Fault>> {
  try {
    const folder = await stat(dirname(path));
    if (!folder.isDirectory()) return cannotWrite(path, NO_FOLDER);
    await access(dirname(path), constants.W_OK | constants.X_OK);
    return ok(undefined);
  } catch (error) {
    return cannotWrite(path, reasonOf(error));
  }
}

export function cannotWrite(path: string, reason: string): Result<never, Fault> {
  return fail('E_FILE_MISSING', `the file cannot be written: ${reason}`, {
    where: { file: path },
    remedy: 'check that the folder exists, has room, and may be written to',
  });
}

/** Fails with EEXIST where the name is taken. */
export async function writeSynced(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What file systems without hard links answer: FAT and exFAT, as USB sticks have them, and some network shares. */
const NO_LINKS: readonly (string | null)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** By a hard link, which fails where the name is taken; a rename would overwrite. Without links, by writing once more. */
export async function putInPlace(beside: string, path: string, bytes: Uint8Array, mode: number): Promise<void> {
  try {
    await link(beside, path);
  } catch (error) {
    if (!NO_LINKS.includes(codeOf(error))) throw error;
    await writeSynced(path, bytes, mode);
  }
}

/** A file that stays behind does no harm: that it cannot be removed must not hide how the writing ended. */
export async function discard(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch {
    // As said above.
  }
}

/** Whether writeNewFile would find the name free, or this content under it. */
export async function checkContent(path: string, bytes: Uint8Array): Promise<Result<void, Fault>> {
  return (await fileExists(path)) ? sameContent(path, bytes) : ok(undefined);
}

async function sameContent(path: string, bytes: Uint8Array): Promise<Result<void, Fault>> {
  const present = await readBytes(path);
  if (!present.ok) return present;
  if (equalBytes(present.value, bytes)) return ok(undefined);
  return fail('E_FILE_EXISTS', `${path} exists with other content, and is not overwritten`, {
    where: { file: path },
    remedy: 'move it away, or give another name',
  });
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function makeFolder(path: string): Promise<Result<void, Fault>> {
  try {
    await mkdir(path, { recursive: true });
    return ok(undefined);
  } catch (error) {
    return fail('E_FILE_MISSING', `the folder cannot be made: ${reasonOf(error)}`, { where: { file: path } });
  }
}

export async function fileExists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Files beside `path` that are called like it, a dot, a word and the suffix; named as `name` names it. Sorted. */
export async function filesBeside(path: string, name: string, suffix: string): Promise<readonly string[]> {
  const own = basename(path);
  try {
    const names = await readdir(dirname(path));
    const found = names.filter(
      (one) => one.startsWith(`${own}.`) && one.endsWith(suffix) && one.length > own.length + 1 + suffix.length,
    );
    return found.sort().map((one) => `${name}${one.slice(own.length)}`);
  } catch {
    // A folder that cannot be listed is reported by whoever reads the file itself.
    return [];
  }
}

export function inFolder(root: string, path: string): string {
  return isAbsolute(path) ? path : join(root, path);
}

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

const NO_FOLDER = 'a part of its path is not a folder';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: NO_FOLDER,
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
}
