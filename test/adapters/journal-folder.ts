import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { createJournal } from '../../src/adapters/sqlite-journal.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import type { Journal } from '../../src/journal/port.js';
import { START } from '../journal/chains.js';
import { blobNames, bytesOf, story } from '../journal/story.js';

export const NONCE = '11'.repeat(32);
export const clock = (): number => START;

/** A folder of its own for each test file, and journals in it. */
export function journalFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-journal-'));
  let count = 0;
  return {
    folder,
    path: (): string => {
      count += 1;
      return join(folder, `journal-${count}.db`);
    },
    remove: (): void => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function create(path: string, now = clock): Promise<Journal> {
  const created = await createJournal(path, { clock: now, network: 'regtest', nonce: NONCE });
  if (!created.ok) throw new Error(created.error.message);
  return created.value;
}

/** Appends entries in one transaction, with all blobs that entries about these batches may name. */
export function append(journal: Journal, bodies: readonly EntryBody[], batches: readonly string[] = ['a', 'b']) {
  return journal.transact(async (tx) => {
    for (const name of ['policy', ...batches.flatMap(blobNames)]) tx.keep(bytesOf(name));
    return ok(bodies.map((body) => tx.append(body)));
  });
}

export const LIFE: readonly EntryBody[] = [
  story.policy(),
  story.planned('a'),
  story.verdict('a'),
  story.reserved('a'),
  story.verdict('a'),
  story.sent('a'),
  story.signed('a'),
];

/** Changes a journal as somebody with access to the file could: triggers out of the way, and put back. */
export function tamper(path: string, ...statements: string[]): void {
  const db = new Database(path);
  const triggers = db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all() as {
    name: string;
    sql: string;
  }[];
  for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) db.exec(statement);
  for (const { sql } of triggers) db.exec(sql);
  db.close();
}

/** One statement, run on the file as any SQLite shell would. */
export function rawExec(path: string, statement: string): void {
  const db = new Database(path);
  try {
    db.exec(statement);
  } finally {
    db.close();
  }
}
