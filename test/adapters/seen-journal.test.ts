import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSeen } from '../../src/adapters/seen-journal.js';
import { openJournal } from '../../src/adapters/sqlite-journal.js';
import { type Fault, fail, fault } from '../../src/domain/fault.js';
import { ok, type Result } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { type Journal, JournalError } from '../../src/journal/port.js';
import { outpoint } from '../journal/story.js';
import { append, clock, create, journalFolder, LIFE } from './journal-folder.js';
import { seqOf, tagOf } from './journal-suite.js';

const folder = journalFolder();
afterAll(folder.remove);

interface Place {
  readonly path: string;
  readonly file: string;
}

async function place(): Promise<Place> {
  const path = folder.path();
  await (await create(path)).close();
  return { path, file: `${path}.seen` };
}
const open = ({ path, file }: Place): Promise<Result<Journal, Fault>> =>
  openSeen(() => openJournal(path, { clock }), file);
const opened = async (at: Place): Promise<Journal> => {
  const journal = await open(at);
  if (!journal.ok) throw new Error(journal.error.message);
  return journal.value;
};
const noted = ({ file }: Place): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);
async function headOf(journal: Journal): Promise<string> {
  const state = await journal.read();
  if (!state.ok || state.value.head === null) throw new Error('no head');
  return `${state.value.head.seq}:${state.value.head.hash}\n`;
}
const kept = (n: number): EntryBody => ({ kind: 'coin.frozen', outpoint: outpoint(100 + n), reason: 'r', by: 'alice' });
async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
/** Everything that somebody restores with a journal, and not what the machine remembers. */
const FILES = ['', '-wal', '-shm'];
function backUp({ path }: Place): () => void {
  for (const end of FILES) if (existsSync(path + end)) copyFileSync(path + end, `${path}.old${end}`);
  return () => {
    for (const end of FILES) {
      rmSync(path + end, { force: true });
      if (existsSync(`${path}.old${end}`)) copyFileSync(`${path}.old${end}`, path + end);
    }
  };
}

