import { isDefaultKind } from '../device/estimate.js';
import { checkSignable, checkTransport, identify } from '../device/preflight.js';
import { deviceAddress, previewRegistration } from '../device/screens.js';
import type { IdentifiedDevice, Prediction, Presence, Registration, Signer } from '../device/types.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { ok, type Result } from '../domain/result.js';
import type { Vault } from '../vault/types.js';
import { sayNothingKept } from './broken-off.js';
import { converse } from './device.js';
import { meeting } from './meeting.js';
import { type OpenVault, openVault } from './open-vault.js';
import type { Composition, Desk } from './ports.js';
import { checkCosigner } from './registrations.js';

export interface RegisterOptions {
  readonly device: string;
  readonly record: string | null;
  /** The cosigner that is meant, or null for whichever device is attached. */
  readonly signer: Hex | null;
  /** Breaks it off: nothing is kept then, and an earlier registration stays the one in use. */
  readonly signal?: AbortSignal | undefined;
  /** Who can connect and unlock the device; nobody where it is absent. */
  readonly presence?: Presence | undefined;
}

/** What the person at the terminal sees before the device shows the policy. */
export interface RegisterEvents {
  identified(device: IdentifiedDevice, name: string, screens: Prediction): void;
}

export interface Registered {
  readonly vault: Vault;
  readonly registration: Registration;
  /** True where the journal held an earlier registration of this device. */
  readonly again: boolean;
  /** Master key fingerprints of all devices that have a registration now. */
  readonly devices: readonly Hex[];
}

/**
 * Has a person approve the vault's wallet policy on a device, has the device derive the first address under what it just
 * gave, and only then keeps it: whatever fails before, an earlier registration stays the one in use.
 */
export async function registerDevice(
  desk: Desk,
  openDevice: Composition['openDevice'],
  { device, record, signer: expected, signal, presence }: RegisterOptions,
  events: RegisterEvents,
): Promise<Result<Registered, Fault>> {
  const open = await openVault(desk);
  if (!open.ok) return open;
  const { vault } = open.value;
  const ready = checkRegistrable(vault, device, expected);
  if (!ready.ok) return ready;
  const wanted = expected === null ? vault.keys.map(({ fingerprint }) => fingerprint) : [expected];
  const meets = meeting(vault.network, [...new Set(wanted)], presence);
  const answer = await converse(
    openDevice,
    { spec: device, record, psbt: null, signal, meeting: meets },
    (signer, name) => register(open.value, signer, name, expected, events),
  );
  if (!answer.ok) return sayNothingKept(answer);
  const { registration, app } = answer.value;
  const { fingerprint, name, policy, hmac } = registration;
  return desk.journal.transact(async (tx) => {
    tx.append({ kind: 'device.registered', fingerprint, name, policy, hmac, app: app.name, version: app.version });
    const devices = [...new Set([...tx.state.registrations.keys(), fingerprint])];
    return ok({ vault, registration, again: tx.state.registrations.has(fingerprint), devices });
  });
}

function checkRegistrable(vault: Vault, device: string, expected: Hex | null): Result<void, Fault> {
  const suits = checkTransport(device, vault);
  if (!suits.ok) return suits;
  if (isDefaultKind(vault.kind)) {
    return fail('E_USAGE', `${vault.id} is a ${vault.kind} vault, which the Bitcoin app knows without a registration`, {
      remedy: 'nothing is to be done: countersign vault address 0 --verify compares an address on the device',
    });
  }
  const signable = checkSignable(vault);
  return signable.ok && expected !== null ? checkCosigner(vault, expected) : signable;
}

async function register(
  { vault, deriver }: OpenVault,
  signer: Signer,
  name: string,
  expected: Hex | null,
  events: RegisterEvents,
): Promise<Result<IdentifiedDevice & { readonly registration: Registration }, Fault>> {
  const device = await identify(signer, vault, { expected: expected ?? undefined });
  if (!device.ok) return device;
  const { fingerprint, model, app } = device.value;
  const screens = previewRegistration(vault, fingerprint, { model, version: app.version });
  events.identified(device.value, name, screens);
  const given = await signer.register(vault);
  if (!given.ok) return given;
  const registration: Registration = { fingerprint, ...given.value };
  const address = await signer.address(vault, 0, 0, registration, 'silently');
  if (!address.ok) return address;
  const due = deviceAddress(deriver.at(0, 0).script, vault.network);
  if (address.value === due) return ok({ ...device.value, registration });
  return fail(
    'E_DEVICE_MISMATCH',
    `the device derives ${address.value} as the first address, and the descriptor ${due}`,
    {
      remedy: 'do not use this device: it registered another wallet than it was asked to',
    },
  );
}
