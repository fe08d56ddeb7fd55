import { type HidPort, listHid, noDevice, openHidEntry, USB } from '../../src/device/transport/hid.js';
import type { ApduChannel } from '../../src/device/types.js';
import type { Fault } from '../../src/domain/fault.js';
import { err, type Result } from '../../src/domain/result.js';

/** Opens the first Ledger on USB, as it is. */
export async function openHid(platform: NodeJS.Platform, port: HidPort = USB): Promise<Result<ApduChannel, Fault>> {
  const listed = await listHid(port);
  if (!listed.ok) return listed;
  const [entry] = listed.value;
  return entry === undefined ? err(noDevice()) : openHidEntry(platform, entry, port);
}
