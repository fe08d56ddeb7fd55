import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { type Fault, fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { EMPTY_STATE } from '../../src/journal/fold.js';
import type { Journal } from '../../src/journal/port.js';
import type { JournalState } from '../../src/journal/state.js';
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
        blobs: (names) => real.blobs(names),
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

  /** The state that a decision would rest on now. */
  async function stateOf(journal: Journal): Promise<JournalState> {
    const read = await journal.read();
    if (!read.ok) throw new Error(read.error.message);
    return read.value;
  }

  /** The documents that are read while the work is done. */
  async function readBy(journal: Journal, work: () => Promise<unknown>): Promise<readonly string[]> {
    const { blob } = journal;
    const asked: string[] = [];
    journal.blob = (name) => {
      asked.push(name);
      return blob(name);
    };
    await work();
    journal.blob = blob;
    return asked;
  }

  it('is proven once, without an entry being read again, and from then on only what came in since', async () => {
    const s = await stage();
    const { document: first } = await newest(s, 'policy.activated');
    await watched(s, async (journal, desk) => {
      journal.entries = () => {
        throw new Error('the chain was read when it was verified');
      };
      journal.written = journal.entries as Journal['written'];
      const state = await stateOf(journal);
      const before = await readBy(journal, async () => {
        expect([await proveGround(desk, state), await proveGround(desk, state)]).toEqual([
          ok(undefined),
          ok(undefined),
        ]);
      });
      expect(before).toContain(first);
      const again = await readBy(journal, async () => {
        const both = [proveGround(desk, state), proveGround(desk, await stateOf(journal))];
        expect(await Promise.all(both)).toEqual([ok(undefined), ok(undefined)]);
      });
      expect(again).toEqual([]);

      // Another process puts a policy into force; the state of before rests on what was proven, the new one on more.
      await writeSigned(s, 'p2.yaml', 'policy.yaml');
      await putIntoForce(s, 'p2.yaml');
      const { document: second } = await newest(s, 'policy.activated');
      expect(await readBy(journal, () => proveGround(desk, state))).toEqual([]);
      const since = await readBy(journal, async () => {
        expect(await proveGround(desk, await stateOf(journal))).toEqual(ok(undefined));
      });
      expect(since).toEqual([first, second]);
      expect(await readBy(journal, () => proveGround(desk, state))).toEqual([]);
    });
  });

  it('is refused where another process wrote into it between two decisions, and a state of before is then no way round', async () => {
    const s = await stage();
    await watched(s, async (journal, desk) => {
      const before = await stateOf(journal);
      expect(await proveGround(desk, before)).toEqual(ok(undefined));
      const seq = await forgePolicy(s, LOOSER);
      const refused = {
        ok: false,
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(`entry ${seq} `) },
      };
      expect(await proveGround(desk, await stateOf(journal))).toMatchObject(refused);
      expect(await proveGround(desk, before)).toMatchObject(refused);
    });
  });

  it('does not hold what a transaction wrote that was rolled back, and does what then stands in its place', async () => {
    const s = await stage();
    await watched(s, async (journal, desk) => {
      const before = await stateOf(journal);
      expect(await proveGround(desk, before)).toEqual(ok(undefined));
      // What nobody may write is written and taken back: it is no part of the ground, whatever number it had.
      const { error } = (await journal.transact(async (tx) => {
        tx.append({
          kind: 'policy.activated',
          digest: '12'.repeat(32),
          version: (before.policy?.version ?? 0) + 1,
          document: tx.keep(Buffer.from('no policy')),
          effectiveAt: s.now,
          under: before.policy?.digest ?? '',
          signatures: [{ person: 'mallory', signature: 'none' }],
        });
        return fail('E_USAGE', 'thought better of it');
      })) as { error: Fault };
      expect(error.tag).toBe('E_USAGE');
      const after = await stateOf(journal);
      expect(after.ground).toBe(before.ground);
      expect(await proveGround(desk, after)).toEqual(ok(undefined));
      const seq = await forgePolicy(s, LOOSER);
      expect(seq).toBe((before.head?.seq ?? 0) + 1);
      expect(await proveGround(desk, await stateOf(journal))).toMatchObject({
        ok: false,
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(`entry ${seq} `) },
      });
    });
  });

  it('of a state that was folded from nothing is a bug, and no leave to decide', async () => {
    const s = await stage();
    await watched(s, async (_, desk) => {
      await expect(proveGround(desk, EMPTY_STATE)).rejects.toThrow(/no ground/);
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
        const state = await stateOf(journal);
        const { blob } = journal;
        for (const lost of [document, statement]) {
          journal.blob = async (name) => (name === lost ? fail(tag, 'the connection was lost') : blob(name));
          expect(await proveGround(desk, state)).toMatchObject({
            ok: false,
            error: { tag, message: 'the connection was lost' },
          });
        }
        journal.blob = blob;
        expect(await proveGround(desk, state)).toEqual(ok(undefined));
      });
    },
  );

  it('stays refused once it was: nothing that is written behind it mends it', async () => {
    const s = await stage();
    const seq = await forgePolicy(s, LOOSER);
    await watched(s, async (journal, desk) => {
      const refused = {
        ok: false,
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(`entry ${seq} `) },
      };
      expect(await proveGround(desk, await stateOf(journal))).toMatchObject(refused);
      await s.expect(0, 'halt', 'raise', '--reason', 'what was that', '--unsigned');
      expect(await proveGround(desk, await stateOf(journal))).toMatchObject(refused);
    });
  });
});
