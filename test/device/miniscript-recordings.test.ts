import { Psbt, Transaction } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { expectedExchanges } from '../../src/device/estimate.js';
import { identify } from '../../src/device/preflight.js';
import { previewAddress, previewRegistration } from '../../src/device/screens.js';
import { createSigner } from '../../src/device/signer.js';
import { signingShape } from '../../src/device/signing-shape.js';
import { formatTranscript } from '../../src/device/transcript.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { Prediction, Registration, Screen, SigningProgress } from '../../src/device/types.js';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { formatPath } from '../../src/domain/path.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { decodeDer } from '../../src/psbt/ecdsa.js';
import { finalise } from '../../src/psbt/finalise.js';
import { proveSignatures, proveSigner } from '../../src/psbt/verify.js';
import { createDeriver } from '../../src/vault/derive.js';
import { namedPolicy, policyId, walletPolicy } from '../../src/vault/wallet-policy.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import {
  NANOS,
  plainName,
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
  readonly outcome: readonly { readonly input: number; readonly publicKey: string; readonly signature: string }[];
}

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const DEVICE = { model: 'nanos', version: '2.2.7' } as const;
/** Null where the pages are not predicted. */
const screensOf = (prediction: Prediction): readonly Screen[] | null =>
  prediction.kind === 'predicted' ? prediction.screens : null;
/** Those of the Nano S, without their folder. */
const names = (prefix: string): readonly string[] => recordingNames(prefix, [NANOS]).map(plainName);
const open = (name: string) => createSigner(openReplay(readRecording(name), name));
const FINGERPRINTS: Readonly<Record<string, string>> = { a: 'f5acc2fd', b: '73c5da0a' };
const holderOf = (name: string): string => FINGERPRINTS[name.at(-1) ?? ''] ?? '';
const bytesOf = ({ psbt }: SigningSidecar): Uint8Array => new Uint8Array(Buffer.from(psbt, 'base64'));

async function signaturesOf(name: string) {
  const sidecar = readSidecar<SigningSidecar>(name);
  const vault = vaultOf(sidecar);
  const signer = open(name);
  value(await identify(signer, vault, { expected: holderOf(name) }));
  const progress: SigningProgress[] = [];
  const psbt = bytesOf(sidecar);
  const signatures = value(await signer.sign(psbt, vault, (step) => progress.push(step), sidecar.registration));
  value(await signer.close());
  return { sidecar, vault, psbt, progress, signatures };
}

