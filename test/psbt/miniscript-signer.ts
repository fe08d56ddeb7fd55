import { Psbt } from 'bitcoinjs-lib';
import { toHex } from '../../src/domain/bytes.js';
import { formatPath } from '../../src/domain/path.js';
import type { ReturnedSignature } from '../../src/psbt/types.js';
import type { VaultKey } from '../../src/vault/types.js';
import { master } from '../vault/fixtures.js';

const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

/**
 * What the devices of these keys would answer for inputs that spend 0/0, 0/1 and so on. bitcoinjs-lib finds the sighash, so
 * that countersign's is not compared with itself.
 */
export function signaturesBy(psbt: Uint8Array, keys: readonly VaultKey[]): ReturnedSignature[] {
  const signed = Psbt.fromBuffer(psbt);
  for (const input of signed.data.inputs.keys()) {
    for (const { fingerprint, path } of keys) {
      const root = SEEDS.map((seed) => master(seed)).find((one) => toHex(one.fingerprint) === fingerprint);
      if (root === undefined) throw new Error('not a key of the tests');
      signed.signInput(input, root.derivePath(`${formatPath(path)}/0/${input}`));
    }
  }
  return signed.data.inputs.flatMap(({ partialSig = [] }, input) =>
    partialSig.map(({ pubkey, signature }) => ({ input, publicKey: pubkey, signature })),
  );
}
