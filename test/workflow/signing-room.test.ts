import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { freeBytes, setAside } from '../../src/adapters/room.js';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { Files } from '../../src/workflow/ports.js';
import { roomFor } from '../../src/workflow/signing-room.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';

const folder = mkdtempSync(join(tmpdir(), 'countersign-room-'));
afterAll(() => {
  removeAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Files of a disk of which only this is said, and which notes what is set aside. */
function onDisk(
  s: Session,
  free: bigint | null,
  aside: Files['setAside'] = async () => ok({ release: async () => {} }),
) {
  const asked: number[] = [];
  const composition = s.composition.bind(s);
  s.composition = async (workspace) => {
    const real = await composition(workspace);
    const setAside: Files['setAside'] = async (path, bytes) => {
      asked.push(bytes);
      return aside(path, bytes);
    };
    return { ...real, files: { ...real.files, freeBytes: async () => free, setAside } };
  };
  return asked;
}

async function planned(): Promise<{ s: Session; id: string; needed: number }> {
  const s = await stage();
  const id = await s.ready('withdrawals.csv');
  const { batch } = await s.json(0, 'batch', 'show', id, '--export');
  const psbt = statSync(s.path(`batches/${id}/unsigned.psbt`)).size;
  return { s, id, needed: roomFor(psbt, batch.inputs.length, 1) };
}

describe('room for what signing is going to write', () => {
  it.each([
    ['at the bound', 0n, 0],
    ['a byte under it', -1n, 1],
  ])('%s', async (_, more, code) => {
    const { s, id, needed } = await planned();
    let asked = 0;
    s.signer = () => {
      asked += 1;
      return softSigner();
    };
    const aside = onDisk(s, BigInt(needed) + more);
    if (code === 0) {
      await s.expect(0, 'batch', 'sign', id);
      expect([await s.stateOf(id), asked, aside]).toEqual(['SIGNED', 1, [needed]]);
      return;
    }
    await s.untouched(async () => {
      const { faults, state } = await s.json(code, 'batch', 'sign', id);
      expect(faults[0]).toMatchObject({
        tag: 'E_JOURNAL_ROOM',
        message: expect.stringMatching(new RegExp(`no room .* ${needed} bytes; ${needed - 1} bytes are free`)),
        remedy: expect.stringContaining('the device was not asked'),
        where: { file: s.path('journal.sqlite') },
      });
      expect(state).toBe('DRAFT');
    });
    expect([asked, aside]).toEqual([0, []]);
  });

  it('that a system does not tell of is tried; where it cannot be set aside, nothing is reserved', async () => {
    const { s, id } = await planned();
    onDisk(s, null, async () => fail('E_JOURNAL_ROOM', 'ENOSPC'));
    expect(await s.untouched(() => s.faultOf(1, 'batch', 'sign', id))).toBe('E_JOURNAL_ROOM');
  });

  it('is given back before anything is written with it, and when the device cannot be asked', async () => {
    const { s, id } = await planned();
    const order: string[] = [];
    s.signer = () => {
      const device = softSigner();
      return {
        ...device,
        sign: async (...words) => {
          order.push('asked');
          return device.sign(...words);
        },
        close: async () => {
          order.push('closed');
          return ok(undefined);
        },
      };
    };
    onDisk(s, null, async () => {
      order.push('held');
      return ok({
        release: async () => {
          order.push('released');
        },
      });
    });
    await s.expect(0, 'batch', 'sign', id);
    expect(order).toEqual(['held', 'asked', 'released', 'closed']);
  });

  it('holds what is really written', async () => {
    const { s, id, needed } = await planned();
    const size = (): number =>
      readdirSync(s.folder, { recursive: true, encoding: 'utf8' })
        .map((name) => statSync(s.path(name)))
        .reduce((sum, file) => sum + (file.isFile() ? Math.ceil(file.size / 4096) * 4096 : 4096), 0);
    let before = 0;
    s.signer = () => {
      const device = softSigner();
      return {
        ...device,
        sign: async (...words) => {
          before = size();
          return device.sign(...words);
        },
      };
    };
    await s.expect(0, 'batch', 'sign', id);
    // Once in the file, once in the log that is gone by now, and in the files of the batch.
    expect(before).toBeGreaterThan(0);
    expect(2 * (size() - before)).toBeLessThan(needed);
  });

  it('grows with all that it depends on', () => {
    const some = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(some, some, some, (psbt, inputs, keys) => {
        const room = roomFor(100 * psbt, inputs, keys);
        expect(room).toBeGreaterThanOrEqual(10 * 100 * psbt + 10 * inputs * (107 + 74 * keys));
        expect(roomFor(100 * psbt + 1, inputs, keys)).toBeGreaterThan(room);
        expect(roomFor(100 * psbt, inputs + 1, keys)).toBeGreaterThan(room);
        expect(roomFor(100 * psbt, inputs, keys + 1)).toBeGreaterThan(room);
        expect(Number.isSafeInteger(room)).toBe(true);
      }),
    );
  });
});

describe('room on a disk', () => {
  it('is taken under no name, so that nothing stays behind, and given back once', async () => {
    const path = join(folder, 'journal.sqlite');
    const aside = await setAside(path, 200_001);
    if (!aside.ok) throw new Error(aside.error.message);
    expect(readdirSync(folder)).toEqual([]);
    await aside.value.release();
    await aside.value.release();
    expect(await freeBytes(path)).toBeGreaterThan(0n);
  });

  it('where there is no folder is E_JOURNAL_IO, and nothing is known to be free', async () => {
    const path = join(folder, 'absent', 'journal.sqlite');
    expect(await setAside(path, 1)).toMatchObject({ error: { tag: 'E_JOURNAL_IO', where: { file: path } } });
    expect(await freeBytes(path)).toBeNull();
  });
});
