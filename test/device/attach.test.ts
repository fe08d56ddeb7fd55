import { describe, expect, it } from 'vitest';
import { fault } from '../../src/domain/fault.js';
import { Ledger, meet } from './soft-ledger.js';

describe('one device', () => {
  it('is asked nothing where nobody waits', async () => {
    const device = new Ledger('1');
    const { found, open } = await meet({ devices: [device], wanted: { patience: 0 } });
    expect(found.ok).toBe(true);
    expect([device.asked, open]).toEqual([[], [device]]);
  });

  it('is known by its app and its fingerprint, without a word', async () => {
    const device = new Ledger('1');
    const { found, notices, open } = await meet({ devices: [device] });
    expect(found.ok && found.value.name).toBe('Ledger Nano S on USB (1)');
    expect([device.asked, notices, open]).toEqual([['b001', 'e105'], [], [device]]);
  });

  it('after a host that died, its first 6a80 is asked again', async () => {
    const device = new Ledger('1');
    device.stumbles = 0x6a80;
    expect((await meet({ devices: [device] })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e105', 'e105']);
  });

  it.each([
    [
      'not there',
      (device: Ledger) => {
        device.plugged = false;
      },
      (device: Ledger) => {
        device.plugged = true;
      },
      'no Ledger is attached',
    ],
    [
      'locked',
      (device: Ledger) => {
        device.locked = true;
      },
      (device: Ledger) => {
        device.locked = false;
      },
      'locked',
    ],
    [
      'at its menu',
      (device: Ledger) => {
        device.app = 'BOLOS';
      },
      (device: Ledger) => {
        device.app = 'Bitcoin Test';
      },
      'no app is open',
    ],
    [
      'in another app',
      (device: Ledger) => {
        device.app = 'Ethereum';
      },
      (device: Ledger) => {
        device.app = 'Bitcoin Test';
      },
      '"Ethereum" is open',
    ],
    [
      'held by another program',
      (device: Ledger) => {
        device.openError = fault('E_DEVICE_BUSY', 'held by x');
      },
      (device: Ledger) => {
        device.openError = null;
      },
      'held by x',
    ],
    [
      'not yet this user’s',
      (device: Ledger) => {
        device.openError = fault('E_DEVICE_PERMISSION', 'may not');
      },
      (device: Ledger) => {
        device.openError = null;
      },
      'may not',
    ],
  ])('that is %s is awaited, and that is said once', async (_, prepare, after, words) => {
    const device = new Ledger('1');
    prepare(device);
    const { found, notices, looks, open } = await meet({ devices: [device], acts: { 40: () => after(device) } });
    expect(found.ok).toBe(true);
    expect(notices).toEqual([expect.stringContaining(words)]);
    expect(notices[0]).toContain('Ctrl-C');
    expect([looks, open]).toEqual([41, [device]]);
  });

  it.each([
    [
      'E_DEVICE_ABSENT',
      (device: Ledger) => {
        device.plugged = false;
      },
    ],
    [
      'E_DEVICE_LOCKED',
      (device: Ledger) => {
        device.locked = true;
      },
    ],
    [
      'E_DEVICE_APP',
      (device: Ledger) => {
        device.app = 'BOLOS';
      },
    ],
  ])('%s after the patience, and after not a moment less', async (tag, prepare) => {
    const device = new Ledger('1');
    prepare(device);
    for (const [seconds, looks] of [
      [1, 3],
      [30, 61],
    ] as const) {
      const ended = await meet({ devices: [device], wanted: { patience: seconds } });
      expect(ended.found).toMatchObject({ ok: false, error: { tag } });
      expect([ended.looks, ended.open]).toEqual([looks, []]);
    }
  });

  it('that is another one is awaited too, named by both fingerprints', async () => {
    const [other, right] = [new Ledger('1', '00000001'), new Ledger('2')];
    right.plugged = false;
    const swap = (): void => {
      other.plugged = false;
      right.plugged = true;
    };
    const { found, notices } = await meet({ devices: [other, right], acts: { 5: swap } });
    expect(found.ok && found.value.name).toContain('(2)');
    expect(notices[0]).toMatch(/00000001.*f5acc2fd/);
  });

  it('a signal ends the waiting', async () => {
    const stop = new AbortController();
    const device = new Ledger('1');
    device.locked = true;
    const { found, open } = await meet({
      devices: [device],
      acts: { 3: () => stop.abort() },
      wanted: { signal: stop.signal },
    });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_INTERRUPTED' } });
    expect(open).toEqual([]);
  });

  it('what no person can change there ends it at once', async () => {
    const device = new Ledger('1');
    device.openError = fault('E_DEVICE_OPEN', 'odd');
    const { found, looks } = await meet({ devices: [device] });
    expect([found.ok ? '' : found.error.tag, looks]).toEqual(['E_DEVICE_OPEN', 1]);
  });
});

describe('asking for the app', () => {
  const wanted = { openApp: true, patience: 0 };

  it('opens it from the menu, which a person confirms, and takes up the device that comes back', async () => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    const { found, notices, open } = await meet({ devices: [device], wanted });
    expect(found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e0d8', 'b001', 'e105']);
    expect(notices).toEqual([expect.stringContaining('confirm on the device that it opens the app "Bitcoin Test"')]);
    expect(open).toEqual([device]);
  });

  it('leaves another app first', async () => {
    const device = new Ledger('1');
    device.app = 'Ethereum';
    expect((await meet({ devices: [device], wanted })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'b0a7', 'b001', 'e0d8', 'b001', 'e105']);
  });

  it('is not asked where it is open, and nobody asks without the option', async () => {
    const device = new Ledger('1');
    expect((await meet({ devices: [device], wanted })).found.ok).toBe(true);
    expect(device.asked).toEqual(['b001', 'e105']);
    device.app = 'BOLOS';
    device.asked = [];
    const refused = await meet({ devices: [device], wanted: { patience: 2 } });
    expect(refused.found).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_APP', remedy: expect.stringContaining('--open-app') },
    });
    expect(new Set(device.asked)).toEqual(new Set(['b001']));
  });

  it.each([
    [0x5501, 'E_DEVICE_REFUSED'],
    [0x6807, 'E_DEVICE_APP'],
    [0x6985, 'E_DEVICE_REFUSED'],
  ])('%i: %s', async (word, tag) => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    device.refusals = [word];
    const { found, open } = await meet({ devices: [device], wanted });
    expect(found).toMatchObject({ ok: false, error: { tag } });
    expect(open).toEqual([]);
  });

  it('a device that never opens it is not asked for ever', async () => {
    const device = new Ledger('1');
    device.app = 'BOLOS';
    device.refusals = Array.from({ length: 100 }, () => 0x9000);
    const { found } = await meet({ devices: [device], wanted });
    expect(found).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_APP' } });
    expect(device.asked.filter((head) => head === 'e0d8')).toHaveLength(6);
  });
});
