import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Coin } from '../../src/domain/coin.js';
import { changeReach, countsAsReserve, UsedIndexes } from '../../src/workflow/own-coins.js';

const coin = (more: Partial<Coin> = {}): Coin => ({
  outpoint: { txid: 'ab'.repeat(32), vout: 0 },
  value: 1000n,
  script: new Uint8Array(),
  origin: { branch: 0, index: 0 },
  height: 901,
  coinbase: false,
  ...more,
});
const tip = { height: 1000, hash: '', medianTimePast: 0 };
const counts = (more: Partial<Coin>, least: number, frozen: readonly string[] = []): boolean =>
  countsAsReserve(coin(more), tip, least, (name) => frozen.includes(name), 'a:0');

describe('the coins that count as reserve', () => {
  it.each([
    [6, 995, true],
    [6, 996, false],
    [1, 1000, true],
    [0, 1000, true],
    [0, null, false],
    [0, 1001, false],
  ])('with %i confirmations required, a coin of block %s: %s', (least, height, expected) => {
    expect(counts({ height }, least)).toBe(expected);
  });

  it.each([
    [901, true],
    [902, false],
  ])('a coinbase output of block %i: %s, at a tip of 1,000', (height, expected) => {
    expect(counts({ height, coinbase: true }, 6)).toBe(expected);
    expect(counts({ height }, 6)).toBe(true);
  });

  it('are not frozen', () => {
    expect([counts({}, 6, ['b:0']), counts({}, 6, ['a:0'])]).toEqual([true, false]);
  });
});

describe('how far change reaches', () => {
  it.each([
    [[], -1],
    [[19], 19],
    [[20], -1],
    [[60_000], -1],
    [[2 ** 31 - 1], -1],
    [[0, 1, 2, 60_000], 2],
    [[5, 25, 45], 45],
    [[5, 25, 46], 25],
    [[25, 5], 25],
  ])('with a gap of 20 and %j in use: %i', (used, last) => {
    const coins = used.map((index) => coin({ origin: { branch: 1, index } }));
    expect(changeReach(coins, [], 20)).toBe(last);
    expect(changeReach([], used, 20)).toBe(last);
  });

  it('coins of the receive branch and those of batches count as what they are', () => {
    expect(changeReach([coin({ origin: { branch: 0, index: 7 } })], [3], 20)).toBe(3);
  });

  /** The rule itself, from nothing each time. */
  function plainly(used: readonly number[], without: readonly number[], maxGap: number): number {
    const left = [...used];
    for (const index of without) left.splice(left.indexOf(index), left.includes(index) ? 1 : 0);
    let last = -1;
    for (const index of left.sort((a, b) => a - b)) if (index <= last + maxGap) last = index;
    return last;
  }

  it('is the same step by step as from nothing, whatever is added, removed and left out', () => {
    const index = fc.nat(60);
    const step = fc.record({ remove: fc.boolean(), index, without: fc.array(index, { maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (steps, maxGap) => {
        const indexes = new UsedIndexes(maxGap);
        const used: number[] = [];
        for (const one of steps) {
          if (!one.remove) {
            indexes.add(one.index);
            used.push(one.index);
          } else {
            indexes.remove(one.index);
            if (used.includes(one.index)) used.splice(used.indexOf(one.index), 1);
          }
          expect(indexes.reach()).toBe(plainly(used, [], maxGap));
          const without = one.without.filter((each, at, all) => all.indexOf(each) === at && used.includes(each));
          expect(indexes.reach(without)).toBe(plainly(used, without, maxGap));
        }
      }),
    );
  });
});
