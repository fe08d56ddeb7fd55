import { describe, expect, it } from 'vitest';
import { type Fault, fail } from '../../src/domain/fault.js';
import { ok, type Result } from '../../src/domain/result.js';
import { formatTime, type UnixSeconds } from '../../src/domain/time.js';
import type { BatchLines } from '../../src/journal/batch-lines.js';
import { bodyText } from '../../src/journal/body-schema.js';
import { verifyChain } from '../../src/journal/chain.js';
import type { Entry, WrittenEntry } from '../../src/journal/entries.js';
import { type Journal, JournalError, type JournalTransaction } from '../../src/journal/port.js';
import { START } from '../journal/chains.js';
import { bytesOf, hashOf, story } from '../journal/story.js';
import { append, LIFE, NONCE } from './journal-folder.js';
import { linesSuite } from './lines-suite.js';

type Making = (
  at: string,
  options: { clock: () => UnixSeconds; network: 'regtest'; nonce: string },
) => Promise<Result<Journal, Fault>>;
type Opening = (
  at: string,
  options: { clock: () => UnixSeconds; onVerified?: (done: number, of: number) => void },
) => Promise<Result<Journal, Fault>>;

/** A kind of place where journals lie. */
export interface Places {
  /** A place where there is none yet. */
  fresh(): string;
  readonly make: Making;
  readonly open: Opening;
  readonly defer: Opening;
  /** The batches as a list shows them. */
  lines<T>(
    at: string,
    options: { clock: () => UnixSeconds },
    work: (lines: BatchLines) => Promise<Result<T, Fault>>,
    whole?: number,
  ): Promise<Result<T, Fault>>;
  /** Puts a row where a blob of this name would lie, with one zero byte in it. */
  plant(at: string, name: string): Promise<void>;
}

export const tagOf = (result: { ok: boolean; error?: { tag: string } }): string =>
  result.ok ? 'ok' : (result.error?.tag ?? '');

export const seqOf = async (journal: Journal): Promise<number> => {
  const state = await journal.read();
  return state.ok ? (state.value.head?.seq ?? -1) : -2;
};

const must = (result: Result<Journal, Fault>): Journal => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

