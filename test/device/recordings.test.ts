import { mnemonicToSeedSync } from '@scure/bip39';
import { BIP32Factory } from 'bip32';
import { initEccLib, Psbt, Transaction } from 'bitcoinjs-lib';
import * as ecc from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/device/preflight.js';
import { previewAddress, previewKey, previewSigning } from '../../src/device/screens.js';
import { createSigner } from '../../src/device/signer.js';
import { signingShape } from '../../src/device/signing-shape.js';
import { formatTranscript } from '../../src/device/transcript.js';
import { openReplay } from '../../src/device/transport/replay.js';
import type { IdentifiedDevice, Prediction, Screen, SigningProgress } from '../../src/device/types.js';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { formatPath } from '../../src/domain/path.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { finalise } from '../../src/psbt/finalise.js';
import type { DecodedPsbt, ReturnedSignature } from '../../src/psbt/types.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { Vault } from '../../src/vault/types.js';
import {
  approvedPages,
  FOLDERS,
  NANOS,
  NANOSP,
  plainName,
  readRecording,
  readSidecar,
  recordingNames,
  recordingText,
  type SigningSidecar,
  type VaultText,
  vaultOf,
} from './recordings.js';

initEccLib(ecc);

/** The seed that the Speculos emulator has when it is given none: public, and in every recording's note. */
const WORDS =
  'glory promote mansion idle axis finger extra february uncover one trip resource lawn turtle enact monster seven myth punch hobby comfort wild raise skin';
const TESTNET = {
  messagePrefix: '',
  bech32: 'tb',
  bip32: { public: 0x043587cf, private: 0x04358394 },
  pubKeyHash: 0x6f,
  scriptHash: 0xc4,
  wif: 0xef,
};
const master = BIP32Factory(ecc).fromSeed(mnemonicToSeedSync(WORDS), TESTNET);

function value<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const open = (name: string) => createSigner(openReplay(readRecording(name), name));

async function replaySigning(name: string) {
  const sidecar = readSidecar<SigningSidecar>(name);
  const vault = vaultOf(sidecar);
  const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
  const decoded = value(decodePsbt(psbt));
  const signer = open(name);
  const device = value(await identify(signer, vault, { minAppVersion: '2.2.7' }));
  const progress: SigningProgress[] = [];
  const signatures = value(await signer.sign(psbt, vault, (step) => progress.push(step)));
  value(await signer.close());
  return { sidecar, vault, psbt, decoded, signatures, progress, device };
}

/** The ECDSA signature that RFC 6979 gives for the seed's key at the input's path, over bitcoinjs-lib's sighash. */
function rederived({ publicKey, input }: ReturnedSignature, psbt: Uint8Array, decoded: DecodedPsbt): string {
  const { prevout, redeemScript, derivations } = decoded.inputs[input] ?? { prevout: null };
  const claim = derivations?.[0];
  if (prevout === null || claim === undefined || publicKey === null) throw new Error('not one of our inputs');
  const node = master.derivePath(formatPath(claim.path));
  expect(toHex(publicKey)).toBe(toHex(node.publicKey));
  const transaction = Transaction.fromBuffer(Psbt.fromBuffer(psbt).data.getTransaction());
  const program = redeemScript ?? prevout.script;
  const code = Uint8Array.of(0x76, 0xa9, 0x14, ...node.identifier, 0x88, 0xac);
  const isSegwit = program[0] === 0;
  const sighash = isSegwit
    ? transaction.hashForWitnessV0(input, code, prevout.value, Transaction.SIGHASH_ALL)
    : transaction.hashForSignature(input, code, Transaction.SIGHASH_ALL);
  if (node.privateKey === undefined) throw new Error('the seed gives private keys');
  return toHex(ecc.sign(sighash, node.privateKey));
}

/** r and s of a DER signature with its sighash byte, as 64 bytes. */
function compact(signature: Uint8Array): string {
  const rLength = signature[3] ?? 0;
  const part = (start: number, length: number) =>
    toHex(signature.slice(start, start + length))
      .replace(/^00/, '')
      .padStart(64, '0');
  return part(4, rLength) + part(6 + rLength, signature[5 + rLength] ?? 0);
}

