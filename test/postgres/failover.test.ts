import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedJournal, openSharedJournal } from '../../src/adapters/postgres/journal.js';
import { append, clock, LIFE, NONCE } from '../adapters/journal-folder.js';
import { seqOf, tagOf } from '../adapters/journal-suite.js';
import { removeAll, type Session } from '../cli/session.js';
import { story } from '../journal/story.js';
import { joined, movedTo, useStore } from './officers.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let primary: PostgresServer;
let standby: PostgresServer;
const servers: PostgresServer[] = [];
const sessions: Session[] = [];

// What is tried leaves one pair behind after the other: the last test goes on with the server that was promoted.
beforeAll(async () => {
  if (binaries === null) return;
  primary = await PostgresServer.start(binaries);
  standby = await primary.standby();
  servers.push(primary, standby);
}, 60_000);
afterAll(async () => {
  removeAll();
  for (const s of sessions) s.remove();
  await Promise.all(servers.map((server) => server.remove()));
}, 60_000);

const onStandby = (store: string): string => store.replace(`:${primary.port}/`, `:${standby.port}/`);
async function officer(store: string): Promise<Session> {
  const s = await joined(store);
  sessions.push(s);
  return s;
}
async function until(server: PostgresServer, sql: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await server.run(sql))[0]?.[0] === true) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`not in time: ${sql}`);
}
/** Everything written so far is on the standby. */
async function hasCaughtUp(): Promise<void> {
  const at = (await primary.run('SELECT pg_current_wal_lsn()'))[0]?.[0];
  await until(standby, `SELECT pg_last_wal_replay_lsn() >= '${at}'`);
}

describe.skipIf(binaries === null)('a primary and its standby (skipped where there is no PostgreSQL)', () => {
  it('read on the standby, and refuse there to write before anything is done', async () => {
    const store = primary.fresh();
    const one = await movedTo(store);
    const id = await one.ready('withdrawals.csv');
    await hasCaughtUp();
    const reader = await officer(onStandby(store));
    const listed = await one.json(0, 'batch', 'list');
    expect(await reader.json(0, 'batch', 'list')).toEqual(listed);
    expect(await reader.stateOf(id)).toBe('DRAFT');
    expect(await reader.head()).toBe(await one.head());
    await reader.expect(0, 'audit', 'replay');
    await reader.expect(0, 'journal', 'copy', 'copy.sqlite');
    useStore(one, onStandby(store));
    for (const words of [
      ['batch', 'sign', id],
      ['batch', 'approve', id, '--key', 'keys/erin'],
      ['batch', 'plan', 'second.csv', '--as', 'alice'],
      ['halt', 'raise', '--reason', 'r', '--key', 'keys/bob'],
    ]) {
      const { faults } = await one.json(1, ...words);
      expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('primary') });
    }
    let asked = false;
    const opened = await openSharedJournal(onStandby(store), { clock });
    if (!opened.ok) throw new Error(opened.error.message);
    const said = await opened.value.transact(async () => {
      asked = true;
      return { ok: true, value: null };
    });
    expect([tagOf(said), asked]).toEqual(['E_JOURNAL_IO', false]);
    await opened.value.close();
    const made = await createSharedJournal(`${onStandby(store)}_new`, { clock, network: 'regtest', nonce: NONCE });
    expect(made).toMatchObject({ error: { tag: 'E_JOURNAL_IO', remedy: expect.stringContaining('primary') } });
  }, 60_000);

  it.each([
    ['cancels the wait for the standby', 'pg_cancel_backend', /entry 7 is written, and may be lost with this server/],
    ['ends the session that waits for it', 'pg_terminate_backend', /whether entry 7 was kept is not known/],
  ])(
    'is not called durable where somebody %s',
    async (_, end, message) => {
      const at = primary.fresh();
      const made = await createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
      if (!made.ok) throw new Error(made.error.message);
      await primary.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
      await primary.run('SELECT pg_reload_conf()');
      const waits = "FROM pg_stat_activity WHERE application_name = 'countersign' AND wait_event = 'SyncRep'";
      const said = append(made.value, LIFE);
      await until(primary, `SELECT count(*) = 1 ${waits}`);
      await primary.run(`SELECT ${end}(pid) ${waits}`);
      // Where the session was ended, another asks what became of it, and waits as well.
      let isOver = false;
      void said.then(() => {
        isOver = true;
      });
      while (!isOver) await primary.run(`SELECT pg_cancel_backend(pid) ${waits}`);
      expect(await said).toMatchObject({ error: { tag: 'E_JOURNAL_IO', message: expect.stringMatching(message) } });
      expect(await seqOf(made.value)).toBe(LIFE.length);
      await primary.run('ALTER SYSTEM RESET synchronous_standby_names');
      await primary.run('SELECT pg_reload_conf()');
      expect(tagOf(await append(made.value, [story.broadcast('a')]))).toBe('ok');
      await made.value.close();
    },
    60_000,
  );

  it('fail over before the newest entries were streamed: who saw them refuses, and they are brought back', async () => {
    const store = primary.fresh();
    const one = await movedTo(store);
    const [reader, late] = [await officer(store), await officer(store)];
    const id = await one.ready('withdrawals.csv');
    const before = Number((await late.head()).split(':')[0]);
    await hasCaughtUp();
    await standby.down();
    await one.expect(0, 'batch', 'sign', id);
    const newest = Number((await one.head()).split(':')[0]);
    // Looking is enough to remember.
    expect(await reader.stateOf(id)).toBe('SIGNED');
    await primary.down('SIGQUIT');
    await standby.up();
    await standby.promote();

    for (const s of [one, reader]) {
      useStore(s, onStandby(store));
      for (const words of [
        ['batch', 'sign', id],
        ['batch', 'list'],
        ['halt', 'status'],
        ['audit', 'verify'],
      ]) {
        const { faults } = await s.json(13, ...words);
        expect(faults[0]).toMatchObject({
          tag: 'E_JOURNAL_RESTORED',
          message: expect.stringContaining(`entries ${before + 1} to ${newest} are not there`),
        });
      }
    }
    // Nobody can tell it what it never saw: to this machine the batch was not signed.
    useStore(late, onStandby(store));
    expect(await late.stateOf(id)).toBe('DRAFT');

    // The old server has them: a copy from there goes to the new one, under a name of its own.
    await primary.up();
    useStore(one, store);
    const whole = `${onStandby(store)}_whole`;
    await one.expect(0, 'journal', 'copy', whole, '--close');
    for (const s of [one, reader, late]) {
      useStore(s, whole);
      expect(await s.stateOf(id)).toBe('SIGNED');
      await s.expect(0, 'audit', 'verify');
    }
  }, 60_000);

  it('lose nothing where the primary waits for its standby', async () => {
    await primary.remove();
    primary = standby;
    standby = await primary.standby();
    servers.push(standby);
    await primary.run("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await primary.run('SELECT pg_reload_conf()');
    await until(primary, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
    const store = primary.address('synchronous');
    const one = await movedTo(store);
    const id = await one.ready('withdrawals.csv');
    await one.expect(0, 'batch', 'sign', id);
    await primary.down('SIGQUIT');
    await standby.promote();
    useStore(one, onStandby(store));
    expect(await one.stateOf(id)).toBe('SIGNED');
    await one.expect(0, 'audit', 'verify');
    await one.expect(0, 'halt', 'raise', '--reason', 'after the failover', '--key', 'keys/bob');
  }, 60_000);
});