/** What every store of journals promises, tried on one kind of place. */
export function journalSuite(places: Places): void {
  const { fresh, make, open, defer, plant } = places;
  const clock = (): UnixSeconds => START;
  const create = async (at: string, now = clock) =>
    must(await make(at, { clock: now, network: 'regtest', nonce: NONCE }));
  const reopened = async (at: string) => must(await open(at, { clock }));
  const deferred = async (at: string) => must(await defer(at, { clock }));

  describe('a journal', () => {
    it('begins with its opening and comes back as it was', async () => {
      const path = fresh();
      const journal = await create(path);
      await append(journal, LIFE);
      const before = await journal.read();
      await journal.close();
      const again = await reopened(path);
      expect(await again.read()).toEqual(before);
      expect(before).toMatchObject({ ok: true, value: { network: 'regtest', head: { seq: 7 } } });
      await again.close();
    });

    it('gives its entries from a number on, and they verify', async () => {
      const journal = await create(fresh());
      await append(journal, LIFE);
      expect(await verifyChain(journal.entries())).toMatchObject({ ok: true, value: { count: 8 } });
      const later: number[] = [];
      for await (const entry of journal.entries(5)) later.push(entry.seq);
      expect(later).toEqual([5, 6, 7]);
      await journal.close();
    });

    it.each([498, 499, 500, 998, 999, 1203])('reads more entries than one page holds: %i', async (count) => {
      const path = fresh();
      const journal = await create(path);
      const freezes = Array.from({ length: count }, (_, n) => ({
        kind: 'coin.frozen' as const,
        outpoint: `${'0'.repeat(64)}:${n}`,
        reason: 'dust',
        by: 'alice',
      }));
      await append(journal, freezes);
      const seen: Entry[] = [];
      for await (const entry of journal.entries()) seen.push(entry);
      expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: count + 1 }, (_, n) => n));
      await journal.close();
      const told: (readonly [number, number])[] = [];
      const again = must(await open(path, { clock, onVerified: (done, of) => told.push([done, of]) }));
      expect(await seqOf(again)).toBe(count);
      await again.close();
      // A page of exactly 500 entries does not know that it is the last.
      const pages = Math.floor((count + 1) / 500) + 1;
      expect(told).toEqual(Array.from({ length: pages }, (_, n) => [Math.min((n + 1) * 500, count + 1), count + 1]));
    });

    it('opened without reading hands out what is there, and is as any other once its state is asked for', async () => {
      const path = fresh();
      const journal = await create(path);
      const first = await deferred(path);
      expect(await first.size()).toEqual(ok(1));
      await append(journal, LIFE);
      const second = await deferred(path);
      const written: WrittenEntry[] = [];
      for await (const next of second.written()) written.push(next);
      expect(written.map(({ entry, text }) => [entry.seq, text])).toEqual(
        [story.opened(), ...LIFE].map((body, seq) => [seq, bodyText(body)]),
      );
      expect(await second.size()).toEqual(ok(8));
      expect(await second.read()).toEqual(await journal.read());
      const done = await first.transact(async (tx) => ok([tx.state.head?.seq, tx.append(story.broadcast('a')).seq]));
      expect(done).toEqual(ok([7, 8]));
      expect(await seqOf(journal)).toBe(8);
      for (const one of [journal, first, second]) await one.close();
    });

    it('keeps blobs under their hash, also the same one twice and an empty one', async () => {
      const journal = await create(fresh());
      const kept = await journal.transact(async (tx) =>
        ok([tx.keep(bytesOf('x')), tx.keep(bytesOf('x')), tx.keep(new Uint8Array(0))]),
      );
      expect(kept).toMatchObject({ ok: true, value: [hashOf('x'), hashOf('x'), expect.any(String)] });
      expect(await journal.blob(hashOf('x'))).toEqual({ ok: true, value: bytesOf('x') });
      expect(await journal.blob(kept.ok ? (kept.value[2] ?? '') : '')).toEqual({ ok: true, value: new Uint8Array(0) });
      expect(tagOf(await journal.blob(hashOf('never kept')))).toBe('E_JOURNAL_TAMPERED');
      const [empty, x] = [kept.ok ? (kept.value[2] ?? '') : '', hashOf('x')];
      for (const names of [[], [x], [x, empty], [empty, x, x]]) {
        const each = names.map((name) => (name === x ? bytesOf('x') : new Uint8Array(0)));
        expect(await journal.blobs(names)).toEqual({ ok: true, value: each });
      }
      expect(await journal.blobs([x, hashOf('never kept')])).toMatchObject({
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining(hashOf('never kept')) },
      });
      await journal.close();
    });
  });

  linesSuite(places);

  describe('the time of an entry', () => {
    it('is the clock, and never before the entry before it', async () => {
      let now = START;
      const journal = await create(fresh(), () => now);
      const times: string[] = [];
      for (const tick of [START + 10, START + 9, START + 10, START + 11]) {
        now = tick;
        const done = await append(journal, [
          { kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: '', by: '' },
        ]);
        times.push(done.ok ? (done.value[0]?.at ?? '') : '');
      }
      expect(times.map((time) => time.slice(17, 19))).toEqual(['10', '10', '10', '11']);
      await journal.close();
    });

    it('is one for all of a transaction, known at its start, however long it takes', async () => {
      let now = START;
      const journal = await create(fresh(), () => {
        now += 1;
        return now;
      });
      const frozen = { kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: '', by: '' } as const;
      const done = await journal.transact(async (tx) => ok([tx.at, tx.append(frozen).at, tx.append(frozen).at]));
      const [at, ...times] = done.ok ? done.value : [];
      expect(at).toBeGreaterThan(START);
      expect(times).toEqual([formatTime(Number(at)), formatTime(Number(at))]);
      now -= 10;
      const behind = await journal.transact(async (tx) => ok([tx.at, tx.append(frozen).at]));
      expect(behind).toEqual({ ok: true, value: [at, times[0]] });
      await journal.close();
    });
  });

  describe('a transaction', () => {
    it('keeps nothing of work that fails, throws or appends what does not follow', async () => {
      const journal = await create(fresh());
      const before = await journal.read();
      const start = (tx: JournalTransaction) => {
        for (const name of ['policy', 'a psbt', 'a plan']) tx.keep(bytesOf(name));
        tx.append(story.policy());
        tx.append(story.planned('a'));
      };
      const failed = await journal.transact(async (tx) => {
        start(tx);
        return fail('E_DENIED', 'no');
      });
      const thrown = journal.transact(async (tx) => {
        start(tx);
        throw new Error('a bug');
      });
      await expect(thrown).rejects.toThrow('a bug');
      const refused = await journal.transact(async (tx) => {
        start(tx);
        return ok(tx.append(story.sent('a')));
      });
      expect([tagOf(failed), tagOf(refused)]).toEqual(['E_DENIED', 'E_BATCH_STATE']);
      expect(await journal.read()).toEqual(before);
      expect(tagOf(await journal.blob(hashOf('a psbt')))).toBe('E_JOURNAL_TAMPERED');
      expect(tagOf(await journal.blobs([hashOf('a psbt')]))).toBe('E_JOURNAL_TAMPERED');
      expect(tagOf(await append(journal, LIFE))).toBe('ok');
      await journal.close();
    });

    it('keeps nothing either where work swallows the refusal', async () => {
      const journal = await create(fresh());
      const caught: unknown[] = [];
      const result = await journal.transact(async (tx) => {
        for (let i = 0; i < 2; i += 1) {
          try {
            tx.append(story.sent('a'));
          } catch (error) {
            caught.push(error);
          }
        }
        tx.state satisfies object;
        return ok('all is well');
      });
      expect(tagOf(result)).toBe('E_BATCH_UNKNOWN');
      expect(caught.every((error) => error instanceof JournalError)).toBe(true);
      expect(await seqOf(journal)).toBe(0);
      await journal.close();
    });

    it('shows the state of its start, also after it appended', async () => {
      const journal = await create(fresh());
      const seen = await journal.transact(async (tx) => {
        tx.keep(bytesOf('policy'));
        tx.append(story.policy());
        return ok([tx.state.policy, tx.state.head?.seq]);
      });
      expect(seen).toEqual({ ok: true, value: [null, 0] });
      await journal.close();
    });

    it('is refused, as a bug, where an entry names a blob that nobody kept; a malformed one is a fault', async () => {
      const journal = await create(fresh());
      await expect(journal.transact(async (tx) => ok(tx.append(story.policy())))).rejects.toThrow('not kept');
      const odd = { ...story.sent('a'), psbt: 'ABC' } as ReturnType<typeof story.sent>;
      expect(await journal.transact(async (tx) => ok(tx.append(odd)))).toMatchObject({
        ok: false,
        error: { tag: 'E_JOURNAL_ENTRY', message: expect.stringContaining('malformed at psbt') },
      });
      expect(await seqOf(journal)).toBe(0);
      await journal.close();
    });

    it('does not take the bytes that somebody else put under the name of a blob', async () => {
      const path = fresh();
      const journal = await create(path);
      await plant(path, hashOf('policy'));
      expect(await append(journal, [story.policy()])).toMatchObject({
        ok: false,
        error: { tag: 'E_JOURNAL_TAMPERED', message: expect.stringContaining('other bytes than its name says') },
      });
      expect(await seqOf(journal)).toBe(0);
      await journal.close();
    });

    it('keeps a blob twice where its bytes are the same', async () => {
      const journal = await create(fresh());
      const kept = await journal.transact(async (tx) => {
        tx.append(story.policy());
        return ok([tx.keep(bytesOf('policy')), tx.keep(bytesOf('policy'))]);
      });
      expect(kept).toEqual({ ok: true, value: [hashOf('policy'), hashOf('policy')] });
      expect(await journal.blobNames()).toEqual({ ok: true, value: [hashOf('policy')] });
      await journal.close();
    });

    it.each([
      [400 * 86_400, 'ok'],
      [400 * 86_400 + 1, 'E_CLOCK_AHEAD'],
    ])('writes nothing where the clock is %i s ahead of the newest entry: %s', async (ahead, tag) => {
      const path = fresh();
      await (await create(path)).close();
      const opened = await open(path, { clock: () => START + ahead });
      if (!opened.ok) throw new Error(opened.error.message);
      expect(tagOf(await append(opened.value, [story.policy()]))).toBe(tag);
      expect(await seqOf(opened.value)).toBe(tag === 'ok' ? 1 : 0);
      await opened.value.close();
    });

    it('is of no use after its end', async () => {
      const journal = await create(fresh());
      const leaked: JournalTransaction[] = [];
      await journal.transact(async (tx) => ok(leaked.push(tx)));
      expect(() => leaked[0]?.append(story.policy())).toThrow('ended');
      expect(() => leaked[0]?.keep(bytesOf('x'))).toThrow('ended');
      await journal.close();
    });

    it('waits for the ones before it, however long their work takes', async () => {
      const journal = await create(fresh());
      const order: string[] = [];
      const slow = (name: string) =>
        journal.transact(async (tx) => {
          order.push(`${name} begins at ${tx.state.head?.seq}`);
          await new Promise((resolve) => setTimeout(resolve, 15));
          tx.append({ kind: 'coin.frozen', outpoint: `${'0'.repeat(64)}:0`, reason: name, by: '' });
          order.push(`${name} ends`);
          return ok(undefined);
        });
      await Promise.all([
        slow('one'),
        slow('two'),
        journal.read().then((r) => order.push(`read ${r.ok && r.value.head?.seq}`)),
      ]);
      expect(order).toEqual(['one begins at 0', 'one ends', 'two begins at 1', 'two ends', 'read 2']);
      await journal.close();
    });

    it('inside another one is a bug and throws instead of waiting for ever', async () => {
      const journal = await create(fresh());
      const nested = journal.transact(async () => journal.transact(async () => ok(undefined)));
      await expect(nested).rejects.toThrow('inside a transaction');
      expect(tagOf(await journal.read())).toBe('ok');
      await journal.close();
    });
  });

  describe('the entries on which every decision rests', () => {
    /** Their numbers, oldest first. */
    const groundOf = async (journal: Journal): Promise<readonly number[]> => {
      const state = await journal.read();
      const seqs: number[] = [];
      for (let at = state.ok ? state.value.ground : null; at !== null; at = at.before) seqs.unshift(at.entry.seq);
      return seqs;
    };
    const HALT = {
      kind: 'halt.raised',
      scope: 'all',
      reason: 'drill',
      source: 'unverified',
      problem: 'no key',
    } as const;

    it('are known as they were read, written, or appended by others, and none that was taken back', async () => {
      const path = fresh();
      const journal = await create(path);
      await append(journal, LIFE);
      expect(await groundOf(journal)).toEqual([0, 1]);
      const other = await reopened(path);
      expect(await groundOf(other)).toEqual([0, 1]);

      const undone = await journal.transact(async (tx) => {
        tx.append(HALT);
        return fail('E_USAGE', 'thought better of it');
      });
      expect(tagOf(undone)).toBe('E_USAGE');
      expect(await groundOf(journal)).toEqual([0, 1]);

      await append(other, [story.broadcast('a'), HALT]);
      expect(await groundOf(other)).toEqual([0, 1, 9]);
      expect(await groundOf(journal)).toEqual([0, 1, 9]);
      for (const one of [journal, other]) await one.close();
    });

    it('are what stands in the store, entry for entry', async () => {
      const path = fresh();
      const journal = await create(path);
      await append(journal, [...LIFE, HALT]);
      const stored: Entry[] = [];
      for await (const entry of journal.entries()) stored.push(entry);
      for (const one of [journal, await reopened(path)]) {
        const state = await one.read();
        const held: Entry[] = [];
        for (let at = state.ok ? state.value.ground : null; at !== null; at = at.before) held.unshift(at.entry);
        expect(held).toEqual([0, 1, 8].map((seq) => stored[seq]));
        await one.close();
      }
    });
  });

  describe('two connections', () => {
    it('see what the other appended, in reading and at the start of a transaction', async () => {
      const path = fresh();
      const one = await create(path);
      const two = await reopened(path);
      await append(one, LIFE.slice(0, 2));
      expect(await seqOf(two)).toBe(2);
      await append(one, LIFE.slice(2, 3));
      const seen = await two.transact(async (tx) => ok(tx.state.head?.seq));
      expect(seen).toEqual({ ok: true, value: 3 });
      expect(tagOf(await append(two, LIFE.slice(3)))).toBe('ok');
      expect(await seqOf(one)).toBe(7);
      await one.close();
      await two.close();
    });

    it('cannot write at once: the second answers E_JOURNAL_LOCKED and may still read', async () => {
      const path = fresh();
      const one = await create(path);
      const two = await reopened(path);
      const outer = await one.transact(async (tx) => {
        tx.keep(bytesOf('policy'));
        tx.append(story.policy());
        const refused = await two.transact(async () => ok('got in'));
        return ok([refused, await seqOf(two)] as const);
      });
      if (!outer.ok) throw new Error(outer.error.message);
      const [refused, seq] = outer.value;
      expect(refused).toMatchObject({
        ok: false,
        error: { tag: 'E_JOURNAL_LOCKED', remedy: expect.stringContaining('again') },
      });
      expect(seq).toBe(0);
      expect(tagOf(await two.transact(async () => ok('got in')))).toBe('ok');
      await one.close();
      await two.close();
    });
  });
}
