import { createRequire } from 'node:module';
import type { ApduChannel } from '../../src/device/types.js';
import { type NamedPolicy, serialisePolicy } from '../../src/vault/wallet-policy.js';

/** What the tests ask of Ledger's own client, whose packages are CommonJS: its ES module builds do not load in plain Node. */
const load = createRequire(import.meta.url);

interface LedgerPolicy {
  descriptorTemplate: string;
  keys: string[];
  serialize(): Buffer;
  getWalletId(): Buffer;
}

interface Interpreter {
  addKnownList(elements: readonly Buffer[]): void;
  addKnownPreimage(preimage: Buffer): void;
  execute(request: Buffer): Buffer;
}

const { default: Btc } = load('@ledgerhq/hw-app-btc') as {
  default: new (options: {
    transport: object;
  }) => {
    signPsbtBuffer(psbt: Buffer, options: object): Promise<{ psbt: Buffer }>;
  };
};
const { AppClient } = load('@ledgerhq/hw-app-btc/lib/newops/appClient') as {
  AppClient: new (
    transport: object,
  ) => {
    getWalletAddress(
      policy: LedgerPolicy,
      hmac: Buffer | null,
      change: number,
      index: number,
      display: boolean,
    ): Promise<string>;
    signPsbt(psbt: object, policy: LedgerPolicy, hmac: Buffer | null, progress: () => void): Promise<unknown>;
    makeRequest(ins: number, data: Buffer, interpreter: Interpreter): Promise<Buffer>;
  };
};
const { WalletPolicy } = load('@ledgerhq/hw-app-btc/lib/newops/policy') as {
  WalletPolicy: new (template: string, key: string) => LedgerPolicy;
};
const { deserializePsbt } = load('@ledgerhq/hw-app-btc/lib/signPsbt/parsePsbt') as {
  deserializePsbt(psbt: Buffer): object;
};
const { default: Transport } = load('@ledgerhq/hw-transport') as { default: new () => object };

export const { ClientCommandInterpreter } = load('@ledgerhq/hw-app-btc/lib/newops/clientCommands') as {
  ClientCommandInterpreter: new (progress: () => void) => Interpreter;
};

const REGISTER_WALLET = 0x02;

function transportOver(channel: ApduChannel): object {
  class ChannelTransport extends Transport {
    async exchange(apdu: Buffer): Promise<Buffer> {
      return Buffer.from(await channel.exchange(apdu));
    }
  }
  return new ChannelTransport();
}

/** The class knows the default policies alone: no name, one key. */
class NamedLedgerPolicy extends WalletPolicy {
  constructor(readonly named: NamedPolicy) {
    super(named.template, '');
    this.keys = [...named.keys];
  }
  override serialize(): Buffer {
    return Buffer.from(serialisePolicy(this.named));
  }
}

/** The id of a policy without a name, as Ledger's own class computes it. */
export function ledgerPolicyId(template: string, key: string): string {
  return new WalletPolicy(template, key).getWalletId().toString('hex');
}

/** The public interface: `psbt` is of version 2, and the vault one of a single key. */
export async function signPsbtBuffer(
  channel: ApduChannel,
  psbt: Uint8Array,
  accountPath: string,
  addressFormat: string,
): Promise<void> {
  const options = { finalizePsbt: false, accountPath, addressFormat, knownAddressDerivations: new Map() };
  await new Btc({ transport: transportOver(channel) }).signPsbtBuffer(Buffer.from(psbt), options);
}

const bufferOf = (hmac: Uint8Array | null): Buffer | null => (hmac === null ? null : Buffer.from(hmac));

/** The same three commands as our policy client, with hw-app-btc's interpreter and its reader of PSBTs. */
export function ledgerClient(channel: ApduChannel) {
  const client = new AppClient(transportOver(channel));
  return {
    register(policy: NamedPolicy): Promise<Buffer> {
      const serialised = Buffer.from(serialisePolicy(policy));
      const interpreter = new ClientCommandInterpreter(() => {});
      interpreter.addKnownList(policy.keys.map((key) => Buffer.from(key, 'ascii')));
      interpreter.addKnownPreimage(serialised);
      interpreter.addKnownPreimage(Buffer.from(policy.template, 'ascii'));
      return client.makeRequest(
        REGISTER_WALLET,
        Buffer.concat([Buffer.of(serialised.length), serialised]),
        interpreter,
      );
    },
    address: (policy: NamedPolicy, hmac: Uint8Array | null, branch: 0 | 1, index: number, display: boolean) =>
      client.getWalletAddress(new NamedLedgerPolicy(policy), bufferOf(hmac), branch, index, display),
    async signPsbt(psbt: Uint8Array, policy: NamedPolicy, hmac: Uint8Array | null): Promise<void> {
      await client.signPsbt(
        deserializePsbt(Buffer.from(psbt)),
        new NamedLedgerPolicy(policy),
        bufferOf(hmac),
        () => {},
      );
    },
  };
}
