import type { Presence } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import { type Network, networkParameters } from '../domain/network.js';
import type { Meeting } from './ports.js';

/** Nobody is there: what is missing is said at once. */
const NOBODY: Presence = { patience: 0, openApp: false, notice: () => {} };

/** The device that a command needs: with the app of a network open, and one of these fingerprints where it matters which. */
export function meeting(network: Network, fingerprints: readonly Hex[] | null, presence: Presence = NOBODY): Meeting {
  const { patience, openApp, notice } = presence;
  return { patience, openApp, notice, app: networkParameters(network).ledgerApp, fingerprints };
}

/** Whether somebody is there who can do something about a device. */
export function isAttended(presence: Presence | undefined): boolean {
  return presence !== undefined && presence.patience !== 0;
}

/** A device that is asked about itself: with whatever app it has open, unless it is to open that of the network. */
export function anyDevice(fingerprint: Hex | null, network: Network, presence: Presence): Meeting {
  const app = presence.openApp ? networkParameters(network).ledgerApp : null;
  return { ...presence, app, fingerprints: fingerprint === null ? null : [fingerprint] };
}
