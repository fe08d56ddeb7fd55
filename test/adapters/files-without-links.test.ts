import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { writeNewFile } from '../../src/adapters/files.js';

/** As on a USB stick with FAT: everything works but hard links. */
vi.mock('node:fs/promises', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:fs/promises')>()),
  link: () => Promise.reject(Object.assign(new Error('operation not permitted'), { code: 'EPERM' })),
}));

const folder = mkdtempSync(join(tmpdir(), 'countersign-fat-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('writes a new file, takes the same again, and overwrites no other', async () => {
  const path = join(folder, 'a.psbt');
  expect((await writeNewFile(path, Uint8Array.of(1, 2))).ok).toBe(true);
  expect((await writeNewFile(path, Uint8Array.of(1, 2))).ok).toBe(true);
  expect(await writeNewFile(path, Uint8Array.of(3))).toMatchObject({ ok: false, error: { tag: 'E_FILE_EXISTS' } });
  expect([readFileSync(path), readdirSync(folder)]).toEqual([Buffer.from([1, 2]), ['a.psbt']]);
});
