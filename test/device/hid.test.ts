import { describe, expect, it } from 'vitest';
import { type HidPort, openHid } from '../../src/device/transport/hid.js';
import { ChannelError } from '../../src/device/types.js';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

const port = (more: Partial<HidPort> = {}): HidPort => ({
  list: async () => ['/dev/hidraw3'],
  open: async () => ({
    model: 'Ledger Nano S',
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

  it('says that none is attached', async () => {
    const opened = await openHid('linux', port({ list: async () => [] }));
    expect(opened).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_ABSENT', remedy: expect.stringContaining('PIN') },
    });
  });

  it('refuses to choose among several, and names them', async () => {
    const opened = await openHid('linux', port({ list: async () => ['/dev/hidraw1', '/dev/hidraw3'] }));
    expect(opened).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_SEVERAL' } });
    expect(opened.ok ? '' : opened.error.message).toContain('/dev/hidraw1, /dev/hidraw3');
  });

  it.each([
    ['libusb-1.0.so.0: cannot open shared object file', 'libusb-1.0-0'],
    ['libudev.so.1: cannot open shared object file', 'libudev1'],
    ['Failed to find binding for HID_hidraw', 'npm ci'],
  ])('turns the binding error %j into a remedy, also where it is thrown at once', async (message, remedy) => {
    const thrower = (): Promise<readonly string[]> => {
      throw new Error(message);
    };
    const opened = await openHid('linux', port({ list: thrower }));
    expect(opened).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_OPEN', remedy: expect.stringContaining(remedy) },
    });
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
      model: null,
      exchange: async () => {
        throw named(name, 'x');
      },
      close: async () => {},
    };
    const opened = await openHid('linux', port({ open: async () => device }));
    if (!opened.ok) throw new Error(opened.error.message);
    expect(opened.value.name).toBe('Ledger on USB (/dev/hidraw3)');
    const error = await opened.value.exchange(Uint8Array.of(1, 2, 3, 4)).catch((reason: unknown) => reason);
    expect(error instanceof ChannelError && error.fault.tag).toBe(tag);
  });
});
