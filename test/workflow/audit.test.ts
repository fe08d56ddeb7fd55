import { cpSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { tamper } from '../adapters/journal-folder.js';
import { removeAll, SEED, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

describe('audit verify', () => {
  it('counts what it has verified, and accepts every head that the journal ever had', async () => {
    const s = await stage();
    const heads = [await s.head()];
    const id = await s.ready('second.csv');
    heads.push(await s.head());
    await s.expect(0, 'batch', 'sign', id);
    const report = await s.untouched(() => s.json(0, 'audit', 'verify'));
    expect(report).toMatchObject({ batches: 1, approvals: 2 });
    for (const head of [...heads, await s.head()]) await s.expect(0, 'audit', 'verify', '--head', head);
  });

  it('refuses a head that is not on the chain', async () => {
    const s = await stage();
    const [seq, hash = ''] = (await s.head()).split(':');
    const elsewhere = `${hash.startsWith('0') ? '1' : '0'}${hash.slice(1)}`;
    for (const head of [`${seq}:${elsewhere}`, `0:${hash}`, `${Number(seq) + 1}:${hash}`]) {
      expect(await s.faultOf(13, 'audit', 'verify', '--head', head)).toBe('E_JOURNAL_TAMPERED');
    }
  });

  it('finds by a noted head that an older copy was put back', async () => {
    const s = await stage();
    const old = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    const head = await s.head();
    // The whole of it: a write-ahead log that was left over beside an older file makes another, damaged one of it.
    const files = (one: Session) => readdirSync(one.folder).filter((file) => file.startsWith('journal.sqlite'));
    for (const name of files(s)) rmSync(s.path(name));
    for (const name of files(old)) cpSync(old.path(name), s.path(name));
    await s.expect(0, 'audit', 'verify');
    expect(await s.faultOf(13, 'audit', 'verify', '--head', head)).toBe('E_JOURNAL_TAMPERED');
  });
});

describe('a journal that was edited', () => {
  it('shows a blob that no entry names, and uses none that was planted', async () => {
    const s = await stage();
    tamper(s.path('journal.sqlite'), `INSERT INTO blobs VALUES ('${'ab'.repeat(32)}', x'00')`);
    const { faults } = await s.json(13, 'audit', 'verify');
    expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('no entry names') });

    const twin = await stage();
    const { psbt_sha256: name } = (await twin.json(0, 'batch', 'plan', 'second.csv', '--as', 'alice', '--seed', SEED))
      .batches[0];
    const planted = await stage();
    tamper(planted.path('journal.sqlite'), `INSERT INTO blobs VALUES ('${name}', x'00')`);
    const argv = ['batch', 'plan', 'second.csv', '--as', 'alice', '--seed', SEED];
    expect(await planted.faultOf(13, ...argv)).toBe('E_JOURNAL_TAMPERED');
    expect((await planted.json(0, 'batch', 'list')).batches).toEqual([]);
  });

  it.each([
    [
      'an amount',
      `UPDATE entries SET body = replace(body, '"spend":"1', '"spend":"0') WHERE body LIKE '%batch.planned%'`,
    ],
    ['a removed entry', `DELETE FROM entries WHERE body LIKE '%batch.approved%"person":"bob"%'`],
    ['a time', `UPDATE entries SET at = '2026-06-01T11:59:00Z' WHERE body LIKE '%batch.planned%'`],
  ])('stops every command: %s', async (_, statement) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    tamper(s.path('journal.sqlite'), statement);
    s.signer = () => {
      throw new Error('no device may be opened');
    };
    for (const argv of [
      ['batch', 'sign', id],
      ['batch', 'list'],
      ['audit', 'verify'],
      ['audit', 'log'],
      ['vault', 'balance'],
    ]) {
      expect([argv[1], await s.faultOf(13, ...argv)]).toEqual([argv[1], 'E_JOURNAL_TAMPERED']);
    }
  });

  it.each([
    ['changed', `UPDATE blobs SET bytes = x'00'`],
    ['gone', 'DELETE FROM blobs'],
  ])('is found where a document is %s', async (_, statement) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    tamper(s.path('journal.sqlite'), statement);
    for (const argv of [
      ['audit', 'verify'],
      ['batch', 'sign', id],
      ['batch', 'show', id],
    ]) {
      expect([argv[1], await s.faultOf(13, ...argv)]).toEqual([argv[1], 'E_JOURNAL_TAMPERED']);
    }
  });
});

describe('an approval that somebody wrote into a journal of his own making', () => {
  type Approved = Extract<EntryBody, { kind: 'batch.approved' }>;

  /** Appends an approval with a faultless chain, as a program without our checks could. */
  async function forge(s: Session, id: string, forgery: Partial<Approved>, statement: string): Promise<void> {
    const opened = await openJournal(s.path('journal.sqlite'), { clock: () => Date.parse(s.now) / 1000 });
    if (!opened.ok) throw new Error(opened.error.message);
    const done = await opened.value.transact(async (tx) => {
      tx.append({
        kind: 'batch.approved',
        batch: id,
        person: 'bob',
        statement: tx.keep(Buffer.from(statement)),
        signature: s.sign('bob', statement),
        validUntil: '2026-06-01T16:00:00Z',
        ...forgery,
      });
      return ok(undefined);
    });
    await opened.value.close();
    expect(done.ok).toBe(true);
  }

  it.each<[string, (text: string, s: Session) => [Partial<Approved>, string], string]>([
    ['by a key of nobody', (text, s) => [{ signature: s.sign('mallory', text) }, text], 'another key'],
    ["by somebody else's key", (text, s) => [{ signature: s.sign('carol', text) }, text], 'another key'],
    [
      'over another batch',
      (text) => [{}, text.replace(/"batch":"[^"]*"/, '"batch":"20260601-00000000"')],
      'another batch',
    ],
    [
      'over other bytes',
      (text) => [{}, text.replace(/"psbt_sha256":"..../, '"psbt_sha256":"0000')],
      'another psbt_sha256',
    ],
    [
      'under another policy',
      (text) => [{}, text.replace(/"policy":"sha256:..../, '"policy":"sha256:0000')],
      'another policy',
    ],
    ['for longer than it says', (text) => [{ validUntil: '2026-06-02T16:00:00Z' }, text], 'another valid_until'],
    ['over no statement', () => [{}, 'hello'], 'not a statement of countersign.approval/1'],
  ])('is found %s', async (_, make, says) => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const { statement } = await s.json(0, 'batch', 'approve', id, '--statement', '--person', 'bob');
    const [forgery, text] = make(statement, s);
    const signature = forgery.signature ?? s.sign('bob', text);
    await forge(s, id, { ...forgery, signature }, text);
    const { faults } = await s.json(13, 'audit', 'verify', '--read-only');
    expect(faults[0].tag).toBe('E_JOURNAL_TAMPERED');
    expect(faults[0].message).toContain(says);
    expect(await s.json(11, 'batch', 'check', id)).toMatchObject({ verdict: { decision: 'NEED' } });
  });

  it('is not found where it is a real one', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const { statement } = await s.json(0, 'batch', 'approve', id, '--statement', '--person', 'bob');
    await forge(s, id, {}, statement);
    expect(await s.json(0, 'audit', 'verify')).toMatchObject({ approvals: 1 });
  });
});
