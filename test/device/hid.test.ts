import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HidEntry } from '../../src/device/ledgerjs.js';
import { type HidPort, listHid } from '../../src/device/transport/hid.js';
import { holdersOf } from '../../src/device/transport/hid-holders.js';
import { ChannelError } from '../../src/device/types.js';
import { openHid } from './open-hid.js';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

const nanoS = (path: string): HidEntry => ({ path, productId: 0x1011, model: 'nanos', serial: '0001' });

const port = (more: Partial<HidPort> = {}): HidPort => ({
  list: async () => [nanoS('/dev/hidraw3')],
  holders: async () => [],
  open: async () => ({
    exchange: async () => Uint8Array.of(0x90, 0),
    close: async () => {},
  }),
  ...more,
});

describe('hid', () => {
  it('opens the one device and names it', async () => {
    const opened = await openHid('linux', port());
    expect(opened.ok && opened.value.name).toBe('Ledger Nano S on USB (/dev/hidraw3)');
    expect(opened.ok && (await opened.value.exchange(Uint8Array.of(1, 2, 3, 4)))).toEqual(Uint8Array.of(0x90, 0));
    expect(opened.ok && (await opened.value.close())).toEqual({ ok: true, value: undefined });
  });

  it('names a model that it does not know as a Ledger', async () => {
    const list = async () => [{ ...nanoS('/dev/hidraw3'), model: null }];
    const opened = await openHid('linux', port({ list }));
    expect(opened.ok && opened.value.name).toBe('Ledger on USB (/dev/hidraw3)');
  });

  it('tells the model by the USB product id, and none where that tells none', async () => {
    for (const model of ['nanosp', null] as const) {
      const list = async () => [{ ...nanoS('/dev/hidraw3'), model }];
      const opened = await openHid('linux', port({ list }));
      expect(opened.ok && (await opened.value.model?.())).toBe(model);
    }
  });

  it('says that none is attached', async () => {
    const opened = await openHid('linux', port({ list: async () => [] }));
    expect(opened).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_ABSENT', remedy: expect.stringContaining('PIN') },
    });
  });

  it.each([
    ['libusb-1.0.so.0: cannot open shared object file', 'libusb-1.0-0'],
    ['libudev.so.1: cannot open shared object file', 'libudev1'],
    ['Failed to find binding for HID_hidraw', 'npm ci'],
  ])('turns the binding error %j into a remedy, also where it is thrown at once', async (message, remedy) => {
    const thrower = (): Promise<readonly HidEntry[]> => {
      throw new Error(message);
    };
    const opened = await openHid('linux', port({ list: thrower }));
    expect(opened).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_USB', remedy: expect.stringContaining(remedy) },
    });
    expect(await listHid(port({ list: thrower }))).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_USB' } });
  });

  // What node-hid 3 gives, with the words of hidapi behind its own.
  it.each([
    [
      'linux',
      "Failed to open a device with path '/dev/hidraw3': Permission denied",
      'E_DEVICE_PERMISSION',
      /KERNEL=="hidraw\*", ATTRS\{idVendor\}=="2c97", TAG\+="uaccess".*70-ledger.rules.*udevadm/,
    ],
    ['linux', 'Device or resource busy', 'E_DEVICE_BUSY', /close Ledger Live/],
    ['linux', 'No such file or directory', 'E_DEVICE_GONE', /connect the device again/],
    ['linux', 'No such device', 'E_DEVICE_GONE', /connect the device again/],
    [
      'darwin',
      '(0xE00002C5) (iokit/common) exclusive access and device already open',
      'E_DEVICE_BUSY',
      /close Ledger Live/,
    ],
    ['darwin', '(0xE00002E2) (iokit/common) not permitted', 'E_DEVICE_PERMISSION', /Input Monitoring/],
    [
      'win32',
      'CreateFile: (0x00000020) The process cannot access the file because it is being used by another process.',
      'E_DEVICE_BUSY',
      /close Ledger Live/,
    ],
    ['win32', 'CreateFile: (0x00000005) Access is denied.', 'E_DEVICE_BUSY', /close Ledger Live/],
    ['linux', 'Input/output error', 'E_DEVICE_OPEN', /KERNEL/],
  ] as const)('on %s, %j is %s', async (platform, words, tag, remedy) => {
    const open = async () => {
      throw new TypeError(`cannot open device with path /dev/hidraw3: ${words}`);
    };
    const opened = await openHid(platform, port({ open }));
    expect(opened).toMatchObject({ ok: false, error: { tag, message: expect.stringContaining('/dev/hidraw3') } });
    expect(opened.ok ? '' : opened.error.remedy).toMatch(remedy);
  });

  it('does not open what another program has open, and says which', async () => {
    let opened = 0;
    const device = await openHid('linux', {
      ...port({ holders: async () => [{ pid: 4242, name: 'ledger-live-desk' }] }),
      open: async () => {
        opened += 1;
        throw new Error('never');
      },
    });
    expect(device).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_BUSY' } });
    expect(device.ok ? '' : device.error.message).toContain('ledger-live-desk (process 4242)');
    expect(opened).toBe(0);
  });

  it.each([
    ['linux', 'KERNEL=="hidraw*", ATTRS{idVendor}=="2c97", TAG+="uaccess"'],
    ['darwin', 'close Ledger Live'],
    ['win32', 'close Ledger Live'],
  ] as const)('says on %s what to do about a device that cannot be opened', async (platform, remedy) => {
    const open = async () => {
      throw new TypeError('cannot open device with path /dev/hidraw3');
    };
    const opened = await openHid(platform, port({ open }));
    expect(opened).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_OPEN', remedy: expect.stringContaining(remedy) },
    });
  });

  it.each([
    ['DisconnectedDevice', 'E_DEVICE_GONE'],
    ['DisconnectedDeviceDuringOperation', 'E_DEVICE_GONE'],
    ['Error', 'E_DEVICE_PROTOCOL'],
  ])('tells %s by its name', async (name, tag) => {
    const device = {
      exchange: async () => {
        throw named(name, 'x');
      },
      close: async () => {},
    };
    const opened = await openHid('linux', port({ open: async () => device }));
    if (!opened.ok) throw new Error(opened.error.message);
    const error = await opened.value.exchange(Uint8Array.of(1, 2, 3, 4)).catch((reason: unknown) => reason);
    expect(error instanceof ChannelError && error.fault.tag).toBe(tag);
  });
});

describe.runIf(process.platform === 'linux')('holdersOf', () => {
  it('finds the process that has a file open, by number and name, and not this one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-holders-'));
    const file = join(folder, 'device');
    writeFileSync(file, '');
    expect(await holdersOf(file)).toEqual([]);
    const own = openSync(file, 'r');
    const child = spawn('sleep', ['60'], { stdio: ['ignore', openSync(file, 'r'), 'ignore'] });
    try {
      expect(await holdersOf(file)).toEqual([{ pid: child.pid, name: 'sleep' }]);
      expect(await holdersOf(join(folder, 'other'))).toEqual([]);
      expect(await holdersOf(file, join(folder, 'no-proc'))).toEqual([]);
    } finally {
      child.kill();
      closeSync(own);
      rmSync(folder, { recursive: true });
    }
  });
});
