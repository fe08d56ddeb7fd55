import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyJournal } from '../../src/adapters/copy-journal.js';
import { parsePostgresAddress } from '../../src/adapters/postgres/address.js';
import { PostgresConnection } from '../../src/adapters/postgres/connection.js';
import { LostTransaction } from '../../src/adapters/postgres/faults.js';
import {
  createSharedJournal,
  deferredSharedJournal,
  openSharedJournal,
  readSharedLines,
  sharedPlace,
} from '../../src/adapters/postgres/journal.js';
import type { Fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { UnixSeconds } from '../../src/domain/time.js';
import { type BatchLines, EVERY_LINE } from '../../src/journal/batch-lines.js';
import { perfectRoot } from '../../src/journal/merkle.js';
import type { Journal } from '../../src/journal/port.js';
import { TreeAudit } from '../../src/workflow/audit-tree.js';
import { append, LIFE, NONCE } from '../adapters/journal-folder.js';
import { journalSuite, seqOf, tagOf } from '../adapters/journal-suite.js';
import { expectRows } from '../adapters/lines-suite.js';
import { START } from '../journal/chains.js';
import { bytesOf, frozen, hashOf, story } from '../journal/story.js';
import { Wire } from './cut.js';
import { findPostgres, PostgresServer, schemaOf } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
beforeAll(async () => {
  if (binaries !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  if (binaries !== null) await server.remove();
});

const clock = (): UnixSeconds => START;
const make = (at: string) => createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
const open = (at: string) => openSharedJournal(at, { clock });
const create = async (at: string): Promise<Journal> => {
  const made = await make(at);
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
};
const reopened = async (at: string): Promise<Journal> => {
  const opened = await open(at);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

const stateOfAll = async (lines: BatchLines) => {
  const read = await lines.select(EVERY_LINE);
  return read.ok ? ok(read.value.map(({ state }) => state)) : read;
};

/** The triggers out of the way, as the owner of the tables can. */
const tamper = (at: string, sql: string) =>
  server.run(
    `ALTER TABLE entries DISABLE TRIGGER USER; ALTER TABLE blobs DISABLE TRIGGER USER; ${sql};
     ALTER TABLE entries ENABLE TRIGGER USER; ALTER TABLE blobs ENABLE TRIGGER USER`,
    at,
  );

describe.skipIf(binaries === null)('in PostgreSQL (skipped where there is none of 15 or newer)', () => {
  journalSuite({
    fresh: () => server.fresh(),
    make: createSharedJournal,
    open: openSharedJournal,
    defer: deferredSharedJournal,
    lines: readSharedLines,
    plant: async (at, name) => {
      await server.run(`INSERT INTO blobs VALUES ('${name}', '\\x00')`, at);
    },
  });

  describe('a place', () => {
    it('without a journal is E_JOURNAL_MISSING, and stays so', async () => {
      const at = server.fresh();
      expect(tagOf(await open(at))).toBe('E_JOURNAL_MISSING');
      expect(await server.run(`SELECT 1 FROM pg_namespace WHERE nspname = '${schemaOf(at)}'`)).toEqual([]);
      expect(tagOf(await open(at.replace('/postgres?', '/nowhere?')))).toBe('E_JOURNAL_MISSING');
    });

    it('that holds anything is never made one', async () => {
      const at = server.fresh();
      await (await create(at)).close();
      expect(await make(at)).toMatchObject({
        error: { tag: 'E_JOURNAL_EXISTS', remedy: expect.stringContaining('--join') },
      });
      expect(await seqOf(await reopened(at))).toBe(0);
      const other = server.fresh();
      await server.run(`CREATE SCHEMA ${schemaOf(other)}; CREATE VIEW ${schemaOf(other)}.v AS SELECT 1`);
      expect(tagOf(await make(other))).toBe('E_JOURNAL_EXISTS');
      expect(tagOf(await open(other))).toBe('E_JOURNAL_SCHEMA');
    });

    it('of a newer layout is E_JOURNAL_SCHEMA with its name', async () => {
      const at = server.fresh();
      await (await create(at)).close();
      await server.run(`COMMENT ON SCHEMA ${schemaOf(at)} IS 'countersign journal, layout 3'`);
      expect(await open(at)).toMatchObject({
        error: { tag: 'E_JOURNAL_SCHEMA', message: expect.stringContaining('layout 3') },
      });
    });

    it.each([
      ['a trigger less', 'DROP TRIGGER no_truncate ON blobs'],
      ['a trigger that is off', 'ALTER TABLE entries DISABLE TRIGGER append_only'],
      [
        'a guard that lets all through',
        'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$',
      ],
      ['a rule that drops rows', 'CREATE RULE silent AS ON INSERT TO entries DO INSTEAD NOTHING'],
      ['rows that are hidden', 'ALTER TABLE entries ENABLE ROW LEVEL SECURITY'],
      ['a table that forgets', 'ALTER TABLE blobs SET UNLOGGED'],
      ['a table that inherits', 'CREATE TABLE more () INHERITS (entries)'],
      ['a view instead of a table', 'ALTER TABLE blobs RENAME TO b; CREATE VIEW blobs AS SELECT * FROM b'],
      ['a column more', 'ALTER TABLE entries ADD COLUMN note text'],
      ['no key', 'ALTER TABLE entries DROP CONSTRAINT entries_pkey'],
      ['an index that refuses rows', 'CREATE UNIQUE INDEX one_a_second ON entries (at)'],
      [
        'an index of some rows that runs a function for each',
        'CREATE INDEX sly ON entries (lower(body)) WHERE seq > 9',
      ],
      [
        'names that are compared otherwise',
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ALTER TABLE blobs ALTER sha256 TYPE text COLLATE loose",
      ],
    ])('with %s is E_JOURNAL_TAMPERED', async (_, sql) => {
      const at = server.fresh();
      await (await create(at)).close();
      await server.run(sql, at);
      expect(await open(at)).toMatchObject({
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('not those of a journal') },
      });
    });

    it('that cannot be reached says so within its time, with the address and without a trace', async () => {
      const gone = `postgres://tester@127.0.0.1:1/postgres`;
      expect(await open(gone)).toMatchObject({
        error: {
          tag: 'E_JOURNAL_IO',
          message: expect.stringContaining('ECONNREFUSED'),
          where: { file: 'postgres://127.0.0.1:1/postgres?schema=countersign' },
        },
      });
      expect(await open(server.address('x', 'nobody_of_that_name'))).toMatchObject({
        error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('refuses this user') },
      });
    });

    it.each(['order', 'user', 'table'])(
      'whose schema would be called %s is refused before anything is made',
      async (word) => {
        for (const done of [await make(server.address(word)), await open(server.address(word))]) {
          expect(done).toMatchObject({ error: { tag: 'E_JOURNAL_ADDRESS', message: expect.stringContaining(word) } });
        }
      },
    );

    it('wants a certificate where one was asked for', async () => {
      const at = `${server.fresh()}&sslmode=verify-full`;
      expect(await make(at)).toMatchObject({
        error: { tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('sslrootcert') },
      });
    });
  });

  describe('somebody with the rights of the owner', () => {
    it.each([
      ['edits an entry', `UPDATE entries SET body = replace(body, '"by":"alice"', '"by":"mallory"') WHERE seq = 1`, 1],
      ['removes one', 'DELETE FROM entries WHERE seq = 2', 2],
      [
        'swaps two',
        'UPDATE entries SET seq = seq + 100 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 102',
        2,
      ],
      [
        'puts one before the first',
        `INSERT INTO entries SELECT -1, at, prev, body, hash FROM entries WHERE seq = 0`,
        null,
      ],
      [
        'gives one a number beyond counting',
        `INSERT INTO entries SELECT 9007199254740993, at, prev, body, hash FROM entries WHERE seq = 4`,
        null,
      ],
    ])('%s: it does not open', async (_, sql, seq) => {
      const at = server.fresh();
      const journal = await create(at);
      await append(
        journal,
        Array.from({ length: 4 }, (__, n) => ({
          kind: 'coin.frozen' as const,
          outpoint: `${'0'.repeat(64)}:${n}`,
          reason: 'dust',
          by: 'alice',
        })),
      );
      await journal.close();
      await tamper(at, sql);
      const opened = await open(at);
      expect(tagOf(opened)).toBe('E_JOURNAL_TAMPERED');
      if (seq !== null) expect(opened.ok ? '' : opened.error.message).toContain(`entry ${seq} of the journal`);
    });

    it('changes the newest entry while it is open: the next look finds it', async () => {
      const at = server.fresh();
      const journal = await create(at);
      await append(journal, LIFE);
      await tamper(at, 'DELETE FROM entries WHERE seq = 7');
      expect(await journal.read()).toMatchObject({
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('vanished') },
      });
      await journal.close();
    });

    it('takes tables away while it is open: what is next says so', async () => {
      const at = server.fresh();
      const journal = await create(at);
      await server.run('DROP TABLE entries', at);
      for (const said of [await journal.read(), await append(journal, LIFE)]) {
        expect(said).toMatchObject({
          error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('not there any more') },
        });
      }
      await journal.close();
    });

    it('writes past the lock, where the next entry had to go: it is not taken for a fault of the program', async () => {
      const at = server.fresh();
      const journal = await create(at);
      const said = await journal.transact(async (tx) => {
        tx.append(story.frozen());
        await server.run('INSERT INTO entries SELECT 1, at, prev, body, hash FROM entries', at);
        return ok(undefined);
      });
      expect(said).toMatchObject({
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('past the lock') },
      });
      await journal.close();
    });

    it('cannot change or empty a table by mistake', async () => {
      const at = server.fresh();
      const journal = await create(at);
      await append(journal, LIFE);
      for (const sql of ['UPDATE entries SET at = at', 'DELETE FROM blobs', 'TRUNCATE entries']) {
        await expect(server.run(sql, at)).rejects.toThrow('the journal is append-only');
      }
      await journal.close();
    });
  });

  it('asks each transaction for what it needs, since a pooler may give each another session', async () => {
    const at = server.fresh();
    await (await create(at)).close();
    const role = 'pooled';
    await server.run(
      `CREATE ROLE ${role} LOGIN; ALTER ROLE ${role} SET synchronous_commit = off; ALTER ROLE ${role} SET lock_timeout = 7;
       ALTER ROLE ${role} SET search_path = elsewhere, pg_catalog; ALTER ROLE ${role} SET statement_timeout = 9999`,
    );
    const address = parsePostgresAddress(server.address(schemaOf(at), role));
    if (!address.ok) throw new Error(address.error.message);
    const connection = new PostgresConnection(address.value);
    const names = ['synchronous_commit', 'lock_timeout', 'search_path', 'statement_timeout'];
    const settings = `SELECT ${names.map((name) => `current_setting('${name}')`).join(', ')}`;
    expect((await connection.query(settings)).rows).toEqual([['on', '2s', 'pg_catalog, pg_temp', '0']]);
    await connection.query('DISCARD ALL');
    expect((await connection.query(settings)).rows).toEqual([['off', '7ms', 'elsewhere, pg_catalog', '9999ms']]);
    expect((await connection.begin(settings)).rows).toEqual([['on', '2s', 'pg_catalog, pg_temp', '0']]);
    await connection.end('ROLLBACK');
    await connection.drop();
  });

  it('takes no COMMIT for one of a transaction that is not there any more', async () => {
    const address = parsePostgresAddress(server.fresh());
    if (!address.ok) throw new Error(address.error.message);
    const connection = new PostgresConnection(address.value);
    await connection.begin('SELECT 1');
    // As a pooler that lends another session in the middle of it: the server answers COMMIT all the same, with a warning.
    await connection.within('ROLLBACK');
    await expect(connection.end('COMMIT')).rejects.toThrow(LostTransaction);
    await connection.begin('SELECT 1');
    expect(await connection.end('COMMIT')).toMatchObject({ command: 'COMMIT', warnings: [] });
    await connection.drop();
  });

  it('keeps the hashes of the tree as a file does', async () => {
    const at = server.fresh();
    const journal = await create(at);
    const coin = (n: number) => ({
      kind: 'coin.frozen' as const,
      outpoint: `${'0'.repeat(64)}:${n}`,
      reason: 'dust',
      by: 'alice',
    });
    await append(
      journal,
      Array.from({ length: 511 }, (_, n) => coin(n)),
    );
    const kept = await journal.treeHashes(1, 0, 3);
    expect(kept.ok ? kept.value.length : 0).toBe(2);
    const leaves = await journal.treeHashes(0, 256, 256);
    if (!leaves.ok || !kept.ok) throw new Error('no hashes');
    expect(kept.value[1]).toEqual(perfectRoot(leaves.value));
    await server.run(`INSERT INTO ${schemaOf(at)}.subtrees VALUES (1, 4611686018427387905, 'x'), (7, 5, 'x')`, at);
    await append(
      journal,
      Array.from({ length: 256 }, (_, n) => coin(511 + n)),
    );
    const rows = await journal.treeRows();
    expect(rows.ok ? rows.value.map(({ level, n }) => [level, n]) : rows).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
      [1, 2 ** 62],
      [7, 5],
    ]);
    const audit = await TreeAudit.begin(journal);
    if (!audit.ok) throw new Error(audit.error.message);
    const findings: Fault[] = [];
    for await (const entry of journal.entries()) findings.push(...audit.value.take(entry));
    expect([...findings, ...audit.value.end()].map(({ message }) => message)).toEqual([
      expect.stringMatching(/entries 11805916207174\d+ to \d+ is kept, and its entries are not there/),
      expect.stringMatching(/entries \d+ to \d+ is kept, and its entries are not there/),
    ]);
    await journal.close();
  });

  it('is copied with few questions, with all of its documents and the hashes of its tree', async () => {
    const [from, to] = [server.fresh(), server.fresh()];
    const journal = await create(from);
    const count = 66 * 256;
    await append(
      journal,
      Array.from({ length: count }, (_, n) => frozen(`${n}`)),
      Array.from({ length: 28 }, (_, n) => `batch ${n}`),
    );
    const wire = await Wire.to(server.port);
    const place = sharedPlace(to.replace(`:${server.port}/`, `:${wire.port}/`), { clock });
    if (!place.ok) throw new Error(place.error.message);
    const copied = await copyJournal(journal, place.value, () => undefined);
    expect(copied).toMatchObject({ ok: true, value: { blobs: 28 * 9 + 1, head: { seq: count } } });
    const kept = await (await reopened(to)).treeRows();
    expect(kept.ok ? kept.value.length : 0).toBe(66);
    // It is grown from nothing there, in pieces: the same as where it grew with the entries.
    expect(kept).toEqual(await journal.treeRows());
    // Several for each page of entries, which are large, and not one for each document.
    expect(wire.messages).toBeLessThan(7 * Math.ceil(count / 500));
    await wire.close();
    await journal.close();
  }, 120_000);

  it('an officer who may only read and insert can do all of it', async () => {
    const at = server.fresh();
    await (await create(at)).close();
    const schema = schemaOf(at);
    await server.run(
      `CREATE ROLE officer LOGIN; GRANT USAGE ON SCHEMA ${schema} TO officer; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO officer`,
    );
    const journal = await reopened(server.address(schema, 'officer'));
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    expect(await journal.blob(hashOf('policy'))).toEqual(ok(bytesOf('policy')));
    await journal.close();
  });

  it('an auditor who may only read reads, and is told why nothing can be written', async () => {
    const at = server.fresh();
    await (await create(at)).close();
    const schema = schemaOf(at);
    await server.run(
      `CREATE ROLE auditor LOGIN; GRANT USAGE ON SCHEMA ${schema} TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO auditor`,
    );
    const journal = await reopened(server.address(schema, 'auditor'));
    expect(await seqOf(journal)).toBe(0);
    expect(await append(journal, LIFE)).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('refuses this user') },
    });
    await journal.close();
  });

  describe('a journal of the first layout', () => {
    const older = async (): Promise<string> => {
      const at = server.fresh();
      const journal = await create(at);
      await append(journal, [...LIFE, story.planned('b')]);
      await journal.close();
      await server.run(
        `DROP TABLE batch_lines; DROP FUNCTION take_newer; COMMENT ON SCHEMA ${schemaOf(at)} IS 'countersign journal, layout 1'`,
        at,
      );
      return at;
    };
    const layoutOf = async (at: string) =>
      (await server.run(`SELECT obj_description('${schemaOf(at)}'::regnamespace, 'pg_namespace')`))[0];

    it('is brought up to date by its owner, and everybody keeps the rights to it', async () => {
      const at = await older();
      const schema = schemaOf(at);
      await server.run(
        `CREATE ROLE bob LOGIN; CREATE ROLE "Eve ""A""" LOGIN; GRANT USAGE ON SCHEMA ${schema} TO bob, "Eve ""A""";
         GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO bob; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO "Eve ""A"""`,
      );
      // Who does not own it goes on without the rows.
      const before = await reopened(server.address(schema, 'bob'));
      expect(await before.lineRows()).toEqual(ok(null));
      expect(tagOf(await append(before, [story.abandoned('b')]))).toBe('ok');
      await before.close();
      expect(await readSharedLines(server.address(schema, 'bob'), { clock }, stateOfAll, 0)).toEqual(
        ok(['SIGNED', 'ABANDONED']),
      );
      expect(JSON.stringify(await layoutOf(at))).toContain('layout 1');

      await (await reopened(at)).close();
      expect(JSON.stringify(await layoutOf(at))).toContain('layout 2');
      const bob = await reopened(server.address(schema, 'bob'));
      await expectRows(bob);
      expect(tagOf(await append(bob, [story.broadcast('a')]))).toBe('ok');
      await expectRows(bob);
      await bob.close();
      const eve = server.address(schema, encodeURIComponent('Eve "A"'));
      expect(await readSharedLines(eve, { clock }, stateOfAll, 0)).toEqual(ok(['BROADCAST', 'ABANDONED']));
    });

    it('is brought up to date once, however many come at once', async () => {
      const at = await older();
      const all = await Promise.all([1, 2, 3].map(() => open(at)));
      expect(all.map(tagOf)).toEqual(['ok', 'ok', 'ok']);
      for (const one of all) if (one.ok) await one.value.close();
      const journal = await reopened(at);
      await expectRows(journal);
      await journal.close();
    });
  });

  it('an officer who may not add rows of lists goes on without them', async () => {
    const at = server.fresh();
    const journal = await create(at);
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    const schema = schemaOf(at);
    await server.run(
      `CREATE ROLE carl LOGIN; GRANT USAGE ON SCHEMA ${schema} TO carl;
       GRANT SELECT, INSERT ON ${schema}.entries, ${schema}.blobs, ${schema}.subtrees TO carl`,
    );
    const carl = server.address(schema, 'carl');
    const his = await reopened(carl);
    expect(tagOf(await append(his, [story.broadcast('a')]))).toBe('ok');
    await his.close();
    expect(await readSharedLines(carl, { clock }, stateOfAll, 0)).toEqual(ok(['BROADCAST']));
    // Nobody reads the rows while they are behind, and the next who may brings them up to date.
    expect(await readSharedLines(at, { clock }, stateOfAll, 0)).toEqual(ok(['BROADCAST']));
    expect(tagOf(await append(journal, [story.planned('b')]))).toBe('ok');
    await expectRows(journal);
    await journal.close();
  });

  it('an officer changes no row of a list but by an entry, and nobody an older one', async () => {
    const at = server.fresh();
    const journal = await create(at);
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await journal.close();
    for (const sql of ['DELETE FROM batch_lines', 'TRUNCATE batch_lines']) {
      await expect(server.run(sql, at)).rejects.toThrow('the journal is append-only');
    }
    await expect(
      server.run('INSERT INTO batch_lines SELECT planned, changed - 1, at, state, line FROM batch_lines', at),
    ).rejects.toThrow('duplicate key');
    await server.run(
      `CREATE ROLE dora LOGIN; GRANT USAGE ON SCHEMA ${schemaOf(at)} TO dora; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schemaOf(at)} TO dora`,
    );
    await expect(server.run(`SET ROLE dora; UPDATE ${schemaOf(at)}.batch_lines SET state = 'DRAFT'`)).rejects.toThrow(
      'permission denied',
    );
  });

  it('a server that forgets in a power cut is refused', async () => {
    const at = server.fresh();
    await (await create(at)).close();
    await server.down();
    await server.up('fsync=off');
    const opened = await open(at);
    await server.down();
    await server.up();
    expect(opened).toMatchObject({ error: { tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('fsync = on') } });
  });

  it('a read-only server is read, and named when something should be written', async () => {
    const at = server.fresh();
    await (await create(at)).close();
    await server.run('CREATE ROLE standby LOGIN SUPERUSER; ALTER ROLE standby SET default_transaction_read_only = on');
    const journal = await reopened(server.address(schemaOf(at), 'standby'));
    expect(await seqOf(journal)).toBe(0);
    expect(await append(journal, [story.policy()])).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('primary') },
    });
    await journal.close();
  });
});
