import { randomBytes } from 'node:crypto';
import { readFile, readlink, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { codeOf, discard, FOR_OWNER, putInPlace, writeSynced } from './files.js';

/**
 * Runs `work` while the lock file is there, which no other process may have. It names its holder: one that a process of this
 * machine left behind when it was killed is taken over. Null where the lock is held, or where nobody can tell.
 */
export async function locked<T>(lock: string, work: () => Promise<T>): Promise<{ readonly done: T } | null> {
  const here = `${hostname()} ${await processSpace()}`;
  const mine = Buffer.from(`${here} ${process.pid} ${randomBytes(6).toString('hex')}\n`);
  const isTaken = (await put(lock, mine)) || ((await clearLeftOver(lock, here)) && (await put(lock, mine)));
  if (!isTaken) return null;
  try {
    return { done: await work() };
  } finally {
    await discard(lock);
  }
}

/**
 * Where a number means the same process: a container counts its own, and may share a folder and the name of its machine. The
 * machine itself has the same one after each start. '-' where there are no such spaces.
 */
async function processSpace(): Promise<string> {
  try {
    return await readlink('/proc/self/ns/pid');
  } catch {
    return '-';
  }
}

/** The whole name of its holder is in a lock from its first moment on. */
async function put(lock: string, mine: Uint8Array): Promise<boolean> {
  const beside = `${lock}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeSynced(beside, mine, FOR_OWNER);
    await putInPlace(beside, lock, mine, FOR_OWNER);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await discard(beside);
  }
}

/**
 * Removes the lock of a process that has ended. Only who has claimed that very holder may: nobody takes away the lock of somebody
 * who came in between.
 */
async function clearLeftOver(lock: string, here: string): Promise<boolean> {
  const found = await textOf(lock);
  const holder = found === null ? null : leftOver(found, here);
  if (holder === null) return false;
  const claim = `${lock}.${holder}.part`;
  try {
    await writeSynced(claim, new Uint8Array(0), FOR_OWNER);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    if ((await textOf(lock)) !== found) return false;
    await rm(lock);
    return true;
  } finally {
    await discard(claim);
  }
}

async function textOf(lock: string): Promise<string | null> {
  try {
    return await readFile(lock, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Which holder it was, where that process of this machine is there no more. */
function leftOver(text: string, here: string): string | null {
  const [, place, pid, holder] = /^(\S+ \S+) ([1-9][0-9]{0,9}) ([0-9a-f]{12})\n$/.exec(text) ?? [];
  return place === here && !isRunning(Number(pid)) ? (holder ?? null) : null;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It may not be signalled, and so it is there.
    return codeOf(error) !== 'ESRCH';
  }
}
