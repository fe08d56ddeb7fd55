import { Psbt, Transaction } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { expectedExchanges } from '../../src/device/estimate.js';
import { identify } from '../../src/device/preflight.js';
import { previewAddress, previewRegistration, previewSigning } from '../../src/device/screens.js';
import { createSigner } from '../../src/device/signer.js';
import { signingShape } from '../../src/device/signing-shape.js';
import { formatTranscript } from '../../src/device/transcript.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { IdentifiedDevice, Prediction, Registration, Screen, SigningProgress } from '../../src/device/types.js';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { formatPath } from '../../src/domain/path.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { decodeDer } from '../../src/psbt/ecdsa.js';
import { createDeriver } from '../../src/vault/derive.js';
import { namedPolicy, policyId } from '../../src/vault/wallet-policy.js';
import {
  approvedPages,
  FOLDERS,
  NANOS,
  NANOSP,
  readRecording,
  readSidecar,
  recordingNames,
  recordingText,
  type VaultText,
  vaultOf,
} from './recordings.js';
import { MNEMONICS, masterOf, registrationHmac } from './seeds.js';

interface Sidecar extends VaultText {
  readonly registration: Registration;
  readonly screens: readonly Screen[];
}
interface AddressSidecar extends Sidecar {
  readonly index: number;
  readonly address: string;
}
interface SigningSidecar extends Sidecar {
  readonly psbt: string;
  readonly fee: string;
  readonly changeOutputs: readonly number[];
  readonly outcome: readonly { readonly input: number; readonly publicKey: string; readonly signature: string }[];
}

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const open = (name: string) => createSigner(openReplay(readRecording(name), name));
const FINGERPRINTS: Readonly<Record<string, string>> = { a: 'f5acc2fd', b: '73c5da0a', c: 'b8688df1' };
const holderOf = (name: string): string => FINGERPRINTS[name.at(-1) ?? ''] ?? 'f5acc2fd';
const bytesOf = ({ psbt }: SigningSidecar): Uint8Array => new Uint8Array(Buffer.from(psbt, 'base64'));

/** What the Nano S alone is asked for: it can be refused after the policy, after each key and after each output. */
const REFUSALS: Readonly<Record<string, readonly string[]>> = {
  [NANOS]: [...[0, 1, 2, 3].map((n) => `register-refused-${n}`), ...[0, 1, 2].map((n) => `sign-refused-${n}`)],
  [NANOSP]: ['register-refused-0', 'sign-refused-0'],
};

const seen = ({ model, app }: IdentifiedDevice) => ({ model, version: app.version });

/** The pages of a prediction; an unpredicted one fails the test. */
function screensOf(prediction: Prediction): readonly Screen[] {
  if (prediction.kind === 'predicted') return prediction.screens;
  throw new Error(prediction.why);
}

