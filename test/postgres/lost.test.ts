import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedJournal, openSharedJournal } from '../../src/adapters/postgres/journal.js';
import { ok } from '../../src/domain/result.js';
import type { UnixSeconds } from '../../src/domain/time.js';
import type { Journal } from '../../src/journal/port.js';
import { append, LIFE, NONCE } from '../adapters/journal-folder.js';
import { seqOf, tagOf } from '../adapters/journal-suite.js';
import { START } from '../journal/chains.js';
import { bytesOf, story } from '../journal/story.js';
import { Wire } from './cut.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
let wire: Wire;
beforeAll(async () => {
  if (binaries === null) return;
  server = await PostgresServer.start(binaries);
  wire = await Wire.to(server.port);
}, 60_000);
afterAll(async () => {
  if (binaries === null) return;
  await wire.close();
  await server.remove();
});

const clock = (): UnixSeconds => START;
const overWire = (address: string): string => address.replace(`:${server.port}/`, `:${wire.port}/`);
const fresh = async (): Promise<{ at: string; journal: Journal }> => {
  wire.cutAt(null);
  const at = server.fresh();
  const made = await createSharedJournal(overWire(at), { clock, network: 'regtest', nonce: NONCE });
  if (!made.ok) throw new Error(made.error.message);
  return { at, journal: made.value };
};
/** What the server holds, seen past the wire. */
const kept = async (at: string): Promise<number> => {
  const opened = await openSharedJournal(at, { clock });
  if (!opened.ok) throw new Error(opened.error.message);
  const seq = await seqOf(opened.value);
  await opened.value.close();
  return seq;
};

describe.skipIf(binaries === null)('a connection that is lost (skipped where there is no PostgreSQL)', () => {
  it('at every message of a transaction: what is said is what was kept, and the next attempt works', async () => {
    const { journal: probe } = await fresh();
    wire.cutAt(null);
    expect(tagOf(await append(probe, LIFE))).toBe('ok');
    const messages = wire.messages;
    await probe.close();
    // BEGIN, lock, reading on, two inserts, looking for blobs, COMMIT: fewer would mean that something is not cut.
    expect(messages).toBeGreaterThanOrEqual(6);

    const outcomes: string[] = [];
    for (let message = 1; message <= messages; message += 1) {
      for (const when of ['before', 'answered'] as const) {
        const { at, journal } = await fresh();
        wire.cutAt({ at: message, when });
        const said = await append(journal, LIFE);
        const there = await kept(at);
        expect([message, when, there]).toEqual([message, when, said.ok ? LIFE.length : 0]);
        if (!said.ok) {
          expect(said.error.tag).toBe('E_JOURNAL_IO');
          expect(tagOf(await append(journal, LIFE))).toBe('ok');
        }
        expect(await seqOf(journal)).toBe(LIFE.length);
        await journal.close();
        outcomes.push(`${message} ${when}: ${said.ok ? 'kept' : 'not kept'}`);
      }
    }
    // Only an answer to COMMIT that got lost on its way leaves something kept.
    expect(outcomes.filter((line) => line.endsWith(': kept'))).toEqual([`${messages} answered: kept`]);
  }, 120_000);

  it('at every message of opening and of making a journal: nothing half made, nothing half read', async () => {
    for (let message = 1; message <= 40; message += 3) {
      for (const when of ['before', 'answered'] as const) {
        const at = server.fresh();
        wire.cutAt({ at: message, when });
        const made = await createSharedJournal(overWire(at), { clock, network: 'regtest', nonce: NONCE });
        if (made.ok) await made.value.close();
        else expect([message, when, made.error.tag]).toEqual([message, when, 'E_JOURNAL_IO']);
        wire.cutAt({ at: message, when });
        const opened = await openSharedJournal(overWire(at), { clock });
        wire.cutAt(null);
        if (opened.ok) await opened.value.close();
        else expect(['E_JOURNAL_IO', 'E_JOURNAL_MISSING']).toContain(opened.error.tag);
        const again = await openSharedJournal(at, { clock });
        expect(tagOf(again)).toBe(made.ok ? 'ok' : 'E_JOURNAL_MISSING');
        if (again.ok) await again.value.close();
      }
    }
  }, 120_000);

  it('at COMMIT, with a server that cannot be asked any more: it says that it does not know', async () => {
    const { journal: probe } = await fresh();
    wire.cutAt(null);
    await append(probe, LIFE);
    const last = wire.messages;
    await probe.close();
    const { at, journal } = await fresh();
    wire.cutAt({ at: last, when: 'answered' }, true);
    expect(await append(journal, LIFE)).toMatchObject({
      error: {
        tag: 'E_JOURNAL_IO',
        message: expect.stringContaining('is not known'),
        remedy: expect.stringContaining('audit log'),
      },
    });
    wire.cutAt(null);
    expect([await kept(at), await seqOf(journal)]).toEqual([LIFE.length, LIFE.length]);
    await journal.close();
  });

  it('unnoticed while the work goes on: nothing is written outside of the transaction and its lock', async () => {
    const { at, journal } = await fresh();
    const said = await journal.transact(async (tx) => {
      await server.cut();
      // A look at the journal makes a new connection, on which the rest must not be written.
      expect(tagOf(await journal.blob('00'.repeat(32)))).toMatch(/^E_JOURNAL/);
      expect(tagOf(await journal.blob('00'.repeat(32)))).toMatch(/^E_JOURNAL/);
      tx.keep(bytesOf('policy'));
      return ok(tx.append(story.policy()));
    });
    expect([tagOf(said), await kept(at)]).toEqual(['E_JOURNAL_IO', 0]);
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await journal.close();
  });

  it('by a server that is killed: what it called durable is there when it is back', async () => {
    const { at, journal } = await fresh();
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await server.down('SIGQUIT');
    expect(await journal.read()).toMatchObject({ error: { tag: 'E_JOURNAL_IO' } });
    await server.up();
    expect([await kept(at), await seqOf(journal)]).toEqual([LIFE.length, LIFE.length]);
    await journal.close();
  });
});
