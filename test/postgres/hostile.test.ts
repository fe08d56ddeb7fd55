import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedJournal, openSharedJournal, readSharedLines } from '../../src/adapters/postgres/journal.js';
import { EVERY_LINE } from '../../src/journal/batch-lines.js';
import type { Journal } from '../../src/journal/port.js';
import { append, clock, LIFE, NONCE } from '../adapters/journal-folder.js';
import { seqOf, tagOf } from '../adapters/journal-suite.js';
import { bytesOf, frozen, hashOf, story } from '../journal/story.js';
import { findPostgres, PostgresServer, schemaOf } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
beforeAll(async () => {
  if (binaries !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  if (binaries !== null) await server.remove();
});

const make = (at: string) => createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
const open = (at: string) => openSharedJournal(at, { clock });
async function fresh(): Promise<{ at: string; journal: Journal }> {
  const at = server.fresh();
  const made = await make(at);
  if (!made.ok) throw new Error(made.error.message);
  return { at, journal: made.value };
}
async function opened(at: string): Promise<Journal> {
  const journal = await open(at);
  if (!journal.ok) throw new Error(journal.error.message);
  return journal.value;
}

let officers = 0;
/** A role with the rights that docs/shared-journal.md grants, for which something was set. */
async function officer(at: string, ...settings: readonly string[]): Promise<string> {
  officers += 1;
  const [role, schema] = [`officer_${officers}`, schemaOf(at)];
  await server.run(
    `CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA ${schema} TO ${role};
     GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
     ${settings.map((one) => `ALTER ROLE ${role} SET ${one};`).join(' ')}`,
  );
  return server.address(schema, role);
}

describe.skipIf(binaries === null)('a server that was set up otherwise (skipped where there is no PostgreSQL)', () => {
  it.each([
    ["default_transaction_isolation = 'serializable'"],
    ['bytea_output = escape'],
    ['standard_conforming_strings = off'],
    ["client_encoding = 'LATIN1'"],
    ['statement_timeout = 1'],
    ['idle_in_transaction_session_timeout = 1'],
    ['synchronous_commit = off'],
    ["datestyle = 'SQL, DMY'"],
    ['row_security = off'],
    ['quote_all_identifiers = on'],
    ['enable_indexscan = off'],
  ])('for a role with %s: everything is as it is for all others', async (setting) => {
    const { at, journal } = await fresh();
    await journal.close();
    const address = await officer(at, setting);
    const his = await opened(address);
    expect(tagOf(await append(his, [...LIFE, frozen('für 日本 €')]))).toBe('ok');
    expect(await his.blob(hashOf('policy'))).toEqual({ ok: true, value: bytesOf('policy') });
    await his.close();
    const listed = await readSharedLines(address, { clock }, (lines) => lines.select(EVERY_LINE), 0);
    expect(listed).toMatchObject({ ok: true, value: [{ state: 'SIGNED' }] });
    expect(await seqOf(await opened(at))).toBe(LIFE.length + 1);
  });

  it('for a role whose triggers are not called: it is told so, and not that somebody tampered', async () => {
    const { at, journal } = await fresh();
    await journal.close();
    const address = await officer(at, 'session_replication_role = replica');
    expect(await open(address)).toMatchObject({
      error: {
        tag: 'E_JOURNAL_IO',
        message: expect.stringContaining('session_replication_role is replica'),
        remedy: expect.stringContaining('RESET'),
      },
    });
  });

  it('for a role that is told to write nothing: refused before the work begins', async () => {
    const { at, journal } = await fresh();
    await journal.close();
    const his = await opened(await officer(at, 'default_transaction_read_only = on'));
    let begun = false;
    const said = await his.transact(async () => {
      begun = true;
      return { ok: true, value: null };
    });
    expect(said).toMatchObject({ error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('only be read') } });
    expect([begun, await seqOf(his)]).toEqual([false, 0]);
    await his.close();
  });

  it.each(['LATIN1', 'SQL_ASCII', 'EUC_JP'])('with a database in %s: no journal is begun in it', async (encoding) => {
    const name = `in_${encoding.toLowerCase()}`;
    await server.run(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}'`);
    expect(await make(server.inDatabase(name))).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining(encoding), remedy: expect.stringMatching(/UTF8/) },
    });
  });

  it('with a journal that was restored into another encoding: what does not fit is refused, and nothing kept', async () => {
    const { at, journal } = await fresh();
    await journal.close();
    await server.run("UPDATE pg_database SET encoding = pg_char_to_encoding('LATIN1') WHERE datname = 'postgres'");
    const there = await open(at);
    await server.run("UPDATE pg_database SET encoding = pg_char_to_encoding('UTF8') WHERE datname = 'postgres'");
    if (!there.ok) throw new Error(there.error.message);
    expect(await append(there.value, [frozen('日本')])).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('cannot hold'), remedy: expect.any(String) },
    });
    expect(tagOf(await append(there.value, [story.frozen()]))).toBe('ok');
    await there.value.close();
  });

  it('with several who begin at one place: one does, and the others are told that it is there', async () => {
    const at = server.fresh();
    const all = await Promise.all([1, 2, 3, 4].map(() => make(at)));
    expect(all.map(tagOf).sort()).toEqual(['E_JOURNAL_EXISTS', 'E_JOURNAL_EXISTS', 'E_JOURNAL_EXISTS', 'ok']);
    for (const one of all) if (one.ok) await one.value.close();
    expect(await seqOf(await opened(at))).toBe(0);
  });

  it('with a schema that an administrator made for somebody who may make none', async () => {
    const at = server.fresh();
    await server.run(`CREATE ROLE keeper LOGIN; CREATE SCHEMA ${schemaOf(at)} AUTHORIZATION keeper`);
    const address = server.address(schemaOf(at), 'keeper');
    const made = await make(address);
    expect(tagOf(made)).toBe('ok');
    if (!made.ok) return;
    expect(tagOf(await append(made.value, LIFE))).toBe('ok');
    await made.value.close();
    expect(await make(server.address('not_made_for_him', 'keeper'))).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('refuses this user') },
    });
  });

  it('with a table of somebody by the name of one of the server', async () => {
    const { at, journal } = await fresh();
    await server.run(`CREATE SCHEMA evil; CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT 'on'$$;
      CREATE TABLE evil.pg_class (relname name); CREATE TABLE evil.entries (seq bigint)`);
    const his = await opened(await officer(at, 'search_path = evil, pg_catalog'));
    expect(tagOf(await append(his, LIFE))).toBe('ok');
    await his.close();
    expect(await seqOf(journal)).toBe(LIFE.length);
    await journal.close();
  });

  it('with statements that somebody cancels: each says so, and the next attempt works', async () => {
    const { at, journal } = await fresh();
    const done = await journal.transact(async (tx) => {
      tx.append(story.frozen());
      const his = await opened(at);
      const waiting = append(his, LIFE);
      const waits = "FROM pg_stat_activity WHERE application_name = 'countersign' AND wait_event = 'advisory'";
      for (let over = false; !over; ) over = (await server.run(`SELECT pg_cancel_backend(pid) ${waits}`)).length > 0;
      expect(await waiting).toMatchObject({ error: { tag: 'E_JOURNAL_IO' } });
      expect(await seqOf(his)).toBe(0);
      await his.close();
      return { ok: true, value: null };
    });
    expect(tagOf(done)).toBe('ok');
    const his = await opened(at);
    expect(tagOf(await append(his, LIFE))).toBe('ok');
    await his.close();
    await journal.close();
  });

  it('with no connection left: it says so', async () => {
    const { at, journal } = await fresh();
    await journal.close();
    await server.run(`CREATE ROLE few LOGIN CONNECTION LIMIT 0`);
    expect(await open(server.address(schemaOf(at), 'few'))).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('out of disk, memory or connections') },
    });
  });

  it('with words that nobody foresaw: they are shown, and no trace', async () => {
    const { journal, at } = await fresh();
    await server.run(
      `CREATE FUNCTION public.odd() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'closed on Sundays' USING ERRCODE = '0A000'; END$$;
       CREATE TRIGGER odd BEFORE INSERT ON ${schemaOf(at)}.entries EXECUTE FUNCTION public.odd()`,
    );
    expect(await append(journal, LIFE)).toMatchObject({
      error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('closed on Sundays') },
    });
    await journal.close();
  });
});
