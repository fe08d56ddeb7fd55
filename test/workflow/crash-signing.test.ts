import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { removeAll } from '../cli/session.js';
import { readyToSign, rigOf } from './crash-signing.js';
import { type Rig, told } from './killing.js';
import { oneKeySuite } from './killing-one-key.js';

const folders: string[] = [];
const tried = new Map<string, number>();
let rig: Rig;

beforeAll(async () => {
  const { s, id } = await readyToSign();
  folders.push(s.folder);
  rig = await rigOf(s, id, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-killed-'));
    folders.push(folder);
    cpSync(s.folder, folder, { recursive: true });
    return folder;
  });
});
afterAll(() => {
  removeAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  told('one key, in a file', tried);
});

describe('a whole signing run, killed at everything durable and at exchanges with the device', () => {
  // The first two transactions are the same, whatever the device answers.
  oneKeySuite(() => rig, { signs: { exchanges: 4 }, others: { exchanges: 2, last: true } }, tried);
});
