import { type Fault, fail } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { quoted } from '../../domain/safe-text.js';
import type { JournalStore } from '../journal-store.js';
import type { PostgresAddress } from './address.js';
import { PostgresConnection } from './connection.js';
import { postgresFault } from './faults.js';
import { LAYOUT_COMMENT, LAYOUT_QUERY, layoutLines, layoutOf, layoutStatements, NEWEST_LAYOUT } from './layout.js';
import { lockStatement, PostgresStore } from './store.js';

const OLDEST_SERVER = 150_000;

/** Opens a journal that is there. E_JOURNAL_MISSING, E_JOURNAL_SCHEMA, E_JOURNAL_TAMPERED, E_JOURNAL_IO. */
export async function openStore(address: PostgresAddress): Promise<Result<JournalStore, Fault>> {
  return guarded(address, async (connection, { comment: found }) => {
    if (found === null) {
      return fail('E_JOURNAL_MISSING', `there is no journal`, {
        remedy: 'make one with countersign init --store, or correct the address in countersign.yaml',
        where: { file: address.name },
      });
    }
    const layout = layoutOf(found);
    if (layout === null) {
      return fail(
        'E_JOURNAL_SCHEMA',
        `its comment is ${JSON.stringify(found)}, not ${JSON.stringify(LAYOUT_COMMENT)}`,
        {
          remedy: 'use the version of countersign that wrote it, or a newer one',
          where: { file: address.name },
        },
      );
    }
    const { rows } = await connection.query(LAYOUT_QUERY, [address.schema]);
    const lines = rows.map(([line]) => String(line));
    const due = layoutLines(address.schema, layout);
    if (JSON.stringify(lines) !== JSON.stringify(due)) {
      // A trigger or a rule could drop entries silently, a view or a row policy could hide some, an unlogged table forgets.
      const odd = lines.find((line) => !due.includes(line)) ?? 'something is missing';
      return fail('E_JOURNAL_TAMPERED', `its tables and triggers are not those of a journal: ${odd}`, {
        remedy: 'stop signing; keep the journal as it is and compare it with a copy from before',
        where: { file: address.name },
      });
    }
    const isNewest = layout === NEWEST_LAYOUT || (await migrate(connection, layout));
    return ok(new PostgresStore(connection, isNewest && (await mayKeepLines(connection))));
  });
}

/**
 * Brings an older layout up to date, which only the owner of its tables can; everybody else goes on without what it lacks.
 * Answers whether it is up to date.
 */
async function migrate(connection: PostgresConnection, layout: number): Promise<boolean> {
  const { schema } = connection.address;
  const { rows } = await connection.query(
    `SELECT pg_has_role(relowner, 'USAGE') AND has_schema_privilege(relnamespace, 'CREATE')
       AND current_setting('transaction_read_only') = 'off' FROM pg_class WHERE oid = $1::text::regclass`,
    [`${schema}.entries`],
  );
  if (rows[0]?.[0] !== true) return false;
  await connection.begin(lockStatement(schema));
  // Another process may have done so in the meantime.
  const isDue = layoutOf((await commentOf(connection)) ?? '') === layout;
  if (isDue) for (const statement of layoutStatements(schema, layout)) await connection.within(statement);
  await connection.end('COMMIT');
  return true;
}

/** Whoever adds entries has to add rows of lists as well. Without the right to, this user's lists are folded. */
async function mayKeepLines(connection: PostgresConnection): Promise<boolean> {
  const { schema } = connection.address;
  const may = (table: string, right: string): string => `has_table_privilege('${schema}.${table}', '${right}')`;
  const { rows } = await connection.query(
    `SELECT ${may('batch_lines', 'SELECT')} AND (${may('batch_lines', 'INSERT')} OR NOT ${may('entries', 'INSERT')})`,
  );
  return rows[0]?.[0] === true;
}

