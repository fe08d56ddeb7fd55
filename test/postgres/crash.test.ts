import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { A, removeMultisig } from '../cli/multisig-session.js';
import { removeAll, Session } from '../cli/session.js';
import { readyToSign, rigOf, runLines } from '../workflow/crash-signing.js';
import { ALL, type Rig, told } from '../workflow/killing.js';
import { GRAFTS, multisigSuite, readyForCosigners, signsWith } from '../workflow/killing-multisig.js';
import { oneKeySuite } from '../workflow/killing-one-key.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
const folders: string[] = [];
const tried = new Map<string, number>();
const rigs = new Map<string, Rig>();
let databases = 0;

beforeAll(async () => {
  if (binaries === null) return;
  server = await PostgresServer.start(binaries);
  const single = await readyToSign();
  await moveIn('one key', single.s, single.id);
  if (!ALL) return;
  const several = await readyForCosigners();
  const half = new Session(copyOf(several.s.folder));
  half.now = several.s.now;
  const run = { folder: half.folder, now: half.now, grafts: GRAFTS };
  const { lines } = await runLines({ ...run, lines: [signsWith(several.id, A)] });
  expect(lines[0]?.code, lines[0]?.stdout).toBe(0);
  await moveIn('nobody has signed', several.s, several.id, GRAFTS);
  await moveIn('one has signed', half, several.id, GRAFTS);
}, 240_000);
afterAll(async () => {
  removeAll();
  removeMultisig();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (binaries === null) return;
  await server.remove();
  told('in PostgreSQL', tried);
}, 60_000);

function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
  folders.push(copy);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** Moves the journal of a workspace into a database, of which each run gets a copy of its own. */
async function moveIn(name: string, s: Session, id: string, grafts: Rig['grafts'] = {}): Promise<void> {
  folders.push(s.folder);
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
  const fresh = async (): Promise<string> => {
    databases += 1;
    const database = await server.makeDatabase(`copy_${databases}`, start);
    const folder = onDatabase(database);
    inUse.set(folder, database);
    return folder;
  };
  const done = async (folder: string): Promise<void> => {
    const database = inUse.get(folder);
    if (database !== undefined) await server.dropDatabase(database);
    rmSync(folder, { recursive: true, force: true });
  };
  rigs.set(name, await rigOf({ folder: onDatabase(start), now: s.now }, id, fresh, { shared: true, done, grafts }));
}

function rig(name: string): Rig {
  const found = rigs.get(name);
  if (found === undefined) throw new Error(`no rig where ${name}`);
  return found;
}

describe.skipIf(binaries === null)(
  'a whole signing run over PostgreSQL, killed at statements and at exchanges with the device (skipped where there is none)',
  () => {
    oneKeySuite(
      () => rig('one key'),
      { signs: { exchanges: 2, durable: 9 }, others: { exchanges: 1, durable: 3, last: true } },
      tried,
    );
  },
);

describe.skipIf(binaries === null || !ALL)('several cosigners over PostgreSQL (with FAULTS=all alone)', () => {
  multisigSuite(
    (second) => rig(second ? 'one has signed' : 'nobody has signed'),
    { signs: { exchanges: 1 }, refuses: { exchanges: 1, last: true } },
    tried,
  );
});
