import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Holder } from './hid-causes.js';

/**
 * The other programs of this user that have a file open. Linux alone lets several programs open one Ledger, where each then
 * gets the answers of all; the other systems refuse the second one by themselves. Where /proc does not tell, nobody is found.
 */
export async function holdersOf(path: string, proc = '/proc', self = process.pid): Promise<readonly Holder[]> {
  const names = await readdir(proc).catch(() => []);
  const pids = names.map(Number).filter((pid) => Number.isSafeInteger(pid) && pid !== self);
  const holders: Holder[] = [];
  for (const pid of pids) {
    if (!(await hasOpen(`${proc}/${pid}/fd`, path))) continue;
    const name = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => '');
    holders.push({ pid, name: name.trim() === '' ? 'a program' : name.trim() });
  }
  return holders;
}

/** Descriptors of other users' processes cannot be read, and those of a process that ends go away meanwhile. */
async function hasOpen(folder: string, path: string): Promise<boolean> {
  const descriptors = await readdir(folder).catch(() => []);
  const targets = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.includes(path);
}
