import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpendRecord } from '../../src/policy/types.js';
import { btc, DAY, findingOf, HOUR, judge, spent, summary, txid } from './fixture.js';

const coins = (...names: string[]) => names.map((name) => ({ outpoint: { txid: txid(name), vout: 0 } }));
const measured = (verdict: ReturnType<typeof judge>, code: string): bigint =>
  BigInt(findingOf(verdict, code).measured ?? '-1');

describe('the lifetime limit', () => {
  const policy = { limits: { lifetime: btc('1000') } };
  const used = (sats: bigint) => [spent(sats, { ago: 4000 * DAY })];

  it.each([
    ['one satoshi under', -1n, 'ALLOW', '1'],
    ['at it', 0n, 'ALLOW', '0'],
    ['one satoshi over', 1n, 'DENY LIMIT_LIFETIME', '100099999'],
  ])('%s', (_, more, expected, headroom) => {
    const spends = used(btc('1000') - btc('1.001') + more);
    const verdict = judge({ policy, state: { spends } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'LIMIT_LIFETIME')).toMatchObject({ headroom, unit: 'sat', rule: 'limits.lifetime' });
    expect(findingOf(verdict, 'LIMIT_LIFETIME')).not.toHaveProperty('freesAt');
  });

  it('counts every age alike, and what is unconfirmed as the heaviest set that can confirm together', () => {
    const spends = [
      ...[1, HOUR, DAY, 30 * DAY, 4000 * DAY].map((ago) => spent(1000n, { ago })),
      spent(700n, { unconfirmed: true, inputs: ['a'] }),
      spent(500n, { unconfirmed: true, inputs: ['a', 'b'] }),
      spent(300n, { unconfirmed: true, inputs: ['b'] }),
    ];
    expect(measured(judge({ policy, state: { spends } }), 'LIMIT_LIFETIME')).toBe(5000n + 1000n + btc('1.001'));
  });

  it('says so where there is none', () => {
    const verdict = judge({ state: { spends: used(btc('20000000')) } });
    expect(findingOf(verdict, 'LIMIT_LIFETIME')).toMatchObject({ outcome: 'pass' });
    expect(findingOf(verdict, 'LIMIT_LIFETIME')).not.toHaveProperty('limit');
  });
});

describe('fees over replacements', () => {
  const batch = (fee: bigint) => ({ fee, inputs: coins('u1'), vsize: 4000n });
  const pending = (fee: bigint, ...inputs: string[]): SpendRecord =>
    spent(btc('1'), { unconfirmed: true, fee, inputs });

  it.each([
    ['one satoshi under', 299_999n, 'ALLOW', '1'],
    ['at the limit of one fee', 300_000n, 'ALLOW', '0'],
    ['one satoshi over', 300_001n, 'DENY FEE_REPLACEMENTS', '300000'],
  ])('%s, where each fee by itself is far below', (_, fee, expected, headroom) => {
    const spends = [pending(400_000n, 'u1'), pending(300_000n, 'u1')];
    const verdict = judge({ batch: batch(fee), state: { spends } });
    expect(summary(verdict)).toBe(expected);
    expect(findingOf(verdict, 'FEE_REPLACEMENTS')).toMatchObject({ headroom, limit: '1000000', rule: 'fees.max_abs' });
  });

  it('names the batches, and is silent of a fee that stands alone', () => {
    const spends = [pending(1n, 'u1', 'u2'), pending(1n, 'u2')];
    const { text } = findingOf(judge({ batch: batch(5000n), state: { spends } }), 'FEE_REPLACEMENTS');
    for (const { batch: id } of spends) expect(text).toContain(id);
    const alone = judge({ batch: batch(1_000_001n), state: { spends: [pending(1n, 'u9')] } });
    expect(summary(alone)).toBe('DENY FEE_ABS FEE_FRACTION');
  });

  it('has no limit where fees have none', () => {
    const verdict = judge({
      policy: { fees: { maxAbs: null } },
      batch: batch(100_000n),
      state: { spends: [pending(3_000_000n, 'u1')] },
    });
    expect(findingOf(verdict, 'FEE_REPLACEMENTS')).toMatchObject({ outcome: 'pass', measured: '3100000' });
  });

  const name = fc.integer({ min: 1, max: 7 }).map((index) => `u${index}`);
  const some = fc.array(fc.tuple(fc.bigInt(0n, 400_000n), fc.uniqueArray(name, { minLength: 1, maxLength: 3 })), {
    maxLength: 8,
  });

  /** Those that a walk over shared inputs reaches. */
  function reached(from: readonly string[], spends: readonly SpendRecord[]): readonly SpendRecord[] {
    const found = new Set<SpendRecord>();
    const inputs = new Set(from);
    for (let grew = true; grew; ) {
      grew = false;
      for (const spend of spends) {
        if (found.has(spend) || !spend.inputs.some((input) => inputs.has(input))) continue;
        found.add(spend);
        for (const input of spend.inputs) inputs.add(input);
        grew = true;
      }
    }
    return [...found];
  }

  it('add up all that is linked, however far', () => {
    fc.assert(
      fc.property(some, (drawn) => {
        const spends = drawn.map(([fee, inputs]) => pending(fee, ...inputs));
        const linked = reached([`${txid('u1')}:0`], spends);
        const found = findingOf(judge({ batch: batch(5000n), state: { spends } }), 'FEE_REPLACEMENTS');
        const sum = linked.reduce((total, { fee }) => total + fee, 5000n);
        expect(found.measured).toBe(linked.length === 0 ? undefined : sum.toString());
        expect(found.outcome).toBe(linked.length > 0 && sum > 1_000_000n ? 'deny' : 'pass');
      }),
    );
  });

  it('are lowered by no further batch, and by no higher fee', () => {
    fc.assert(
      fc.property(some, some, fc.bigInt(4000n, 400_000n), fc.bigInt(0n, 400_000n), (drawn, others, fee, rise) => {
        const of = (list: typeof drawn) => list.map(([one, inputs]) => pending(one, ...inputs));
        const before = of(drawn);
        const more = [...before, ...of(others)];
        const outcome = (spends: readonly SpendRecord[], own: bigint) =>
          findingOf(judge({ batch: batch(own), state: { spends } }), 'FEE_REPLACEMENTS').outcome;
        if (outcome(before, fee) !== 'deny') return;
        expect(outcome(more, fee)).toBe('deny');
        expect(outcome(before, fee + rise)).toBe('deny');
      }),
    );
  });
});
