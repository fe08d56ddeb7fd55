import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fileExists, inFolder, makeFolder, readBytes, writeNewFile } from '../../src/adapters/files.js';

const root = mkdtempSync(join(tmpdir(), 'countersign-files-'));
let folder = '';
let count = 0;

beforeEach(() => {
  count += 1;
  folder = join(root, `${count}`);
  mkdirSync(folder);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe('writeNewFile', () => {
  it('writes a file and leaves nothing beside it', async () => {
    expect(await writeNewFile(join(folder, 'a.psbt'), bytes('one'))).toEqual({ ok: true, value: undefined });
    expect(readdirSync(folder)).toEqual(['a.psbt']);
    expect(readFileSync(join(folder, 'a.psbt'), 'utf8')).toBe('one');
  });

  it('is content with a file that has the same content, and never overwrites another', async () => {
    const path = join(folder, 'a.psbt');
    await writeNewFile(path, bytes('one'));
    expect((await writeNewFile(path, bytes('one'))).ok).toBe(true);
    for (const other of ['two', 'on', 'one\n', '']) {
      expect(await writeNewFile(path, bytes(other))).toMatchObject({
        ok: false,
        error: { tag: 'E_FILE_EXISTS', where: { file: path } },
      });
    }
    expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['one', ['a.psbt']]);
  });

  it('lets one of many writers win, whole', async () => {
    const path = join(folder, 'a.psbt');
    const texts = Array.from({ length: 16 }, (_, n) => `${n}`.repeat(10_000));
    const results = await Promise.all(texts.map((text) => writeNewFile(path, bytes(text))));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(texts[results.findIndex(({ ok }) => ok)]).toBe(readFileSync(path, 'utf8'));
    expect(readdirSync(folder)).toEqual(['a.psbt']);
  });

  it.each([
    ['a folder that is not there', 'absent/a.psbt', 'there is no such file or folder'],
    ['a file for a folder', 'file/a.psbt', 'a part of its path is not a folder'],
    ['a folder in its place', 'taken', 'it is a folder'],
  ])('says what is wrong with %s', async (_, name, reason) => {
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'taken'));
    const written = await writeNewFile(join(folder, name), bytes('one'));
    expect(written).toMatchObject({ ok: false, error: { tag: 'E_FILE_MISSING' } });
    expect(written.ok || written.error.message).toContain(reason);
  });

  // The superuser may write anywhere, so there is nothing to refuse.
  it.skipIf(process.getuid?.() === 0)('says that a folder may not be written to', async () => {
    chmodSync(folder, 0o500);
    const written = await writeNewFile(join(folder, 'a.psbt'), bytes('one'));
    chmodSync(folder, 0o700);
    expect(written.ok || written.error.message).toContain('permission denied');
  });
});

describe('readBytes', () => {
  it('reads bytes as they are', async () => {
    writeFileSync(join(folder, 'a'), Uint8Array.of(0, 255, 13, 10));
    expect(await readBytes(join(folder, 'a'))).toEqual({ ok: true, value: Uint8Array.of(0, 255, 13, 10) });
  });

  it.each([
    ['absent', 'there is no such file or folder'],
    ['.', 'it is a folder'],
    ['nul\0', ''],
  ])('names %j as the person named it', async (name, reason) => {
    const read = await readBytes(`${folder}/${name}`, name);
    expect(read).toMatchObject({ ok: false, error: { tag: 'E_FILE_MISSING', where: { file: name } } });
    expect(read.ok || read.error.message).toContain(reason);
  });
});

it('finds files and makes folders, once or again', async () => {
  const path = join(folder, 'x', 'y');
  expect(await fileExists(path)).toBe(false);
  expect([(await makeFolder(path)).ok, (await makeFolder(path)).ok, await fileExists(path)]).toEqual([
    true,
    true,
    true,
  ]);
  writeFileSync(join(path, 'file'), '');
  expect(await makeFolder(join(path, 'file'))).toMatchObject({ ok: false, error: { tag: 'E_FILE_MISSING' } });
});

it('takes a path as relative to a folder unless it is absolute', () => {
  expect([inFolder('/w', 'a/b'), inFolder('/w', '/a/b')]).toEqual(['/w/a/b', '/a/b']);
});
