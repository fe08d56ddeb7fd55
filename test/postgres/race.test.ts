import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe } from 'vitest';
import { removeAll } from '../cli/session.js';
import { ALL } from '../workflow/killing.js';
import { raceSuite } from '../workflow/racing.js';
import { moveIn } from './moved.js';
import { findPostgres, PostgresServer } from './server.js';

const binaries = findPostgres();
let server: PostgresServer;
const folders: string[] = [];
beforeAll(async () => {
  if (binaries !== null) server = await PostgresServer.start(binaries);
}, 60_000);
afterAll(async () => {
  removeAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  if (binaries !== null) await server.remove();
});

describe.skipIf(binaries === null)(
  'eight processes that sign eight batches of one journal in PostgreSQL (skipped where there is none)',
  () => {
    raceSuite(
      async (s) => {
        const moved = await moveIn(server, s);
        folders.push(moved.folder);
        return moved;
      },
      ALL ? undefined : [3],
    );
  },
);
