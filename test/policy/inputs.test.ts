import { describe, expect, it } from 'vitest';
import { trustedHex } from '../../src/domain/bytes.js';
import { type BatchChange, btc, codes, findingOf, judge, someScript, summary, txid } from './fixture.js';

const known = { confirmations: 100, coinbase: false, value: btc('1'), leftOnScript: 0 };
const TAPROOT = trustedHex(`5120${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`);

/** A second input of 1 BTC beside a good one. */
const second = (more: NonNullable<BatchChange['inputs']>[number]): { batch: BatchChange } => ({
  batch: { pay: [['A', btc('2')]], inputs: [{}, { value: btc('1'), coin: known, ...more }] },
});

describe('section 8: inputs and the form of the PSBT', () => {
  it('allows a second good input', () => {
    expect(summary(judge(second({})))).toBe('ALLOW');
  });

  it.each([
    ['I-01 a segwit input with its witness_utxo alone', { proof: 'claimed' }, 'DENY INPUT_NO_PREVTX'],
    [
      'I-02 a legacy input with its witness_utxo alone',
      { proof: 'claimed', script: trustedHex(`76a914${'11'.repeat(20)}88ac`) },
      'DENY INPUT_NO_PREVTX',
    ],
    ['I-02 an input that says nothing', { proof: 'absent' }, 'DENY INPUT_NO_PREVTX'],
    ['I-03 a previous transaction of another txid', { proof: 'mismatch' }, 'DENY INPUT_UTXO_MISMATCH'],
    [
      'I-04 an amount that the snapshot contradicts',
      { coin: { ...known, value: btc('1') + 1n } },
      'DENY INPUT_UTXO_MISMATCH',
    ],
    ['I-05 a taproot input with its witness_utxo alone', { proof: 'claimed', script: TAPROOT }, 'ALLOW'],
    ['I-06 a foreign input', { origin: null, coin: null }, 'DENY INPUT_FOREIGN'],
    ['I-07 the same outpoint twice', { outpoint: { txid: txid('coin 0'), vout: 0 } }, 'DENY INPUT_DUP'],
    ['I-07 another output of the same transaction', { outpoint: { txid: txid('coin 0'), vout: 1 } }, 'ALLOW'],
    [
      'I-09 an own input that the snapshot does not hold',
      { coin: null, origin: { branch: 0, index: 100_000 } },
      'DENY INPUT_UNKNOWN',
    ],
    ['I-09 an own input far out that the snapshot holds', { origin: { branch: 0, index: 100_000 } }, 'ALLOW'],
    ['I-11 5 confirmations', { coin: { ...known, confirmations: 5 } }, 'DENY INPUT_UNCONFIRMED'],
    ['I-11 6 confirmations', { coin: { ...known, confirmations: 6 } }, 'ALLOW'],
    ['I-11 7 confirmations', { coin: { ...known, confirmations: 7 } }, 'ALLOW'],
    [
      'I-12 a coinbase output of 99 confirmations',
      { coin: { ...known, coinbase: true, confirmations: 99 } },
      'DENY INPUT_IMMATURE',
    ],
    [
      'I-12 a coinbase output of 100 confirmations',
      { coin: { ...known, coinbase: true, confirmations: 100 } },
      'ALLOW',
    ],
    [
      'I-12 a coinbase output of 101 confirmations',
      { coin: { ...known, coinbase: true, confirmations: 101 } },
      'ALLOW',
    ],
    ['I-13 a frozen coin', { frozen: 'dusted in May' }, 'DENY INPUT_FROZEN'],
    ['I-17 a signature', { presigned: true }, 'DENY PSBT_PRESIGNED'],
    ['I-18 a field of another program', { foreignFields: ['unknown:fc'] }, 'ALLOW WARN PSBT_FOREIGN_FIELD'],
  ] as const)('%s', (_, more, expected) => {
    expect(summary(judge(second(more)))).toBe(expected);
  });

  it('I-06 does not count a foreign input as spent by the vault', () => {
    const verdict = judge(second({ origin: null, coin: null }));
    expect(verdict.spend).toBe(btc('1.001'));
  });

  const small = (value: bigint, leftOnScript: number, script = someScript('dusted')) => ({
    batch: { inputs: [{}, { value, script, coin: { ...known, value, leftOnScript } }] },
  });

  it.each([
    ['I-14 9,999 sat', 9_999n, 'DENY INPUT_DUST'],
    ['I-14 10,000 sat', 10_000n, 'ALLOW'],
    ['I-14 10,001 sat', 10_001n, 'ALLOW'],
  ])('%s against the smallest value', (_, value, expected) => {
    expect(summary(judge(small(value, 0)))).toBe(expected);
  });

  it('I-15 denies a small coin on a script in use that goes without the others', () => {
    const verdict = judge(small(546n, 1));
    expect(codes(verdict, 'deny')).toEqual(['INPUT_DUST', 'INPUT_FORCED_REUSE']);
    expect(findingOf(verdict, 'INPUT_FORCED_REUSE').text).toContain('while 1 other coin of that script stay');
  });

  it('I-15 allows it where all coins of the script go together', () => {
    const script = someScript('dusted');
    const together = { script, coin: { ...known, leftOnScript: 0 } };
    const inputs = [{}, { value: btc('1'), ...together }, { value: 546n, script, coin: { ...known, value: 546n } }];
    expect(summary(judge({ batch: { pay: [['A', btc('2')]], inputs } }))).toBe('ALLOW');
  });

  it('I-16 lets ordinary coins of a reused script go one by one, leaving the dust behind', () => {
    expect(summary(judge(small(btc('0.5'), 3)))).toBe('ALLOW');
  });

  it('I-19 denies a malformed PSBT', () => {
    const verdict = judge({ batch: { facts: { malformed: 'input 0 has a scriptSig' } } });
    expect(summary(verdict)).toBe('DENY PSBT_FORM');
    expect(findingOf(verdict, 'PSBT_FORM').text).toBe('The PSBT is malformed: input 0 has a scriptSig.');
  });

  it('I-20 denies a PSBT that pays more than it spends, or spends nothing', () => {
    const negative = judge({ batch: { fee: -1n } });
    expect(codes(negative, 'deny')).toEqual(['FEE_TOO_LOW', 'PSBT_FORM']);
    const empty = judge({ batch: { facts: { inputs: [] } } });
    // The facts say at once that nothing is spent and how much it is.
    expect(summary(empty)).toBe('DENY EVAL_ERROR PSBT_FORM');
  });

  it.each([
    ['199 inputs', 199, 'ALLOW'],
    ['200 inputs', 200, 'ALLOW'],
    ['201 inputs', 201, 'DENY TX_SHAPE'],
  ])('I-21 %s', (_, count, expected) => {
    const rest = Array.from({ length: count - 1 }, () => ({ value: 10_000n, coin: { ...known, value: 10_000n } }));
    const verdict = judge({ batch: { inputs: [{}, ...rest] } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'TX_SHAPE', 'inputs')).toMatchObject({ measured: `${count}`, limit: '200' });
  });

  it.each([
    ['99,999 vB', 99_999n, 'ALLOW'],
    ['100,000 vB', 100_000n, 'ALLOW'],
    ['100,001 vB', 100_001n, 'DENY TX_SHAPE'],
  ])('I-21 %s', (_, vsize, expected) => {
    const verdict = judge({ batch: { pay: [['A', btc('10')]], vsize, fee: vsize } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'TX_SHAPE', 'size')).toMatchObject({ measured: `${vsize}`, unit: 'vB' });
  });
});
