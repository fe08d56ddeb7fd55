import { checkApp, checkTransport, identify, RECOMMENDED } from '../device/preflight.js';
import { previewAddress, previewKey } from '../device/screens.js';
import type { AppInfo, Prediction, Signer } from '../device/types.js';
import { isAtLeast } from '../device/versions.js';
import type { Hex } from '../domain/bytes.js';
import { type Fault, fail, fault } from '../domain/fault.js';
import { type Network, networkParameters } from '../domain/network.js';
import { HARDENED, parsePath } from '../domain/path.js';
import { ok, type Result } from '../domain/result.js';
import type { Vault } from '../vault/types.js';
import { meeting } from './meeting.js';
import type { OpenVault } from './open-vault.js';
import type { Composition, DeviceRequest } from './ports.js';
import { registrationFor } from './registrations.js';

type OpenDevice = Composition['openDevice'];

/** Holds a conversation and closes the device whatever happened; a replay that was not asked for all it has is a fault. */
export async function converse<T>(
  openDevice: OpenDevice,
  request: DeviceRequest,
  talk: (signer: Signer, name: string) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> {
  const opened = await openDevice(request);
  if (!opened.ok) return opened;
  const answer = await talk(opened.value.signer, opened.value.name);
  const closed = await opened.value.signer.close();
  return answer.ok && !closed.ok ? closed : answer;
}

/** Told what the device is going to show, right before it is asked. */
export type Announce = (prediction: Prediction) => void;

export interface ShownAddress {
  readonly address: string;
  /** Master key fingerprint of the device that showed it. */
  readonly fingerprint: Hex;
}

/**
 * Shows an address of the vault on the device, any of its cosigners' or the `expected` one, and returns what the device
 * showed. A multisig vault needs the device's registration: E_DEVICE_UNREGISTERED.
 */
export async function showAddress(
  openDevice: OpenDevice,
  request: DeviceRequest,
  { vault, deriver, state }: Pick<OpenVault, 'vault' | 'deriver' | 'state'>,
  branch: 0 | 1,
  index: number,
  expected: Hex | null = null,
  announce: Announce = () => {},
): Promise<Result<ShownAddress, Fault>> {
  const suits = checkTransport(request.spec, vault);
  if (!suits.ok) return suits;
  const wanted = expected === null ? vault.keys.map(({ fingerprint }) => fingerprint) : [expected];
  const meets = meeting(vault.network, [...new Set(wanted)], request.meeting);
  return converse(openDevice, { ...request, meeting: meets }, async (signer) => {
    const device = await identify(signer, vault, { expected: expected ?? undefined });
    if (!device.ok) return device;
    const { fingerprint } = device.value;
    const registration = registrationFor(state, vault, fingerprint);
    if (!registration.ok) return registration;
    const { model, app } = device.value;
    announce(previewAddress(deriver.at(branch, index).script, vault, { model, version: app.version }));
    const address = await signer.address(vault, branch, index, registration.value);
    return address.ok ? ok({ address: address.value, fingerprint }) : address;
  });
}

export interface DeviceReport {
  readonly name: string;
  readonly app: AppInfo;
  /** Null where the app that is open does not tell it. */
  readonly fingerprint: string | null;
  /** Whether it is a device of the vault; null where there is no vault to compare with, or no fingerprint. */
  readonly vaultKey: boolean | null;
  /** Why nothing can be signed with this app: another one is open, or it is too old. */
  readonly problem: Fault | null;
  /** False for a version that works and is older than what is recommended. */
  readonly recommended: boolean;
}

/** What is attached: app, version, fingerprint, whether it can sign on the network, and whether it holds a key of the vault. */
export async function inspectDevice(
  openDevice: OpenDevice,
  request: DeviceRequest,
  network: Network,
  vault: Vault | null,
): Promise<Result<DeviceReport, Fault>> {
  return converse<DeviceReport>(openDevice, request, async (signer, name) => {
    const app = await signer.appInfo();
    if (!app.ok) return app;
    const suits = checkApp(app.value, network);
    const problem = suits.ok ? null : suits.error;
    const recommended = isAtLeast(app.value.version, RECOMMENDED);
    const common = { name, app: app.value, problem, recommended };
    // Another app may answer anything to the Bitcoin app's question.
    if (!BITCOIN_APPS.has(app.value.name) || problem?.tag === 'E_DEVICE_VERSION') {
      return ok({ ...common, fingerprint: null, vaultKey: null });
    }
    const fingerprint = await signer.fingerprint();
    if (!fingerprint.ok) return fingerprint;
    const vaultKey = vault === null ? null : vault.keys.some((key) => key.fingerprint === fingerprint.value);
    return ok({ ...common, fingerprint: fingerprint.value, vaultKey });
  });
}

export interface AccountKey {
  readonly fingerprint: string;
  readonly xpub: string;
}

/**
 * The key at a path. Where it is shown on the device, it is asked for silently before that, as far as the app gives it so: what
 * the person is going to see can then be told, and what is answered after that must be the same (E_DEVICE_MISMATCH).
 */
export async function accountKey(
  openDevice: OpenDevice,
  request: DeviceRequest,
  path: string,
  announce: Announce | null,
): Promise<Result<AccountKey, Fault>> {
  return converse(openDevice, request, async (signer) => {
    const fingerprint = await signer.fingerprint();
    if (!fingerprint.ok) return fingerprint;
    const xpub = announce === null ? await signer.xpub(path, false) : await shownKey(signer, path, announce);
    return xpub.ok
      ? ok({ fingerprint: fingerprint.value, xpub: xpub.value })
      : { ok: false, error: await whyNoKey(signer, path, xpub.error) };
  });
}

async function shownKey(signer: Signer, path: string, announce: Announce): Promise<Result<string, Fault>> {
  const app = await signer.appInfo();
  if (!app.ok) return app;
  const silent = await signer.xpub(path, false);
  const device = { model: await signer.model(), version: app.value.version };
  announce(
    silent.ok
      ? previewKey(path, silent.value, device)
      : { kind: 'unpredicted', why: 'the app gives the key at this path on its screen alone' },
  );
  const shown = await signer.xpub(path, true);
  if (!shown.ok || !silent.ok || shown.value === silent.value) return shown;
  return fail(
    'E_DEVICE_MISMATCH',
    `the device gave ${silent.value} silently, and ${shown.value} when it was to show it`,
    {
      remedy: 'do not use either key: find out what is attached to this machine',
    },
  );
}

/** An app refuses the accounts of another chain with a bare status word: where that is the cause, it is said. */
async function whyNoKey(signer: Signer, path: string, refusal: Fault): Promise<Fault> {
  const steps = parsePath(path);
  const coinType = (steps.ok ? (steps.value[1] ?? 0) : 0) - HARDENED;
  const wanted = APP_OF_COIN_TYPE.get(coinType);
  if (wanted === undefined) return refusal;
  const app = await signer.appInfo();
  if (!app.ok || app.value.name === wanted) return refusal;
  return fault(
    'E_DEVICE_APP',
    `the app "${app.value.name}" is open, and coin type ${coinType}' in ${path} belongs to the app "${wanted}": ${refusal.message}`,
    { remedy: `open the app "${wanted}", or ask for a path of the coin type of the app that is open` },
  );
}

/** SLIP-44: 0' is Bitcoin, 1' every test network. */
const APP_OF_COIN_TYPE: ReadonlyMap<number, string> = new Map(
  (['main', 'testnet3'] as const).map(networkParameters).map(({ coinType, ledgerApp }) => [coinType, ledgerApp]),
);

const BITCOIN_APPS: ReadonlySet<string> = new Set(APP_OF_COIN_TYPE.values());
