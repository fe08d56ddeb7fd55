import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSharedJournal, openSharedJournal } from '../../src/adapters/postgres/journal.js';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { sumSats } from '../../src/domain/sats.js';
import { holdsBudget } from '../../src/journal/transitions.js';
import { append, clock, create, journalFolder, NONCE } from '../adapters/journal-folder.js';
import { removeAll, Session, stage } from '../cli/session.js';
import { START } from '../journal/chains.js';
import { runChild } from '../journal/children.js';
import { blobNames, bytesOf, story } from '../journal/story.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
const folder = journalFolder();
const folders: string[] = [];
beforeAll(async () => {
  if (binaries !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  folder.remove();
  removeAll();
  for (const one of folders) rmSync(one, { recursive: true, force: true });
  if (binaries !== null) await server.remove();
});

describe.skipIf(binaries === null)('officers on two machines (skipped where there is no PostgreSQL)', () => {
  it('plan on one, approve on the other, sign on the first, audit on both; and bring it all home into a file', async () => {
    const one = await stage();
    const store = server.fresh();
    const moved = await one.expect(0, 'journal', 'copy', store, '--close');
    expect(moved.stdout).toContain(`write store: ${store}`);
    one.write(
      'countersign.yaml',
      one.read('countersign.yaml').replace(/^journal: .*$/m, `store: ${JSON.stringify(store)}`),
    );

    const elsewhere = mkdtempSync(join(tmpdir(), 'countersign-second-'));
    folders.push(elsewhere);
    const two = new Session(elsewhere);
    const wrong = await two.json(2, 'init', '.', '--network', 'main', '--store', store, '--join');
    expect(wrong.faults[0]).toMatchObject({ tag: 'E_USAGE', remedy: expect.stringContaining('testnet3') });
    expect(await two.faultOf(2, 'init', '.', '--network', 'testnet3', '--store', store)).toBe('E_JOURNAL_EXISTS');
    await two.expect(0, 'init', '.', '--network', 'testnet3', '--store', store, '--join');

    const id = await one.planOne('withdrawals.csv');
    await two.approve(id, 'bob');
    await one.approve(id, 'carol');
    await one.expect(0, 'batch', 'sign', id);
    expect([await two.stateOf(id), await two.head()]).toEqual(['SIGNED', await one.head()]);
    await two.expect(0, 'journal', 'copy', 'home.sqlite');

    // The server is put back as it was before the signing, and the machine that signed remembers.
    const newest = Number((await one.head()).split(':')[0]);
    await server.run(
      `ALTER TABLE entries DISABLE TRIGGER USER; CREATE TABLE public.gone AS SELECT * FROM entries WHERE seq > ${newest - 2};
       DELETE FROM entries WHERE seq > ${newest - 2}; ALTER TABLE entries ENABLE TRIGGER USER`,
      store,
    );
    for (const s of [one, two]) {
      expect(await s.faultOf(13, 'batch', 'sign', id)).toBe('E_JOURNAL_RESTORED');
      expect(await s.faultOf(13, 'audit', 'verify')).toBe('E_JOURNAL_RESTORED');
    }
    await server.run('INSERT INTO entries SELECT * FROM public.gone', store);
    expect(await one.stateOf(id)).toBe('SIGNED');
    two.write('countersign.yaml', two.read('countersign.yaml').replace(/^store: .*$/m, 'journal: home.sqlite'));
    expect(await two.head()).toBe(await one.head());
    await two.expect(0, 'audit', 'verify');
  });
});

/** Forty-eight batches of one size, planned; the budget holds a few of them. */
const names = Array.from({ length: 200 }, (_, n) => `r${n}`);
const spend = 91_000n;
const blobs = ['policy', ...blobNames('a')].map((name) => Buffer.from(bytesOf(name)).toString('utf8'));

describe.each(['a file', 'PostgreSQL'])('eight processes on one budget in %s, two hundred tries', (kind) => {
  const isHere = kind === 'a file' || binaries !== null;
  it.skipIf(!isHere)(
    'reserve what it allows and never more, and every one of them comes to its end',
    async () => {
      const at = kind === 'a file' ? folder.path() : server.fresh();
      const made =
        kind === 'a file'
          ? await create(at)
          : await createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
      const journal = 'ok' in made ? (made.ok ? made.value : null) : made;
      if (journal === null) throw new Error('no journal');
      await append(journal, [story.policy(), ...names.map((name) => story.planned(name))], names);
      await journal.close();

      const limit = spend * 97n + spend / 2n;
      const jobs = Array.from({ length: 8 }, (_, k) => {
        const mine = names.slice(k * 25, k * 25 + 25);
        const reservations = mine.map((batch) => ({ batch, bodies: [story.verdict(batch), story.reserved(batch)] }));
        return { path: at, now: START, blobs: [], limit: limit.toString(), reservations };
      });
      const ended = await Promise.all(jobs.map((one) => runChild(one)));
      expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(jobs.map(() => [0, '']));

      const opened = kind === 'a file' ? await openJournal(at, { clock }) : await openSharedJournal(at, { clock });
      if (!opened.ok) throw new Error(opened.error.message);
      const state = await opened.value.read();
      await opened.value.close();
      if (!state.ok) throw new Error(state.error.message);
      const held = [...state.value.batches.values()].filter((batch) => holdsBudget(batch.state));
      expect(sumSats(held.map((batch) => batch.spend))).toBe(spend * 97n);
      const lines = ended.flatMap((one) => one.lines);
      expect(lines.filter((line) => line.startsWith('reserved')).sort()).toEqual(
        held.map(({ id }) => `reserved ${id}`).sort(),
      );
      expect(lines.filter((line) => line.startsWith('denied'))).toHaveLength(103);
    },
    240_000,
  );

  it.skipIf(!isHere || kind === 'a file')('and a process that is killed at any moment holds nobody up', async () => {
    const at = server.fresh();
    const made = await createSharedJournal(at, { clock, network: 'regtest', nonce: NONCE });
    if (!made.ok) throw new Error(made.error.message);
    const steps = [
      [story.policy(), story.planned('a')],
      [story.verdict('a'), story.reserved('a')],
    ];
    for (const dieAt of ['inside 0', 'after 0', 'inside 1', 'after 1']) {
      const ended = await runChild({ path: at, now: START, blobs, steps, dieAt });
      expect(ended.signal === 'SIGKILL' || ended.stderr !== '').toBe(true);
      const next = await append(made.value, [story.frozen()]);
      expect(next.ok).toBe(true);
    }
    await made.value.close();
  });
});
