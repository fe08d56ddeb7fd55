import { randomBytes } from 'node:crypto';
import { type FileHandle, open, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';

const PIECE = 64 * 1024;
const SECRET = 0o600;

/** What a system answers where there is no room: on the medium, for this user, in one file. */
const NO_ROOM: readonly (string | null)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Bytes that this user can still write on the medium of a path; null where the system does not say. */
export async function freeBytes(path: string): Promise<bigint | null> {
  try {
    const { bavail, bsize } = await statfs(dirname(path), { bigint: true });
    return bavail * bsize;
  } catch {
    return null;
  }
}

/**
 * Takes bytes of the medium on which a path lies, by writing them into a file beside it that nobody else sees: its name is
 * taken away as soon as it is open, so that the system gives the room back with `release` and with the end of the process,
 * however it ends. The bytes are random: a medium that packs what it keeps would not set the room aside for others.
 *
 * E_JOURNAL_ROOM where there is no room for them, with nothing set aside; E_JOURNAL_IO where nothing can be written there.
 */
export async function setAside(path: string, bytes: number): Promise<Result<{ release(): Promise<void> }, Fault>> {
  const name = `${path}.${randomBytes(6).toString('hex')}.room`;
  let file: FileHandle | null = null;
  try {
    file = await open(name, 'wx', SECRET);
    const isUnseen = await removed(name);
    for (let left = bytes; left > 0; left -= PIECE) await file.writeFile(randomBytes(Math.min(left, PIECE)));
    await file.sync();
    return ok({ release: releasing(file, isUnseen ? null : name) });
  } catch (error) {
    await releasing(file, name)();
    return refused(path, bytes, error);
  }
}

/** A system on which an open file keeps its name loses it at the release. */
async function removed(name: string): Promise<boolean> {
  try {
    await unlink(name);
    return true;
  } catch {
    return false;
  }
}

function releasing(file: FileHandle | null, name: string | null): () => Promise<void> {
  let isReleased = false;
  return async () => {
    if (isReleased) return;
    isReleased = true;
    // What cannot be closed or removed any more holds nothing that anybody needs.
    await file?.close().catch(() => undefined);
    if (name !== null) await removed(name);
  };
}

function refused(path: string, bytes: number, error: unknown): Result<never, Fault> {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code === null) throw error;
  const where = { file: path };
  if (NO_ROOM.includes(code)) {
    return fail('E_JOURNAL_ROOM', `its disk has no room for ${bytes} bytes (${code})`, {
      remedy: 'make room on the disk of the journal',
      where,
    });
  }
  return fail('E_JOURNAL_IO', `it cannot be written: nothing can be made beside it (${code})`, {
    remedy: 'allow writing to the file and its folder',
    where,
  });
}
