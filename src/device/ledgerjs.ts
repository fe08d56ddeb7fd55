/**
 * The only file that touches @ledgerhq/* and node-hid. Their ESM builds do not load in plain Node (test runners that
 * bundle hide it), so they are required as CommonJS, and only when a device is used: never at the start of the program.
 */
import { createRequire } from 'node:module';
import type { Path } from '../domain/path.js';
import type { ApduChannel } from './types.js';

type BtcModule = typeof import('@ledgerhq/hw-app-btc', { with: { 'resolution-mode': 'require' }});
type ClientModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/appClient', { with: {
  'resolution-mode': 'require',
}});
type PolicyModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/policy', { with: { 'resolution-mode': 'require' }});
type TransportModule = typeof import('@ledgerhq/hw-transport', { with: { 'resolution-mode': 'require' }});
type HidModule = typeof import('@ledgerhq/hw-transport-node-hid', { with: { 'resolution-mode': 'require' }});
type Transport = InstanceType<TransportModule['default']>;

const load = createRequire(import.meta.url);

/** Scripts that the Bitcoin app signs for without a registered policy (BIP44, 49, 84, 86). */
export type DefaultTemplate = 'pkh(@0/**)' | 'sh(wpkh(@0/**))' | 'wpkh(@0/**)' | 'tr(@0/**)';

const ADDRESS_FORMATS = {
  'pkh(@0/**)': 'legacy',
  'sh(wpkh(@0/**))': 'p2sh',
  'wpkh(@0/**)': 'bech32',
  'tr(@0/**)': 'bech32m',
} as const satisfies Readonly<Record<DefaultTemplate, string>>;

/** The commands of Ledger's Bitcoin app that countersign uses. Every method may reject: see classifyError. */
export interface BitcoinApp {
  fingerprint(): Promise<Uint8Array>;
  xpub(path: Path, display: boolean): Promise<string>;
  /** Shows the address on the device. `origin` is `[fingerprint/path]xpub`, hardened steps with an apostrophe. */
  showAddress(template: DefaultTemplate, origin: string, branch: 0 | 1, index: number): Promise<string>;
  /** Signs a PSBT of version 2. The signatures pass through the channel as yields; nothing else is returned. */
  signPsbt(psbt: Uint8Array, template: DefaultTemplate, accountPath: string): Promise<void>;
}

/** Ledger's own client over any channel. */
export function openBitcoinApp(channel: ApduChannel): BitcoinApp {
  const transport = transportOver(channel);
  const { default: Btc } = load('@ledgerhq/hw-app-btc') as BtcModule;
  const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient') as ClientModule;
  const { WalletPolicy } = load('@ledgerhq/hw-app-btc/lib/newops/policy') as PolicyModule;
  const client = new AppClient(transport);
  const btc = new Btc({ transport });
  return {
    fingerprint: () => client.getMasterFingerprint(),
    xpub: (path, display) => client.getExtendedPubkey(display, [...path]),
    showAddress: (template, origin, branch, index) =>
      client.getWalletAddress(new WalletPolicy(template, origin), null, branch, index, true),
    async signPsbt(psbt, template, accountPath) {
      await btc.signPsbtBuffer(Buffer.from(psbt), {
        finalizePsbt: false,
        accountPath,
        addressFormat: ADDRESS_FORMATS[template],
        knownAddressDerivations: new Map(),
      });
    },
  };
}

/** hw-app-btc speaks to a Transport; ours hands each request to the channel and nothing more. */
function transportOver(channel: ApduChannel): Transport {
  const { default: Base } = load('@ledgerhq/hw-transport') as TransportModule;
  class ChannelTransport extends Base {
    override async exchange(apdu: Buffer): Promise<Buffer> {
      return Buffer.from(await channel.exchange(apdu));
    }
  }
  return new ChannelTransport();
}

/** What the HID channel needs of an opened device. */
export interface HidDevice {
  /** Ledger's name of the model, for example "Ledger Nano S"; null where it did not tell. */
  readonly model: string | null;
  exchange(apdu: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The paths of the attached Ledgers. `list` may throw at once where the native binding does not load. */
export async function listHidDevices(): Promise<readonly string[]> {
  return hidTransport().list();
}

export async function openHidDevice(path: string): Promise<HidDevice> {
  const transport = await hidTransport().open(path);
  return {
    model: transport.deviceModel?.productName ?? null,
    exchange: (apdu) => transport.exchange(Buffer.from(apdu)),
    close: () => transport.close(),
  };
}

function hidTransport(): HidModule['default'] {
  return (load('@ledgerhq/hw-transport-node-hid') as HidModule).default;
}

/** An error that came out of Ledger's libraries. Classes are duplicated among them: the name and the number tell. */
export type LedgerError =
  | { readonly kind: 'status'; readonly statusWord: number }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'other'; readonly message: string };

const DISCONNECTED = new Set(['DisconnectedDevice', 'DisconnectedDeviceDuringOperation']);

export function classifyError(error: unknown): LedgerError {
  if (typeof error !== 'object' || error === null) return { kind: 'other', message: String(error) };
  if ('statusCode' in error && typeof error.statusCode === 'number') {
    return { kind: 'status', statusWord: error.statusCode };
  }
  if ('name' in error && typeof error.name === 'string' && DISCONNECTED.has(error.name)) {
    return { kind: 'disconnected' };
  }
  return { kind: 'other', message: 'message' in error ? String(error.message) : String(error) };
}
