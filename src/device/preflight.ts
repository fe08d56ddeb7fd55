import { type Fault, fail } from '../domain/fault.js';
import { networkParameters } from '../domain/network.js';
import { formatPath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import type { Vault } from '../vault/types.js';
import { defaultVault } from './standard-path.js';
import type { AppInfo, IdentifiedDevice, Signer } from './types.js';

/** The first version with the protocol that countersign speaks (wallet policies of version 2). */
const PROTOCOL_SINCE = '2.1.0';
/** What the operating system's own menu calls itself. */
const DASHBOARD = 'BOLOS';

export interface Requirements {
  /** From the policy, where one applies; the protocol's own minimum holds as well. */
  readonly minAppVersion?: string | undefined;
}

/** Whether the device can sign for a vault at all: asked before anything is plugged in. Faults: E_DEVICE_UNSUPPORTED. */
export function checkSignable(vault: Vault): Result<void, Fault> {
  const standard = defaultVault(vault);
  return standard.ok ? ok(undefined) : standard;
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
 * Whether this device, with this app open, is the one that signs for the vault: app and version, master fingerprint,
 * account key, in this order and in three exchanges. Faults: E_DEVICE_UNSUPPORTED before any exchange; E_DEVICE_APP,
 * E_DEVICE_VERSION, E_DEVICE_MISMATCH with both values in full; and those of the channel.
 */
export async function identify(
  signer: Signer,
  vault: Vault,
  { minAppVersion }: Requirements,
): Promise<Result<IdentifiedDevice, Fault>> {
  const standard = defaultVault(vault);
  if (!standard.ok) return standard;
  const { key } = standard.value;

  const app = await signer.appInfo();
  if (!app.ok) return app;
  const suits = checkApp(app.value, vault, minAppVersion);
  if (!suits.ok) return suits;

  const fingerprint = await signer.fingerprint();
  if (!fingerprint.ok) return fingerprint;
  if (fingerprint.value !== key.fingerprint) {
    return fail(
      'E_DEVICE_MISMATCH',
      `the device's master fingerprint is ${fingerprint.value}, and the vault ${vault.id} belongs to ${key.fingerprint}`,
      { remedy: "connect the vault's own device; with a passphrase, unlock it with the PIN of that passphrase" },
    );
  }

  const path = formatPath(key.path);
  const xpub = await signer.xpub(path, false);
  if (!xpub.ok) return xpub;
  if (xpub.value !== key.xpub) {
    return fail(
      'E_DEVICE_MISMATCH',
      `the device's key at ${path} is ${xpub.value}, and the vault ${vault.id} has ${key.xpub}`,
      { remedy: 'do not sign: find out where the descriptor of the vault came from' },
    );
  }
  return ok({ app: app.value, fingerprint: fingerprint.value });
}

function checkApp({ name, version }: AppInfo, vault: Vault, minAppVersion = PROTOCOL_SINCE): Result<void, Fault> {
  const wanted = networkParameters(vault.network).ledgerApp;
  if (name === DASHBOARD) {
    return fail('E_DEVICE_APP', 'no app is open on the device', {
      remedy: `open the app "${wanted}" on the device and run the command again`,
    });
  }
  if (name !== wanted) {
    return fail('E_DEVICE_APP', `the app "${name}" is open, and a vault on ${vault.network} needs "${wanted}"`, {
      remedy: `open the app "${wanted}" on the device and run the command again`,
    });
  }
  for (const minimum of [PROTOCOL_SINCE, minAppVersion]) {
    if (isAtLeast(version, minimum)) continue;
    const who = minimum === PROTOCOL_SINCE ? 'countersign needs' : 'the policy asks for';
    return fail('E_DEVICE_VERSION', `the app "${name}" is version ${version}, and ${who} ${minimum} or newer`, {
      remedy: 'update the app with Ledger Live, check it on a test vault, and run the command again',
    });
  }
  return ok(undefined);
}

/** Compares the three numbers of MAJOR.MINOR.PATCH. A pre-release or an unreadable version is never new enough. */
export function isAtLeast(version: string, minimum: string): boolean {
  const have = numbersOf(version);
  const want = numbersOf(minimum);
  if (have === null || want === null) return false;
  for (const [index, number] of have.entries()) {
    const other = want[index] ?? 0;
    if (number !== other) return number > other;
  }
  return true;
}

function numbersOf(version: string): readonly number[] | null {
  const match = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/.exec(version);
  return match === null ? null : match.slice(1).map(Number);
}
