import { copyFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeAll, type Session } from '../cli/session.js';
import { elsewhere as anotherMachine, joined, movedTo } from './officers.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
const folders: string[] = [];
beforeAll(async () => {
  if (binaries !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  removeAll();
  for (const one of folders) rmSync(one, { recursive: true, force: true });
  if (binaries !== null) await server.remove();
});

/** A machine that has nothing yet. */
function elsewhere(): Session {
  const s = anotherMachine();
  folders.push(s.folder);
  return s;
}

/** The workspaces of two officers, joined to one journal. */
async function officers(): Promise<{ one: Session; two: Session; store: string }> {
  const store = server.fresh();
  const one = await movedTo(store);
  const two = await joined(store);
  folders.push(two.folder);
  return { one, two, store };
}

/** The same journal in a file, as a third workspace has it. */
async function inFile(from: Session): Promise<Session> {
  const third = elsewhere();
  await from.expect(0, 'journal', 'copy', 'twin.sqlite');
  copyFileSync(from.path('twin.sqlite'), third.path('twin.sqlite'));
  third.write('countersign.yaml', from.read('countersign.yaml').replace(/^store: .*$/m, 'journal: twin.sqlite'));
  return third;
}

function bring(from: Session, to: Session, ...names: string[]): void {
  for (const name of names) copyFileSync(from.path(name), to.path(name));
}

function treeOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name)).toString('base64')]));
}

const DAY = ['--from', '2026-06-01T00:00:00Z', '--to', '2026-06-02T00:00:00Z'] as const;

