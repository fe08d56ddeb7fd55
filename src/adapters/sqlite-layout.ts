import type Database from 'libsql';

const appendOnly = (table: string): string[] => ['UPDATE', 'DELETE'].map((verb) => guard(table, verb));

const guard = (
  table: string,
  verb: string,
): string => `CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END`;

/** Rows are added and never changed; the triggers hold that against mistakes, the hash chain against intent. */
const TABLES = [
  `CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  prev TEXT NOT NULL,
  body TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT`,
  'CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID',
  ...['entries', 'blobs'].flatMap(appendOnly),
];

/** The hashes of the Merkle tree over the entries. */
const TREE = [
  `CREATE TABLE subtrees (
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (level, n)
) STRICT, WITHOUT ROWID`,
  ...appendOnly('subtrees'),
];

/** What lists show of each batch: the one table whose rows change, each time an entry changes its batch. */
const LINES = [
  `CREATE TABLE batch_lines (
  planned INTEGER PRIMARY KEY,
  changed INTEGER NOT NULL,
  at INTEGER NOT NULL,
  state TEXT NOT NULL,
  line TEXT NOT NULL
) STRICT`,
  guard('batch_lines', 'DELETE'),
];

/** What each layout, from 1 on, added to those before it. Older ones are brought up to date when they are opened. */
const LAYOUTS = [TABLES, TREE, LINES];

export const NEWEST_LAYOUT = LAYOUTS.length;

/** The layouts that brought what a journal can do without. */
export const SINCE = { tree: 2, lines: 3 } as const;

/** The objects of a layout; null for one that this program does not know. */
export function layoutOf(version: unknown): readonly string[] | null {
  if (typeof version !== 'number' || version < 1 || version > NEWEST_LAYOUT) return null;
  return LAYOUTS.slice(0, version).flat();
}

/** Within a transaction: everything that layouts after `version` added; 0 for an empty file. */
export function bringUpToDate(db: Database.Database, version: number): void {
  for (const statement of LAYOUTS.slice(version).flat()) db.exec(statement);
  db.exec(`PRAGMA user_version = ${NEWEST_LAYOUT}`);
}
