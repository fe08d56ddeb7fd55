import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { A, removeMultisig } from '../cli/multisig-session.js';
import { removeAll, Session } from '../cli/session.js';
import { readyToSign, rigOf, runLines } from '../workflow/crash-signing.js';
import { ALL, type Rig, told } from '../workflow/killing.js';
import { GRAFTS, multisigSuite, readyForCosigners, signsWith } from '../workflow/killing-multisig.js';
import { oneKeySuite } from '../workflow/killing-one-key.js';
import { copyOf, moveIn } from './moved.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
const folders: string[] = [];
const tried = new Map<string, number>();
const rigs = new Map<string, Rig>();

beforeAll(async () => {
  if (binaries === null) return;
  server = await PostgresServer.start(binaries);
  const single = await readyToSign();
  await move('one key', single.s, single.id);
  if (!ALL) return;
  const several = await readyForCosigners();
  const half = new Session(copyOf(several.s.folder));
  half.now = several.s.now;
  const run = { folder: half.folder, now: half.now, grafts: GRAFTS };
  const { lines } = await runLines({ ...run, lines: [signsWith(several.id, A)] });
  expect(lines[0]?.code, lines[0]?.stdout).toBe(0);
  await move('nobody has signed', several.s, several.id, GRAFTS);
  await move('one has signed', half, several.id, GRAFTS);
}, 240_000);
afterAll(async () => {
  removeAll();
  removeMultisig();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (binaries === null) return;
  await server.remove();
  told('in PostgreSQL', tried);
}, 60_000);

/** Moves a batch that is ready to be signed into a database. */
async function move(name: string, s: Session, id: string, grafts: Rig['grafts'] = {}): Promise<void> {
  const { folder, fresh, done } = await moveIn(server, s);
  folders.push(s.folder, folder);
  const kept = async (): Promise<string> => {
    const copy = await fresh();
    folders.push(copy);
    return copy;
  };
  rigs.set(name, await rigOf({ folder, now: s.now }, id, kept, { shared: true, done, grafts }));
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
