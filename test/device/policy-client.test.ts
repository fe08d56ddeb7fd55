import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { openBitcoinApp } from '../../src/device/ledgerjs.js';
import { createSigner } from '../../src/device/signer.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { ApduChannel } from '../../src/device/types.js';
import { toHex } from '../../src/domain/bytes.js';
import { deviceCopy } from '../../src/psbt/device-copy.js';
import { policyId, walletPolicy } from '../../src/vault/wallet-policy.js';
import { readRecording, readSidecar, recordingNames, type SigningSidecar, vaultOf } from './recordings.js';

const load = createRequire(import.meta.url);

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** Keeps every request from SIGN_PSBT on. */
function watched(channel: ApduChannel): { readonly channel: ApduChannel; readonly requests: string[] } {
  const requests: string[] = [];
  return {
    requests,
    channel: {
      ...channel,
      exchange: (apdu) => {
        if (requests.length > 0 || (apdu[0] === 0xe1 && apdu[1] === 0x04)) requests.push(toHex(apdu));
        return channel.exchange(apdu);
      },
    },
  };
}

const from = (name: string, start: number) => {
  const { header, exchanges } = readRecording(name);
  return openReplay({ header, exchanges: exchanges.slice(start) }, name);
};
/** App, fingerprint and account key: what `identify` asks. */
const IDENTIFY = 3;

describe('the policy client and the public signPsbtBuffer', () => {
  it.each(recordingNames('sign-'))('%s: the same stream from SIGN_PSBT on', async (name) => {
    const sidecar = readSidecar<SigningSidecar>(name);
    const vault = vaultOf(sidecar);
    const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));

    const library = watched(from(name, IDENTIFY));
    expect((await createSigner(library.channel).sign(psbt, vault, () => {})).ok).toBe(true);

    const { exchanges } = readRecording(name);
    const sign = exchanges.findIndex(({ request }) => request[0] === 0xe1 && request[1] === 0x04);
    const own = watched(from(name, sign));
    const policy = { ...walletPolicy(vault), name: '' };
    await openBitcoinApp(own.channel).policies.signPsbt(value(deviceCopy(psbt, vault)), policy, null);

    expect(own.requests.length).toBe(exchanges.length - sign);
    expect(own.requests).toEqual(library.requests);
    value(await own.channel.close());
  });

  it("computes the id of a policy as Ledger's own class does", () => {
    const { WalletPolicy } = load('@ledgerhq/hw-app-btc/lib/newops/policy');
    for (const name of recordingNames('address-')) {
      const policy = { ...walletPolicy(vaultOf(readSidecar(name))), name: '' };
      const theirs = new WalletPolicy(policy.template, policy.keys[0]).getWalletId().toString('hex');
      expect(policyId(policy)).toBe(theirs);
    }
  });
});