describe('recordings of miniscript vaults on Nano S with app 2.2.7', () => {
  it('are all there, each with its header and the mnemonic of its device, in canonical form', () => {
    const wanted = ['single-a', 'multi-a', 'multi-b'].flatMap((whose) =>
      ['register', 'address', 'sign-1', 'sign-3'].map((what) => `miniscript-${what}-${whose}`),
    );
    expect(names('miniscript-')).toEqual(wanted.sort());
    for (const name of wanted) {
      const { header, exchanges } = readRecording(name);
      expect(header).toMatchObject({ device: 'nanos', app: 'Bitcoin Test', version: '2.2.7' });
      expect(header.fingerprint).toBe(holderOf(name));
      expect(header.note).toContain(MNEMONICS[holderOf(name)]);
      expect(formatTranscript({ header, exchanges })).toBe(recordingText(name));
    }
  });

  it.each([
    ['single-a', 'wsh(or_d(pk(@0/**),and_v(v:pkh(@1/**),older(65535))))', 1],
    ['multi-a', 'wsh(or_d(multi(2,@0/**,@1/**),and_v(v:pkh(@2/**),older(65535))))', 2],
  ])('%s is %s', (whose, template, threshold) => {
    const vault = vaultOf(readSidecar<Sidecar>(`miniscript-register-${whose}`));
    expect(walletPolicy(vault).template).toBe(template);
    expect(vault.threshold).toBe(threshold);
  });

  it.each(names('miniscript-register-'))(
    '%s: the id and the first address are those computed here, the HMAC the one of the seed, the screens as predicted',
    async (name) => {
      const sidecar = readSidecar<AddressSidecar>(name);
      const vault = vaultOf(sidecar);
      const fingerprint = holderOf(name);
      const signer = open(name);
      value(await identify(signer, vault, { expected: fingerprint }));
      const given = value(await signer.register(vault));
      const registration = { fingerprint, ...given };
      expect(registration).toEqual(sidecar.registration);
      expect(given.policy).toBe(policyId(namedPolicy(vault)));
      expect(given.hmac).toBe(registrationHmac(fingerprint, given.policy));
      const address = value(await signer.address(vault, 0, 0, registration, 'silently'));
      value(await signer.close());
      expect(address).toBe(encodeAddress(createDeriver(vault).at(0, 0).script, vault.network));
      expect(screensOf(previewRegistration(vault, fingerprint, DEVICE))).toEqual(sidecar.screens);
    },
  );

  it.each(names('miniscript-address-'))('%s: the address, on the screen as predicted', async (name) => {
    const sidecar = readSidecar<AddressSidecar>(name);
    const vault = vaultOf(sidecar);
    const signer = open(name);
    value(await identify(signer, vault, {}));
    const address = value(await signer.address(vault, 0, sidecar.index, sidecar.registration));
    value(await signer.close());
    const { script } = createDeriver(vault).at(0, sidecar.index);
    expect(address).toBe(sidecar.address);
    expect(address).toBe(encodeAddress(script, vault.network));
    expect(screensOf(previewAddress(script, vault, DEVICE))).toEqual(sidecar.screens);
  });

  describe.each(names('miniscript-sign-'))('%s', (name) => {
    it('one signature an input, proven, by the key of this device, which only its seed can have made', async () => {
      const { sidecar, vault, psbt, signatures } = await signaturesOf(name);
      const proven = value(proveSigner(psbt, createDeriver(vault), holderOf(name), signatures));
      expect(
        proven.map(({ input, publicKey, signature }) => ({
          input,
          publicKey: toHex(publicKey),
          signature: toHex(signature),
        })),
      ).toEqual(sidecar.outcome);
      const transaction = Transaction.fromBuffer(Psbt.fromBuffer(psbt).data.getTransaction());
      const decoded = value(decodePsbt(psbt));
      for (const { input, signature } of proven) {
        const { derivations, prevout, witnessScript } = decoded.inputs[input] ?? {};
        const claim = derivations?.find((one) => one.fingerprint === holderOf(name));
        if (claim === undefined || prevout == null || witnessScript == null) throw new Error('not one of our inputs');
        const { privateKey } = masterOf(holderOf(name)).derivePath(formatPath(claim.path));
        const sighash = transaction.hashForWitnessV0(input, witnessScript, prevout.value, Transaction.SIGHASH_ALL);
        if (privateKey === undefined) throw new Error('the seed gives private keys');
        expect(toHex(decodeDer(signature.subarray(0, -1)) ?? new Uint8Array(0))).toBe(
          toHex(ecc.sign(sighash, privateKey)),
        );
      }
    });

    it('took as many exchanges as expected', async () => {
      const { vault, psbt, progress } = await signaturesOf(name);
      const expected = expectedExchanges(value(signingShape(psbt, vault, holderOf(name))), DEVICE.version);
      expect(progress.at(-1)).toMatchObject({ phase: 'signing', exchanges: expected, expected });
    });
  });

  it.each([
    ['miniscript-sign-1-single-a'],
    ['miniscript-sign-3-single-a'],
    ['miniscript-sign-1-multi-a', 'miniscript-sign-1-multi-b'],
    ['miniscript-sign-3-multi-a', 'miniscript-sign-3-multi-b'],
  ])('%s %s: together they are a final transaction, no heavier than planned', async (...parts) => {
    const answers = await Promise.all(parts.filter((name) => name !== undefined).map(signaturesOf));
    const [first] = answers;
    if (first === undefined) throw new Error('no recording');
    const { psbt, vault } = first;
    const deriver = createDeriver(vault);
    const signatures = answers.flatMap((answer) => answer.signatures);
    const proven = value(proveSignatures(psbt, deriver, signatures));
    const { weight } = value(finalise(psbt, deriver, proven));
    const { inputs, outputs } = value(decodePsbt(psbt));
    const planned = signedTransactionWeight(
      vault,
      inputs.length,
      outputs.map(({ script }) => script),
    );
    const shorter = signatures.reduce((sum, { signature }) => sum + 72 - signature.length, 0);
    expect(Number(planned) - weight).toBe(shorter);
  });
});
