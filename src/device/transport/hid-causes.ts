import { type Fault, fault } from '../../domain/fault.js';

export const UDEV_RULE = 'KERNEL=="hidraw*", ATTRS{idVendor}=="2c97", TAG+="uaccess"';
export const RECONNECT = 'connect the device again, unlock it, open the Bitcoin app and run the command again';
export const CLOSE_OTHERS = 'close Ledger Live and any other program that uses the device, also pages in a browser';

/** A program that has the device open. */
export interface Holder {
  readonly pid: number;
  /** As the operating system calls it, for example "ledger-live-desk". */
  readonly name: string;
}

/** node-hid's binding loads when it is first used; what it lacks stands in the loader's message. */
export function usbFault(message: string): Fault {
  return fault('E_DEVICE_USB', `USB cannot be used: ${message}`, { remedy: usbRemedy(message) });
}

function usbRemedy(message: string): string {
  if (message.includes('libusb')) {
    return 'install the system library libusb 1.0 (Debian, Ubuntu: sudo apt install libusb-1.0-0)';
  }
  if (message.includes('libudev')) {
    return 'install the system library libudev (Debian, Ubuntu: sudo apt install libudev1)';
  }
  if (/binding|prebuild/i.test(message)) {
    return 'install countersign again with npm ci: the package node-hid has no binary for this machine';
  }
  return RECONNECT;
}

/**
 * Why an attached Ledger does not open. node-hid gives the words of hidapi and of the operating system behind its own: errno
 * in words on Linux, IOReturn in hex on macOS, the number of the last error on Windows. Tags: E_DEVICE_PERMISSION,
 * E_DEVICE_BUSY, E_DEVICE_GONE where it went between listing and opening, E_DEVICE_OPEN for what is none of these.
 */
export function openFault(platform: NodeJS.Platform, device: string, message: string): Fault {
  if (/permission denied|operation not permitted|0xE00002E2/i.test(message)) return permissionFault(platform, device);
  if (/resource busy|0xE00002C5|0x00000020|0x00000005|access is denied|used by another process/i.test(message)) {
    return heldFault(device, []);
  }
  if (/no such file|no such device/i.test(message)) {
    return fault('E_DEVICE_GONE', `${device} was unplugged, or changed its app, before it could be opened`, {
      remedy: RECONNECT,
    });
  }
  return fault('E_DEVICE_OPEN', `${device} cannot be opened: ${message}`, {
    remedy: platform === 'linux' ? `${udevRemedy()}; if the rule is there, ${CLOSE_OTHERS}` : CLOSE_OTHERS,
  });
}

function permissionFault(platform: NodeJS.Platform, device: string): Fault {
  const remedy =
    platform === 'linux'
      ? udevRemedy()
      : 'let your terminal watch input (System Settings, Privacy & Security, Input Monitoring), and connect the device again';
  return fault('E_DEVICE_PERMISSION', `${device}: this user may not open it`, { remedy });
}

function udevRemedy(): string {
  return (
    `give yourself access with a udev rule: put the line ${UDEV_RULE} into /etc/udev/rules.d/70-ledger.rules, ` +
    'run sudo udevadm control --reload-rules, connect the device again'
  );
}

/** Two programs on one device read each other's answers, and break off each other's signing. */
export function heldFault(device: string, holders: readonly Holder[]): Fault {
  const who = holders.map(({ pid, name }) => `${name} (process ${pid})`).join(', ');
  return fault('E_DEVICE_BUSY', `${device} is held by ${who === '' ? 'another program' : who}`, {
    remedy: `${CLOSE_OTHERS}, and run the command again`,
  });
}
