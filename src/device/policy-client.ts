import { trustedHex, utf8 } from '../domain/bytes.js';
import { fault } from '../domain/fault.js';
import { ByteWriter } from '../psbt/wire.js';
import { type NamedPolicy, policyId, serialisePolicy } from '../vault/wallet-policy.js';
import { ClientCommands } from './client-commands.js';
import { commitToPsbt } from './psbt-commitments.js';
import { ChannelError } from './types.js';

/**
 * The commands of Ledger's Bitcoin app that know wallet policies (doc/bitcoin.md of the app). An HMAC is the 32 bytes that
 * the device gave when it registered the policy, null for a default policy, which has no name.
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
  /** Signs a PSBT of version 2. The signatures pass through the channel as yields; nothing else is returned. */
  signPsbt(psbt: Uint8Array, policy: NamedPolicy, hmac: Uint8Array | null): Promise<void>;
}

/**
 * Sends one request (class, instruction, data) and answers the whole response. Rejects on every status word other than
 * 9000 and e000.
 */
export type Send = (cla: number, ins: number, data: Uint8Array) => Promise<Uint8Array>;

const CLA_BITCOIN = 0xe1;
const REGISTER_WALLET = 0x02;
const GET_WALLET_ADDRESS = 0x03;
const SIGN_PSBT = 0x04;
const CLA_FRAMEWORK = 0xf8;
const CONTINUE_INTERRUPTED = 0x01;
const INTERRUPTED = 0xe000;
const NO_HMAC = new Uint8Array(32);

/** hw-app-btc's own client has no registration, no policy of several keys, and a queue that is quadratic in its length. */
export function policyClient(send: Send): PolicyClient {
  /** Runs one command to its end; while it is interrupted the device is given what it asks for. */
  async function run(ins: number, data: Uint8Array, commands: ClientCommands): Promise<Uint8Array> {
    let response = await send(CLA_BITCOIN, ins, data);
    while (statusOf(response) === INTERRUPTED) {
      const answer = commands.answer(response.subarray(0, -2));
      if (!answer.ok) throw new ChannelError(fault('E_DEVICE_PROTOCOL', answer.error, { remedy: REOPEN }));
      response = await send(CLA_FRAMEWORK, CONTINUE_INTERRUPTED, answer.value);
    }
    return response.subarray(0, -2);
  }

  return {
    register(policy) {
      const serialised = serialisePolicy(policy);
      return run(REGISTER_WALLET, new ByteWriter().lengthPrefixed(serialised).finish(), knowing(policy));
    },
    async address(policy, hmac, branch, index, display) {
      const place = Buffer.alloc(4);
      place.writeUInt32BE(index);
      const data = [Uint8Array.of(display ? 1 : 0), ...identity(policy, hmac), Uint8Array.of(branch), place];
      return Buffer.from(await run(GET_WALLET_ADDRESS, Buffer.concat(data), knowing(policy))).toString('ascii');
    },
    async signPsbt(psbt, policy, hmac) {
      const commands = knowing(policy);
      const commitment = commitToPsbt(psbt, commands);
      if (!commitment.ok) throw new ChannelError(commitment.error);
      await run(SIGN_PSBT, Buffer.concat([commitment.value, ...identity(policy, hmac)]), commands);
    },
  };
}

const REOPEN = 'close and open the Bitcoin app on the device, and run the command again';

const statusOf = (response: Uint8Array): number => ((response.at(-2) ?? 0) << 8) | (response.at(-1) ?? 0);

/** What a device may ask about a policy. */
function knowing(policy: NamedPolicy): ClientCommands {
  const commands = new ClientCommands();
  commands.addList(policy.keys.map(utf8));
  commands.addPreimage(serialisePolicy(policy));
  commands.addPreimage(utf8(policy.template));
  return commands;
}

const identity = (policy: NamedPolicy, hmac: Uint8Array | null): readonly Uint8Array[] => [
  trustedHex(policyId(policy)),
  hmac ?? NO_HMAC,
];
