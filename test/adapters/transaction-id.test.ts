import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTransaction, txidOf } from '../../src/adapters/transaction-id.js';
import { equalBytes } from '../../src/domain/bytes.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const transactions = fc
  .record({
    version: fc.integer({ min: 1, max: 3 }),
    locktime: fc.nat(),
    inputs: fc.array(fc.record({ script: bytes(80), witness: fc.array(bytes(300), { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    outputs: fc.array(fc.record({ script: bytes(300), value: fc.bigInt(0n, 2_100_000_000_000_000n) }), {
      maxLength: 4,
    }),
  })
  .map(({ version, locktime, inputs, outputs }) => {
    const transaction = new Transaction();
    transaction.version = version;
    transaction.locktime = locktime;
    for (const [index, { script, witness }] of inputs.entries()) {
      transaction.addInput(new Uint8Array(32).fill(index + 1), index, 0xfffffffd, script);
      transaction.setWitness(index, witness);
    }
    for (const { script, value } of outputs) transaction.addOutput(script, value);
    return transaction;
  });

test('the txid of bytes is the one that the library computes from the transaction', () => {
  fc.assert(
    fc.property(transactions, (transaction) => {
      const raw = new Uint8Array(transaction.toBuffer());
      expect(txidOf(raw, Transaction.fromBuffer(raw))).toBe(transaction.getId());
      expect(isTransaction(raw, Transaction.fromBuffer(raw), transaction.getId())).toBe(true);
    }),
  );
});

/** Written anew and compared, which is what the quicker way stands for. */
function isWrittenSo(raw: Uint8Array, read: Transaction, txid: string): boolean {
  return read.getId() === txid && equalBytes(new Uint8Array(read.toBuffer()), raw);
}

function parsed(raw: Uint8Array): Transaction | null {
  try {
    return Transaction.fromBuffer(raw);
  } catch {
    return null;
  }
}

test('bytes that were changed are that transaction exactly where writing it anew gives them', () => {
  const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }), longer: fc.boolean() });
  let readable = 0;
  fc.assert(
    fc.property(transactions, change, (transaction, { at, value, longer }) => {
      const whole = new Uint8Array(transaction.toBuffer());
      const place = at % whole.length;
      // A number of one byte written as three is another form of the same length, where a length stands there.
      const piece = longer ? [0xfd, whole[place] ?? 0, 0] : [value];
      const raw = new Uint8Array([...whole.subarray(0, place), ...piece, ...whole.subarray(place + 1)]);
      const read = parsed(raw);
      if (read === null) return;
      readable += 1;
      for (const txid of [transaction.getId(), read.getId()])
        expect(isTransaction(raw, read, txid)).toBe(isWrittenSo(raw, read, txid));
    }),
    { numRuns: 1000 },
  );
  expect(readable).toBeGreaterThan(100);
});

test('a witness whose length is written longer than it has to be makes no other form of a transaction', () => {
  const transaction = new Transaction();
  transaction.addInput(new Uint8Array(32).fill(1), 0);
  transaction.setWitness(0, [new Uint8Array(5)]);
  transaction.addOutput(new Uint8Array([0x51]), 1000n);
  const raw = new Uint8Array(transaction.toBuffer());
  // One witness item of five bytes, and the locktime.
  const place = raw.length - 4 - 6;
  const longer = new Uint8Array([...raw.subarray(0, place), 0xfd, 5, 0, ...raw.subarray(place + 1)]);
  expect(Transaction.fromBuffer(longer).getId()).toBe(transaction.getId());
  expect(isTransaction(longer, Transaction.fromBuffer(longer), transaction.getId())).toBe(false);
  expect(isTransaction(raw, Transaction.fromBuffer(raw), transaction.getId())).toBe(true);
});
