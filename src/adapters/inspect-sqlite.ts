import { existsSync } from 'node:fs';
import Database from 'libsql';
import { type Fault, fail } from '../domain/fault.js';
import { err, ok, type Result } from '../domain/result.js';
import type { RawEntry, RawJournal } from '../journal/port.js';
import { sqliteFault } from './sqlite-faults.js';

/**
 * The rows of a journal as they stand in the file, with nothing of them checked and nothing written: for a journal that can
 * no longer be opened. E_JOURNAL_MISSING, and the faults of SQLite.
 */
export function inspectSqlite(path: string): Result<RawJournal, Fault> {
  if (!existsSync(path)) return fail('E_JOURNAL_MISSING', `${path}: there is no journal`, { where: { file: path } });
  let db: Database.Database | null = null;
  try {
    db = new Database(path);
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
    if (known === null) throw error;
    return err(known);
  } finally {
    db?.close();
  }
}
