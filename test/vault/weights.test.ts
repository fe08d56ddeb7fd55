import { crypto, initEccLib, Psbt, Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import * as secp256k1 from 'tiny-secp256k1';
import { describe, expect, test } from 'vitest';
import { formatPath } from '../../src/domain/path.js';
import { createDeriver } from '../../src/vault/derive.js';
import type { PlainKind } from '../../src/vault/types.js';
import { outputWeight, overheadWeight, signedInputWeight, signedTransactionWeight } from '../../src/vault/weights.js';
import { KINDS, master, vaultOf } from './fixtures.js';

initEccLib(secp256k1);

interface Signed {
  readonly weight: number;
  /** Bytes that the ECDSA signatures stay below 72, all together. */
  readonly shorter: number;
}

/** A transaction of a vault, signed by bitcoinjs-lib with the private keys. */
function sign(
  kind: PlainKind,
  inputs: number,
  outputs: readonly Uint8Array[],
  seeds = [1, 2, 3],
  threshold = 2,
): Signed {
  const vault = vaultOf(kind, seeds, threshold);
  const deriver = createDeriver(vault);
  const psbt = new Psbt();
  const previous = new Transaction();
  previous.addInput(new Uint8Array(32).fill(5), 0);
  for (let index = 0; index < inputs; index++) previous.addOutput(deriver.at(0, index).script, 10_000n);
  for (let index = 0; index < inputs; index++) {
    const { script, redeemScript, witnessScript, keys } = deriver.at(0, index);
    const [key] = keys;
    psbt.addInput({
      hash: previous.getId(),
      index,
      ...(kind === 'tr' ? { witnessUtxo: { script, value: 10_000n } } : { nonWitnessUtxo: previous.toBuffer() }),
      ...(redeemScript === undefined ? {} : { redeemScript }),
      ...(witnessScript === undefined ? {} : { witnessScript }),
      ...(kind === 'tr' && key !== undefined ? { tapInternalKey: key.publicKey.subarray(1) } : {}),
    });
  }
  for (const script of outputs) psbt.addOutput({ script, value: 1_000n });
  for (let index = 0; index < inputs; index++) {
    for (const [cosigner, key] of deriver.at(0, index).keys.slice(0, threshold).entries()) {
      const node = master(seeds[cosigner] ?? 0).derivePath(formatPath(key.path));
      psbt.signInput(index, kind === 'tr' ? node.tweak(tapTweak(key.publicKey.subarray(1))) : node);
    }
  }
  const signatures = psbt.data.inputs.flatMap((input) => input.partialSig ?? []);
  const shorter = signatures.reduce((sum, { signature }) => sum + 72 - signature.length, 0);
  return { weight: psbt.finalizeAllInputs().extractTransaction(true).weight(), shorter };
}

function tapTweak(internalKey: Uint8Array): Uint8Array {
  return crypto.taggedHash('TapTweak', internalKey);
}

const outputsOf = (count: number): Uint8Array[] =>
  Array.from(
    { length: count },
    (_, index) => createDeriver(vaultOf(KINDS[index % KINDS.length] ?? 'wpkh', [4, 5])).at(0, 0).script,
  );

describe.each(KINDS)('the weight of %s', (kind) => {
  /** A byte of a signature weighs 4 in a scriptSig and 1 in a witness. */
  const perByte = kind === 'pkh' ? 4 : 1;
  test.each([
    [1, 1],
    [2, 3],
    [5, 6],
  ])('with %i inputs and %i outputs is exact but for short signatures', (inputs, outputs) => {
    const scripts = outputsOf(outputs);
    const { weight, shorter } = sign(kind, inputs, scripts);
    const estimate = signedTransactionWeight(vaultOf(kind), inputs, scripts);
    expect(shorter).toBeGreaterThanOrEqual(0);
    expect(Number(estimate) - weight).toBe(shorter * perByte);
  });
});

test.each([
  [1, [1]],
  [2, [1, 2]],
  [7, [1, 2, 3, 4, 5, 6, 7, 8]],
] as const)('a multisig of %i signatures with keys %j is exact but for short signatures', (threshold, seeds) => {
  const { weight, shorter } = sign('wsh(sortedmulti)', 1, outputsOf(1), [...seeds], threshold);
  const vault = vaultOf('wsh(sortedmulti)', seeds, threshold);
  expect(Number(signedTransactionWeight(vault, 1, outputsOf(1))) - weight).toBe(shorter);
});

test.each([
  [252, 253, 8n],
  [65_535, 65_536, 8n],
])('from %i to %i outputs the count takes %i weight units more', (below, above, more) => {
  const vault = vaultOf('wpkh');
  expect(overheadWeight(vault, 1, above) - overheadWeight(vault, 1, below)).toBe(more);
  expect(overheadWeight(vault, above, 1) - overheadWeight(vault, below, 1)).toBe(more);
});

test('a transaction weighs what its parts weigh', () => {
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), fc.nat(600), fc.nat(300), (kind, inputs, outputs) => {
      const vault = vaultOf(kind);
      const scripts = Array.from({ length: outputs }, () => new Uint8Array(22));
      const parts = overheadWeight(vault, inputs, outputs) + BigInt(inputs) * signedInputWeight(vault);
      expect(signedTransactionWeight(vault, inputs, scripts)).toBe(
        parts + BigInt(outputs) * outputWeight(new Uint8Array(22)),
      );
    }),
    { numRuns: 50 },
  );
});