describe.each(FOLDERS)('recordings of 2-of-3 vaults on three devices, %s', (folder) => {
  const [model, version = null] = folder.split('-');

  it('are all there, each with its header and the mnemonic of its device, in canonical form', () => {
    const kinds = ['wsh', 'sh-wsh'];
    const wanted = [
      ...kinds.flatMap((kind) => [
        ...['a', 'b', 'c'].map((who) => `register-${kind}-${who}`),
        ...['a', 'b'].map((who) => `address-${kind}-${who}`),
        ...[1, 3].flatMap((inputs) => ['a', 'b'].map((who) => `sign-${kind}-${inputs}-${who}`)),
      ]),
      'sign-wsh-10-a',
      ...(REFUSALS[folder] ?? []),
      ...['address-refused', 'stale-hmac-address', 'stale-hmac-sign', 'wrong-device'],
    ].map((name) => `${folder}/multisig-${name}`);
    expect(recordingNames('multisig-', [folder])).toEqual(wanted.sort());
    for (const name of wanted) {
      const { header, exchanges } = readRecording(name);
      const fingerprint = name.endsWith('wrong-device') ? 'b8688df1' : holderOf(name);
      expect(header).toMatchObject({ device: model, app: 'Bitcoin Test', version, fingerprint });
      expect(header.note).toContain(MNEMONICS[fingerprint]);
      expect(formatTranscript({ header, exchanges })).toBe(recordingText(name));
    }
  });

  it.each(recordingNames('multisig-register-', [folder]).filter((name) => !name.includes('refused')))(
    '%s: the id is the one computed here, the HMAC the one of the seed, the screens as predicted',
    async (name) => {
      const sidecar = readSidecar<Sidecar & { readonly address: string }>(name);
      const vault = vaultOf(sidecar);
      const fingerprint = holderOf(name);
      const signer = open(name);
      const device = value(await identify(signer, vault, { expected: fingerprint }));
      const given = value(await signer.register(vault));
      const registration = { fingerprint, ...given };
      expect(registration).toEqual(sidecar.registration);
      expect(given.policy).toBe(policyId(namedPolicy(vault)));
      expect(given.hmac).toBe(registrationHmac(fingerprint, given.policy));
      const address = value(await signer.address(vault, 0, 0, registration, 'silently'));
      value(await signer.close());
      expect(address).toBe(encodeAddress(createDeriver(vault).at(0, 0).script, vault.network));
      expect(screensOf(previewRegistration(vault, fingerprint, seen(device)))).toEqual(sidecar.screens);
    },
  );

  it.each(recordingNames('multisig-address-', [folder]).filter((name) => !name.includes('refused')))(
    '%s: the address of the vault, on the screen as predicted',
    async (name) => {
      const sidecar = readSidecar<AddressSidecar>(name);
      const vault = vaultOf(sidecar);
      const signer = open(name);
      const device = value(await identify(signer, vault, {}));
      const address = value(await signer.address(vault, 0, sidecar.index, sidecar.registration));
      value(await signer.close());
      const { script } = createDeriver(vault).at(0, sidecar.index);
      expect(address).toBe(sidecar.address);
      expect(address).toBe(encodeAddress(script, vault.network));
      expect(screensOf(previewAddress(script, vault, seen(device)))).toEqual(sidecar.screens);
    },
  );

  describe.each(recordingNames('multisig-sign-', [folder]).filter((name) => !name.includes('refused')))(
    '%s',
    (name) => {
      const sidecar = readSidecar<SigningSidecar>(name);
      const vault = vaultOf(sidecar);
      const psbt = bytesOf(sidecar);
      const decoded = value(decodePsbt(psbt));
      const fingerprint = holderOf(name);

      async function replay() {
        const signer = open(name);
        const device = value(await identify(signer, vault, { expected: fingerprint }));
        const progress: SigningProgress[] = [];
        const signatures = value(await signer.sign(psbt, vault, (step) => progress.push(step), sidecar.registration));
        value(await signer.close());
        return { progress, signatures, device };
      }

      it('gives one signature an input, by the key of this device, which only its seed can have made', async () => {
        const { signatures } = await replay();
        const hex = signatures.map(({ input, publicKey, signature }) => ({
          input,
          publicKey: toHex(publicKey ?? new Uint8Array(0)),
          signature: toHex(signature),
        }));
        expect(hex).toEqual(sidecar.outcome);
        expect(hex.map(({ input }) => input)).toEqual(decoded.inputs.map((_, index) => index));
        const master = masterOf(fingerprint);
        const transaction = Transaction.fromBuffer(Psbt.fromBuffer(psbt).data.getTransaction());
        for (const { input, publicKey, signature } of signatures) {
          const { derivations, prevout, witnessScript } = decoded.inputs[input] ?? {};
          const claim = derivations?.find((one) => one.fingerprint === fingerprint);
          if (claim === undefined || prevout == null || witnessScript == null) throw new Error('not one of our inputs');
          const node = master.derivePath(formatPath(claim.path));
          expect(toHex(publicKey ?? new Uint8Array(0))).toBe(toHex(node.publicKey));
          const sighash = transaction.hashForWitnessV0(input, witnessScript, prevout.value, Transaction.SIGHASH_ALL);
          if (node.privateKey === undefined) throw new Error('the seed gives private keys');
          expect(toHex(decodeDer(signature.subarray(0, -1)) ?? new Uint8Array(0))).toBe(
            toHex(ecc.sign(sighash, node.privateKey)),
          );
          expect(signature.at(-1)).toBe(Transaction.SIGHASH_ALL);
        }
      });

      it('showed the screens that are predicted, and took as many exchanges', async () => {
        const { progress, device } = await replay();
        const shape = value(signingShape(psbt, vault, fingerprint));
        const facts = {
          changeOutputs: new Set(sidecar.changeOutputs),
          fee: BigInt(sidecar.fee),
          inputsTotal: decoded.inputs.reduce((sum, { prevout }) => sum + (prevout?.value ?? 0n), 0n),
          previousTransactions: shape.previousTransactions,
        };
        const preview = previewSigning(decoded, vault, facts, seen(device), fingerprint);
        expect(screensOf(preview.prediction)).toEqual(sidecar.screens);
        expect(preview.prediction).toMatchObject({ approvals: approvedPages(sidecar.screens) });
        expect(preview.exchanges).toBe(expectedExchanges(shape, device.app.version));
        expect(progress.at(-1)).toEqual({
          phase: 'signing',
          exchanges: preview.exchanges,
          expected: preview.exchanges,
          signatures: decoded.inputs.length,
          output: null,
        });
      });
    },
  );

  it.each(recordingNames('multisig-register-refused-', [folder]))(
    '%s: refused after so many approvals, nothing is registered',
    async (name) => {
      const sidecar = readSidecar<Sidecar>(name);
      const vault = vaultOf(sidecar);
      const signer = open(name);
      const device = value(await identify(signer, vault, {}));
      expect(await signer.register(vault)).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_REFUSED' } });
      value(await signer.close());
      const predicted = screensOf(previewRegistration(vault, 'f5acc2fd', seen(device)));
      const shown = sidecar.screens.slice(0, -1);
      expect(shown).toEqual(predicted.slice(0, shown.length));
      expect(approvedPages(shown)).toBe(Number(name.at(-1)) + 1);
      expect(sidecar.screens.at(-1)?.title).toMatch(/^Reject/);
    },
  );

  it.each(recordingNames('multisig-sign-refused-', [folder]))('%s: a refusal leaves no signature', async (name) => {
    const sidecar = readSidecar<SigningSidecar>(name);
    const vault = vaultOf(sidecar);
    const signer = open(name);
    value(await identify(signer, vault, {}));
    const signed = await signer.sign(bytesOf(sidecar), vault, () => {}, sidecar.registration);
    expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: { tag: 'E_DEVICE_REFUSED' } } });
    value(await signer.close());
    expect(approvedPages(sidecar.screens.slice(0, -1))).toBe(Number(name.at(-1)) + 1);
  });

  it('multisig-address-refused: no address', async () => {
    const sidecar = readSidecar<AddressSidecar>(`${folder}/multisig-address-refused`);
    const vault = vaultOf(sidecar);
    const signer = open(`${folder}/multisig-address-refused`);
    value(await identify(signer, vault, {}));
    const shown = await signer.address(vault, 0, sidecar.index, sidecar.registration);
    expect(shown).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_REFUSED' } });
    value(await signer.close());
  });

  it('multisig-stale-hmac: the device says b008, nothing is signed or shown, and the remedy is to register again', async () => {
    const stale = { tag: 'E_DEVICE_UNREGISTERED', remedy: expect.stringContaining('device register') };
    const sidecar = readSidecar<SigningSidecar>(`${folder}/multisig-stale-hmac-sign`);
    const vault = vaultOf(sidecar);
    const signing = open(`${folder}/multisig-stale-hmac-sign`);
    value(await identify(signing, vault, {}));
    const signed = await signing.sign(bytesOf(sidecar), vault, () => {}, sidecar.registration);
    expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: stale } });
    value(await signing.close());

    const { index, registration } = readSidecar<AddressSidecar>(`${folder}/multisig-stale-hmac-address`);
    const showing = open(`${folder}/multisig-stale-hmac-address`);
    value(await identify(showing, vault, {}));
    expect(await showing.address(vault, 0, index, registration)).toMatchObject({ ok: false, error: stale });
    value(await showing.close());
  });

  it('multisig-wrong-device: another cosigner than the expected one is named, with both fingerprints', async () => {
    const signer = open(`${folder}/multisig-wrong-device`);
    const identified = await identify(signer, vaultOf(readSidecar(`${folder}/multisig-wrong-device`)), {
      expected: 'f5acc2fd',
    });
    expect(identified).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
    expect(identified.ok ? '' : identified.error.message).toMatch(
      /b8688df1.*f5acc2fd of the vault treasury-1 is expected/,
    );
    value(await signer.close());
  });
});

