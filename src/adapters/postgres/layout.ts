/** What tells a journal's schema from any other, and in which layout it is. */
const commentOf = (layout: number): string => `countersign journal, layout ${layout}`;

export const NEWEST_LAYOUT = 2;
export const LAYOUT_COMMENT = commentOf(NEWEST_LAYOUT);

/** The number of the layout, from 1 on; null where the comment is that of none which this program knows. */
export function layoutOf(comment: string): number | null {
  return [1, NEWEST_LAYOUT].find((layout) => comment === commentOf(layout)) ?? null;
}

interface Table {
  /** The layout that it came with. */
  readonly since: number;
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly key: readonly string[];
}

const TABLES: Readonly<Record<string, Table>> = {
  entries: {
    since: 1,
    columns: [
      ['seq', 'bigint'],
      ['at', 'text'],
      ['prev', 'text'],
      ['body', 'text'],
      ['hash', 'text'],
    ],
    key: ['seq'],
  },
  blobs: {
    since: 1,
    columns: [
      ['sha256', 'text'],
      ['bytes', 'bytea'],
    ],
    key: ['sha256'],
  },
  subtrees: {
    since: 1,
    columns: [
      ['level', 'integer'],
      ['n', 'bigint'],
      ['hash', 'text'],
    ],
    key: ['level', 'n'],
  },
  batch_lines: {
    since: 2,
    columns: [
      ['planned', 'bigint'],
      ['changed', 'bigint'],
      ['at', 'bigint'],
      ['state', 'text'],
      ['line', 'text'],
    ],
    key: ['planned'],
  },
};

const GUARD = `BEGIN RAISE EXCEPTION 'the journal is append-only'; END`;

/**
 * A row takes the place of the one with its key, by the rights of the owner: who may add rows of any other table may do so
 * here, and may change none.
 */
const newerRow = (schema: string): string => `BEGIN
  UPDATE ${schema}.batch_lines SET changed = NEW.changed, at = NEW.at, state = NEW.state, line = NEW.line
  WHERE planned = NEW.planned AND changed <= NEW.changed;
  IF FOUND THEN RETURN NULL; END IF;
  RETURN NEW;
END`;

/** Whoever may read or add entries may do the same with the rows of lists. */
const sameRights = (schema: string): string => `DO $$DECLARE one record; BEGIN
  FOR one IN SELECT given.grantee, given.privilege_type FROM pg_class, aclexplode(relacl) AS given
    WHERE oid = '${schema}.entries'::regclass AND given.privilege_type IN ('SELECT', 'INSERT') AND given.grantee <> relowner
  LOOP
    EXECUTE format('GRANT %s ON ${schema}.batch_lines TO %s', one.privilege_type,
      CASE WHEN one.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.grantee)) END);
  END LOOP;
END$$`;

/** What a table is guarded by: its name, when it fires, for what, and the function that it calls. */
function triggersOf(table: string): readonly (readonly [name: string, when: string, each: string, run: string])[] {
  const truncate = ['no_truncate', 'BEFORE TRUNCATE', 'STATEMENT', 'refuse_change'] as const;
  if (table !== 'batch_lines') return [['append_only', 'BEFORE DELETE OR UPDATE', 'ROW', 'refuse_change'], truncate];
  return [
    ['newer_wins', 'BEFORE INSERT', 'ROW', 'take_newer'],
    ['no_delete', 'BEFORE DELETE', 'ROW', 'refuse_change'],
    truncate,
  ];
}

function triggerStatement(schema: string, table: string, [name, when, each, run]: ReturnType<typeof triggersOf>[0]) {
  return `CREATE TRIGGER ${name} ${when} ON ${schema}.${table} FOR EACH ${each} EXECUTE FUNCTION ${schema}.${run}()`;
}

function tableStatements(schema: string, since: number): string[] {
  return Object.entries(TABLES)
    .filter(([, table]) => table.since === since)
    .flatMap(([table, { columns, key }]) => [
      `CREATE TABLE ${schema}.${table} (${columns.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')}, PRIMARY KEY (${key.join(', ')}))`,
      ...triggersOf(table).map((trigger) => triggerStatement(schema, table, trigger)),
    ]);
}

/**
 * The statements that bring a layout up to date; from 0 they make an empty journal in a schema that is there. Rows of entries,
 * blobs and subtrees are added and never changed; the triggers hold that against mistakes.
 */
export function layoutStatements(schema: string, from: number): readonly string[] {
  const first = [
    `CREATE FUNCTION ${schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$${GUARD}$$`,
    ...tableStatements(schema, 1),
  ];
  const second = [
    `CREATE FUNCTION ${schema}.take_newer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$${newerRow(schema)}$$`,
    ...tableStatements(schema, 2),
    sameRights(schema),
  ];
  return [...[first, second].slice(from).flat(), `COMMENT ON SCHEMA ${schema} IS '${LAYOUT_COMMENT}'`];
}

/** One line for each property of the schema that decides what is kept and what is seen, with the schema named as $1. */
export const LAYOUT_QUERY = `
SELECT line FROM (
  SELECT format('%s %s kind=%s persistence=%s rls=%s rules=%s inherited=%s', 'relation', c.relname, c.relkind, c.relpersistence,
    c.relrowsecurity, c.relhasrules, EXISTS (SELECT FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))) AS line
  FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind <> 'i' AND c.relkind <> 't'
  UNION ALL
  SELECT format('column %s.%s %s notnull=%s default=%s collated=%s', c.relname, a.attname,
    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attcollation <> t.typcollation)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
  WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT format('constraint %s %s', c.relname, pg_get_constraintdef(k.oid))
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = $1::text::regnamespace AND k.contype <> 'n'
  UNION ALL
  SELECT format('index %s', pg_get_indexdef(i.indexrelid))
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
    AND NOT i.indisprimary AND (i.indisunique OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  UNION ALL
  SELECT format('trigger %s %s enabled=%s %s', c.relname, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid))
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = $1::text::regnamespace AND NOT t.tgisinternal
  UNION ALL
  SELECT format('function %s %s definer=%s config=%s', p.proname, p.prosrc, p.prosecdef, array_to_string(p.proconfig, ',')) FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace
) AS lines ORDER BY line COLLATE "C"`;

/** What LAYOUT_QUERY answers for a journal of a layout, sorted by code point. */
export function layoutLines(schema: string, layout: number): readonly string[] {
  const lines = [`function refuse_change ${GUARD} definer=f config=`];
  if (layout > 1) lines.push(`function take_newer ${newerRow(schema)} definer=t config=search_path=pg_catalog`);
  for (const [table, { since, columns, key }] of Object.entries(TABLES)) {
    if (since > layout) continue;
    lines.push(`relation ${table} kind=r persistence=p rls=f rules=f inherited=f`);
    lines.push(`constraint ${table} PRIMARY KEY (${key.join(', ')})`);
    for (const [name, type] of columns) lines.push(`column ${table}.${name} ${type} notnull=t default=f collated=f`);
    for (const trigger of triggersOf(table)) {
      lines.push(`trigger ${table} ${trigger[0]} enabled=O ${triggerStatement(schema, table, trigger)}`);
    }
  }
  return lines.sort((a, b) => (a < b ? -1 : 1));
}
