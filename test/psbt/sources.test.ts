import { payments, Transaction } from 'bitcoinjs-lib';
import { describe, expect, it } from 'vitest';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import { NO_SOURCES, sourcesOf } from '../../src/psbt/sources.js';

const KEY = trustedHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798');
const SIGNATURE = trustedHex(`30440220${'11'.repeat(32)}0220${'22'.repeat(32)}01`);
const { witness = [], output: ofKey = new Uint8Array() } = payments.p2wpkh({ pubkey: KEY, signature: SIGNATURE });
const STATED = trustedHex(`5120${'33'.repeat(32)}`);
const PAID = trustedHex(`0014${'44'.repeat(20)}`);

interface Spending {
  readonly from?: Transaction;
  readonly witness?: readonly Uint8Array[];
}

function transaction(...inputs: readonly Spending[]): Transaction {
  const made = new Transaction();
  for (const [index, { from, witness: items = [] }] of inputs.entries()) {
    made.addInput(from?.getHash() ?? new Uint8Array(32).fill(index + 1), 0);
    made.setWitness(
      index,
      items.map((item) => new Uint8Array(item)),
    );
  }
  made.addOutput(PAID, 1000n);
  return made;
}

const NONE = new Map<string, Uint8Array>();
const bytes = (made: Transaction): Uint8Array => made.toBuffer();

describe('the sources of a coin', () => {
  it('are what the inputs show; the others are counted', () => {
    const { scripts, untold } = sourcesOf(bytes(transaction({ witness }, {}, {})), null, NONE);
    expect(scripts).toContain(toHex(ofKey));
    expect(untold).toBe(2);
  });

  it('are what is stated of inputs that show nothing, beside what the others show', () => {
    const { scripts, untold } = sourcesOf(bytes(transaction({ witness }, {})), [ofKey, STATED], NONE);
    expect(scripts).toEqual(expect.arrayContaining([toHex(ofKey), toHex(STATED)]));
    expect(untold).toBe(0);
  });

  it('do not grow less by what is stated: a listed key that is shown stays shown', () => {
    const { scripts } = sourcesOf(bytes(transaction({ witness })), [STATED], NONE);
    expect(scripts).toEqual(expect.arrayContaining([toHex(ofKey), toHex(STATED)]));
  });

  it('are the outputs spent, where those transactions are known: their txid proves it against any witness', () => {
    const before = transaction({});
    const made = transaction({ from: before, witness });
    const known = new Map([[before.getId(), bytes(before)]]);
    expect(sourcesOf(bytes(made), [STATED], known)).toEqual({ scripts: [toHex(PAID)], untold: 0 });
  });

  it('are as stated where the transaction is not known, and untold where nothing is stated', () => {
    expect(sourcesOf(null, [STATED], NONE)).toEqual({ scripts: [toHex(STATED)], untold: 0 });
    expect(sourcesOf(null, null, NONE)).toEqual({ scripts: [], untold: 1 });
    expect(sourcesOf(new Uint8Array(3), null, NONE)).toEqual({ scripts: [], untold: 1 });
  });

  it('are none of a coinbase', () => {
    const coinbase = new Transaction();
    coinbase.addInput(new Uint8Array(32), 0xffffffff);
    coinbase.addOutput(PAID, 1000n);
    expect(sourcesOf(bytes(coinbase), null, NONE)).toEqual(NO_SOURCES);
  });
});