describe('a registration', () => {
  it('no registration, or one of another policy: refused before any exchange', async () => {
    const sidecar = readSidecar<SigningSidecar>('multisig-sign-wsh-1-a');
    const vault = vaultOf(sidecar);
    const other = { ...sidecar.registration, policy: '00'.repeat(32) };
    for (const registration of [null, other]) {
      let exchanges = 0;
      const signer = open('multisig-sign-wsh-1-a');
      const count = () => {
        exchanges += 1;
      };
      const signed = await signer.sign(bytesOf(sidecar), vault, count, registration);
      expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: { tag: 'E_DEVICE_UNREGISTERED' } } });
      expect(await signer.address(vault, 0, 0, registration)).toMatchObject({
        ok: false,
        error: { tag: 'E_DEVICE_UNREGISTERED' },
      });
      expect(exchanges).toBe(0);
    }
  });

  it('another name of the same vault is another policy: its registration does not fit', () => {
    const sidecar = readSidecar<Sidecar>('multisig-register-wsh-a');
    const [one, other] = ['treasury-1', 'treasury-2'].map((vault) =>
      policyId(namedPolicy(vaultOf({ ...sidecar, vault }))),
    );
    expect(one).toBe(sidecar.registration.policy);
    expect(other).not.toBe(one);
  });
});
