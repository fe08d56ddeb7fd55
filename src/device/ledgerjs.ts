/**
 * The only file that touches @ledgerhq/* and node-hid. Their ESM builds do not load in plain Node (test runners that
 * bundle hide it), so they are required as CommonJS, and only when a device is used: never at the start of the program.
 */
import { createRequire } from 'node:module';
import type { Path } from '../domain/path.js';
import { type NamedPolicy, serialisePolicy } from '../vault/wallet-policy.js';
import type { LedgerModel } from './models.js';
import type { ApduChannel } from './types.js';

type BtcModule = typeof import('@ledgerhq/hw-app-btc', { with: { 'resolution-mode': 'require' }});
type ClientModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/appClient', { with: {
  'resolution-mode': 'require',
}});
type PolicyModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/policy', { with: { 'resolution-mode': 'require' }});
type CommandsModule = typeof import('@ledgerhq/hw-app-btc/lib/newops/clientCommands', { with: {
  'resolution-mode': 'require',
}});
type ParseModule = typeof import('@ledgerhq/hw-app-btc/lib/signPsbt/parsePsbt', { with: {
  'resolution-mode': 'require',
}});
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
  /** Signs a PSBT of version 2. The signatures pass through the channel as yields; nothing else is returned. */
  signPsbt(psbt: Uint8Array, template: DefaultTemplate, accountPath: string): Promise<void>;
  readonly policies: PolicyClient;
}

/**
 * What hw-app-btc's public interface lacks: policies with a name and several keys. An HMAC is the 32 bytes that the
 * device gave when it registered the policy, null for a default policy, which has no name.
 */
export interface PolicyClient {
  /** Shows the policy on the device; answers the policy's id and its HMAC, 64 bytes. */
  register(policy: NamedPolicy): Promise<Uint8Array>;
  address(
    policy: NamedPolicy,
    hmac: Uint8Array | null,
    branch: 0 | 1,
    index: number,
    display: boolean,
  ): Promise<string>;
  /** As `signPsbt`: SIGN_PSBT alone, with no exchange before it. */
  signPsbt(psbt: Uint8Array, policy: NamedPolicy, hmac: Uint8Array | null): Promise<void>;
}

/** Ledger's own client over any channel. */
export function openBitcoinApp(channel: ApduChannel): BitcoinApp {
  const transport = transportOver(channel);
  const { default: Btc } = load('@ledgerhq/hw-app-btc') as BtcModule;
  const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient') as ClientModule;
  const client = new AppClient(transport);
  const btc = new Btc({ transport });
  return {
    fingerprint: () => client.getMasterFingerprint(),
    xpub: (path, display) => client.getExtendedPubkey(display, [...path]),
    async signPsbt(psbt, template, accountPath) {
      await btc.signPsbtBuffer(Buffer.from(psbt), {
        finalizePsbt: false,
        accountPath,
        addressFormat: ADDRESS_FORMATS[template],
        knownAddressDerivations: new Map(),
      });
    },
    policies: policyClient(transport),
  };
}

/** Instructions of doc/bitcoin.md of Ledger's Bitcoin app, with its protocol version 1 as P2. */
const CLA_BITCOIN = 0xe1;
const REGISTER_WALLET = 0x02;
const CLA_FRAMEWORK = 0xf8;
const CONTINUE_INTERRUPTED = 0x01;
const PROTOCOL_VERSION = 1;
const OK = 0x9000;
const INTERRUPTED = 0xe000;

/**
 * The deep imports are no stable interface of hw-app-btc: package.json pins its exact version, and the recordings hold
 * every byte of what they send.
 */
function policyClient(transport: Transport): PolicyClient {
  const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient') as ClientModule;
  const { WalletPolicy } = load('@ledgerhq/hw-app-btc/lib/newops/policy') as PolicyModule;
  const { ClientCommandInterpreter } = load('@ledgerhq/hw-app-btc/lib/newops/clientCommands') as CommandsModule;
  const { deserializePsbt } = load('@ledgerhq/hw-app-btc/lib/signPsbt/parsePsbt') as ParseModule;
  /** Ledger's class knows the default policies alone: no name, one key. */
  class AnyPolicy extends WalletPolicy {
    constructor(readonly policy: NamedPolicy) {
      super('wpkh(@0/**)', '');
      this.descriptorTemplate = policy.template;
      this.keys = [...policy.keys];
    }
    override serialize(): Buffer {
      return Buffer.from(serialisePolicy(this.policy));
    }
  }
  const client = new AppClient(transport);
  const bytes = (hmac: Uint8Array | null): Buffer | null => (hmac === null ? null : Buffer.from(hmac));

  return {
    async register(policy) {
      const serialised = Buffer.from(serialisePolicy(policy));
      const interpreter = new ClientCommandInterpreter(() => {});
      interpreter.addKnownList(policy.keys.map((key) => Buffer.from(key, 'ascii')));
      interpreter.addKnownPreimage(serialised);
      interpreter.addKnownPreimage(Buffer.from(policy.template, 'ascii'));
      const send = (cla: number, ins: number, data: Buffer): Promise<Buffer> =>
        transport.send(cla, ins, 0, PROTOCOL_VERSION, data, [OK, INTERRUPTED]);
      // A serialised policy has at most 134 bytes, so its length is one byte.
      const request = Buffer.concat([Buffer.of(serialised.length), serialised]);
      let response = await send(CLA_BITCOIN, REGISTER_WALLET, request);
      while (response.readUInt16BE(response.length - 2) === INTERRUPTED) {
        response = await send(CLA_FRAMEWORK, CONTINUE_INTERRUPTED, interpreter.execute(response.subarray(0, -2)));
      }
      return response.subarray(0, -2);
    },
    address: (policy, hmac, branch, index, display) =>
      client.getWalletAddress(new AnyPolicy(policy), bytes(hmac), branch, index, display),
    async signPsbt(psbt, policy, hmac) {
      await client.signPsbt(deserializePsbt(Buffer.from(psbt)), new AnyPolicy(policy), bytes(hmac), () => {});
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