/** What is recorded of one model alone, as its pages ask for it. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  [NANOS]: [1, 2, 3].map((approvals) => `refused-wpkh-after-${approvals}`),
  [NANOSP]: ['refused-wpkh-payments-17', 'sign-wpkh-payments-16', 'sign-wpkh-payments-17'],
};

/** The pages of a prediction; an unpredicted one fails the test. */
function screensOf(prediction: Prediction): readonly Screen[] {
  if (prediction.kind === 'predicted') return prediction.screens;
  throw new Error(prediction.why);
}

function previewOf(
  sidecar: SigningSidecar,
  vault: Vault,
  psbt: Uint8Array,
  decoded: DecodedPsbt,
  { model, app }: IdentifiedDevice,
) {
  const facts = {
    changeOutputs: new Set(sidecar.changeOutputs),
    fee: BigInt(sidecar.fee),
    inputsTotal: decoded.inputs.reduce((sum, { prevout }) => sum + (prevout?.value ?? 0n), 0n),
    previousTransactions: value(signingShape(psbt, vault)).previousTransactions,
  };
  return previewSigning(decoded, vault, facts, { model, version: app.version });
}

describe.each(FOLDERS)('recordings of %s', (folder) => {
  const [device, version] = folder.split('-');

  it('are all there, each with its header, in canonical form', () => {
    const kinds = ['pkh', 'sh-wpkh', 'wpkh', 'tr'];
    const wanted = [
      ...kinds.flatMap((kind) => [`address-${kind}`, ...[1, 3, 10].map((inputs) => `sign-${kind}-${inputs}`)]),
      ...['sign-wpkh-50', 'sign-wpkh-consolidation', 'sign-wpkh-payments-20'],
      ...['sign-wpkh-high-fee', 'sign-wpkh-high-fee-200000'],
      ...['refused-address', 'refused-wpkh', 'refused-wpkh-after-0', 'refused-xpub'],
      ...['wrong-app', 'xpub', 'xpub-shown'],
      ...(ONLY[folder] ?? []),
    ].map((name) => `${folder}/${name}`);
    const recorded = recordingNames('', [folder]).filter((name) => !/^m(ultisig|iniscript)-/.test(plainName(name)));
    expect(recorded).toEqual(wanted.sort());
    for (const name of wanted) {
      const { header, exchanges } = readRecording(name);
      const asked = !/xpub-shown|refused-xpub/.test(name);
      expect(header, name).toMatchObject({ device, version: asked ? version : null });
      expect(header.note).toContain(WORDS);
      expect(formatTranscript({ header, exchanges })).toBe(recordingText(name));
    }
  });

  it('give the keys that the public test seed has', async () => {
    const name = `${folder}/xpub`;
    const { xpubs, fingerprint } = readSidecar<{ fingerprint: string; xpubs: Record<string, string> }>(name);
    const signer = open(name);
    expect(value(await signer.appInfo())).toEqual({ name: 'Bitcoin Test', version });
    expect(value(await signer.fingerprint())).toBe(toHex(master.fingerprint));
    expect(fingerprint).toBe('f5acc2fd');
    for (const [path, xpub] of Object.entries(xpubs)) {
      expect(value(await signer.xpub(path, false))).toBe(xpub);
      expect(xpub).toBe(master.derivePath(path).neutered().toBase58());
    }
    value(await signer.close());
  });

  it('show a key on the device, as predicted', async () => {
    const name = `${folder}/xpub-shown`;
    const { path, xpub, screens } = readSidecar<{ path: string; xpub: string; screens: Screen[] }>(name);
    const signer = open(name);
    expect(value(await signer.xpub(path, true))).toBe(xpub);
    value(await signer.close());
    const shown = screens.filter(({ title }) => title.startsWith('Public key')).map(({ text }) => text);
    expect(shown.join('').replaceAll('\n', '')).toBe(xpub);
    expect(screensOf(previewKey(path, xpub, { model: await signer.model(), version: null }))).toEqual(screens);
  });

  it.each(recordingNames('address-', [folder]))(
    '%s: the address of the vault, on the screen as predicted',
    async (name) => {
      const sidecar = readSidecar<{
        network: string;
        descriptor: string;
        index: number;
        address: string;
        screens: Screen[];
      }>(name);
      const vault = vaultOf(sidecar);
      const signer = open(name);
      const { model, app } = value(await identify(signer, vault, {}));
      const address = value(await signer.address(vault, 0, sidecar.index));
      value(await signer.close());
      const { script } = createDeriver(vault).at(0, sidecar.index);
      expect(address).toBe(sidecar.address);
      expect(address).toBe(encodeAddress(script, vault.network));
      expect(screensOf(previewAddress(script, vault, { model, version: app.version }))).toEqual(sidecar.screens);
    },
  );

  describe.each(recordingNames('sign-', [folder]))('%s', (name) => {
    it('is proven and finalised to the recorded transaction', async () => {
      const { sidecar, vault, psbt, signatures } = await replaySigning(name);
      const deriver = createDeriver(vault);
      const proven = value(proveSignatures(psbt, deriver, signatures));
      const { txid, transaction } = value(finalise(psbt, deriver, proven));
      expect({ txid, transaction: toHex(transaction) }).toEqual(sidecar.outcome);
    });

    it('has signatures that only the seed can have made', async () => {
      const { vault, psbt, decoded, signatures } = await replaySigning(name);
      expect(signatures.map(({ input }) => input)).toEqual(decoded.inputs.map((_, index) => index));
      if (vault.kind !== 'tr') {
        for (const signature of signatures) {
          expect(compact(signature.signature)).toBe(rederived(signature, psbt, decoded));
          expect(signature.signature.at(-1)).toBe(Transaction.SIGHASH_ALL);
        }
        return;
      }
      // Schnorr signatures are random in their nonce: they verify under the seed's tweaked key, over bitcoinjs-lib's sighash.
      const transaction = Transaction.fromBuffer(Psbt.fromBuffer(psbt).data.getTransaction());
      const prevouts = decoded.inputs.map(({ prevout }) => prevout ?? { script: new Uint8Array(0), value: 0n });
      for (const { input, publicKey, signature } of signatures) {
        const sighash = transaction.hashForWitnessV1(
          input,
          prevouts.map(({ script }) => script),
          prevouts.map(({ value: sats }) => sats),
          Transaction.SIGHASH_DEFAULT,
        );
        const outputKey = prevouts[input]?.script.subarray(2) ?? new Uint8Array(0);
        expect(toHex(publicKey ?? new Uint8Array(0))).toBe(toHex(outputKey));
        expect(ecc.verifySchnorr(sighash, outputKey, signature)).toBe(true);
        const [claim] = decoded.inputs[input]?.derivations ?? [];
        if (claim === undefined) throw new Error('not one of our inputs');
        const { publicKey: internalKey } = master.derivePath(formatPath(claim.path));
        expect(toHex(claim.publicKey)).toBe(toHex(internalKey.subarray(1)));
      }
    });

    it('showed the screens that are predicted, and took as many exchanges', async () => {
      const { sidecar, vault, psbt, decoded, progress, device } = await replaySigning(name);
      const preview = previewOf(sidecar, vault, psbt, decoded, device);
      expect(screensOf(preview.prediction)).toEqual(sidecar.screens);
      expect(preview.prediction).toMatchObject({ approvals: approvedPages(sidecar.screens) });
      expect(progress.at(-1)).toEqual({
        phase: 'signing',
        exchanges: preview.exchanges,
        expected: preview.exchanges,
        signatures: decoded.inputs.length,
        output: null,
      });
    });

    it('names each output while it is reviewed, by the number on the screen', async () => {
      const { progress, sidecar, decoded } = await replaySigning(name);
      const shown = decoded.outputs.length - sidecar.changeOutputs.length;
      const named = progress.flatMap(({ output }) => (output === null ? [] : [output]));
      expect([...new Set(named.map(({ number }) => number))]).toEqual([...Array(shown).keys()].map((n) => n + 1));
      expect(named.every(({ of }) => of === shown)).toBe(true);
      expect(progress.every(({ phase, output }) => phase === 'reviewing' || output === null)).toBe(true);
    });

    it('goes through loading, reviewing and signing, forward only', async () => {
      const { progress } = await replaySigning(name);
      const phases = progress.map(({ phase }) => phase).filter((phase, index, all) => phase !== all[index - 1]);
      expect(phases).toEqual(['loading', 'reviewing', 'signing']);
      expect(progress.map(({ exchanges }) => exchanges)).toEqual(progress.map((_, index) => index + 1));
    });
  });

  it.each(recordingNames('refused-wpkh', [folder]))(
    '%s: leaves no signature, on a page that was predicted',
    async (name) => {
      const sidecar = readSidecar<SigningSidecar>(name);
      const vault = vaultOf(sidecar);
      const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
      const signer = open(name);
      const device = value(await identify(signer, vault, {}));
      const signed = await signer.sign(psbt, vault, () => {});
      expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: { tag: 'E_DEVICE_REFUSED' } } });
      value(await signer.close());
      const { prediction } = previewOf(sidecar, vault, psbt, value(decodePsbt(psbt)), device);
      const shown = sidecar.screens.slice(0, -1);
      expect(shown).toEqual(screensOf(prediction).slice(0, shown.length));
      const after = Number(/-after-(\d)$/.exec(name)?.[1] ?? '0');
      expect(approvedPages(shown)).toBe(after + 1);
      expect(sidecar.screens.at(-1)?.title).toMatch(/^Reject/);
    },
  );

  it('refused-address and refused-xpub: neither an address nor a key', async () => {
    const shown = readSidecar<VaultText & { index: number; screens: Screen[] }>(`${folder}/refused-address`);
    const vault = vaultOf(shown);
    const address = open(`${folder}/refused-address`);
    const { model, app } = value(await identify(address, vault, {}));
    expect(await address.address(vault, 0, shown.index)).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_REFUSED' },
    });
    value(await address.close());
    const { script } = createDeriver(vault).at(0, shown.index);
    expect(shown.screens.slice(0, -1)).toEqual(
      screensOf(previewAddress(script, vault, { model, version: app.version })),
    );

    const asked = readSidecar<{ path: string; screens: Screen[] }>(`${folder}/refused-xpub`);
    const key = open(`${folder}/refused-xpub`);
    expect(await key.xpub(asked.path, true)).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_REFUSED' } });
    value(await key.close());
    expect(asked.screens.at(-1)?.title).toMatch(/^Reject/);
  });

  it('wrong-app: the mainnet app is refused for a test vault after one exchange', async () => {
    const signer = open(`${folder}/wrong-app`);
    const identified = await identify(signer, vaultOf(readSidecar(`${folder}/wrong-app`)), {});
    expect(identified).toMatchObject({
      ok: false,
      error: {
        tag: 'E_DEVICE_APP',
        message: 'the app "Bitcoin" is open, and a vault on testnet3 needs "Bitcoin Test"',
      },
    });
    value(await signer.close());
  });
});

