import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSeed, partSeed, random } from '../../src/selection/random.js';

const SEED = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('random', () => {
  it('is the documented stream: SHA-256 in counter mode, 53 of each 64 bits', () => {
    const key = createHash('sha256').update(`countersign.random/1 locktime ${SEED}`).digest();
    const blocks = [0, 1].map((counter) => {
      const suffix = Buffer.alloc(8);
      suffix.writeBigUInt64BE(BigInt(counter));
      return createHash('sha256').update(key).update(suffix).digest();
    });
    const bytes = Buffer.concat(blocks);
    const expected = Array.from({ length: 8 }, (_, draw) => Number(bytes.readBigUInt64BE(draw * 8) >> 11n));
    const stream = random(SEED, 'locktime');
    expect(expected.map(() => stream.below(2 ** 53))).toEqual(expected);
  });

  it('has a stream of its own for each purpose and each seed', () => {
    const first = (seed: string, purpose: 'locktime' | 'input-order'): number => random(seed, purpose).below(2 ** 53);
    const draws = [first(SEED, 'locktime'), first(SEED, 'input-order'), first(partSeed(SEED, 1), 'locktime')];
    expect(new Set(draws).size).toBe(3);
  });

  it('stays below its bound and repeats itself for the same seed', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { minLength: 1, maxLength: 20 }),
        (seed, bounds) => {
          const [one, two] = [random(seed, 'input-order'), random(seed, 'input-order')];
          for (const bound of bounds) {
            const value = one.below(bound);
            expect(value).toBeGreaterThanOrEqual(0);
            expect(value).toBeLessThan(bound);
            expect(two.below(bound)).toBe(value);
          }
        },
      ),
    );
  });

  it('redraws instead of folding the end of its range over small numbers', () => {
    // With a bound of 2/3 of the range a plain remainder would give the lower half of the results twice as often.
    const bound = Math.floor((2 ** 53 / 3) * 2);
    const stream = random(SEED, 'input-order');
    const low = Array.from({ length: 3000 }, () => stream.below(bound)).filter((value) => value < bound / 2).length;
    expect(low).toBeGreaterThan(1400);
    expect(low).toBeLessThan(1600);
  });

  it('refuses bounds that no draw can serve', () => {
    for (const bound of [0, -1, 1.5, 2 ** 53 + 2, Number.NaN]) {
      expect(() => random(SEED, 'locktime').below(bound)).toThrow('below');
    }
    expect(random(SEED, 'locktime').below(1)).toBe(0);
  });

  it('shuffles into a permutation and leaves its argument alone', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer()), (seed, items) => {
        const before = [...items];
        const shuffled = random(seed, 'output-order').shuffle(items);
        expect(items).toEqual(before);
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
      }),
    );
  });

  it('puts every item into every place about equally often', () => {
    const stream = random(SEED, 'output-order');
    const counts = new Map<string, number>();
    for (let round = 0; round < 6000; round++) {
      const order = stream.shuffle(['a', 'b', 'c']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) {
      expect(count).toBeGreaterThan(880);
      expect(count).toBeLessThan(1120);
    }
  });
});

describe('seeds', () => {
  it('are 64 lower-case hexadecimal digits', () => {
    expect(parseSeed(SEED)).toEqual({ ok: true, value: SEED });
    for (const text of [
      '',
      SEED.slice(1),
      `${SEED}0`,
      SEED.toUpperCase(),
      SEED.replace('0', 'g'),
      ` ${SEED.slice(1)}`,
    ]) {
      expect(parseSeed(text)).toMatchObject({ ok: false, error: { tag: 'E_PLAN_SEED' } });
    }
  });

  it('give the first part of a plan the seed of the plan, and every other part one of its own', () => {
    const parts = [0, 1, 2, 3].map((part) => partSeed(SEED, part));
    expect(parts[0]).toBe(SEED);
    expect(new Set(parts).size).toBe(4);
    expect(parts.every((seed) => parseSeed(seed).ok)).toBe(true);
  });
});
