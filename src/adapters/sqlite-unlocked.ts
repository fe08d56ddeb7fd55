import { pathToFileURL } from 'node:url';
import { type Fault, fail, fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { JournalError } from '../journal/port.js';
import type { JournalStore } from './journal-store.js';
import { hasLog, stateOf } from './sqlite-place.js';

/**
 * A journal on a medium that cannot be written to: SQLite cannot lock it there, nor keep its write-ahead log beside it, and
 * refuses to open it. It can be told that the file is immutable (https://www.sqlite.org/uri.html#uriimmutable), and then
 * looks at nothing beside it. That is true only of a file without a log, and while nobody elsewhere writes to it: the first
 * is asked for here, the second after everything that is read.
 *
 * E_JOURNAL_IO where there is a log that SQLite cannot read there: what is only in it would be missing.
 */
export function unlockedName(path: string): Result<string, Fault> {
  if (!hasLog(path)) return ok(`${pathToFileURL(path).href}?immutable=1`);
  return fail(
    'E_JOURNAL_IO',
    'its write-ahead log (-wal) holds entries, and can be read only where SQLite may write beside it',
    {
      remedy:
        'let the other countersign commands end; or copy the journal, together with its -wal, into a folder that you may write to, and read that copy',
      where: { file: path },
    },
  );
}

/**
 * A store that was opened by its unlocked name: what it reads is good only if nothing has changed since `before`. `why` is the
 * reason for which it cannot be written, and the answer to whoever tries.
 */
export function unlocked(store: JournalStore, path: string, before: string | null, why: Fault): JournalStore {
  const steady = <T>(read: T): T => {
    if (stateOf(path) === before && !hasLog(path)) return read;
    throw new JournalError(
      fault('E_JOURNAL_LOCKED', 'another process is writing to it, and it cannot be locked from here', {
        remedy: 'run the command again when the other countersign command has ended',
        where: { file: path },
      }),
    );
  };
  const refuse = async (): Promise<never> => {
    throw new JournalError({ ...why, message: `it can be read and cannot be written: ${why.message}` });
  };
  const { tree, lines } = store;
  return {
    name: store.name,
    page: async (seq) => steady(await store.page(seq)),
    newest: async () => steady(await store.newest()),
    hasBefore: async (seq) => steady(await store.hasBefore(seq)),
    blob: async (name) => steady(await store.blob(name)),
    blobs: async (names) => steady(await store.blobs(names)),
    blobNames: async () => steady(await store.blobNames()),
    ...(tree === undefined
      ? {}
      : {
          tree: {
            hashes: async (level, n, count) => steady(await tree.hashes(level, n, count)),
            count: async (level, due) => steady(await tree.count(level, due)),
            all: async () => steady(await tree.all()),
            insert: refuse,
          },
        }),
    ...(lines === undefined
      ? {}
      : {
          lines: {
            head: async () => steady(await lines.head()),
            count: async () => steady(await lines.count()),
            all: async () => steady(await lines.all()),
            select: async (selection) => steady(await lines.select(selection)),
            atOnce: (work) => work(),
            put: refuse,
          },
        }),
    begin: refuse,
    insert: refuse,
    commit: refuse,
    rollback: async () => undefined,
    close: () => store.close(),
    faultOf: (error) => store.faultOf(error),
  };
}
