import { Psbt, Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import type { TransactionPlan } from '../../src/selection/types.js';
import type { PlainKind } from '../../src/vault/types.js';
import { KINDS } from '../vault/fixtures.js';
import { makePlan, type Planned, planSpecs, simplePlan, tagOf, valueOrThrow } from './fixtures.js';

const build = ({ plan, deriver, previous }: Planned): Uint8Array => valueOrThrow(buildPsbt(plan, deriver, previous));

/** A simple plan of P2WPKH coins with something changed in it. */
function changed(change: (plan: TransactionPlan) => Partial<TransactionPlan>): string | null {
  const { plan, deriver, previous } = simplePlan('wpkh');
  return tagOf(buildPsbt({ ...plan, ...change(plan) }, deriver, previous));
}

describe.each(KINDS)('a PSBT of %s', (kind: PlainKind) => {
  test('says what the plan says, and nothing about payments', () => {
    fc.assert(
      fc.property(planSpecs, (spec) => {
        const planned = makePlan(kind, spec);
        const { plan, deriver } = planned;
        const decoded = valueOrThrow(decodePsbt(build(planned)));
        expect(decoded).toMatchObject({ version: 2, locktime: plan.locktime, malformed: null });
        expect(decoded.inputs).toHaveLength(plan.inputs.length);
        expect(decoded.outputs).toHaveLength(plan.outputs.length);
        for (const [index, coin] of plan.inputs.entries()) {
          const derived = deriver.at(coin.origin.branch, coin.origin.index);
          expect(decoded.inputs[index]).toEqual({
            outpoint: coin.outpoint,
            sequence: plan.sequence,
            prevout: { value: coin.value, script: coin.script },
            proof: kind === 'tr' ? 'claimed' : 'proven',
            sighashType: null,
            redeemScript: derived.redeemScript ?? null,
            witnessScript: derived.witnessScript ?? null,
            derivations: claimsOf(kind, derived.keys),
            presigned: false,
            foreignFields: [],
          });
        }
        for (const [index, output] of plan.outputs.entries()) {
          const derived = output.kind === 'change' ? deriver.at(1, output.origin.index) : null;
          expect(decoded.outputs[index]).toEqual({
            value: output.value,
            script: output.script,
            redeemScript: derived?.redeemScript ?? null,
            witnessScript: derived?.witnessScript ?? null,
            derivations: derived === null ? [] : claimsOf(kind, derived.keys),
          });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('is canonical: bitcoinjs-lib reads it and writes the same bytes', () => {
    const planned = simplePlan(kind, 3);
    const bytes = build(planned);
    const psbt = Psbt.fromBuffer(bytes);
    expect(toHex(psbt.toBuffer())).toBe(toHex(bytes));
    expect(psbt.data.inputs.map((input) => Object.keys(input).sort())).toEqual(
      Array.from({ length: 3 }, () => FIELDS[kind]),
    );
    expect(psbt.data.outputs.map((output) => Object.keys(output).length > 0)).toEqual([false, true, false]);
    for (const { bip32Derivation, tapBip32Derivation } of psbt.data.inputs) {
      for (const { path } of bip32Derivation ?? tapBip32Derivation ?? []) expect(path).toMatch(/^m\/[48]/);
    }
  });
});

/** The fields of an input by their names in bitcoinjs-lib. Ledger's app refuses a witness_utxo for pkh. */
const FIELDS: Readonly<Record<PlainKind, readonly string[]>> = {
  pkh: ['bip32Derivation', 'nonWitnessUtxo'],
  wpkh: ['bip32Derivation', 'nonWitnessUtxo', 'witnessUtxo'],
  'sh(wpkh)': ['bip32Derivation', 'nonWitnessUtxo', 'redeemScript', 'witnessUtxo'],
  tr: ['tapBip32Derivation', 'tapInternalKey', 'witnessUtxo'],
  'wsh(sortedmulti)': ['bip32Derivation', 'nonWitnessUtxo', 'witnessScript', 'witnessUtxo'],
  'sh(wsh(sortedmulti))': ['bip32Derivation', 'nonWitnessUtxo', 'redeemScript', 'witnessScript', 'witnessUtxo'],
};

function claimsOf(
  kind: PlainKind,
  keys: readonly { fingerprint: string; path: readonly number[]; publicKey: Uint8Array }[],
) {
  const claims = keys.map(({ fingerprint, path, publicKey }) => ({
    fingerprint,
    path: [...path],
    publicKey: kind === 'tr' ? publicKey.subarray(1) : publicKey,
  }));
  return claims.sort((a, b) => Buffer.compare(a.publicKey, b.publicKey));
}

describe('a plan that cannot be built', () => {
  test('an unknown previous transaction is missing, except for taproot', () => {
    const { plan, deriver } = simplePlan('wpkh');
    const result = buildPsbt(plan, deriver, new Map());
    expect(tagOf(result)).toBe('E_PREVTX_MISSING');
    expect(result).toMatchObject({ error: { message: expect.stringContaining(plan.inputs[0]?.outpoint.txid ?? '-') } });
    const taproot = simplePlan('tr');
    expect(tagOf(buildPsbt(taproot.plan, taproot.deriver, new Map()))).toBeNull();
  });

  test.each(['pkh', 'sh(wpkh)', 'wpkh', 'wsh(sortedmulti)'] as const)(
    '%s: a previous transaction that is not it',
    (kind) => {
      const { plan, deriver, previous } = simplePlan(kind);
      const [first, second] = [...previous.keys()];
      const swapped = new Map([
        [first ?? '', previous.get(second ?? '') ?? new Uint8Array()],
        [second ?? '', previous.get(first ?? '') ?? new Uint8Array()],
      ]);
      expect(tagOf(buildPsbt(plan, deriver, swapped))).toBe('E_PREVTX_MISMATCH');
      const truncated = new Map([...previous].map(([txid, bytes]) => [txid, bytes.subarray(0, -1)]));
      expect(tagOf(buildPsbt(plan, deriver, truncated))).toBe('E_PREVTX_MISMATCH');
    },
  );

  test('a coin worth more than its previous transaction says', () => {
    const raise = (plan: TransactionPlan) => ({
      inputs: plan.inputs.map((coin) => ({ ...coin, value: coin.value + 1n })),
      fee: plan.fee + BigInt(plan.inputs.length),
    });
    expect(changed(raise)).toBe('E_PREVTX_MISMATCH');
  });

  test('a coin at an output that its previous transaction does not have', () => {
    const move = ({ inputs }: TransactionPlan) => ({
      inputs: inputs.map((coin) => ({ ...coin, outpoint: { ...coin.outpoint, vout: 9 } })),
    });
    expect(changed(move)).toBe('E_PREVTX_MISMATCH');
  });

  test('a coin or change that the vault does not derive there', () => {
    const origin = { branch: 0, index: 29 } as const;
    expect(changed(({ inputs }) => ({ inputs: inputs.map((coin) => ({ ...coin, origin })) }))).toBe('E_PSBT_FOREIGN');
    const outputs = (plan: TransactionPlan, branch: 0 | 1) => ({
      outputs: plan.outputs.map((output) =>
        output.kind === 'change' ? { ...output, origin: { branch, index: 8 } } : output,
      ),
    });
    expect(changed((plan) => outputs(plan, 1))).toBe('E_PSBT_FOREIGN');
    expect(changed((plan) => outputs(plan, 0))).toBe('E_PSBT_FOREIGN');
  });

  test('a plan that contradicts itself', () => {
    expect(changed(() => ({}))).toBeNull();
    expect(changed(() => ({ inputs: [] }))).toBe('E_PSBT_PLAN');
    expect(changed(() => ({ outputs: [] }))).toBe('E_PSBT_PLAN');
    expect(changed(({ fee }) => ({ fee: fee + 1n }))).toBe('E_PSBT_PLAN');
    expect(changed(({ fee }) => ({ fee: fee - 1n }))).toBe('E_PSBT_PLAN');
    expect(changed(({ inputs }) => ({ inputs: [...inputs, ...inputs] }))).toBe('E_PSBT_PLAN');
    expect(changed(() => ({ locktime: 2 ** 32 }))).toBe('E_PSBT_PLAN');
    expect(changed(() => ({ locktime: 2 ** 32 - 1 }))).toBeNull();
    expect(changed(() => ({ sequence: -1 }))).toBe('E_PSBT_PLAN');
  });

  test('an output of nothing, or a negative fee', () => {
    const worth = (value: bigint) => (plan: TransactionPlan) => ({
      outputs: plan.outputs.map((output, index) => (index === 0 ? { ...output, value } : output)),
      fee: plan.fee + (plan.outputs[0]?.value ?? 0n) - value,
    });
    expect(changed(worth(1n))).toBeNull();
    expect(changed(worth(0n))).toBe('E_PSBT_PLAN');
    expect(changed(worth(-1n))).toBe('E_PSBT_PLAN');
    expect(changed(worth(150_000n + 1_234n))).toBeNull();
    expect(changed(worth(150_000n + 1_235n))).toBe('E_PSBT_PLAN');
  });
});

test('counts above one byte: 253 inputs and 300 outputs', () => {
  const planned = makePlan('tr', {
    coins: Array.from({ length: 253 }, (_, salt) => ({
      origin: { branch: 0, index: salt % 5 },
      value: 5_000n,
      vout: 0,
      segwit: false,
      salt,
    })),
    payments: Array.from({ length: 300 }, () => ({ script: Uint8Array.of(0x51), value: 1_000n })),
    change: null,
    fee: 1n,
    locktime: 0,
    sequence: 0xffffffff,
  });
  const decoded = valueOrThrow(decodePsbt(build(planned)));
  expect([decoded.inputs.length, decoded.outputs.length]).toEqual([253, 300]);
  const unsigned = Transaction.fromBuffer(Psbt.fromBuffer(build(planned)).data.getTransaction());
  expect(decoded.unsignedTxid).toBe(unsigned.getId());
});
