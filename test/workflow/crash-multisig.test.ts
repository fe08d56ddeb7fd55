import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { A, removeMultisig } from '../cli/multisig-session.js';
import { rigOf, runLines } from './crash-signing.js';
import { type Rig, told } from './killing.js';
import { GRAFTS, multisigSuite, readyForCosigners, signsWith } from './killing-multisig.js';

const folders: string[] = [];
const tried = new Map<string, number>();
const rigs: Rig[] = [];

function copyOf(folder: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
  folders.push(copy);
  cpSync(folder, copy, { recursive: true });
  return copy;
}

beforeAll(async () => {
  const { s, id } = await readyForCosigners();
  folders.push(s.folder);
  const half = copyOf(s.folder);
  const { lines } = await runLines({ folder: half, now: s.now, grafts: GRAFTS, lines: [signsWith(id, A)] });
  expect(lines[0]?.code, lines[0]?.stdout).toBe(0);
  for (const folder of [s.folder, half]) {
    rigs.push(await rigOf({ folder, now: s.now }, id, async () => copyOf(folder), { grafts: GRAFTS }));
  }
}, 120_000);
afterAll(() => {
  removeMultisig();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  told('several keys, in a file', tried);
});

describe('signing with several cosigners, killed at everything durable and at exchanges with a device', () => {
  const rig = (second: boolean): Rig => {
    const [none, half] = rigs;
    if (none === undefined || half === undefined) throw new Error('no workspace');
    return second ? half : none;
  };
  multisigSuite(rig, { signs: { exchanges: 1, durable: 4 }, refuses: { exchanges: 1, durable: 2, last: true } }, tried);
});
