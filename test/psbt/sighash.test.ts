import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { Sighashes } from '../../src/psbt/sighash.js';
import { parseUnsignedTransaction, serialiseUnsigned } from '../../src/psbt/transaction.js';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const value = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n });
const script = fc.uint8Array({ maxLength: 300 });
const keyHash = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((hash) => Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac));

test('sighashes are those of bitcoinjs-lib, for every input', () => {
  fc.assert(
    fc.property(
      fc.record({
        version: uint32,
        locktime: uint32,
        inputs: fc.array(
          fc.record({
            hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
            vout: uint32,
            scriptSig: fc.constant(new Uint8Array(0)),
            sequence: uint32,
          }),
          { minLength: 1, maxLength: 5 },
        ),
        outputs: fc.array(fc.record({ value, script }), { minLength: 1, maxLength: 5 }),
      }),
      fc.array(fc.record({ value, script }), { minLength: 5, maxLength: 5 }),
      keyHash,
      (fields, spent, scriptCode) => {
        const bytes = serialiseUnsigned(fields);
        const parsed = parseUnsignedTransaction(bytes);
        if (!parsed.ok) throw new Error(parsed.error);
        const prevouts = spent.slice(0, fields.inputs.length);
        const sighashes = new Sighashes(parsed.value, prevouts);
        const reference = Transaction.fromBuffer(bytes);
        const scripts = prevouts.map((prevout) => prevout.script);
        const values = prevouts.map((prevout) => prevout.value);
        for (const [index, prevout] of prevouts.entries()) {
          expect(toHex(sighashes.legacy(index, scriptCode))).toBe(
            toHex(reference.hashForSignature(index, scriptCode, Transaction.SIGHASH_ALL)),
          );
          expect(toHex(sighashes.witnessV0(index, scriptCode))).toBe(
            toHex(reference.hashForWitnessV0(index, scriptCode, prevout.value, Transaction.SIGHASH_ALL)),
          );
          for (const type of [0, 1] as const) {
            expect(toHex(sighashes.taproot(index, type))).toBe(
              toHex(reference.hashForWitnessV1(index, scripts, values, type)),
            );
          }
        }
      },
    ),
  );
});

test('an input that the transaction does not have is a bug of the caller', () => {
  const bytes = serialiseUnsigned({ version: 2, locktime: 0, inputs: [], outputs: [] });
  const parsed = parseUnsignedTransaction(bytes);
  if (!parsed.ok) throw new Error(parsed.error);
  expect(() => new Sighashes(parsed.value, []).witnessV0(0, new Uint8Array(0))).toThrow('no input 0');
});
