import { type Fault, fail, fault } from '../../domain/fault.js';
import { err, ok, type Result } from '../../domain/result.js';
import { classifyError, type HidDevice, type HidEntry, listHidDevices, openHidDevice } from '../ledgerjs.js';
import { type LedgerModel, modelName } from '../models.js';
import { type ApduChannel, ChannelError } from '../types.js';
import { CLOSE_OTHERS, type Holder, heldFault, openFault, RECONNECT, usbFault } from './hid-causes.js';
import { holdersOf } from './hid-holders.js';
import { OneAtATime } from './one-at-a-time.js';

/** What this channel uses of USB: the real thing is Ledger's library over node-hid. */
export interface HidPort {
  list(): Promise<readonly HidEntry[]>;
  open(path: string): Promise<HidDevice>;
  /** Other programs that have the device open now. */
  holders(path: string): Promise<readonly Holder[]>;
}

export const USB: HidPort = {
  list: listHidDevices,
  open: openHidDevice,
  holders: (path) => (process.platform === 'linux' ? holdersOf(path) : Promise.resolve([])),
};

/** Every Ledger on USB, without opening any. Faults: E_DEVICE_USB. */
export async function listHid(port: HidPort = USB): Promise<Result<readonly HidEntry[], Fault>> {
  const listed = await attempt(async () => port.list());
  return listed.ok ? listed : err(usbFault(listed.error));
}

/** "Ledger Nano S on USB (/dev/hidraw3)". */
export function hidName({ model, path }: Pick<HidEntry, 'model' | 'path'>): string {
  return `${modelName(model)} on USB (${path})`;
}

export function noDevice(): Fault {
  return fault('E_DEVICE_ABSENT', 'no Ledger is attached to this machine', {
    remedy: `connect the device, enter its PIN and open the Bitcoin app; ${CLOSE_OTHERS}`,
  });
}

/**
 * Opens one of the attached Ledgers. There is no time limit on an exchange: a person reads, and an abandoned exchange could
 * still sign. Faults: E_DEVICE_PERMISSION, E_DEVICE_BUSY, E_DEVICE_GONE, E_DEVICE_OPEN, each with what to do.
 */
export async function openHidEntry(
  platform: NodeJS.Platform,
  entry: HidEntry,
  port: HidPort = USB,
): Promise<Result<ApduChannel, Fault>> {
  const name = hidName(entry);
  const holders = await port.holders(entry.path);
  if (holders.length > 0) return err(heldFault(name, holders));
  const device = await attempt(async () => port.open(entry.path));
  return device.ok ? ok(channelOf(device.value, name, entry.model)) : err(openFault(platform, name, device.error));
}

async function attempt<T>(work: () => Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await work());
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function channelOf(device: HidDevice, name: string, model: LedgerModel | null): ApduChannel {
  const guard = new OneAtATime(name);
  /** Reports of an answer that was not read to its end may still come: they must not be taken for the next answer. */
  let broken: Fault | null = null;
  return {
    name,
    model: async () => model,
    exchange: (apdu) =>
      guard.run(async () => {
        if (broken !== null) throw new ChannelError(broken);
        try {
          return await device.exchange(apdu);
        } catch (error) {
          broken = exchangeFault(name, error);
          throw new ChannelError(broken);
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
  // A report that ends before its own head does: Ledger's framing reads beyond it.
  if (error instanceof RangeError) return framingFault(name, 'a report is too short');
  const found = classifyError(error);
  switch (found.kind) {
    case 'disconnected':
      return fault('E_DEVICE_GONE', `${name} was unplugged, went to sleep or closed its app during a command`, {
        remedy: RECONNECT,
      });
    case 'foreign':
      return fault('E_DEVICE_BUSY', `${name}: an answer came that another program had asked for`, {
        remedy: `${CLOSE_OTHERS}, refuse on the device what it may still show, and run the command again`,
      });
    case 'framing':
      return framingFault(name, found.message);
    case 'status':
    case 'other': {
      const what = found.kind === 'other' ? found.message : `status ${found.statusWord}`;
      return fault('E_DEVICE_PROTOCOL', `${name}: the exchange failed: ${what}`, { remedy: RECONNECT });
    }
  }
}

function framingFault(name: string, what: string): Fault {
  return fault('E_DEVICE_PROTOCOL', `${name}: the reports of an answer do not fit together: ${what}`, {
    remedy: `try another cable, without a hub; ${RECONNECT}`,
  });
}
