import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { removeAll } from '../cli/session.js';
import { raceSuite } from './racing.js';

const folders: string[] = [];
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });
afterAll(() => {
  removeAll();
  for (const folder of folders) remove(folder);
});

describe('eight processes that sign eight batches', () => {
  raceSuite(async (s) => ({
    fresh: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-race-'));
      folders.push(folder);
      cpSync(s.folder, folder, { recursive: true });
      return folder;
    },
    done: async (folder) => remove(folder),
  }));
});
