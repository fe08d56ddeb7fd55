import type Database from 'libsql';
import { HEAD_ROW, type LineRow } from '../journal/line-rows.js';
import { type LineRows, readLineRow } from './journal-store.js';

const COLUMNS = 'planned, changed, at, state, line';

/** The strict table of SQLite gives each column in its type. */
function typed(row: unknown): LineRow {
  const read = readLineRow(row as unknown[]);
  if (read === null) throw new Error('a strict table gave a value of another type');
  return read;
}

/** The rows that lists are made of, in the table `batch_lines`. */
export function lineRows(db: Database.Database): LineRows {
  const put = db.prepare(
    `INSERT INTO batch_lines (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT (planned) DO UPDATE
     SET changed = excluded.changed, at = excluded.at, state = excluded.state, line = excluded.line`,
  );
  const head = db.prepare(
    `SELECT ${COLUMNS}, (SELECT hash FROM entries WHERE seq = changed) FROM batch_lines WHERE planned = ${HEAD_ROW}`,
  );
  return {
    head: async () => {
      const found = head.raw().get() as unknown[] | undefined;
      if (found === undefined) return null;
      const [, , , , , hash] = found;
      return { row: typed(found), entry: typeof hash === 'string' ? hash : null };
    },
    put: async (rows) => {
      for (const { planned, changed, at, state, line } of rows) put.run(planned, changed, at, state, line);
    },
    count: async () => {
      const row = db.prepare(`SELECT count(*) FROM batch_lines WHERE planned > ${HEAD_ROW}`).raw().get();
      return Number((row as unknown[])[0]);
    },
    all: async () => {
      const rows = db.prepare(`SELECT ${COLUMNS} FROM batch_lines ORDER BY planned`).raw().all() as unknown[];
      return rows.map(typed);
    },
    select: async ({ states, from, before, last }) => {
      const terms = [`planned > ${HEAD_ROW}`];
      const values: (string | number)[] = [];
      if (states !== null) {
        terms.push(`state IN (${states.map(() => '?').join(', ')})`);
        values.push(...states);
      }
      if (from !== null) {
        terms.push('at >= ?');
        values.push(from);
      }
      if (before !== null) {
        terms.push('planned < ?');
        values.push(before);
      }
      const text = `SELECT ${COLUMNS} FROM batch_lines WHERE ${terms.join(' AND ')} ORDER BY planned DESC`;
      const found = last === null ? db.prepare(text) : db.prepare(`${text} LIMIT ?`);
      const rows = found.raw().all(...values, ...(last === null ? [] : [last])) as unknown[];
      return rows.map(typed).reverse();
    },
    atOnce: async (work) => {
      db.exec('BEGIN');
      try {
        return await work();
      } finally {
        // Nothing was written: there is nothing to keep.
        db.exec('ROLLBACK');
      }
    },
  };
}
