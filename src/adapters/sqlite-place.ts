import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';
import { type Fault, fault } from '../domain/fault.js';

/** "csj1" in the header of the file: what tells a journal from any other SQLite database. */
export const APPLICATION_ID = 0x63736a31;

/** How every database of SQLite begins, how long its header is, and where it names the application (fileformat2.html, 1.3). */
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
const HEADER = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
/** Behind the header stands the root of the schema: its kind, a number that does not matter, and how many cells it has (1.6). */
const FIRST_CELLS_AT = HEADER + 3;
/** As SQLite makes databases where nobody says otherwise. */
const ONE_PAGE = 4096n;

/** How far into a file its beginning is looked for: entry 0 lies on one of the first pages. */
const LOOKED_AT = 256 * 1024;
/** What entry 0 of every journal says. */
const OPENING = '"schema":"countersign.journal/1"';

/**
 * A file of no bytes, found out before SQLite looks: it would take it for a new database, and remove the write-ahead log
 * beside it. Null where it is no such file.
 *
 * Asked of the folder and not of the file: POSIX drops all locks that a process has on a file as soon as it closes it once,
 * those of SQLite's connections to it as well (sqlite.org/howtocorrupt.html, 2.2).
 */
export function cutToNothing(path: string): Fault | null {
  const found = lookAt(path);
  return found?.isFile() === true && found.size === 0n ? cutOff(path, 'it was cut off to nothing') : null;
}

/**
 * A database that ends in the middle of a page, where SQLite reads zeros: all of one is written, page by page, when there is
 * no log beside it. `settled` is whether there was none before it was opened. Null where nothing of the kind is to be seen.
 */
export function cutWithinPage(path: string, pageSize: unknown, settled: boolean): Fault | null {
  const size = lookAt(path)?.size;
  if (!settled || typeof pageSize !== 'number' || size === undefined) return null;
  return size % BigInt(pageSize) === 0n ? null : cutOff(path, 'it was cut off within a page');
}

/**
 * A database of one page in which nothing was ever made, as a process leaves it that was killed while it made a journal: it is
 * as good as no file. A journal that a connection may have open is never looked into: its tables alone take more pages.
 */
export function isBlank(path: string): boolean {
  if (lookAt(path)?.size !== ONE_PAGE) return false;
  const bytes = beginningOf(path, FIRST_CELLS_AT + 2);
  if (bytes.length < FIRST_CELLS_AT + 2) return false;
  const numbers = [bytes.readUInt32BE(USER_VERSION_AT), bytes.readUInt32BE(APPLICATION_ID_AT)];
  return startsAsOne(bytes) && [...numbers, bytes.readUInt16BE(FIRST_CELLS_AT)].every((number) => number === 0);
}

/**
 * What is behind a file that SQLite says is no journal. One whose header was overwritten still holds the text of its first
 * entry; one that was cut off within its first page still begins as one. Null where nothing of a journal is left in it: then
 * it is a file of another kind.
 */
export function remains(path: string): Fault | null {
  const bytes = beginningOf(path, LOOKED_AT);
  if (bytes.includes(OPENING)) return cutOff(path, 'its header was overwritten, though entries of a journal are in it');
  const isBegun = bytes.length > 0 && startsAsOne(bytes);
  const isOurs = bytes.length < HEADER || bytes.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
  return isBegun && isOurs ? cutOff(path, 'it was cut off within its first page') : null;
}

const startsAsOne = (bytes: Buffer): boolean => MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length));

function beginningOf(path: string, most: number): Buffer {
  let file: number | null = null;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(most);
    return bytes.subarray(0, readSync(file, bytes, 0, most, 0));
  } catch {
    // What cannot be read is for SQLite to name.
    return Buffer.alloc(0);
  } finally {
    if (file !== null) closeSync(file);
  }
}

function cutOff(path: string, what: string): Fault {
  return fault('E_JOURNAL_TAMPERED', what, {
    remedy: 'stop signing; keep the journal as it is, with the files beside it, and restore a copy from before',
    where: { file: path },
  });
}

/** A file as it lies there: another one, or other content, has another state. Null where there is none that can be seen. */
export function stateOf(path: string): string | null {
  const found = lookAt(path);
  return found === null ? null : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}

/** Whether the write-ahead log beside a journal holds anything, which the file itself may not hold yet. */
export function hasLog(path: string): boolean {
  return (lookAt(`${path}-wal`)?.size ?? 0n) > 0n;
}

/** Null where there is nothing, or the folder does not let anybody look: then nothing in it can be opened either. */
function lookAt(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}