describe.skipIf(binaries === null)('two officers at one journal (skipped where there is no PostgreSQL)', () => {
  it('review and approve on machines of their own: the same digits, and each approval counts once', async () => {
    const { one, two } = await officers();
    const id = await one.planOne('withdrawals.csv');
    const [mine, theirs] = [await one.json(11, 'batch', 'review', id), await two.json(11, 'batch', 'review', id)];
    expect(theirs).toEqual(mine);
    expect(mine.fingerprint).toMatch(/\d/);
    await two.expect(0, 'batch', 'approve', id, '--key', 'keys/bob');
    expect(await one.faultOf(10, 'batch', 'approve', id, '--key', 'keys/bob')).toBe('E_APPROVAL_REPLAY');
    // Both at once: each is a person of the policy, and neither is lost.
    const both = await Promise.all([
      one.run('batch', 'approve', id, '--key', 'keys/carol'),
      two.run('batch', 'approve', id, '--key', 'keys/erin'),
    ]);
    for (const { code, stdout, stderr } of both) expect([0, 15], stdout + stderr).toContain(code);
    expect(both.some(({ code }) => code === 0)).toBe(true);
    if (both[0]?.code !== 0) await one.expect(0, 'batch', 'approve', id, '--key', 'keys/carol');
    expect(await one.json(0, 'batch', 'review', id)).toEqual(await two.json(0, 'batch', 'review', id));
    await two.expect(0, 'batch', 'sign', id);
    expect([await one.stateOf(id), await one.head()]).toEqual(['SIGNED', await two.head()]);
  });

  it('prove it: checkpoints, proofs, tiles and evidence are those of a file with the same entries, to the byte', async () => {
    const { one, two } = await officers();
    const id = await one.planOne('withdrawals.csv');
    await one.expect(0, 'audit', 'key', 'journal.key');
    await one.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    await two.approve(id, 'bob', 'carol');
    await two.expect(0, 'batch', 'sign', id);
    await one.expect(0, 'audit', 'checkpoint', 'c-2', '--key', 'journal.key');
    await one.expect(0, 'audit', 'checkpoint', 'for-witness', '--key', 'journal.key', '--old', 'c-1');
    bring(one, two, 'journal.key.pub', 'c-1', 'c-2');
    const trust = ['--trust', 'journal.key.pub'];
    for (const name of ['c-1', 'c-2']) {
      const verified = await two.json(0, 'audit', 'verify', '--checkpoint', name, ...trust);
      expect(verified.checkpoints).toMatchObject([{ file: name }]);
    }

    const third = await inFile(two);
    bring(one, third, 'journal.key', 'journal.key.pub', 'c-1');
    await third.expect(0, 'audit', 'checkpoint', 'c-2', '--key', 'journal.key');
    await third.expect(0, 'audit', 'checkpoint', 'for-witness', '--key', 'journal.key', '--old', 'c-1');
    for (const name of ['c-2', 'for-witness']) expect(third.read(name)).toBe(one.read(name));
    for (const s of [two, third]) {
      await s.expect(0, 'audit', 'prove', '3', '--checkpoint', 'c-2', '--out', 'entry');
      await s.expect(0, 'audit', 'prove', '--checkpoint', 'c-2', '--old', 'c-1', '--out', 'growth');
      await s.expect(0, 'audit', 'export', '--tiles', 'tiles', '--checkpoint', 'c-2');
      await s.expect(0, 'audit', 'bundle', 'day.evidence', ...DAY, '--checkpoint', 'c-2');
    }
    for (const name of ['entry', 'growth', 'day.evidence']) expect(two.read(name)).toBe(third.read(name));
    expect(treeOf(two.path('tiles'))).toEqual(treeOf(third.path('tiles')));
    await two.expect(0, 'audit', 'verify', '--checkpoint', 'c-2', '--tiles', 'tiles', ...trust);

    // Each proves itself where there is no workspace and no server.
    const laptop = elsewhere();
    bring(two, laptop, 'entry', 'growth', 'c-1', 'day.evidence', 'journal.key.pub');
    await laptop.expect(0, 'audit', 'verify', '--proof', 'entry', ...trust);
    await laptop.expect(0, 'audit', 'verify', '--proof', 'growth', '--old', 'c-1', ...trust);
    await laptop.expect(0, 'audit', 'verify', '--bundle', 'day.evidence', ...trust);
    for (const words of [
      ['audit', 'replay'],
      ['audit', 'payments'],
      ['audit', 'log'],
    ]) {
      expect(await two.json(0, ...words)).toEqual(await third.json(0, ...words));
    }
  });

  it('find a journal whose end was cut off on the server, each by the checkpoint in hand', async () => {
    const { one, two, store } = await officers();
    const id = await one.planOne('withdrawals.csv');
    await one.approve(id, 'bob');
    await one.expect(0, 'audit', 'key', 'journal.key');
    await one.expect(0, 'audit', 'checkpoint', 'c-1', '--key', 'journal.key');
    bring(one, two, 'journal.key.pub', 'c-1');
    const last = (await one.json(0, 'audit', 'log')).entries.at(-1).seq;
    await server.run(
      `ALTER TABLE entries DISABLE TRIGGER USER; DELETE FROM entries WHERE seq = ${last}; ALTER TABLE entries ENABLE TRIGGER USER`,
      store,
    );
    for (const s of [one, two]) {
      const { faults } = await s.json(13, 'audit', 'verify', '--checkpoint', 'c-1', '--trust', 'journal.key.pub');
      expect(faults[0]).toMatchObject({ message: expect.stringMatching(/cut off|truncated|ends/) });
    }
  });

  it('halt each other: what one raises stops the other at once', async () => {
    const { one, two } = await officers();
    const id = await one.ready('second.csv');
    await two.expect(0, 'halt', 'raise', '--reason', 'payments that nobody asked for', '--key', 'keys/bob');
    const [mine, theirs] = [await one.json(12, 'halt', 'status'), await two.json(12, 'halt', 'status')];
    expect(mine).toEqual(theirs);
    expect(mine.halts).toMatchObject([{ reason: 'payments that nobody asked for' }]);
    expect(await one.json(12, 'batch', 'sign', id)).toMatchObject({ signed: false });
    expect([await one.stateOf(id), await two.stateOf(id)]).toEqual(['DRAFT', 'DRAFT']);
    await two.expect(0, 'audit', 'verify');
  });
});
