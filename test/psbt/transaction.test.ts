import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { outpointOf, parseTransaction, serialiseUnsigned, txidOf } from '../../src/psbt/transaction.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const transactions = fc
  .record({
    version: uint32,
    locktime: uint32,
    inputs: fc.array(
      fc.record({
        hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
        index: uint32,
        script: bytes(300),
        sequence: uint32,
        witness: fc.array(bytes(300), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    outputs: fc.array(fc.record({ value: fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }), script: bytes(300) }), {
      minLength: 1,
      maxLength: 4,
    }),
  })
  .map(({ version, locktime, inputs, outputs }) => {
    const transaction = new Transaction();
    transaction.version = version;
    transaction.locktime = locktime;
    for (const { hash, index, script, sequence, witness } of inputs) {
      transaction.setWitness(transaction.addInput(hash, index, sequence, script), witness);
    }
    for (const { value, script } of outputs) transaction.addOutput(script, value);
    return transaction;
  });

function parsed(data: Uint8Array) {
  const result = parseTransaction(data);
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test('transactions are read as bitcoinjs-lib writes them, with and without witnesses', () => {
  fc.assert(
    fc.property(transactions, (reference) => {
      const transaction = parsed(new Uint8Array(reference.toBuffer()));
      expect(txidOf(transaction)).toBe(reference.getId());
      expect(transaction).toMatchObject({
        version: reference.version,
        locktime: reference.locktime,
        segwit: reference.hasWitnesses(),
      });
      expect(transaction.inputs.map((input) => ({ ...outpointOf(input), sequence: input.sequence }))).toEqual(
        reference.ins.map(({ hash, index, sequence }) => ({
          txid: toHex(new Uint8Array(hash).reverse()),
          vout: index,
          sequence,
        })),
      );
      expect(transaction.outputs.map(({ value, script }) => [value, toHex(script)])).toEqual(
        reference.outs.map(({ value, script }) => [value, toHex(script)]),
      );
    }),
  );
});

test('any truncation and any byte more is refused', () => {
  fc.assert(
    fc.property(transactions, fc.nat(), (reference, cut) => {
      const data = new Uint8Array(reference.toBuffer());
      expect(parseTransaction(data.subarray(0, cut % data.length)).ok).toBe(false);
      expect(parseTransaction(Uint8Array.of(...data, 0)).ok).toBe(false);
    }),
  );
});

test('an unsigned transaction is written without its scriptSigs and read again', () => {
  fc.assert(
    fc.property(transactions, (reference) => {
      const transaction = parsed(new Uint8Array(reference.toBuffer()));
      for (const input of reference.ins) Object.assign(input, { script: new Uint8Array(0), witness: [] });
      expect(toHex(serialiseUnsigned(transaction))).toBe(toHex(reference.toBuffer()));
    }),
  );
});

test('an output holds up to 21,000,000 BTC', () => {
  const pay = (value: bigint) =>
    parseTransaction(
      serialiseUnsigned({
        version: 2,
        locktime: 0,
        inputs: [{ hash: new Uint8Array(32), vout: 0, scriptSig: new Uint8Array(0), sequence: 0 }],
        outputs: [{ value, script: new Uint8Array(0) }],
      }),
    ).ok;
  expect([pay(2_099_999_999_999_999n), pay(2_100_000_000_000_000n), pay(2_100_000_000_000_001n)]).toEqual([
    true,
    true,
    false,
  ]);
});
