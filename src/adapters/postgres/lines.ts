import { fault } from '../../domain/fault.js';
import { HEAD_ROW, type LineRow } from '../../journal/line-rows.js';
import { JournalError } from '../../journal/port.js';
import { type LineRows, readLineRow } from '../journal-store.js';
import type { PostgresConnection } from './connection.js';
import { wholeNumber } from './whole-number.js';

const COLUMNS = 'planned, changed, at, state, line';

/** The rows that lists are made of, in the table `batch_lines`, where a trigger makes of adding a row changing it. */
export function lineRows(connection: PostgresConnection): LineRows {
  const table = `${connection.address.schema}.batch_lines`;
  const typed = ([planned, changed, at, ...texts]: readonly unknown[]): LineRow => {
    const read = readLineRow([wholeNumber(planned), wholeNumber(changed), wholeNumber(at), ...texts]);
    if (read !== null) return read;
    throw new JournalError(
      fault('E_JOURNAL_LINES', `a row of batch_lines has a number beyond counting`, {
        remedy: 'find out who could write to the database; countersign journal copy derives the rows anew',
        where: { file: connection.address.name },
      }),
    );
  };
  return {
    head: async () => {
      const { rows } = await connection.query(
        `SELECT ${COLUMNS}, (SELECT hash FROM ${connection.address.schema}.entries WHERE seq = changed)
         FROM ${table} WHERE planned = ${HEAD_ROW}`,
      );
      const [found] = rows;
      if (found === undefined) return null;
      const [, , , , , hash] = found;
      return { row: typed(found), entry: typeof hash === 'string' ? hash : null };
    },
    put: async (rows) => {
      const column = (of: (row: LineRow) => unknown): unknown[] => rows.map(of);
      await connection.within(
        `INSERT INTO ${table} (${COLUMNS}) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])`,
        [
          column(({ planned }) => planned),
          column(({ changed }) => changed),
          column(({ at }) => at),
          column(({ state }) => state),
          column(({ line }) => line),
        ],
      );
    },
    count: async () => {
      const { rows } = await connection.query(`SELECT count(*) FROM ${table} WHERE planned > ${HEAD_ROW}`);
      return Number(rows[0]?.[0]);
    },
    all: async () => {
      const { rows } = await connection.query(`SELECT ${COLUMNS} FROM ${table} ORDER BY planned`);
      return rows.map(typed);
    },
    select: async ({ states, from, before, last }) => {
      const { rows } = await connection.query(
        `SELECT ${COLUMNS} FROM ${table} WHERE planned > ${HEAD_ROW} AND ($1::text[] IS NULL OR state = ANY($1))
           AND ($2::bigint IS NULL OR at >= $2) AND ($3::bigint IS NULL OR planned < $3) ORDER BY planned DESC LIMIT $4`,
        [states, from, before, last],
      );
      return rows.map(typed).reverse();
    },
    atOnce: async (work) => {
      try {
        await connection.begin('SELECT 1', 'REPEATABLE READ READ ONLY');
        const done = await work();
        // Also what shows that all of it was read on one connection.
        await connection.end('ROLLBACK');
        return done;
      } catch (error) {
        await connection.drop();
        throw error;
      }
    },
  };
}
