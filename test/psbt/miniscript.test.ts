import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { finalSignatures } from '../../src/psbt/final-signatures.js';
import { finalise } from '../../src/psbt/finalise.js';
import { miniscriptWitness } from '../../src/psbt/miniscript-witness.js';
import { enoughSignatures, partsOf } from '../../src/psbt/partial.js';
import { proveSignatures, proveSigner } from '../../src/psbt/verify.js';
import { miniscriptOf, signingKeys } from '../../src/vault/signing-keys.js';
import type { Deriver, WitnessPiece } from '../../src/vault/types.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { MINISCRIPTS, miniscriptDeriver } from '../vault/miniscripts.js';
import { makeCoin, tagOf, valueOrThrow } from './fixtures.js';
import { signaturesBy } from './miniscript-signer.js';

function batchOf(deriver: Deriver, inputs: number) {
  const made = Array.from({ length: inputs }, (_, index) =>
    makeCoin(deriver, { origin: { branch: 0, index }, value: 100_000n, vout: 0, segwit: true, salt: index }),
  );
  const { script } = deriver.at(1, 4);
  const paid = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));
  const outputs = [
    { kind: 'payment', requestId: 'r', script: paid, value: 60_000n },
    { kind: 'change', origin: { branch: 1, index: 4 }, script, value: BigInt(inputs) * 100_000n - 61_000n },
  ] as const;
  const plan = {
    version: 2,
    locktime: 0,
    sequence: 0xfffffffd,
    inputs: made.map(({ coin }) => coin),
    outputs,
    fee: 1_000n,
    feerate: 1000n,
    weight: 0n,
    selection: { algorithm: 'srd', waste: 0n, tried: [] },
    seed: '00'.repeat(32),
  } as const;
  const previous = new Map(made.map(({ coin, previous: bytes }) => [coin.outpoint.txid, bytes]));
  return { psbt: valueOrThrow(buildPsbt(plan, deriver, previous)), outputs };
}

/** Witness items with their lengths, signatures at their longest. */
const stackBytes = (stack: readonly WitnessPiece[]): number =>
  stack.reduce(
    (sum, piece) => sum + 1 + (piece.kind === 'bytes' ? piece.bytes.length : piece.kind === 'key' ? 33 : 72),
    0,
  );

describe.each(MINISCRIPTS)('a batch of %s', (miniscript, seeds, threshold) => {
  const deriver = miniscriptDeriver(miniscript);
  const own = signingKeys(deriver.vault);
  const { psbt, outputs } = batchOf(deriver, 2);
  const scripts = outputs.map(({ script }) => script);
  const policy = miniscriptOf(deriver.vault);

  it('is proven, finalised and not heavier than planned, whoever of its signers signs', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...own], { minLength: threshold, maxLength: threshold }), (signers) => {
        const returned = signaturesBy(psbt, signers);
        const proven = valueOrThrow(proveSignatures(psbt, deriver, returned));
        const { weight, psbt: final } = valueOrThrow(finalise(psbt, deriver, proven));
        const planned = Number(signedTransactionWeight(deriver.vault, 2, scripts));
        const shorter = returned.reduce((sum, { signature }) => sum + 72 - signature.length, 0);
        // The heaviest way is planned for: the others lack what stands in place of keys that do not sign.
        const stacks = policy.satisfactions.map(({ keys, stack }) => ({ keys, bytes: stackBytes(stack) }));
        const positions = signers.map((key) => deriver.vault.keys.indexOf(key)).sort();
        const way = stacks.find(({ keys }) => `${[...keys].sort()}` === `${positions}`);
        const lighter = Math.max(...stacks.map(({ bytes }) => bytes)) - (way?.bytes ?? 0);
        expect(planned - weight).toBe(shorter + 2 * lighter);
        const read = valueOrThrow(finalSignatures(final, deriver.vault));
        expect(read.map(({ signature }) => toHex(signature)).sort()).toEqual(
          returned.map(({ signature }) => toHex(signature)).sort(),
        );
        const parts = valueOrThrow(partsOf(final, psbt, deriver));
        expect(enoughSignatures(deriver, parts)).toHaveLength(returned.length);
      }),
      { numRuns: 5 },
    );
  });

  it('takes no signature by a key of another branch', () => {
    const stranger = deriver.vault.keys.find(({ fingerprint }) => own.every((key) => key.fingerprint !== fingerprint));
    if (stranger === undefined) {
      expect(own).toHaveLength(deriver.vault.keys.length);
      return;
    }
    const returned = signaturesBy(psbt, [stranger]);
    expect(tagOf(proveSignatures(psbt, deriver, returned))).toBe('E_SIG_UNEXPECTED');
    expect(() => proveSigner(psbt, deriver, stranger.fingerprint, returned)).toThrow('is no signer of the vault');
  });

  it('is not finalised with one signature too few, nor with one too many', () => {
    const all = signaturesBy(psbt, own.slice(0, threshold));
    expect(tagOf(proveSignatures(psbt, deriver, all.slice(1)))).toBe('E_SIG_MISSING');
    const proven = valueOrThrow(proveSignatures(psbt, deriver, all));
    expect(tagOf(finalise(psbt, deriver, proven.slice(1)))).toBe('E_SIG_MISSING');
    expect(tagOf(finalise(psbt, deriver, [...proven, ...proven.slice(0, 1)]))).toBe('E_SIG_UNEXPECTED');
    expect(seeds).toHaveLength(own.length);
  });

  it('has no witness without its signatures: that is a bug and throws', () => {
    expect(() => miniscriptWitness(policy, deriver.at(0, 0), [])).toThrow('lacks a way to spend');
  });
});
