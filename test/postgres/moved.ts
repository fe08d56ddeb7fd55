import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../cli/session.js';
import type { PostgresServer } from './server.js';

/** A workspace whose journal was moved into a database, and workspaces on copies of that. */
export interface Moved {
  /** On the database itself: whoever uses it has to be gone when a copy is made. */
  readonly folder: string;
  readonly fresh: () => Promise<string>;
  /** Removes a copy with its database. */
  readonly done: (folder: string) => Promise<void>;
}

export function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-shared-'));
  cpSync(folder, copy, { recursive: true });
  return copy;
}

let databases = 0;

/** Moves the journal of a workspace in a file into a database of its own. The caller removes the folders. */
export async function moveIn(server: PostgresServer, s: Session): Promise<Moved> {
  databases += 1;
  const start = await server.makeDatabase(`start_${databases}`);
  await s.expect(0, 'journal', 'copy', server.inDatabase(start), '--close');
  const inUse = new Map<string, string>();
  const onDatabase = (database: string): string => {
    const folder = copyOf(s.folder);
    const file = join(folder, 'countersign.yaml');
    const store = `store: ${JSON.stringify(server.inDatabase(database))}`;
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^journal: .*$/m, store));
    return folder;
  };
  return {
    folder: onDatabase(start),
    fresh: async () => {
      databases += 1;
      const database = await server.makeDatabase(`copy_${databases}`, start);
      const folder = onDatabase(database);
      inUse.set(folder, database);
      return folder;
    },
    done: async (folder) => {
      const database = inUse.get(folder);
      if (database !== undefined) await server.dropDatabase(database);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
