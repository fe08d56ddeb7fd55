import { equalBytes } from '../domain/bytes.js';
import type { DerivedScript, MiniscriptPolicy, WitnessPiece } from '../vault/types.js';
import type { ProvenSignature } from './types.js';
import { ByteWriter } from './wire.js';

/**
 * The value of PSBT_IN_FINAL_SCRIPTWITNESS (BIP174) for one input of a miniscript: the stack of the one way that takes
 * the signatures of just these keys, then the script. The signatures are proven and as many as the policy asks for; others are
 * a bug and throw.
 */
export function miniscriptWitness(
  { satisfactions }: MiniscriptPolicy,
  { keys, witnessScript }: DerivedScript,
  signatures: readonly ProvenSignature[],
): Uint8Array {
  const keyOf = (index: number): Uint8Array => present(keys[index]?.publicKey, `key ${index}`);
  const signatureOf = (index: number): Uint8Array | undefined =>
    signatures.find(({ publicKey }) => equalBytes(publicKey, keyOf(index)))?.signature;
  const way = satisfactions.find(
    (one) => one.keys.length === signatures.length && one.keys.every((index) => signatureOf(index) !== undefined),
  );
  const { stack } = present(way, 'a way to spend with these signatures');
  const item = (piece: WitnessPiece): Uint8Array => {
    switch (piece.kind) {
      case 'bytes':
        return piece.bytes;
      case 'key':
        return keyOf(piece.key);
      case 'signature':
        return present(signatureOf(piece.key), `the signature of key ${piece.key}`);
    }
  };
  const items = [...stack.map(item), present(witnessScript, 'the witness script')];
  const writer = new ByteWriter().compactSize(items.length);
  for (const one of items) writer.lengthPrefixed(one);
  return writer.finish();
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`a miniscript input lacks ${what}`);
  return value;
}
