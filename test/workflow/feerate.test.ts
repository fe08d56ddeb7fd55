import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import type { FeeEstimator } from '../../src/vault/fees.js';
import { askFeerate, type FeeBounds, UNBOUNDED } from '../../src/workflow/feerate.js';

/** A source that says a rate in sat per 1,000 vB, nothing, or that it cannot be asked. */
function source(name: string, says: bigint | null | 'down', isEstimate = true): FeeEstimator & { asked: number[] } {
  const asked: number[] = [];
  return {
    name,
    isEstimate,
    asked,
    estimate: async (blocks) => {
      asked.push(blocks);
      return says === 'down' ? fail('E_CHAIN_UNREACHABLE', `${name} is not there`) : ok(says);
    },
    close: async () => undefined,
  };
}

const bounds = (more: Partial<FeeBounds>): FeeBounds => ({ ...UNBOUNDED, ...more });

describe('the feerate of ordered sources', () => {
  it('is that of the first that answers; those after it are not asked', async () => {
    const list = [source('a', 'down'), source('b', null), source('z', 0n), source('c', 5_000n), source('d', 9_000n)];
    const chosen = await askFeerate(list, UNBOUNDED, 3);
    expect(chosen).toEqual({
      ok: true,
      value: {
        rate: 5_000n,
        from: {
          source: 'c',
          target: 3,
          stated: 5_000n,
          bounded: null,
          others: [
            { source: 'a', rate: null, problem: 'a is not there' },
            { source: 'b', rate: null, problem: 'it has no estimate' },
            { source: 'z', rate: null, problem: 'it has no estimate' },
          ],
        },
      },
    });
    expect(list.map(({ asked }) => asked)).toEqual([[3], [3], [3], [3], []]);
  });

  it('says who said why where nobody answers', async () => {
    const asked = await askFeerate([source('a', 'down'), source('b', null)], UNBOUNDED, 6);
    expect(asked).toMatchObject({ ok: false, error: { tag: 'E_FEERATE_NONE' } });
    expect(asked.ok || asked.error.message).toMatch(/a: a is not there; b: it has no estimate/);
    expect(await askFeerate([], UNBOUNDED, 6)).toMatchObject({ ok: false, error: { tag: 'E_FEERATE_NONE' } });
  });

  it.each([
    ['at the factor', 10_000n, 25_000n, 'ok'],
    ['one step over it', 10_000n, 25_001n, 'E_FEERATE_DISAGREE'],
    ['one step under it', 10_000n, 24_999n, 'ok'],
    ['the other way round', 25_001n, 10_000n, 'E_FEERATE_DISAGREE'],
  ] as const)('estimates that are apart %s', async (_, first, second, expected) => {
    const list = [source('node', first), source('mempool', second)];
    const asked = await askFeerate(list, bounds({ maxFactor: 2_500n }), 6);
    expect(asked.ok ? 'ok' : asked.error.tag).toBe(expected);
    if (asked.ok) {
      expect(asked.value.from.others).toEqual([{ source: 'mempool', rate: second, problem: null }]);
      return;
    }
    expect(asked.error.message).toContain('mempool says');
    expect(asked.error.message).toContain('node says');
    expect(asked.error.message).toContain('factor 2.5');
  });

  it('what lies below the floor is compared as the floor, and a fixed number with nothing', async () => {
    const quiet = [source('node', 1_000n), source('mempool', 4_000n)];
    expect(await askFeerate(quiet, bounds({ maxFactor: 2_000n, floor: 2_000n }), 6)).toMatchObject({
      ok: true,
      value: { rate: 2_000n, from: { stated: 1_000n, bounded: 'floor' } },
    });
    expect(await askFeerate(quiet, bounds({ maxFactor: 2_000n, floor: 1_999n }), 6)).toMatchObject({ ok: false });
    const fixed = [source('node', 1_000n), source('fixed:90', 90_000n, false)];
    expect(await askFeerate(fixed, bounds({ maxFactor: 1_000n }), 6)).toMatchObject({ ok: true });
  });

  it.each([
    [9_999n, 10_000n, 'floor'],
    [10_000n, 10_000n, null],
    [50_000n, 50_000n, null],
    [50_001n, 50_000n, 'ceiling'],
  ] as const)('%s within a floor of 10 and a ceiling of 50 sat/vB is %s', async (stated, rate, bounded) => {
    const asked = await askFeerate([source('node', stated)], bounds({ floor: 10_000n, ceiling: 50_000n }), 6);
    expect(asked).toMatchObject({ ok: true, value: { rate, from: { stated, bounded } } });
  });

  it('lies between floor and ceiling whatever is said, and never without a source that said it', async () => {
    const says = fc.oneof(fc.constantFrom(null, 'down' as const), fc.bigInt(0n, 10_000_000n));
    await fc.assert(
      fc.asyncProperty(fc.array(says, { maxLength: 5 }), fc.option(fc.bigInt(1_000n, 9_000n)), async (said, factor) => {
        const limits = bounds({ floor: 3_000n, ceiling: 40_000n, maxFactor: factor });
        const list = said.map((one, index) => source(`s${index}`, one));
        const asked = await askFeerate(list, limits, 6);
        const told = said.filter((one) => typeof one === 'bigint' && one > 0n);
        if (!asked.ok) {
          expect(asked.error.tag).toBe(told.length === 0 ? 'E_FEERATE_NONE' : 'E_FEERATE_DISAGREE');
          return;
        }
        const { rate, from } = asked.value;
        expect(rate >= 3_000n && rate <= 40_000n).toBe(true);
        expect(from.stated).toBe(told[0]);
        expect(from.source).toBe(`s${said.indexOf(from.stated)}`);
      }),
    );
  });
});
