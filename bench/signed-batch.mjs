/** Vaults of known keys, batches of made-up coins, and their signatures, for the benchmark of the device. */
import { BIP32Factory } from 'bip32';
import { crypto, initEccLib, Psbt, Transaction } from 'bitcoinjs-lib';
import * as secp256k1 from 'tiny-secp256k1';
import { buildPsbt } from '../dist/psbt/build.js';
import { createDeriver } from '../dist/vault/derive.js';
import { descriptorChecksum, parseVault } from '../dist/vault/descriptor.js';

initEccLib(secp256k1);

export function must(result) {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

const TESTNET = { wif: 0xef, bip32: { public: 0x043587cf, private: 0x04358394 } };
const ROOTS = [1, 2, 3].map((byte) => BIP32Factory(secp256k1).fromSeed(new Uint8Array(32).fill(byte), TESTNET));
const KINDS = {
  wpkh: { path: "84'/1'/0'", holders: 1, wrap: (keys) => `wpkh(${keys})` },
  tr: { path: "86'/1'/0'", holders: 1, wrap: (keys) => `tr(${keys})` },
  'wsh(sortedmulti)': { path: "48'/1'/0'/2'", holders: 3, wrap: (keys) => `wsh(sortedmulti(2,${keys}))` },
};

/** A vault whose private keys everybody knows. */
export function vaultOf(kind) {
  const { path, holders, wrap } = KINDS[kind];
  const keys = ROOTS.slice(0, holders).map((root) => {
    const xpub = root.derivePath(`m/${path}`).neutered().toBase58();
    return `[${Buffer.from(root.fingerprint).toString('hex')}/${path.replaceAll("'", 'h')}]${xpub}/<0;1>/*`;
  });
  const body = wrap(keys.join(','));
  return { path, vault: must(parseVault('bench', 'testnet3', `${body}#${descriptorChecksum(body)}`)) };
}

/** `count` coins of a vault, each of a previous transaction of at least `size` bytes, into one payment. */
export function batchOf(vault, count, size) {
  const deriver = createDeriver(vault);
  const previous = new Map();
  const inputs = Array.from({ length: count }, (_, index) => {
    const { script, origin } = deriver.at(0, index);
    const transaction = new Transaction();
    transaction.addInput(new Uint8Array(32).fill(1 + (index % 255)), index);
    transaction.addOutput(script, 100_000n);
    const filler = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(index % 256));
    for (let bytes = 200; bytes < size; bytes += 31) transaction.addOutput(filler, 1_000n);
    previous.set(transaction.getId(), new Uint8Array(transaction.toBuffer()));
    return { outpoint: { txid: transaction.getId(), vout: 0 }, value: 100_000n, script, origin };
  });
  const value = 100_000n * BigInt(count) - 5_000n;
  const payment = { kind: 'payment', requestId: 'r', script: Uint8Array.of(0, 20, ...new Uint8Array(20)), value };
  const plan = { version: 2, locktime: 0, sequence: 0xfffffffd, inputs, outputs: [payment], fee: 5_000n };
  return { plan, psbt: must(buildPsbt(plan, deriver, previous)) };
}

/** Signatures over the sighashes of bitcoinjs-lib by the first so many holders, in the order of the inputs. */
export function signaturesOf({ vault, path }, { plan, psbt }, signers) {
  const unsigned = Transaction.fromBuffer(Psbt.fromBuffer(psbt).data.getTransaction());
  const deriver = createDeriver(vault);
  const scripts = plan.inputs.map(({ script }) => script);
  const values = plan.inputs.map(({ value }) => value);
  const accounts = ROOTS.slice(0, signers).map((root) => root.derivePath(`m/${path}/0`));
  return plan.inputs.flatMap(({ script, value, origin }, input) =>
    accounts.map((account) => {
      const child = account.derive(origin.index);
      if (vault.kind === 'tr') {
        const tweaked = child.tweak(crypto.taggedHash('TapTweak', child.publicKey.subarray(1)));
        const signature = tweaked.signSchnorr(unsigned.hashForWitnessV1(input, scripts, values, 0));
        return { input, publicKey: script.subarray(2), signature };
      }
      const { witnessScript } = deriver.at(0, origin.index);
      const code = witnessScript ?? Uint8Array.of(0x76, 0xa9, 20, ...script.subarray(2), 0x88, 0xac);
      const signature = der(child.sign(unsigned.hashForWitnessV0(input, code, value, Transaction.SIGHASH_ALL)));
      return { input, publicKey: child.publicKey, signature };
    }),
  );
}

/** In DER, with the sighash byte of ALL. */
function der(rs) {
  const integer = (bytes) => {
    const digits = [...bytes.subarray(bytes.findIndex((byte) => byte !== 0))];
    return digits[0] >= 0x80 ? [0, ...digits] : digits;
  };
  const [r, s] = [integer(rs.subarray(0, 32)), integer(rs.subarray(32))];
  return Uint8Array.of(0x30, r.length + s.length + 4, 2, r.length, ...r, 2, s.length, ...s, 1);
}
