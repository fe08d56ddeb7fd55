import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { fail, fault } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { type Journal, JournalError } from '../../src/journal/port.js';
import { bookDifference } from '../../src/workflow/documents.js';
import { hexDigest } from '../../src/workflow/policy-life.js';
import { proveGround } from '../../src/workflow/proven-ground.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { atDesk, entriesOf, forge, newest } from './forged-journal.js';
import { LOOSER, putIntoForce, withKeys, writeNext, writeSigned } from './lifecycle.js';

afterAll(removeAll);

/** A row that puts a policy of one's own making into force, as whoever may write to a shared journal can add it. */
async function forgePolicy(s: Session, edit: (text: string) => string): Promise<number> {
  await writeNext(s, 'own.yaml', 'policy.yaml', { edit });
  const { documents } = await s.composition();
  const bytes = Buffer.from(s.read('own.yaml'));
  const policy = documents.policy(bytes, 'own.yaml');
  if (!policy.ok) throw new Error(policy.error[0]?.message);
  const { digest: under, signatures } = await newest(s, 'policy.activated');
  const { digest, document } = policy.value;
  return forge(s, (keep) => [
    {
      kind: 'policy.activated',
      digest: hexDigest(digest),
      version: document.version,
      document: keep(bytes),
      effectiveAt: s.now,
      under,
      signatures,
    },
  ]);
}

/** A row that takes an address into the book, with the signatures of the version before. */
async function forgeBook(s: Session): Promise<number> {
  const { documents } = await s.composition();
  const before = await newest(s, 'book.changed');
  const text = s.read('book-2.yaml').replace(/^version: .*$/m, 'version: 3');
  const book = documents.book(Buffer.from(text), 'book-3.yaml', 'testnet3');
  if (!book.ok) throw new Error(book.error[0]?.message);
  const known = await atDesk(s, ({ journal }) => journal.read());
  if (!known.ok) throw new Error(known.error.message);
  return forge(s, (keep) => [
    {
      ...before,
      digest: hexDigest(book.value.digest),
      version: 3,
      document: keep(Buffer.from(text)),
      ...bookDifference(known.value.book?.entries, book.value),
    },
  ]);
}

/** Rows that end the newest halt in the name of people who said nothing. */
async function forgeResume(s: Session): Promise<number> {
  const raised = (await entriesOf(s)).findLast(({ body }) => body.kind === 'halt.raised');
  const { digest: policy } = await newest(s, 'policy.activated');
  const halt = `halt-${raised?.seq}`;
  const people = ['bob', 'carol', 'erin', 'frank', 'grace'];
  const words = (keep: (bytes: Uint8Array) => string): EntryBody[] =>
    people.map((person) => ({
      kind: 'halt.resume-approved',
      halt,
      person,
      statement: keep(Buffer.from(`the word of ${person}`)),
      signature: 'none',
      validUntil: '2026-06-03T12:00:00Z',
    }));
  const first = await forge(s, (keep) => [...words(keep), { kind: 'halt.resumed', halt, policy, approvers: people }]);
  return first + people.length;
}

/** What nobody may do on a ground that somebody made up. */
async function nothingGoesOut(s: Session, id: string, seq: number): Promise<void> {
  for (const argv of [
    ['batch', 'check', id],
    ['batch', 'approve', id, '--key', 'keys/dave'],
    ['batch', 'plan', 'second.csv', '--as', 'alice'],
    ['batch', 'sign', id],
  ]) {
    const { faults } = await s.json(13, ...argv);
    expect(faults[0]).toMatchObject({ tag: 'E_JOURNAL_TAMPERED', remedy: expect.stringMatching(/stop signing/) });
    expect(faults[0].message).toContain(`entry ${seq} of the journal`);
  }
  expect(await s.stateOf(id)).toBe('DRAFT');
}

