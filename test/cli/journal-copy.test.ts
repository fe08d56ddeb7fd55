import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { rawExec } from '../adapters/journal-folder.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** A second workspace folder is not needed: the same one, with the copy as its journal. */
const lookAt = (s: Session, journal: string): void => {
  s.write('countersign.yaml', s.read('countersign.yaml').replace(/^journal: .*$/m, `journal: ${journal}`));
};

describe('journal copy', () => {
  it('gives the same journal elsewhere, hash for hash, and leaves this one as it is', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const head = await s.head();
    const copied = await s.json(0, 'journal', 'copy', 'backup.sqlite');
    expect(await s.head()).toBe(head);
    expect(copied).toMatchObject({ to: 'backup.sqlite', closed: false });
    expect(`${copied.head.seq}:${copied.head.hash}`).toBe(head);
    lookAt(s, 'backup.sqlite');
    expect(await s.head()).toBe(head);
    expect(await s.stateOf(id)).toBe('DRAFT');
    await s.expect(0, 'batch', 'sign', id);
    lookAt(s, 'journal.sqlite');
    expect([await s.head(), await s.stateOf(id)]).toEqual([head, 'DRAFT']);
  });

  it('with --close goes on there and nowhere else', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const { stdout } = await s.expect(0, 'journal', 'copy', 'moved.sqlite', '--close');
    expect(stdout).toContain('write journal: moved.sqlite into countersign.yaml');
    const refused = await s.json(15, 'batch', 'sign', id);
    expect(refused.faults[0]).toMatchObject({
      tag: 'E_JOURNAL_MOVED',
      message: expect.stringContaining('moved.sqlite'),
    });
    expect(await s.faultOf(15, 'batch', 'plan', 'second.csv', '--as', 'alice')).toBe('E_JOURNAL_MOVED');
    // Looking and auditing go on.
    await s.expect(0, 'audit', 'verify');
    await s.expect(0, 'batch', 'list');
    lookAt(s, 'moved.sqlite');
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it('is finished by the same command where it was broken off between copying and closing', async () => {
    const s = await stage();
    await s.expect(0, 'journal', 'copy', 'moved.sqlite');
    await s.expect(0, 'journal', 'copy', 'moved.sqlite', '--close');
    expect(await s.faultOf(15, 'coins', 'import', 'coins.json')).toBe('E_JOURNAL_MOVED');
    // Killed behind the last step: it is said that it took effect, and where.
    for (const to of ['moved.sqlite', 'elsewhere.sqlite']) {
      const { faults } = await s.json(15, 'journal', 'copy', to, '--close');
      expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_MOVED', message: expect.stringContaining('moved.sqlite') });
    }
    expect(existsSync(s.path('elsewhere.sqlite'))).toBe(false);
  });

  it('never overwrites: another journal, another part of this one, or any file', async () => {
    const s = await stage();
    await s.expect(0, 'journal', 'copy', 'backup.sqlite');
    await s.planOne('withdrawals.csv');
    expect(await s.faultOf(2, 'journal', 'copy', 'backup.sqlite', '--close')).toBe('E_JOURNAL_EXISTS');
    writeFileSync(s.path('notes.txt'), 'dear diary');
    expect(await s.faultOf(2, 'journal', 'copy', 'notes.txt')).toBe('E_JOURNAL_EXISTS');
    expect(s.read('notes.txt')).toBe('dear diary');
    expect(await s.stateOf(await s.planOne('second.csv'))).toBe('DRAFT');
  });

  it('of a journal with a blob that was changed keeps nothing there', async () => {
    const s = await stage();
    rawExec(s.path('journal.sqlite'), 'DROP TRIGGER blobs_no_update');
    rawExec(s.path('journal.sqlite'), "UPDATE blobs SET bytes = x'00' WHERE sha256 = (SELECT min(sha256) FROM blobs)");
    rawExec(
      s.path('journal.sqlite'),
      "CREATE TRIGGER blobs_no_update BEFORE UPDATE ON blobs\nBEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    );
    expect(await s.faultOf(13, 'journal', 'copy', 'backup.sqlite')).toBe('E_JOURNAL_TAMPERED');
    // The file that SQLite begins with is empty, and may be taken by the next attempt.
    expect(existsSync(s.path('backup.sqlite')) ? s.read('backup.sqlite').includes('journal.opened') : false).toBe(
      false,
    );
  });

  it('says where it cannot write, and takes no address with a password', async () => {
    const s = await stage({ until: 'init' });
    expect(await s.faultOf(1, 'journal', 'copy', 'no/such/folder.sqlite')).toBe('E_JOURNAL_IO');
    const refused = await s.run('journal', 'copy', 'postgres://a:secret@127.0.0.1/x');
    expect(refused.stderr).toContain('E_JOURNAL_ADDRESS');
    expect(refused.stderr).not.toContain('secret');
    expect(readdirSync(s.folder)).not.toContain('postgres:');
  });
});

describe('init --store', () => {
  it.each([
    [['--store', 'postgres://a:secret@127.0.0.1/x'], 'E_JOURNAL_ADDRESS'],
    [['--store', 'sqlite.db'], 'E_JOURNAL_ADDRESS'],
  ])('%j is %s, and makes no workspace', async (more, tag) => {
    const s = await stage({ until: 'nothing' });
    expect(await s.faultOf(2, 'init', 'w', '--network', 'testnet3', ...more)).toBe(tag);
    expect(existsSync(s.path('w/countersign.yaml'))).toBe(false);
  });
});

describe('init --join beside a file', () => {
  it('works with the copy that lies in the folder, as a second officer or an auditor brings it', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    mkdirSync(s.path('laptop'));
    await s.expect(0, 'journal', 'copy', 'laptop/journal.sqlite');
    const again = await s.json(2, 'init', 'laptop', '--network', 'testnet3');
    expect(again.faults[0]).toMatchObject({ tag: 'E_JOURNAL_EXISTS', remedy: expect.stringContaining('--join') });
    expect(readdirSync(s.path('laptop'))).not.toContain('schema');
    expect(await s.faultOf(2, 'init', 'laptop', '--network', 'main', '--join')).toBe('E_USAGE');
    const joined = await s.json(0, 'init', 'laptop', '--network', 'testnet3', '--join');
    expect(joined).toMatchObject({ joined: true, journal: 'journal.sqlite' });
    await s.expect(11, 'batch', 'review', id, '-w', s.path('laptop'));
    await s.expect(0, 'audit', 'verify', '-w', s.path('laptop'));
  });

  it('says how one gets there, where there is none', async () => {
    const s = await stage({ until: 'nothing' });
    const [fault] = (await s.json(14, 'init', 'laptop', '--network', 'testnet3', '--join')).faults;
    expect(fault).toMatchObject({ tag: 'E_JOURNAL_MISSING', remedy: expect.stringContaining('journal copy') });
    expect(readdirSync(s.path('laptop'))).toEqual([]);
  });
});
