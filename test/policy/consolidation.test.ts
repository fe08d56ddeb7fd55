import { describe, expect, it } from 'vitest';
import {
  type BatchChange,
  btc,
  type Case,
  change,
  codes,
  findingOf,
  judge,
  output,
  pay,
  someScript,
  summary,
} from './fixture.js';

// A batch that pays nobody and puts coins of the wallet together into one.

const ONE: BatchChange = { pay: [], change: [change(btc('1'))], fee: 1000n };
const consolidation = (batch: BatchChange = ONE, more: Partial<Case> = {}) =>
  judge({ kind: 'consolidation', batch, ...more });

/** The remark on whom a transaction pays, which stands beside those on its size. */
const payments = (verdict: ReturnType<typeof judge>) => findingOf(verdict, 'TX_SHAPE', 'payments');

describe('the outputs of a consolidation', () => {
  it('are one: proven change', () => {
    const verdict = consolidation();
    expect(summary(verdict)).toBe('ALLOW');
    expect(payments(verdict)).toMatchObject({
      outcome: 'pass',
      measured: '0',
      limit: '0',
      headroom: '0',
      unit: 'count',
    });
    expect(payments(verdict).text).toContain('pays nobody');
    expect(payments(verdict)).not.toHaveProperty('remedy');
  });

  it('are not two, though both come back', () => {
    const two = { ...ONE, change: [change(btc('1')), change(btc('1'), 43)] };
    const verdict = consolidation(two, { policy: { change: { maxOutputs: 2 } } });
    expect(summary(verdict)).toBe('DENY TX_SHAPE');
    expect(payments(verdict)).toMatchObject({
      measured: '0',
      text: 'A consolidation has one output, proven change; this one has 2 outputs, of which 0 pay somebody.',
      remedy: expect.stringContaining('do not sign'),
    });
  });

  it('are not one that pays somebody, asked for or not', () => {
    const paying = consolidation({ pay: [pay('A', '1')] });
    expect(codes(paying, 'deny')).toContain('TX_SHAPE');
    expect(payments(paying)).toMatchObject({ outcome: 'deny', measured: '1' });
    const beside = consolidation({ ...ONE, extra: [output(someScript('thief'), btc('1'))] });
    expect(payments(beside)).toMatchObject({
      outcome: 'deny',
      text: expect.stringContaining('2 outputs, of which 1 pay somebody'),
    });
  });

  it('are not none', () => {
    expect(payments(consolidation({ pay: [], change: [], fee: 1000n }))).toMatchObject({ outcome: 'deny' });
  });
});

describe('the outputs of a withdrawal', () => {
  it('pay somebody: change alone is a consolidation that nobody planned', () => {
    const verdict = judge({ batch: ONE });
    expect(codes(verdict, 'deny')).toContain('TX_SHAPE');
    expect(payments(verdict)).toMatchObject({ measured: '0', remedy: expect.stringContaining('--consolidate') });
    const paid = payments(judge({}));
    expect(paid).toMatchObject({
      outcome: 'pass',
      measured: '1',
      text: 'The transaction pays 1 output besides change.',
    });
    expect(paid).not.toHaveProperty('remedy');
  });
});

describe('the coins of a consolidation', () => {
  const small = { value: 9_999n };

  it('may be of any value, which those of a withdrawal may not', () => {
    const batch = { ...ONE, inputs: [{}, small, small] };
    expect(summary(consolidation(batch))).toBe('ALLOW');
    expect(findingOf(consolidation(batch), 'INPUT_DUST')).toMatchObject({
      outcome: 'pass',
      text: 'A consolidation may spend coins of any value.',
    });
    const withdrawal = judge({ batch: { inputs: [{}, small] } });
    expect(summary(withdrawal)).toBe('DENY INPUT_DUST');
  });

  it('are still not those that dust a script in use', () => {
    const left = { ...small, coin: { confirmations: 100, coinbase: false, value: 9_999n, leftOnScript: 1 } };
    expect(codes(consolidation({ ...ONE, inputs: [{}, left] }), 'deny')).toEqual(['INPUT_FORCED_REUSE']);
  });

  it('of no worth are denied for what they lack, and not for being small', () => {
    for (const proof of ['absent', 'mismatch'] as const) {
      const verdict = judge({ batch: { inputs: [{}, { ...small, proof }] } });
      expect(codes(verdict, 'deny')).not.toContain('INPUT_DUST');
      expect(verdict.decision).toBe('DENY');
    }
    const enough = judge({ batch: { inputs: [{}, { value: 10_000n }] } });
    expect(summary(enough)).toBe('ALLOW');
  });

  it('on a script that also holds a large one are no dust, and at the limit they are none either', () => {
    const shared = (value: bigint, leftOnScript: number) => ({
      value,
      coin: { confirmations: 100, coinbase: false, value, leftOnScript },
    });
    const forced = (value: bigint) => codes(judge({ batch: { inputs: [{}, shared(value, 2)] } }), 'deny');
    expect(forced(9_999n)).toContain('INPUT_FORCED_REUSE');
    expect(forced(10_000n)).toEqual([]);
  });
});

it('counts and limits fees as a withdrawal does', () => {
  const verdict = consolidation({ ...ONE, fee: 1_000_001n, vsize: 10_000n });
  expect(summary(verdict)).toBe('DENY FEE_ABS');
});
