import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedJournal, openSharedJournal } from '../../src/adapters/postgres/journal.js';
import { append, clock, NONCE } from '../adapters/journal-folder.js';
import { seqOf, tagOf } from '../adapters/journal-suite.js';
import { removeAll, type Session } from '../cli/session.js';
import { frozen } from '../journal/story.js';
import { joined, movedTo } from './officers.js';
import { findPgbouncer, Pooler } from './pooler.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
const pgbouncer = findPgbouncer();
const sessions: Session[] = [];
let server: PostgresServer;
beforeAll(async () => {
  if (binaries !== null && pgbouncer !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  removeAll();
  for (const s of sessions) s.remove();
  if (binaries !== null && pgbouncer !== null) await server.remove();
});

describe.skipIf(binaries === null || pgbouncer === null)(
  'behind pgbouncer (skipped where Debian has not installed it, or no PostgreSQL)',
  () => {
    it.each([
      ['session', []],
      ['transaction', []],
      ['transaction', ['server_reset_query_always = 1']],
    ])('in %s mode %j officers plan, approve at once and sign once', async (mode, more) => {
      const pooler = await Pooler.start(pgbouncer ?? '', server, `pool_mode = ${mode}`, ...more);
      try {
        const store = pooler.through(server.fresh());
        const one = await movedTo(store);
        const two = await joined(store);
        sessions.push(two);
        const id = await one.planOne('withdrawals.csv');
        const both = await Promise.all([
          one.run('batch', 'approve', id, '--key', 'keys/bob'),
          two.run('batch', 'approve', id, '--key', 'keys/carol'),
        ]);
        for (const { code, stdout, stderr } of both) expect([0, 15], stdout + stderr).toContain(code);
        for (const [n, person] of ['bob', 'carol'].entries()) if (both[n]?.code !== 0) await two.approve(id, person);
        const signed = await Promise.all([one.run('batch', 'sign', id), two.run('batch', 'sign', id)]);
        expect(signed.map(({ code }) => code).sort(), signed.map((ran) => ran.stdout + ran.stderr).join()).toEqual([
          0, 15,
        ]);
        expect([await one.stateOf(id), await one.head()]).toEqual(['SIGNED', await two.head()]);
        expect(await one.json(0, 'batch', 'list')).toEqual(await two.json(0, 'batch', 'list'));
      } finally {
        await pooler.remove();
      }
    });

    it('in transaction mode a transaction keeps its lock and its durability, whatever session it is given', async () => {
      const pooler = await Pooler.start(pgbouncer ?? '', server, 'pool_mode = transaction');
      try {
        const at = pooler.through(server.fresh());
        const made = await createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
        if (!made.ok) throw new Error(made.error.message);
        const others = await Promise.all([1, 2, 3].map(() => openSharedJournal(at, { clock })));
        const all = [made, ...others];
        // More than there are sessions, and each entry goes through a lock of its own.
        const said = await Promise.all(
          all.flatMap((one, n) => [0, 1, 2].map((k) => (one.ok ? append(one.value, [frozen(`${n} ${k}`)]) : one))),
        );
        expect(said.map(tagOf)).toEqual(Array.from({ length: 12 }, () => 'ok'));
        for (const one of all) {
          if (!one.ok) throw new Error(one.error.message);
          expect(await seqOf(one.value)).toBe(12);
          await one.value.close();
        }
      } finally {
        await pooler.remove();
      }
    });

    it('in statement mode it is refused, with its words', async () => {
      const pooler = await Pooler.start(pgbouncer ?? '', server, 'pool_mode = statement');
      try {
        const at = pooler.through(server.fresh());
        expect(await createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE })).toMatchObject({
          error: { tag: 'E_JOURNAL_IO', message: expect.stringContaining('statement pooling mode') },
        });
      } finally {
        await pooler.remove();
      }
    });
  },
);
