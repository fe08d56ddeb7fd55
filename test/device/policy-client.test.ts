import { describe, expect, it } from 'vitest';
import { openBitcoinApp } from '../../src/device/ledgerjs.js';
import type { PolicyClient } from '../../src/device/policy-client.js';
import { createSigner } from '../../src/device/signer.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { ApduChannel, Registration } from '../../src/device/types.js';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { formatPath } from '../../src/domain/path.js';
import { deviceCopy } from '../../src/psbt/device-copy.js';
import type { Vault } from '../../src/vault/types.js';
import { type NamedPolicy, namedPolicy, policyId, walletPolicy } from '../../src/vault/wallet-policy.js';
import { ledgerClient, ledgerPolicyId, signPsbtBuffer } from './hw-app-btc.js';
import {
  readRecording,
  readSidecar,
  recordingNames,
  type SigningSidecar,
  type VaultText,
  vaultOf,
} from './recordings.js';

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** A device that answers with the exchanges of a recording from one instruction of the Bitcoin app on, and keeps the requests. */
function deviceOf(name: string, instruction: number): { readonly channel: ApduChannel; readonly requests: string[] } {
  const { header, exchanges } = readRecording(name);
  const start = exchanges.findIndex(({ request }) => request[0] === 0xe1 && request[1] === instruction);
  const end = exchanges.findIndex(
    ({ request }, index) => index > start && request[0] === 0xe1 && request[1] !== instruction,
  );
  const channel = openReplay({ header, exchanges: exchanges.slice(start, end < 0 ? undefined : end) }, name);
  const requests: string[] = [];
  return {
    requests,
    channel: {
      ...channel,
      exchange: (apdu) => {
        requests.push(toHex(apdu));
        return channel.exchange(apdu);
      },
    },
  };
}

/** Has both clients give the same command to the recorded device, which takes nothing but what was recorded. */
async function sameStream<T>(
  name: string,
  instruction: number,
  command: (client: PolicyClient) => Promise<T>,
): Promise<readonly [T, T]> {
  const [theirs, ours] = [deviceOf(name, instruction), deviceOf(name, instruction)];
  const answers = [
    await command(ledgerClient(theirs.channel)),
    await command(openBitcoinApp(ours.channel).policies),
  ] as const;
  expect(ours.requests).toEqual(theirs.requests);
  expect(ours.requests.length).toBeGreaterThan(0);
  for (const { channel } of [theirs, ours]) value(await channel.close());
  return answers;
}

const REGISTER_WALLET = 0x02;
const GET_WALLET_ADDRESS = 0x03;
const SIGN_PSBT = 0x04;

const FORMATS: Readonly<Partial<Record<Vault['kind'], string>>> = {
  pkh: 'legacy',
  'sh(wpkh)': 'p2sh',
  wpkh: 'bech32',
  tr: 'bech32m',
};

interface Sidecar extends VaultText {
  readonly registration?: Registration;
  readonly psbt: string;
  readonly index: number;
  readonly address: string;
}

function policyOf(vault: Vault, registration: Registration | undefined): [NamedPolicy, Uint8Array | null] {
  if (registration === undefined) return [{ ...walletPolicy(vault), name: '' }, null];
  return [namedPolicy(vault), trustedHex(registration.hmac)];
}

const completed = (prefix: string): readonly string[] =>
  recordingNames(prefix).filter((name) => !name.includes('refused'));

describe('our client and the public signPsbtBuffer of hw-app-btc', () => {
  it.each(recordingNames('sign-'))('%s: the same stream, fingerprint and account key included', async (name) => {
    const sidecar = readSidecar<SigningSidecar>(name);
    const vault = vaultOf(sidecar);
    const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
    const { header, exchanges } = readRecording(name);
    // App, fingerprint and account key are what `identify` asked.
    const device = () => openReplay({ header, exchanges: exchanges.slice(3) }, name);

    const theirs = device();
    const path = `m/${formatPath(vault.keys[0]?.path ?? [])}`;
    await signPsbtBuffer(theirs, value(deviceCopy(psbt, vault)), path, FORMATS[vault.kind] ?? '');
    value(await theirs.close());

    const ours = createSigner(device());
    expect((await ours.sign(psbt, vault, () => {})).ok).toBe(true);
    value(await ours.close());
  });

  it('all script types of one key are among the recordings', () => {
    const kinds = recordingNames('sign-').map((name) => vaultOf(readSidecar<SigningSidecar>(name)).kind);
    expect(new Set(kinds)).toEqual(new Set(['pkh', 'sh(wpkh)', 'wpkh', 'tr']));
  });

  it('wsh: the public function refuses it, so that its inner client is what ours is compared with', async () => {
    const sidecar = readSidecar<Sidecar>('multisig-sign-wsh-1-a');
    const vault = vaultOf(sidecar);
    const copy = value(deviceCopy(new Uint8Array(Buffer.from(sidecar.psbt, 'base64')), vault, 'f5acc2fd'));
    const channel: ApduChannel = {
      name: 'a device that knows its fingerprint and its account key',
      exchange: async (apdu) => {
        const xpub = vault.keys.find(({ fingerprint }) => fingerprint === 'f5acc2fd')?.xpub ?? '';
        const data = apdu[1] === 0x05 ? trustedHex('f5acc2fd') : Buffer.from(xpub, 'ascii');
        return new Uint8Array(Buffer.concat([data, trustedHex('9000')]));
      },
      close: async () => ({ ok: true, value: undefined }),
    };
    await expect(signPsbtBuffer(channel, copy, "m/48'/1'/0'/2'", 'bech32')).rejects.toThrow('Unsupported script type');
  });
});

describe("our client and hw-app-btc's inner one", () => {
  it.each([...completed('sign-'), ...completed('multisig-sign-'), ...completed('miniscript-sign-')])(
    '%s: the same stream of SIGN_PSBT',
    async (name) => {
      const { registration, psbt, ...text } = readSidecar<Sidecar>(name);
      const vault = vaultOf(text);
      const [policy, hmac] = policyOf(vault, registration);
      const copy = deviceCopy(new Uint8Array(Buffer.from(psbt, 'base64')), vault, registration?.fingerprint);
      await sameStream(name, SIGN_PSBT, (client) => client.signPsbt(value(copy), policy, hmac));
    },
  );

  it.each([...completed('address-'), ...completed('multisig-address-'), ...completed('miniscript-address-')])(
    '%s: the same address',
    async (name) => {
      const { registration, index, address, ...text } = readSidecar<Sidecar>(name);
      const [policy, hmac] = policyOf(vaultOf(text), registration);
      const both = await sameStream(name, GET_WALLET_ADDRESS, (client) => client.address(policy, hmac, 0, index, true));
      expect(both).toEqual([address, address]);
    },
  );

  it.each([...completed('multisig-register-'), ...completed('miniscript-register-')])(
    '%s: the same registration',
    async (name) => {
      const { registration, ...text } = readSidecar<Sidecar>(name);
      const both = await sameStream(name, REGISTER_WALLET, (client) => client.register(namedPolicy(vaultOf(text))));
      const due = `${registration?.policy}${registration?.hmac}`;
      expect(both.map(toHex)).toEqual([due, due]);
    },
  );

  it('computes the id of a policy as it does', () => {
    for (const name of recordingNames('address-')) {
      const { template, keys } = walletPolicy(vaultOf(readSidecar(name)));
      expect(policyId({ template, keys, name: '' })).toBe(ledgerPolicyId(template, keys[0] ?? ''));
    }
  });
});
