import { existsSync } from 'node:fs';
import Database from 'libsql';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { RawEntry, RawJournal } from '../journal/port.js';
import { sqliteFault } from './sqlite-faults.js';
import { APPLICATION_ID, cutToNothing, cutWithinPage, hasLog } from './sqlite-place.js';
import { unlockedName } from './sqlite-unlocked.js';

/**
 * The rows of a journal as they stand in the file, with nothing of them checked and nothing written: for a journal that can
 * no longer be opened. E_JOURNAL_MISSING, and the faults of SQLite.
 */
export function inspectSqlite(path: string): Result<RawJournal, Fault> {
  if (!existsSync(path)) return fail('E_JOURNAL_MISSING', `${path}: there is no journal`, { where: { file: path } });
  const cut = cutToNothing(path);
  if (cut !== null) return err(cut);
  const found = rowsOf(path, path, !hasLog(path));
  if (found.ok || found.error.tag !== 'E_JOURNAL_IO') return found;
  const name = unlockedName(path);
  return name.ok ? rowsOf(name.value, path, true) : name;
}

function rowsOf(name: string, path: string, settled: boolean): Result<RawJournal, Fault> {
  let db: Database.Database | null = null;
  try {
    db = new Database(name);
    const cut = cutWithinPage(path, pageSizeOf(db), settled);
    if (cut !== null) return err(cut);
    const rows = (
      db.prepare('SELECT seq, at, prev, body, hash FROM entries ORDER BY seq').raw().all() as unknown[][]
    ).map(
      ([seq, at, prev, text, hash]): RawEntry => ({
        seq: Number(seq),
        at: String(at),
        prev: String(prev),
        text: String(text),
        hash: String(hash),
      }),
    );
    const blobs = (db.prepare('SELECT sha256 FROM blobs').raw().all() as unknown[][]).map(([name]) => String(name));
    return ok({ rows, blobs });
  } catch (error) {
    const known = sqliteFault(error, path);
    if (known !== null) return err(known);
    if (!(error instanceof Database.SqliteError && error.code === 'SQLITE_ERROR')) throw error;
    // The statements are right for every journal: where one fails, a table or a column of it is not there.
    return fail('E_JOURNAL_TAMPERED', `its tables are not those of a journal: ${error.message}`, {
      where: { file: path },
    });
  } finally {
    db?.close();
  }
}

/** Null of a file that is no journal: SQLite names a size for whatever it is given. */
function pageSizeOf(db: Database.Database): unknown {
  const pragma = (name: string): unknown => (db.prepare(`PRAGMA ${name}`).raw().get() as unknown[] | undefined)?.[0];
  return pragma('application_id') === APPLICATION_ID ? pragma('page_size') : null;
}
