import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Composition, Rehearsal } from './workflow/ports.js';

const DEMO = fileURLToPath(new URL('../examples/demo', import.meta.url));

/** What of `compose` a rehearsal uses; handed in, since compose.ts itself loads this file. */
type Compose = (options: {
  readonly version: string;
  readonly workspace: string;
  readonly base: string;
  readonly clock: () => number;
  readonly random: (bytes: number) => string;
}) => Promise<Composition>;

/** Stages the bundled data: the real program on files of its own, with told times and repeatable "random" bytes. */
export async function rehearse(version: string, compose: Compose): Promise<Rehearsal> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-demo-'));
  await cp(DEMO, folder, { recursive: true });
  // ssh-keygen refuses a private key that others may read, and a checkout does not keep that mode.
  const keys = join(folder, 'keys');
  for (const name of await readdir(keys)) await chmod(join(keys, name), 0o600);

  const random = repeatableBytes();
  return {
    folder,
    hasSshKeygen: spawnSync('ssh-keygen', ['-?'], { stdio: 'ignore' }).error === undefined,
    at: (now) => compose({ version, workspace: folder, base: folder, clock: () => now, random }),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

/** SHA-256 of a counter: the same bytes at every rehearsal, so that its batches and approvals are the same too. */
function repeatableBytes(): (bytes: number) => string {
  let counter = 0;
  return (bytes) => {
    counter += 1;
    return createHash('sha256')
      .update(`countersign demo ${counter}`)
      .digest('hex')
      .slice(0, 2 * bytes);
  };
}
