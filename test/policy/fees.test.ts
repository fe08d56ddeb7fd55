import { describe, expect, it } from 'vitest';
import { btc, change, codes, findingOf, HOUR, judge, pay, spent, summary } from './fixture.js';

describe('section 9: fees', () => {
  it.each([
    ['F-01 120,000 sat', 120_000n, 'ALLOW', '300', '0'],
    ['F-01 120,001 sat', 120_001n, 'DENY FEE_RATE', '300.003', '300'],
    ['F-01 119,999 sat', 119_999n, 'ALLOW', '299.998', '0.002'],
  ])('%s over 400 vB', (_, fee, expected, measured, headroom) => {
    const verdict = judge({ batch: { pay: [pay('A', '50')], fee } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'FEE_RATE')).toMatchObject({ measured, limit: '300', headroom, unit: 'sat/vB' });
  });

  it.each([
    ['F-02 1,000,000 sat', 1_000_000n, 'ALLOW'],
    ['F-02 1,000,001 sat', 1_000_001n, 'DENY FEE_ABS'],
    ['F-02 999,999 sat', 999_999n, 'ALLOW'],
  ])('%s against the absolute limit', (_, fee, expected) => {
    expect(summary(judge({ batch: { pay: [pay('A', '40')], fee, vsize: 4000n } }))).toBe(expected);
  });

  it.each([
    ['F-03 10,000 sat', 10_000n, 'ALLOW'],
    ['F-03 10,001 sat', 10_001n, 'DENY FEE_FRACTION'],
    ['F-03 9,999 sat', 9_999n, 'ALLOW'],
  ])('%s for 2,000,000 sat paid', (_, fee, expected) => {
    expect(summary(judge({ batch: { pay: [['A', 2_000_000n]], fee, vsize: 141n } }))).toBe(expected);
  });

  it.each([
    ['F-04 at 50 bp', 100_000n, 'ALLOW', '50'],
    ['F-04 one satoshi over', 100_001n, 'DENY FEE_FRACTION', '51'],
    ['F-04 one satoshi under', 99_999n, 'ALLOW', '50'],
  ])('%s of what is paid', (_, fee, expected, measured) => {
    const verdict = judge({ batch: { pay: [['A', 20_000_000n]], fee } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'FEE_FRACTION')).toMatchObject({ measured, limit: '50', unit: 'bp' });
  });

  it('F-05 denies 9.9 % of a large input, of which no device warns', () => {
    const verdict = judge({ batch: { pay: [pay('A', '10')], fee: btc('49.5'), change: [change(btc('440.5'))] } });
    expect(codes(verdict, 'deny')).toContain('FEE_ABS');
  });

  it('F-06 does not ask the fraction of a small fee', () => {
    expect(summary(judge({ batch: { pay: [['A', 10_000n]], fee: 10_000n } }))).toBe('ALLOW');
  });

  it.each([
    ['F-07 1 sat/vB', 400n, 'ALLOW', '1'],
    ['F-07 one satoshi less', 399n, 'DENY FEE_TOO_LOW', '0.997'],
    ['F-07 one satoshi more', 401n, 'ALLOW', '1.002'],
    ['F-07 0.5 sat/vB', 200n, 'DENY FEE_TOO_LOW', '0.5'],
    ['F-08 no fee', 0n, 'DENY FEE_TOO_LOW', '0'],
  ])('%s', (_, fee, expected, measured) => {
    const verdict = judge({ batch: { fee } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'FEE_TOO_LOW')).toMatchObject({ measured, limit: '1' });
  });

  it('F-09 does not divide by what nobody is paid', () => {
    const verdict = judge({ batch: { pay: [], change: [change(btc('1'))], fee: 200_000n } });
    expect(codes(verdict, 'deny')).toEqual(['FEE_RATE', 'TX_SHAPE']);
    expect(findingOf(verdict, 'FEE_FRACTION')).toMatchObject({
      outcome: 'pass',
      text: 'The fee is 200000 sat (0.00200000 BTC); nobody is paid.',
    });
  });

  const earlier = [2, 3, 4].map((hours) => spent(btc('1'), { fee: 900_000n, ago: hours * HOUR }));
  it.each([
    ['F-10 at the limit', 1_300_000n, 'ALLOW'],
    ['F-10 one satoshi over', 1_300_001n, 'DENY FEE_24H'],
    ['F-10 one satoshi under', 1_299_999n, 'ALLOW'],
  ])('%s of fees within 24 h', (_, fee, expected) => {
    const policy = { fees: { maxAbs: null } };
    expect(
      summary(judge({ policy, batch: { pay: [pay('A', '40')], fee, vsize: 5000n }, state: { spends: earlier } })),
    ).toBe(expected);
  });

  it('F-11 denies the fifth batch of 0.009 BTC in fees', () => {
    const spends = [...earlier, spent(btc('1'), { fee: 900_000n, ago: 5 * HOUR })];
    const batch = { pay: [pay('A', '40')], fee: 900_000n, vsize: 4000n };
    const verdict = judge({ batch, state: { spends } });
    expect(summary(verdict)).toBe('DENY FEE_24H');
    expect(findingOf(verdict, 'FEE_24H')).toMatchObject({
      measured: '4500000',
      headroom: '400000',
      freesAt: '2026-06-02T07:00:00Z',
    });
    expect(summary(judge({ batch, state: { spends: spends.slice(1) } }))).toBe('ALLOW');
  });

  it('F-12 counts the dearer one of a batch and its replacement', () => {
    const outpoint = { txid: '00'.repeat(32), vout: 0 };
    const replaced = { ...spent(btc('1'), { fee: 900_000n, unconfirmed: true }), inputs: [`${outpoint.txid}:0`] };
    const batch = { pay: [pay('A', '40')], fee: 1_000_000n, vsize: 4000n, inputs: [{ outpoint }] };
    const verdict = judge({ batch, state: { spends: [...earlier, replaced] } });
    expect(findingOf(verdict, 'FEE_24H').measured).toBe('3700000');
  });
});
