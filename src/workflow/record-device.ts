import type { AppInfo } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import type { Fault } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import { converse } from './device.js';
import type { Composition } from './ports.js';

export interface RecordedDevice {
  readonly name: string;
  readonly app: AppInfo;
  readonly fingerprint: Hex;
  readonly xpub: string | null;
}

/**
 * Asks a device for its app, its fingerprint and, where a path is given, the key there, and records the conversation to a new
 * file. The recording is written whatever the device answers: an answer that ends it is what somebody else wants to see.
 */
export function recordDevice(
  openDevice: Composition['openDevice'],
  spec: string,
  record: string,
  path: string | null,
): Promise<Result<RecordedDevice, Fault>> {
  return converse(openDevice, { spec, record, psbt: null }, async (signer, name) => {
    const app = await signer.appInfo();
    if (!app.ok) return app;
    const fingerprint = await signer.fingerprint();
    if (!fingerprint.ok) return fingerprint;
    const xpub = path === null ? ok(null) : await signer.xpub(path, false);
    return xpub.ok ? ok({ name, app: app.value, fingerprint: fingerprint.value, xpub: xpub.value }) : xpub;
  });
}
