// A device in software that holds the public test seed of the Speculos emulator. Plain JavaScript, so that the processes
// that are killed in test/workflow can use it with the built program; it signs with bitcoinjs-lib, not with our own code.
import { mnemonicToSeedSync } from '@scure/bip39';
import { BIP32Factory } from 'bip32';
import { Psbt } from 'bitcoinjs-lib';
import * as secp256k1 from 'tiny-secp256k1';

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
const bip32 = BIP32Factory(secp256k1);
const rootOf = (words) => bip32.fromSeed(mnemonicToSeedSync(words), TESTNET);
export const root = rootOf(WORDS);

const ok = (value) => ({ ok: true, value });

/** The signatures that an honest device gives for a PSBT, in the order of its inputs. */
export function honestSignatures(bytes) {
  const psbt = Psbt.fromBuffer(Buffer.from(bytes), { network: TESTNET });
  return psbt.data.inputs.map((_, input) => {
    psbt.signInputHD(input, root);
    const { pubkey, signature } = psbt.data.inputs[input].partialSig[0];
    return { input, publicKey: new Uint8Array(pubkey), signature: new Uint8Array(signature) };
  });
}

/** Those that the holder of other words gives, one for every input, whoever else has signed it. */
export function signaturesBy(words, bytes) {
  const master = rootOf(words);
  const psbt = Psbt.fromBuffer(Buffer.from(bytes), { network: TESTNET });
  return psbt.data.inputs.map(({ partialSig = [] }, input) => {
    const before = new Set(partialSig.map(({ pubkey }) => Buffer.from(pubkey).toString('hex')));
    psbt.signInputHD(input, master);
    const all = psbt.data.inputs[input].partialSig;
    const { pubkey, signature } = all.find((one) => !before.has(Buffer.from(one.pubkey).toString('hex')));
    return { input, publicKey: new Uint8Array(pubkey), signature: new Uint8Array(signature) };
  });
}

/** `answer` gets the PSBT and returns what Signer.sign returns; by default the honest signatures. */
export function softSigner(answer = (psbt) => ok(honestSignatures(psbt))) {
  return {
    model: async () => 'nanos',
    appInfo: async () => ok({ name: 'Bitcoin Test', version: '2.2.7' }),
    fingerprint: async () => ok(Buffer.from(root.fingerprint).toString('hex')),
    xpub: async (path) => ok(root.derivePath(path).neutered().toBase58()),
    address: async () => {
      throw new Error('nobody asks this device for an address');
    },
    sign: async (psbt) => answer(psbt),
    close: async () => ok(undefined),
  };
}