/** Makes the schema with its empty tables, or refuses where it holds anything. The transaction is left open for the opening. */
export async function createStore(address: PostgresAddress): Promise<Result<JournalStore, Fault>> {
  return guarded(address, async (connection, { encoding, comment }) => {
    if (encoding !== 'UTF8') {
      return fail('E_JOURNAL_IO', `its database keeps text in ${encoding}, which has not all that an entry may say`, {
        remedy: 'use a database of its own: CREATE DATABASE ... TEMPLATE template0 ENCODING UTF8',
        where: { file: address.name },
      });
    }
    // Two that begin at once: the second finds what the first has made.
    await connection.begin(`SELECT pg_advisory_xact_lock(1668508210, hashtext('${address.schema}'))`);
    const { rows } = await connection.within(
      `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)
           OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1)`,
      [address.schema],
    );
    if (rows[0]?.[0] !== false) {
      return fail('E_JOURNAL_EXISTS', `the schema holds something already`, {
        remedy:
          'to work with the journal that is there: countersign init --store ADDRESS --join; for a new one choose another schema',
        where: { file: address.name },
      });
    }
    // A schema that an administrator made is used by whoever may make no other.
    if (comment === null) await connection.within(`CREATE SCHEMA IF NOT EXISTS ${address.schema}`);
    for (const statement of layoutStatements(address.schema, 0)) await connection.within(statement);
    return ok(new PostgresStore(connection, true));
  });
}

/** The comment on the schema with the name $1; null where there is none of that name. */
const COMMENT = `(SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace WHERE nspname = $1)`;

async function commentOf(connection: PostgresConnection): Promise<string | null> {
  const { rows } = await connection.within(`SELECT ${COMMENT}`, [connection.address.schema]);
  const comment = rows[0]?.[0];
  return typeof comment === 'string' ? comment : null;
}

/** What is told of a server that can keep a journal, and of the schema where it would be. */
interface ServerAndSchema {
  readonly encoding: string;
  /** The comment on the schema; null where there is no such schema. */
  readonly comment: string | null;
}

/** Runs `work` on a fresh connection to a server that can keep a journal; a failure closes it and becomes a fault. */
async function guarded(
  address: PostgresAddress,
  work: (connection: PostgresConnection, at: ServerAndSchema) => Promise<Result<JournalStore, Fault>>,
): Promise<Result<JournalStore, Fault>> {
  const connection = new PostgresConnection(address);
  try {
    const able = await checkServer(connection);
    const done = able.ok ? await work(connection, able.value) : able;
    if (!done.ok) await connection.drop();
    return done;
  } catch (error) {
    await connection.drop();
    const known = postgresFault(error, address.name);
    if (known === null) throw error;
    return err(known);
  }
}

async function checkServer(connection: PostgresConnection): Promise<Result<ServerAndSchema, Fault>> {
  const { name, schema } = connection.address;
  const { rows } = await connection.query(
    `SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('fsync'),
       current_setting('session_replication_role'), quote_ident($1) = $1, current_setting('server_encoding'), ${COMMENT}`,
    [schema],
  );
  const [number, version, fsync, role, isPlain, encoding, comment] = rows[0] ?? [];
  const refuse = (message: string, remedy: string): Result<never, Fault> =>
    fail('E_JOURNAL_IO', message, { remedy, where: { file: name } });
  if (typeof number !== 'number' || number < OLDEST_SERVER) {
    return refuse(`its server is PostgreSQL ${String(version)}`, 'use PostgreSQL 15 or newer');
  }
  if (fsync !== 'on') {
    return refuse('its server runs with fsync off, and forgets in a power cut', 'set fsync = on in postgresql.conf');
  }
  if (role !== 'origin') {
    return refuse(
      `session_replication_role is ${String(role)} for this user: what guards the tables would not be called`,
      'have the setting removed: ALTER ROLE ... RESET session_replication_role, in PGOPTIONS, or wherever it is made',
    );
  }
  if (isPlain !== true) {
    return fail('E_JOURNAL_ADDRESS', `${quoted(schema)} is a word of SQL, and no name of a schema here`, {
      remedy: 'choose another name, as schema=NAME in the address',
      where: { file: name },
    });
  }
  return ok({ encoding: String(encoding), comment: typeof comment === 'string' ? comment : null });
}
