import { Psbt, Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { buildPsbt } from '../../src/psbt/build.js';
import { decodePsbt } from '../../src/psbt/decode.js';
import { INPUT } from '../../src/psbt/fields.js';
import { finalise, finalMismatch } from '../../src/psbt/finalise.js';
import { keyedField, writePsbt } from '../../src/psbt/key-map.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import type { ProvenSignature } from '../../src/psbt/types.js';
import { proveSignatures } from '../../src/psbt/verify.js';
import { signedTransactionWeight } from '../../src/vault/weights.js';
import { KINDS } from '../vault/fixtures.js';
import { honestAnswer, makePlan, type Planned, planSpecs, simplePlan, tagOf, valueOrThrow } from './fixtures.js';

interface Signed {
  readonly planned: Planned;
  readonly psbt: Uint8Array;
  readonly proven: readonly ProvenSignature[];
}

function sign(planned: Planned): Signed {
  const { plan, deriver, previous } = planned;
  const psbt = valueOrThrow(buildPsbt(plan, deriver, previous));
  return { planned, psbt, proven: valueOrThrow(proveSignatures(psbt, deriver, honestAnswer(planned, psbt))) };
}

describe.each(KINDS)('a signed transaction of %s', (kind) => {
  test('spends and pays what was planned, and weighs no more than was reckoned', () => {
    fc.assert(
      fc.property(planSpecs, (spec) => {
        const planned = makePlan(kind, spec);
        const { plan, deriver } = planned;
        const { psbt, proven } = sign(planned);
        const final = valueOrThrow(finalise(psbt, deriver, proven));
        const transaction = Transaction.fromBuffer(final.transaction);
        expect(transaction).toMatchObject({ version: 2, locktime: plan.locktime });
        expect(
          transaction.ins.map(({ hash, index, sequence }) => [toHex(new Uint8Array(hash).reverse()), index, sequence]),
        ).toEqual(plan.inputs.map(({ outpoint }) => [outpoint.txid, outpoint.vout, plan.sequence]));
        expect(transaction.outs.map(({ value, script }) => [value, toHex(script)])).toEqual(
          plan.outputs.map(({ value, script }) => [value, toHex(script)]),
        );
        expect(final.txid).toBe(transaction.getId());
        expect(final.weight).toBe(transaction.weight());
        const bound = signedTransactionWeight(
          deriver.vault,
          plan.inputs.length,
          plan.outputs.map(({ script }) => script),
        );
        expect(BigInt(final.weight)).toBeLessThanOrEqual(bound);
        expect(BigInt(final.weight)).toBeGreaterThan(bound - BigInt(40 * plan.inputs.length * deriver.vault.threshold));
      }),
      { numRuns: 6 },
    );
  });

  const { planned, psbt, proven } = sign(simplePlan(kind));
  const final = valueOrThrow(finalise(psbt, planned.deriver, proven));

  test('its txid is the unsigned one, except where signatures are part of it', () => {
    const unsigned = valueOrThrow(decodePsbt(psbt)).unsignedTxid;
    if (kind === 'pkh' || kind.startsWith('sh(')) expect(final.txid).not.toBe(unsigned);
    else expect(final.txid).toBe(unsigned);
  });

  test('its PSBT is final, and extracts to the same transaction', () => {
    expect(toHex(Psbt.fromBuffer(final.psbt).extractTransaction(true).toBuffer())).toBe(toHex(final.transaction));
    expect(valueOrThrow(decodePsbt(final.psbt)).inputs.map(({ presigned }) => presigned)).toEqual([true, true]);
  });

  test('one signature too few or too many', () => {
    for (const left of proven) {
      const rest = proven.filter((one) => one !== left);
      expect(tagOf(finalise(psbt, planned.deriver, rest))).toBe('E_SIG_MISSING');
      expect(tagOf(finalise(psbt, planned.deriver, [...proven, left]))).toBe('E_SIG_UNEXPECTED');
    }
    expect(tagOf(finalise(psbt, planned.deriver, []))).toBe('E_SIG_MISSING');
  });

  test('signatures that the PSBT brought along are dropped', () => {
    const { global, inputs, outputs } = valueOrThrow(splitPsbt(psbt));
    const forged = keyedField(INPUT.PARTIAL_SIG, new Uint8Array(33).fill(2), new Uint8Array(71).fill(0x30));
    const brought = writePsbt([global, ...inputs.map((map) => [...map, forged]), ...outputs]);
    const again = valueOrThrow(finalise(brought, planned.deriver, proven));
    expect(toHex(again.transaction)).toBe(toHex(final.transaction));
    expect(toHex(again.psbt)).toBe(toHex(final.psbt));
  });
});

describe('a final transaction that differs from the plan', () => {
  const { planned, psbt, proven } = sign(simplePlan('wpkh'));
  const { unsigned } = valueOrThrow(splitPsbt(psbt));
  const bytes = valueOrThrow(finalise(psbt, planned.deriver, proven)).transaction;
  const altered = (alter: (transaction: Transaction) => void): string | null => {
    const transaction = Transaction.fromBuffer(bytes);
    alter(transaction);
    return finalMismatch(unsigned, new Uint8Array(transaction.toBuffer()));
  };

  test('is found out, and the difference is named', () => {
    expect(altered(() => undefined)).toBeNull();
    expect(altered((tx) => Object.assign(tx, { version: 1 }))).toBe('its version is 1, not 2');
    expect(altered((tx) => Object.assign(tx, { locktime: 0 }))).toBe('its locktime is 0, not 850000');
    expect(altered((tx) => Object.assign(tx.ins[1] ?? {}, { sequence: 0 }))).toMatch('the sequence of input 1 is 0');
    expect(altered((tx) => Object.assign(tx.ins[0] ?? {}, { index: 7 }))).toMatch(
      /^input 0 spends [0-9a-f]{64}:7, not/,
    );
    expect(altered((tx) => Object.assign(tx.ins[1] ?? {}, { hash: new Uint8Array(32) }))).toMatch(
      'input 1 spends 0000',
    );
    expect(altered((tx) => tx.ins.reverse())).toMatch('input 0 spends');
    expect(altered((tx) => tx.ins.pop())).toBe('it has 1 inputs, not 2');
    expect(altered((tx) => Object.assign(tx.outs[0] ?? {}, { value: 150_001n }))).toBe(
      'output 0 pays 150001 sat, not 150000 sat',
    );
    expect(altered((tx) => Object.assign(tx.outs[2] ?? {}, { script: Uint8Array.of(0x51) }))).toMatch(
      'output 2 pays the script 51, not',
    );
    expect(altered((tx) => tx.addOutput(Uint8Array.of(0x51), 1n))).toBe('it has 4 outputs, not 3');
    expect(finalMismatch(unsigned, bytes.subarray(0, -1))).toMatch('it cannot be read');
    expect(finalMismatch(unsigned, new Uint8Array(0))).toMatch('it cannot be read');
  });

  test('signatures alone make no difference', () => {
    expect(altered((tx) => Object.assign(tx.ins[0] ?? {}, { witness: [new Uint8Array(5)] }))).toBeNull();
  });
});

test('what is not a PSBT of the vault is not finalised', () => {
  const { planned, psbt, proven } = sign(simplePlan('wpkh'));
  expect(tagOf(finalise(psbt.subarray(0, -1), planned.deriver, proven))).toBe('E_PSBT_PARSE');
  expect(tagOf(finalise(psbt, simplePlan('tr').deriver, proven))).toBe('E_PSBT_FOREIGN');
});
