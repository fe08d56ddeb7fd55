/**
 * The only file that touches @ledgerhq/* and node-hid. Their ESM builds do not load in plain Node (test runners that
 * bundle hide it), so they are required as CommonJS, and only when a device is used: never at the start of the program.
 */
import { createRequire } from 'node:module';
import type { Path } from '../domain/path.js';
import type { LedgerModel } from './models.js';
import { type PolicyClient, policyClient } from './policy-client.js';
import type { ApduChannel } from './types.js';

type ClientModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/appClient', { with: {
  'resolution-mode': 'require',
}});
type TransportModule = typeof import('@ledgerhq/hw-transport', { with: { 'resolution-mode': 'require' }});
type HidModule = typeof import('@ledgerhq/hw-transport-node-hid', { with: { 'resolution-mode': 'require' }});
type Transport = InstanceType<TransportModule['default']>;

const load = createRequire(import.meta.url);

/** The commands of Ledger's Bitcoin app that countersign uses. Every method may reject: see classifyError. */
export interface BitcoinApp {
  fingerprint(): Promise<Uint8Array>;
  xpub(path: Path, display: boolean): Promise<string>;
  readonly policies: PolicyClient;
}

/** The protocol version that every request names as its P2. */
const PROTOCOL_VERSION = 1;
const OK = 0x9000;
const INTERRUPTED = 0xe000;

/**
 * The device's Bitcoin app over any channel: what needs no wallet policy by Ledger's own client, the rest by ours over
 * Ledger's transport. The deep import is no stable interface of hw-app-btc: package.json pins its exact version, and the
 * recordings hold every byte of what it sends.
 */
export function openBitcoinApp(channel: ApduChannel): BitcoinApp {
  const transport = transportOver(channel);
  const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient') as ClientModule;
  const client = new AppClient(transport);
  return {
    fingerprint: () => client.getMasterFingerprint(),
    xpub: (path, display) => client.getExtendedPubkey(display, [...path]),
    policies: policyClient((cla, ins, data) =>
      transport.send(cla, ins, 0, PROTOCOL_VERSION, Buffer.from(data), [OK, INTERRUPTED]),
    ),
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

/** A Ledger on USB, as the operating system lists it: nothing was opened, and the device was not asked. */
export interface HidEntry {
  /** Where the operating system has it now; another one after every plugging in, and after an app opens or closes. */
  readonly path: string;
  /** USB product id: the model in its high byte, the interfaces that are on in its low one. */
  readonly productId: number | null;
  /** By its product id; null where that tells none. */
  readonly model: LedgerModel | null;
  /** As the USB descriptor has it; many Ledgers give the same. */
  readonly serial: string | null;
}

/** What the HID channel needs of an opened device. */
export interface HidDevice {
  exchange(apdu: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The attached Ledgers. Rejects where the native binding does not load. */
export async function listHidDevices(): Promise<readonly HidEntry[]> {
  const found: HidEntry[] = [];
  // The class's own `listen` goes on with events of the USB bus; the one that it inherits lists once and is done.
  const once: Pick<HidModule['default'], 'listen'> = Object.getPrototypeOf(hidTransport());
  once.listen({
    next: ({ descriptor, deviceModel, device }) => {
      const { productId, serialNumber } = device as { readonly productId?: number; readonly serialNumber?: string };
      found.push({
        path: String(descriptor),
        productId: productId ?? null,
        model: MODEL_IDS.get(deviceModel?.id ?? '') ?? null,
        serial: serialNumber === undefined || serialNumber === '' ? null : serialNumber,
      });
    },
    error: (error: unknown) => {
      throw error;
    },
    complete: () => {},
  });
  return found;
}

export async function openHidDevice(path: string): Promise<HidDevice> {
  const transport = await hidTransport().open(path);
  return {
    exchange: async (apdu) => new Uint8Array(await transport.exchange(Buffer.from(apdu))),
    close: () => transport.close(),
  };
}

/** Ledger's library has names of its own for the models. */
const MODEL_IDS: ReadonlyMap<string, LedgerModel> = new Map([
  ['nanoS', 'nanos'],
  ['nanoX', 'nanox'],
  ['nanoSP', 'nanosp'],
  ['stax', 'stax'],
  ['europa', 'flex'],
  ['apex', 'apex'],
]);

function hidTransport(): HidModule['default'] {
  return (load('@ledgerhq/hw-transport-node-hid') as HidModule).default;
}

/** An error that came out of Ledger's libraries. Classes are duplicated among them: the name and the number tell. */
export type LedgerError =
  | { readonly kind: 'status'; readonly statusWord: number }
  | { readonly kind: 'disconnected' }
  /** A report of 64 bytes that carries the number of another program's conversation. */
  | { readonly kind: 'foreign'; readonly message: string }
  /** A report that is not the next one of the answer: its tag or its number is another. */
  | { readonly kind: 'framing'; readonly message: string }
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
  const message = 'message' in error ? String(error.message) : String(error);
  const id = 'id' in error ? error.id : null;
  if (id === 'InvalidChannel') return { kind: 'foreign', message };
  if (id === 'InvalidTag' || id === 'InvalidSequence') return { kind: 'framing', message };
  return { kind: 'other', message };
}
