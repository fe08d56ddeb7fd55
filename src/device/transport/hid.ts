import { type Fault, fail, fault } from '../../domain/fault.js';
import { ok, type Result } from '../../domain/result.js';
import { classifyError, type HidDevice, listHidDevices, openHidDevice } from '../ledgerjs.js';
import { type ApduChannel, ChannelError } from '../types.js';
import { OneAtATime } from './one-at-a-time.js';

/** What `openHid` uses of USB: the real thing is Ledger's library over node-hid. */
export interface HidPort {
  list(): Promise<readonly string[]>;
  open(path: string): Promise<HidDevice>;
}

const REAL: HidPort = { list: listHidDevices, open: openHidDevice };

const UDEV_RULE = 'KERNEL=="hidraw*", ATTRS{idVendor}=="2c97", TAG+="uaccess"';
const CLOSE_OTHERS = 'close Ledger Live and any other program that uses the device';
const RECONNECT = 'connect the device again, unlock it, open the Bitcoin app and run the command again';

/**
 * Opens the one Ledger on USB. Faults: E_DEVICE_ABSENT, E_DEVICE_SEVERAL, E_DEVICE_OPEN, each with what to do.
 * There is no time limit on an exchange: a person reads, and an abandoned exchange could still sign.
 */
export async function openHid(platform: NodeJS.Platform, port: HidPort = REAL): Promise<Result<ApduChannel, Fault>> {
  const paths = await attempt(async () => port.list());
  if (!paths.ok) return fail('E_DEVICE_OPEN', `USB cannot be used: ${paths.error}`, { remedy: usbRemedy(paths.error) });
  const [path, ...others] = paths.value;
  if (path === undefined) {
    return fail('E_DEVICE_ABSENT', 'no Ledger is attached to this machine', {
      remedy: `connect the device, enter its PIN and open the Bitcoin app; ${CLOSE_OTHERS}`,
    });
  }
  if (others.length > 0) {
    return fail('E_DEVICE_SEVERAL', `${paths.value.length} Ledgers are attached: ${paths.value.join(', ')}`, {
      remedy: 'leave only the device of this vault connected, and run the command again',
    });
  }
  const device = await attempt(async () => port.open(path));
  if (!device.ok) {
    return fail('E_DEVICE_OPEN', `the Ledger at ${path} cannot be opened: ${device.error}`, {
      remedy: openRemedy(platform),
    });
  }
  return ok(channelOf(device.value, path));
}

async function attempt<T>(work: () => Promise<T>): Promise<Result<T, string>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** node-hid's binding loads when it is first used; what it lacks stands in the loader's message. */
function usbRemedy(message: string): string {
  if (message.includes('libusb')) {
    return 'install the system library libusb 1.0 (Debian, Ubuntu: sudo apt install libusb-1.0-0)';
  }
  if (message.includes('libudev'))
    return 'install the system library libudev (Debian, Ubuntu: sudo apt install libudev1)';
  if (/binding|prebuild/i.test(message)) {
    return 'install countersign again with npm ci: the package node-hid has no binary for this machine';
  }
  return RECONNECT;
}

function openRemedy(platform: NodeJS.Platform): string {
  if (platform !== 'linux') return CLOSE_OTHERS;
  return (
    `give yourself access with a udev rule: put the line ${UDEV_RULE} into /etc/udev/rules.d/70-ledger.rules, ` +
    `run sudo udevadm control --reload-rules, connect the device again; if the rule is there, ${CLOSE_OTHERS}`
  );
}

function channelOf(device: HidDevice, path: string): ApduChannel {
  const name = `${device.model ?? 'Ledger'} on USB (${path})`;
  const guard = new OneAtATime(name);
  return {
    name,
    exchange: (apdu) =>
      guard.run(async () => {
        try {
          return await device.exchange(apdu);
        } catch (error) {
          throw new ChannelError(exchangeFault(name, error));
        }
      }),
    async close() {
      if (!guard.close()) return ok(undefined);
      const closed = await attempt(async () => device.close());
      return closed.ok ? ok(undefined) : fail('E_DEVICE_GONE', `${name} did not close: ${closed.error}`);
    },
  };
}

function exchangeFault(name: string, error: unknown): Fault {
  const found = classifyError(error);
  if (found.kind === 'other') {
    return fault('E_DEVICE_PROTOCOL', `${name}: the exchange failed: ${found.message}`, { remedy: RECONNECT });
  }
  return fault('E_DEVICE_GONE', `${name} was unplugged, went to sleep or closed its app during a command`, {
    remedy: RECONNECT,
  });
}