describe('a journal that a machine remembers', () => {
  it('is noted as far as it was written, at once, and as far as it was read, when it is closed', async () => {
    const at = await place();
    const journal = await opened(at);
    expect(noted(at)).toBeNull();
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    expect(noted(at)).toBe(await headOf(journal));
    const other = await opened({ ...at, file: `${at.file}.of-another-machine` });
    expect(tagOf(await append(other, [kept(0)]))).toBe('ok');
    await other.close();
    expect(await seqOf(journal)).toBe(LIFE.length + 1);
    expect(noted(at)).toContain(`${LIFE.length}:`);
    const newest = await headOf(journal);
    await journal.close();
    expect(noted(at)).toBe(newest);
  });

  it('is not forgotten again by a command that began earlier and ends later', async () => {
    const at = await place();
    const [slow, quick] = [await opened(at), await opened(at)];
    await slow.read();
    await append(quick, LIFE);
    const newest = noted(at);
    await slow.close();
    expect([noted(at), newest?.split(':')[0]]).toEqual([newest, `${LIFE.length}`]);
    await quick.close();
    expect(noted(at)).toBe(newest);
  });

  it('is not noted where it is closed: the journal goes on elsewhere without that entry', async () => {
    const at = await place();
    const journal = await opened(at);
    await append(journal, LIFE);
    const newest = noted(at);
    expect(tagOf(await append(journal, [{ kind: 'journal.moved', to: 'elsewhere' }]))).toBe('ok');
    await journal.read();
    await journal.close();
    const again = await opened(at);
    expect(await seqOf(again)).toBe(LIFE.length + 1);
    await again.close();
    expect(noted(at)).toBe(newest);
  });

  it('is not noted for what was not kept', async () => {
    const at = await place();
    const journal = await opened(at);
    const said = await journal.transact(async (tx) => {
      tx.append(kept(0));
      return fail('E_USAGE', 'never mind');
    });
    expect(tagOf(said)).toBe('E_USAGE');
    expect(tagOf(await journal.transact(async () => ok(undefined)))).toBe('ok');
    expect(noted(at)).toBeNull();
    await journal.close();
    expect(noted(at)).toBeNull();
  });

  it('is what it was in every other respect', async () => {
    const at = await place();
    const journal = await opened(at);
    await append(journal, LIFE);
    const plain = await openJournal(at.path, { clock });
    if (!plain.ok) throw new Error(plain.error.message);
    const all = async (one: Journal) => ({
      state: await one.read(),
      entries: await listOf(one.entries(2)),
      written: await listOf(one.written()),
      size: await one.size(),
      names: await one.blobNames(),
      leaves: await one.treeHashes(0, 0, 3),
      subtrees: await one.treeRows(),
      lines: await one.lineRows(),
    });
    expect(await all(journal)).toEqual(await all(plain.value));
    const names = await plain.value.blobNames();
    const [name = ''] = names.ok ? names.value : [];
    expect(await journal.blob(name)).toEqual(await plain.value.blob(name));
    if (names.ok) expect(await journal.blobs(names.value)).toEqual(await plain.value.blobs(names.value));
    await plain.value.close();
    await journal.close();
  });

  it('does not open where it was restored from a copy, cut off or gone on with otherwise since', async () => {
    const at = await place();
    const restore = backUp(at);
    const journal = await opened(at);
    await append(journal, LIFE);
    await journal.close();
    const before = noted(at);
    restore();
    expect(await open(at)).toMatchObject({
      error: {
        tag: 'E_JOURNAL_RESTORED',
        message: expect.stringContaining(`entries 1 to ${LIFE.length} are not there`),
      },
    });
    const other = await opened({ ...at, file: `${at.file}.of-another-machine` });
    for (let n = 0; n <= LIFE.length; n += 1) await append(other, [kept(n)]);
    await other.close();
    expect(await open(at)).toMatchObject({
      error: { tag: 'E_JOURNAL_REWRITTEN', remedy: expect.stringContaining(at.file), where: { file: at.file } },
    });
    expect(noted(at)).toBe(before);
    rmSync(at.file);
    await (await opened(at)).close();
  });

  it('is not another one at the same place', async () => {
    const at = await place();
    const journal = await opened(at);
    await journal.read();
    await journal.close();
    const path = folder.path();
    await (await create(path, () => clock() + 1)).close();
    expect(tagOf(await open({ ...at, path }))).toBe('E_JOURNAL_REWRITTEN');
  });

  it.each([
    '',
    '0',
    `0:${'ab'.repeat(32)}`,
    `00:${'ab'.repeat(32)}\n`,
    `0:${'AB'.repeat(32)}\n`,
    'x\n',
    `-1:${'ab'.repeat(32)}\n`,
  ])('does not open upon %j', async (text) => {
    const at = await place();
    writeFileSync(at.file, text);
    expect(await open(at)).toMatchObject({ error: { tag: 'E_JOURNAL_TAMPERED', where: { file: at.file } } });
  });

  it('opens, reads and writes also where nothing can be noted', async () => {
    const at = { ...(await place()), file: join(folder.folder, 'nowhere', 'journal.seen') };
    const journal = await opened(at);
    expect(tagOf(await append(journal, LIFE))).toBe('ok');
    await journal.close();
    expect(noted(at)).toBeNull();
  });

  it('says of a connection that was lost, or a journal that is not there, what that says', async () => {
    const at = await place();
    const gone = async () => fail('E_JOURNAL_MISSING', 'there is none');
    expect(tagOf(await openSeen(gone, at.file))).toBe('E_JOURNAL_MISSING');
    const journal = await opened(at);
    await journal.read();
    await journal.close();
    let isClosed = false;
    const failing = (error: Error) => async () => {
      const plain = await openJournal(at.path, { clock });
      if (!plain.ok) return plain;
      plain.value.entries = () => {
        throw error;
      };
      const close = plain.value.close.bind(plain.value);
      plain.value.close = async () => {
        isClosed = true;
        await close();
      };
      return plain;
    };
    const lost = new JournalError(fault('E_JOURNAL_IO', 'the connection was lost'));
    expect(tagOf(await openSeen(failing(lost), at.file))).toBe('E_JOURNAL_IO');
    expect(isClosed).toBe(true);
    await expect(openSeen(failing(new Error('a bug')), at.file)).rejects.toThrow('a bug');
  });
});
