/** What tells a journal's schema from any other, and in which layout it is. */
export const LAYOUT_COMMENT = 'countersign journal, layout 1';

interface Table {
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly key: readonly string[];
}

const TABLES: Readonly<Record<string, Table>> = {
  entries: {
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
    columns: [
      ['sha256', 'text'],
      ['bytes', 'bytea'],
    ],
    key: ['sha256'],
  },
  subtrees: {
    columns: [
      ['level', 'integer'],
      ['n', 'bigint'],
      ['hash', 'text'],
    ],
    key: ['level', 'n'],
  },
};

const GUARD = `BEGIN RAISE EXCEPTION 'the journal is append-only'; END`;

/** The statements that make an empty journal. Rows are added and never changed; the triggers hold that against mistakes. */
export function layoutStatements(schema: string): readonly string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `CREATE FUNCTION ${schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$${GUARD}$$`,
    ...Object.entries(TABLES).flatMap(([table, { columns, key }]) => [
      `CREATE TABLE ${schema}.${table} (${columns.map(([name, type]) => `${name} ${type} NOT NULL`).join(', ')}, PRIMARY KEY (${key.join(', ')}))`,
      `CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ${schema}.${table} FOR EACH ROW EXECUTE FUNCTION ${schema}.refuse_change()`,
      `CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ${schema}.${table} FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.refuse_change()`,
    ]),
    `COMMENT ON SCHEMA ${schema} IS '${LAYOUT_COMMENT}'`,
  ];
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
  SELECT format('function %s %s', p.proname, p.prosrc) FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace
) AS lines ORDER BY line COLLATE "C"`;

/** What LAYOUT_QUERY answers for a journal, sorted by code point. */
export function layoutLines(schema: string): readonly string[] {
  const lines = [`function refuse_change ${GUARD}`];
  for (const [table, { columns, key }] of Object.entries(TABLES)) {
    lines.push(`relation ${table} kind=r persistence=p rls=f rules=f inherited=f`);
    lines.push(`constraint ${table} PRIMARY KEY (${key.join(', ')})`);
    for (const [name, type] of columns) lines.push(`column ${table}.${name} ${type} notnull=t default=f collated=f`);
    const run = `EXECUTE FUNCTION ${schema}.refuse_change()`;
    lines.push(
      `trigger ${table} append_only enabled=O CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON ${schema}.${table} FOR EACH ROW ${run}`,
      `trigger ${table} no_truncate enabled=O CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ${schema}.${table} FOR EACH STATEMENT ${run}`,
    );
  }
  return lines.sort((a, b) => (a < b ? -1 : 1));
}
