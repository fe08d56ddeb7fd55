import type { Hex } from '../domain/bytes.js';
import { type Fault, fail } from '../domain/fault.js';
import { type Network, networkParameters } from '../domain/network.js';
import { formatPath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import type { Vault, VaultKey } from '../vault/types.js';
import { type AppAtHand, limitsOf } from './limits.js';
import { checkPolicyLimits } from './preflight-limits.js';
import { signableKeys } from './standard-path.js';
import type { AppInfo, IdentifiedDevice, Signer } from './types.js';
import { isAtLeast } from './versions.js';

/** The first version with the protocol that countersign speaks (wallet policies of version 2). */
export const PROTOCOL_SINCE = '2.1.0';
/** The last of the Nano S, with which the recordings were made; every model has it or a newer one. */
export const RECOMMENDED = '2.2.7';
/** What the operating system's own menu calls itself. */
export const DASHBOARD = 'BOLOS';

export interface Requirements {
  /** From the policy, where one applies; the protocol's own minimum holds as well. */
  readonly minAppVersion?: string | undefined;
  /** Master key fingerprint of the one cosigner that is meant; any of the vault's where it is absent. */
  readonly expected?: Hex | undefined;
}

/**
 * Whether a device can sign for a vault at all: asked before anything is plugged in, and again with what is known of the
 * device that is. Faults: E_DEVICE_UNSUPPORTED, E_DEVICE_LIMIT.
 */
export function checkSignable(vault: Vault, app: AppAtHand = {}): Result<void, Fault> {
  const keys = signableKeys(vault);
  return keys.ok ? checkPolicyLimits(vault, limitsOf(app)) : keys;
}

/**
 * Whether what `--device` names may speak for a vault at all. On the main network a Ledger on USB or a recording may, and
 * an emulator not: it is a program behind a port of this machine. It can show and sign what it likes, or keep a signature
 * and report a refusal, upon which the budget would be given back. Faults: E_DEVICE_EMULATOR.
 */
export function checkTransport(spec: string, { id, network }: Pick<Vault, 'id' | 'network'>): Result<void, Fault> {
  if (network !== 'main' || !spec.startsWith('speculos:')) return ok(undefined);
  return fail('E_DEVICE_EMULATOR', `${id} is a vault on the main network, and ${JSON.stringify(spec)} is an emulator`, {
    remedy: 'connect the Ledger itself: --device hid; rehearse with an emulator on a test network',
  });
}

/**
 * Whether this device, with this app open, is one that signs for the vault: app and version, master fingerprint,
 * account key, in this order and in three exchanges (one more for each further key of the vault that the device holds).
 * A device is known by these alone, never by the port that it is plugged into. Faults: E_DEVICE_UNSUPPORTED before any
 * exchange; E_DEVICE_APP, E_DEVICE_VERSION, E_DEVICE_LIMIT, E_DEVICE_MISMATCH with both values in full; and those of the channel.
 */
export async function identify(
  signer: Signer,
  vault: Vault,
  { minAppVersion, expected }: Requirements,
): Promise<Result<IdentifiedDevice, Fault>> {
  const signable = signableKeys(vault);
  if (!signable.ok) return signable;
  const keys = signable.value.filter(({ fingerprint }) => expected === undefined || fingerprint === expected);

  const app = await signer.appInfo();
  if (!app.ok) return app;
  const suits = checkApp(app.value, vault.network, minAppVersion);
  if (!suits.ok) return suits;
  const model = await signer.model();
  const fits = checkPolicyLimits(vault, limitsOf({ model, version: app.value.version }));
  if (!fits.ok) return fits;

  const fingerprint = await signer.fingerprint();
  if (!fingerprint.ok) return fingerprint;
  const held = keys.filter((key) => key.fingerprint === fingerprint.value);
  if (held.length === 0) return otherDevice(fingerprint.value, vault, keys, expected);

  for (const key of held) {
    const path = formatPath(key.path);
    const xpub = await signer.xpub(path, false);
    if (!xpub.ok) return xpub;
    if (xpub.value === key.xpub) continue;
    return fail(
      'E_DEVICE_MISMATCH',
      `the device's key at ${path} is ${xpub.value}, and the vault ${vault.id} has ${key.xpub}`,
      { remedy: 'do not sign: find out where the descriptor of the vault came from' },
    );
  }
  return ok({ app: app.value, model, fingerprint: fingerprint.value });
}

function otherDevice(
  found: Hex,
  { id }: Vault,
  keys: readonly VaultKey[],
  expected: Hex | undefined,
): Result<never, Fault> {
  const own = [...new Set(keys.map(({ fingerprint }) => fingerprint))].join(', ');
  const due =
    expected === undefined ? `the vault ${id} belongs to ${own}` : `${expected} of the vault ${id} is expected`;
  return fail('E_DEVICE_MISMATCH', `the device's master fingerprint is ${found}, and ${due}`, {
    remedy: "connect the vault's own device; with a passphrase, unlock it with the PIN of that passphrase",
  });
}

/**
 * Whether an app speaks for a network, and well enough. Faults: E_DEVICE_APP, and E_DEVICE_VERSION below the protocol's
 * minimum or the policy's.
 */
export function checkApp(
  { name, version }: AppInfo,
  network: Network,
  minAppVersion = PROTOCOL_SINCE,
): Result<void, Fault> {
  const wanted = networkParameters(network).ledgerApp;
  if (name === DASHBOARD) {
    return fail('E_DEVICE_APP', 'no app is open on the device', {
      remedy: `open the app "${wanted}" on the device and run the command again`,
    });
  }
  if (name !== wanted) {
    return fail('E_DEVICE_APP', `the app "${name}" is open, and a vault on ${network} needs "${wanted}"`, {
      remedy: `open the app "${wanted}" on the device and run the command again`,
    });
  }
  for (const minimum of [PROTOCOL_SINCE, minAppVersion]) {
    if (isAtLeast(version, minimum)) continue;
    const who = minimum === PROTOCOL_SINCE ? 'countersign needs' : 'the policy asks for';
    return fail('E_DEVICE_VERSION', `the app "${name}" is version ${version}, and ${who} ${minimum} or newer`, {
      remedy: `update the app with Ledger Live, to ${RECOMMENDED} or newer, check it on a test vault, and run the command again`,
    });
  }
  return ok(undefined);
}
