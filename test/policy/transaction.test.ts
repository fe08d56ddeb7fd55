import { describe, expect, it } from 'vitest';
import { trustedHex } from '../../src/domain/bytes.js';
import { btc, change, findingOf, judge, summary, TIP } from './fixture.js';

const TAPROOT = trustedHex(`5120${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`);

describe('section 10: the transaction', () => {
  it.each([
    ['S-01 ALL by default', undefined, null, 'ALLOW'],
    ['S-01 ALL', undefined, 0x01, 'ALLOW'],
    ['S-01 taproot by default', TAPROOT, null, 'ALLOW'],
    ['S-01 taproot DEFAULT', TAPROOT, 0x00, 'ALLOW'],
    ['S-02 DEFAULT outside taproot', undefined, 0x00, 'DENY SIGHASH'],
    ['S-02 NONE', undefined, 0x02, 'DENY SIGHASH'],
    ['S-02 SINGLE', undefined, 0x03, 'DENY SIGHASH'],
    ['S-02 ALL|ANYONECANPAY', undefined, 0x81, 'DENY SIGHASH'],
    ['S-02 NONE|ANYONECANPAY', undefined, 0x82, 'DENY SIGHASH'],
    ['S-02 SINGLE|ANYONECANPAY', undefined, 0x83, 'DENY SIGHASH'],
    ['S-02 ALL with a further bit', undefined, 0x101, 'DENY SIGHASH'],
    ['S-02 taproot ALL, a byte longer', TAPROOT, 0x01, 'DENY SIGHASH'],
    ['S-02 taproot SINGLE', TAPROOT, 0x03, 'DENY SIGHASH'],
  ])('%s', (_, script, sighashType, expected) => {
    const more = script === undefined ? { sighashType } : { sighashType, script };
    expect(summary(judge({ batch: { inputs: [more] } }))).toBe(expected);
  });

  it('S-03 denies one SINGLE among ALL', () => {
    const value = btc('0.5');
    const coin = { confirmations: 9, coinbase: false, value, leftOnScript: 0 };
    const verdict = judge({ batch: { inputs: [{ sighashType: 1 }, { sighashType: 3, value, coin }] } });
    expect(summary(verdict)).toBe('DENY SIGHASH');
    expect(findingOf(verdict, 'SIGHASH').text).toContain('asks for sighash 0x03');
  });

  it.each([
    ['S-04 version 0', 0, 'DENY TX_VERSION'],
    ['S-04 version 1', 1, 'ALLOW'],
    ['S-04 version 2', 2, 'ALLOW'],
    ['S-04 version 3', 3, 'DENY TX_VERSION'],
  ])('%s', (_, version, expected) => {
    expect(summary(judge({ batch: { facts: { version } } }))).toBe(expected);
  });

  it.each([
    ['S-05 none', 0, 'ALLOW'],
    ['S-05 the tip', TIP, 'ALLOW'],
    ['S-05 below the tip', TIP - 100, 'ALLOW'],
    ['S-06 one above the tip', TIP + 1, 'DENY LOCKTIME'],
    ['S-07 a time', 1_700_000_000, 'DENY LOCKTIME'],
    ['S-07 the first number that is a time', 500_000_000, 'DENY LOCKTIME'],
  ])('%s', (_, locktime, expected) => {
    expect(summary(judge({ batch: { facts: { locktime } } }))).toBe(expected);
  });

  it.each([
    ['S-08 replaceable', 0xfffffffd, 2, TIP, 'ALLOW'],
    ['S-08 not replaceable, locktime in force', 0xfffffffe, 2, TIP, 'ALLOW'],
    ['S-09 final with a locktime', 0xffffffff, 2, TIP, 'ALLOW WARN SEQUENCE'],
    ['S-09 final without a locktime', 0xffffffff, 2, 0, 'ALLOW'],
    ['S-10 a relative locktime', 144, 2, 0, 'ALLOW WARN SEQUENCE'],
    ['S-10 a relative locktime in time', 0x00400010, 2, 0, 'ALLOW WARN SEQUENCE'],
    ['S-10 a relative locktime of nothing', 0, 2, 0, 'ALLOW'],
    ['S-10 no relative locktime in version 1', 144, 1, 0, 'ALLOW'],
  ])('%s', (_, sequence, version, locktime, expected) => {
    expect(summary(judge({ batch: { inputs: [{ sequence }], facts: { version, locktime } } }))).toBe(expected);
  });

  it('S-09 takes one input that is not final as enough', () => {
    const value = btc('0.5');
    const coin = { confirmations: 9, coinbase: false, value, leftOnScript: 0 };
    const inputs = [{ sequence: 0xffffffff }, { sequence: 0xfffffffe, value, coin }];
    expect(summary(judge({ batch: { inputs } }))).toBe('ALLOW');
  });

  it('S-11 denies a transaction that pays nobody', () => {
    const verdict = judge({ batch: { pay: [], change: [change(btc('1'))], fee: 1000n } });
    expect(summary(verdict)).toBe('DENY TX_SHAPE');
    expect(findingOf(verdict, 'TX_SHAPE', 'payments').measured).toBe('0');
  });
});