describe('a recording', () => {
  it('a byte of the recorded answer changed: the signature is not proven', async () => {
    const sidecar = readSidecar<SigningSidecar>('sign-wpkh-1');
    const vault = vaultOf(sidecar);
    const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
    const { header, exchanges } = readRecording('sign-wpkh-1');
    const tampered = exchanges.map(({ request, response }) => {
      const changed = response.slice();
      if (changed[0] === 0x10) changed[60] = (changed[60] ?? 0) ^ 1;
      return { request, response: changed };
    });
    const signer = createSigner(openReplay({ header, exchanges: tampered }, 'tampered'));
    value(await identify(signer, vault, {}));
    const signatures = value(await signer.sign(psbt, vault, () => {}));
    expect(proveSignatures(psbt, createDeriver(vault), signatures)).toMatchObject({
      ok: false,
      error: { tag: expect.stringMatching(/^E_SIG_/) },
    });
  });

  it('another PSBT: refused before any exchange', async () => {
    const vault = vaultOf(readSidecar('sign-wpkh-1'));
    const other = new Uint8Array(Buffer.from(readSidecar<SigningSidecar>('sign-wpkh-3').psbt, 'base64'));
    const signer = open('sign-wpkh-1');
    let exchanges = 0;
    const signed = await signer.sign(other, vault, () => {
      exchanges += 1;
    });
    expect(signed).toMatchObject({ ok: false, error: { maySign: false, fault: { tag: 'E_TRANSCRIPT_OTHER' } } });
    expect(exchanges).toBe(0);
  });
});
