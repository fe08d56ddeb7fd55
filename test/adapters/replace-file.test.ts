import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { locked } from '../../src/adapters/file-lock.js';
import { replaceFile } from '../../src/adapters/replace-file.js';

const root = mkdtempSync(join(tmpdir(), 'countersign-replace-'));
let path = '';
let count = 0;
beforeEach(() => {
  count += 1;
  path = join(root, `state-${count}`);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const names = (): string[] => readdirSync(root).filter((name) => name.startsWith(`state-${count}`));
const HOLDER = '0123456789ab';
/** Of a process that has ended: nobody has its number now. */
const ended = (): number => spawnSync(process.execPath, ['-e', '']).pid;
/** Where numbers of processes mean what they mean here: on Linux a container counts its own. */
const HERE = `${hostname()} ${process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : '-'}`;
const DONE = { ok: true, value: undefined };
const HELD = { ok: false, error: { tag: 'E_FILE_EXISTS', message: expect.stringContaining(`.lock`) } };

describe('replaceFile', () => {
  it('makes, replaces and leaves nothing beside it', async () => {
    expect(await replaceFile(path, bytes('one'), null)).toEqual(DONE);
    expect(await replaceFile(path, bytes('two'), bytes('one'))).toEqual(DONE);
    expect([readFileSync(path, 'utf8'), names()]).toEqual(['two', [`state-${count}`]]);
  });

  it('replaces nothing that is not what was read', async () => {
    expect(await replaceFile(path, bytes('two'), bytes('one'))).toMatchObject({ error: { tag: 'E_FILE_EXISTS' } });
    writeFileSync(path, 'other');
    for (const before of [null, bytes('one')]) {
      expect(await replaceFile(path, bytes('two'), before)).toMatchObject({ error: { tag: 'E_FILE_EXISTS' } });
    }
    expect([readFileSync(path, 'utf8'), names()]).toEqual(['other', [`state-${count}`]]);
  });

  it('says where it cannot be written', async () => {
    expect(await replaceFile(join(path, 'in', 'no', 'folder'), bytes('x'), null)).toMatchObject({
      error: { tag: 'E_FILE_MISSING', message: expect.stringContaining('no such file or folder') },
    });
  });

  it('lets one of many win', async () => {
    const all = await Promise.all([...'abcdefgh'].map((text) => replaceFile(path, bytes(text), null)));
    expect(all.filter((one) => one.ok)).toHaveLength(1);
    expect(names()).toEqual([`state-${count}`]);
  });
});

describe('a lock', () => {
  it('that a killed process of this machine left is taken over, and removed', async () => {
    writeFileSync(`${path}.lock`, `${HERE} ${ended()} ${HOLDER}\n`);
    expect(await replaceFile(path, bytes('one'), null)).toEqual(DONE);
    expect([readFileSync(path, 'utf8'), names()]).toEqual(['one', [`state-${count}`]]);
  });

  it('that a killed process left is taken over by one of many', async () => {
    writeFileSync(`${path}.lock`, `${HERE} ${ended()} ${HOLDER}\n`);
    let inside = 0;
    let most = 0;
    const all = await Promise.all(
      Array.from({ length: 8 }, () =>
        locked(`${path}.lock`, async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 20));
          inside -= 1;
        }),
      ),
    );
    expect(all.filter((one) => one !== null).length).toBeGreaterThan(0);
    expect([most, names()]).toEqual([1, []]);
  });

  it.each([
    ['of a process that runs', () => `${HERE} ${process.pid} ${HOLDER}\n`],
    ['of another machine', () => `${HERE.replace(' ', '-2 ')} ${ended()} ${HOLDER}\n`],
    ['of a container of the same name', () => `${hostname()} pid:[1] ${ended()} ${HOLDER}\n`],
    ['that names nobody', () => ''],
    ['that is cut off', () => `${HERE} ${ended()} ${HOLDER.slice(1)}\n`],
    ['of no process', () => `${HERE} 0 ${HOLDER}\n`],
  ])('%s is respected', async (_, text) => {
    const said = text();
    writeFileSync(`${path}.lock`, said);
    expect(await replaceFile(path, bytes('one'), null)).toMatchObject(HELD);
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe(said);
    expect(names()).toEqual([`state-${count}.lock`]);
  });
});