describe('a row that somebody else wrote into the journal moves nothing', () => {
  it('where it puts a policy into force that nobody signed', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const seq = await forgePolicy(s, (text) => withKeys(LOOSER(text), { bob: ['mallory'] }));
    // A machine that joined has no file to compare it with.
    rmSync(s.path('policy.yaml'));
    await nothingGoesOut(s, id, seq);
  });

  it('where it takes an address into the book that nobody signed', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await nothingGoesOut(s, id, await forgeBook(s));
  });

  it('where it ends a halt in the name of people who did not agree, or too early', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'halt', 'raise', '--reason', 'drill', '--key', 'keys/bob');
    expect(await s.faultOf(12, 'batch', 'approve', id, '--key', 'keys/dave')).toBe('E_HALTED');
    await nothingGoesOut(s, id, await forgeResume(s));
  });

  it('and who wants to stop everything, or to look, still can', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await forgePolicy(s, LOOSER);
    await s.expect(0, 'halt', 'raise', '--reason', 'the journal is not ours', '--key', 'keys/carol');
    await s.expect(0, 'batch', 'list');
    await s.expect(0, 'batch', 'show', id);
    await s.expect(0, 'audit', 'log');
    expect(await s.faultOf(13, 'audit', 'verify')).toBe('E_JOURNAL_TAMPERED');
  });
});

describe('the ground of a journal', () => {
  it('holds where policies followed one another and halts ended as they should', async () => {
    const s = await stage();
    await writeSigned(s, 'p2.yaml', 'policy.yaml');
    await putIntoForce(s, 'p2.yaml');
    await s.expect(0, 'halt', 'raise', '--reason', 'drill', '--unsigned');
    await s.expect(0, 'halt', 'resume', '--key', 'keys/erin');
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    expect(await s.stateOf(id)).toBe('SIGNED');
  });

  /** The journal of a workspace, of which something can be kept from being read. */
  async function watched(
    s: Session,
    work: (journal: Journal, desk: Parameters<typeof proveGround>[0]) => Promise<void>,
  ) {
    await atDesk(s, (desk) => {
      const { journal: real } = desk;
      const journal: Journal = {
        read: () => real.read(),
        transact: (within) => real.transact(within),
        entries: (from) => real.entries(from),
        written: (from) => real.written(from),
        blob: (name) => real.blob(name),
        blobNames: () => real.blobNames(),
        lineRows: () => real.lineRows(),
        size: () => real.size(),
        treeHashes: (level, from, count) => real.treeHashes(level, from, count),
        treeRows: () => real.treeRows(),
        close: () => real.close(),
      };
      return work(journal, { ...desk, journal });
    });
  }

  it('is proven once, and from then on only what came in since', async () => {
    const s = await stage();
    await watched(s, async (journal, desk) => {
      const asked: (number | undefined)[] = [];
      const { entries } = journal;
      journal.entries = (from) => {
        asked.push(from);
        return entries(from);
      };
      const read = await journal.read();
      const due = read.ok ? (read.value.head?.seq ?? 0) + 1 : -1;
      expect([await proveGround(desk), await proveGround(desk)]).toEqual([ok(undefined), ok(undefined)]);
      expect(await Promise.all([proveGround(desk), proveGround(desk)])).toEqual([ok(undefined), ok(undefined)]);
      expect(asked).toEqual([0, due, due, due]);
    });
  });

  it.each(['E_JOURNAL_IO', 'E_JOURNAL_LOCKED'] as const)(
    'is not called tampered with where a document cannot be read (%s), and is proven when it can be',
    async (tag) => {
      const s = await stage();
      await s.expect(0, 'halt', 'raise', '--reason', 'drill', '--unsigned');
      await s.expect(0, 'halt', 'resume', '--key', 'keys/erin');
      const { statement } = await newest(s, 'halt.resume-approved');
      const { document } = await newest(s, 'book.changed');
      await watched(s, async (journal, desk) => {
        const { blob, entries } = journal;
        for (const lost of [document, statement]) {
          journal.blob = async (name) => (name === lost ? fail(tag, 'the connection was lost') : blob(name));
          expect(await proveGround(desk)).toMatchObject({
            ok: false,
            error: { tag, message: 'the connection was lost' },
          });
        }
        journal.blob = blob;
        journal.entries = () => {
          throw new JournalError(fault(tag, 'the connection was lost'));
        };
        expect(await proveGround(desk)).toMatchObject({ ok: false, error: { tag } });
        journal.entries = entries;
        expect(await proveGround(desk)).toEqual(ok(undefined));
      });
    },
  );

  it('stays refused once it was: nothing that is written behind it mends it', async () => {
    const s = await stage();
    const seq = await forgePolicy(s, LOOSER);
    await watched(s, async (_, desk) => {
      for (const _again of [1, 2]) {
        expect(await proveGround(desk)).toMatchObject({
          ok: false,
          error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(`entry ${seq} `) },
        });
      }
    });
  });
});
