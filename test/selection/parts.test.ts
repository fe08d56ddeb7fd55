import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../src/domain/bytes.js';
import { feeForWeight } from '../../src/domain/feerate.js';
import { changeTarget, minimumChange } from '../../src/selection/change.js';
import { defaultShapeLimits, deviceTime, inputCost } from '../../src/selection/cost.js';
import { antiFeeSnipingLocktime } from '../../src/selection/locktime.js';
import { exactNumber, preparePool } from '../../src/selection/pool.js';
import { type Random, random } from '../../src/selection/random.js';
import { type SelectOptions, select } from '../../src/selection/select.js';
import { inputWaste, type WasteTerms, waste } from '../../src/selection/waste.js';
import type { VaultKind } from '../../src/vault/types.js';
import { coinOf, coinsOf, idOf, paymentOf, paymentsOf, problemOf, scriptOf, vaultOf } from './make.js';

const KINDS: readonly VaultKind[] = ['pkh', 'wpkh', 'sh(wpkh)', 'tr', 'wsh(sortedmulti)', 'sh(wsh(sortedmulti))'];

describe('the cost of an input', () => {
  it('follows the exchanges that signing takes at 20 ms each', () => {
    const seconds = (kind: VaultKind, inputs: number): number =>
      Number(deviceTime(inputCost(vaultOf(kind)), inputs)) / 1000;
    expect(seconds('wpkh', 1)).toBe(2.3);
    expect(seconds('tr', 10)).toBe(15.8);
    expect(seconds('sh(wpkh)', 10)).toBe(25.4);
    // 2 of 3: two devices, 158 exchanges an input each.
    expect(seconds('wsh(sortedmulti)', 10)).toBe(63.2);
    expect(seconds('sh(wsh(sortedmulti))', 10)).toBe(68);
  });

  it('grows with the square for pkh, as measured: 3,753 exchanges for 10 inputs, 66,393 for 50', () => {
    const exchanges = (inputs: number): number => Number(deviceTime(inputCost(vaultOf('pkh')), inputs)) / 20;
    expect(Math.abs(exchanges(10) / 3_753 - 1)).toBeLessThan(0.05);
    expect(Math.abs(exchanges(50) / 66_393 - 1)).toBeLessThan(0.05);
  });

  it('bounds a session: 50 inputs, but 10 for pkh; 20 payments; the weight that nodes relay', () => {
    for (const kind of KINDS) {
      const maxInputs = kind === 'pkh' ? 10 : 50;
      expect(defaultShapeLimits(vaultOf(kind))).toEqual({ maxInputs, maxOutputs: 20, maxWeight: 400_000n });
    }
  });
});

describe('waste', () => {
  const terms: WasteTerms = {
    input: inputCost(vaultOf()),
    feerate: 20_000n,
    longTermFeerate: 10_000n,
    devicePrice: 0n,
  };

  it('is what inputs cost above the long-term feerate, and the change or the excess', () => {
    const { weight } = terms.input;
    expect(waste(3, 700n, terms)).toBe(feeForWeight(20_000n, 3n * weight) - feeForWeight(10_000n, 3n * weight) + 700n);
    expect(waste(3, 0n, { ...terms, feerate: 10_000n })).toBe(0n);
    expect(waste(3, 0n, { ...terms, feerate: 1_000n })).toBeLessThan(0n);
  });

  it('adds the price of device time', () => {
    // 3 inputs of 2.3 s at 50 sats a second
    expect(inputWaste(3, { ...terms, devicePrice: 50n }) - inputWaste(3, terms)).toBe(345n);
  });

  it('grows faster than the number of inputs for pkh', () => {
    const pkh = { ...terms, input: inputCost(vaultOf('pkh')), devicePrice: 50n, feerate: 10_000n };
    expect(inputWaste(10, pkh)).toBeGreaterThan(3n * inputWaste(5, pkh));
  });
});

describe('change', () => {
  const target = (value: bigint, seed: string): bigint =>
    changeTarget(paymentsOf(value), 294n, random(sha256Hex(seed), 'change-target'));
  const targets = (value: bigint): bigint[] => Array.from({ length: 300 }, (_, number) => target(value, `${number}`));

  it('is at least dust, and more than it costs to spend', () => {
    const { weight } = inputCost(vaultOf());
    expect(minimumChange(scriptOf(0), weight, 1n)).toBe(294n);
    expect(minimumChange(scriptOf(0), weight, 20_000n)).toBe(feeForWeight(20_000n, weight) + 1n);
  });

  it.each([
    [10_000n, 50_000n, 50_001n],
    [25_000n, 50_000n, 50_001n],
    [200_000n, 50_000n, 400_000n],
    [5_000_000n, 50_000n, 1_000_000n],
    [10_000_000n, 50_000n, 1_000_000n],
    [5_000_000_000n, 50_000n, 500_000_000n],
  ])('beside an average payment of %d sats aims for %d to below %d', (value, from, below) => {
    for (const drawn of targets(value)) {
      expect(drawn).toBeGreaterThanOrEqual(from);
      expect(drawn).toBeLessThan(below);
    }
  });

  it('spreads over the range', () => {
    const drawn = targets(5_000_000n);
    expect(drawn.filter((value) => value < 300_000n).length).toBeGreaterThan(50);
    expect(drawn.filter((value) => value > 750_000n).length).toBeGreaterThan(50);
  });

  it('never aims below the least change worth having', () => {
    const stream = random(sha256Hex('x'), 'change-target');
    expect(changeTarget(paymentsOf(1_000n), 60_000n, stream)).toBe(60_000n);
    expect(changeTarget(paymentsOf(50_000_000n), 90_000_000n, stream)).toBe(90_000_000n);
  });
});

describe('the pool', () => {
  it('holds usable coins, largest first, with their sums, and counts the rest', () => {
    const { weight } = inputCost(vaultOf());
    const fee = feeForWeight(20_000n, weight);
    const coins = coinsOf(fee, 5_000n, fee + 1n, 70_000n, 5_000n, 0n);
    const { pool, uneconomic } = preparePool(coins, { feerate: 20_000n }, weight);
    expect([...pool.values]).toEqual([70_000, 5_000, 5_000, Number(fee) + 1]);
    expect(pool.coins.map(({ value }) => Number(value))).toEqual([...pool.values]);
    expect([...pool.sums]).toEqual([0, 70_000, 75_000, 80_000, 80_001 + Number(fee)]);
    expect([...pool.nextSmaller]).toEqual([1, 3, 3, 4]);
    expect(uneconomic).toMatchObject({ coins: 2, value: fee });
  });

  it('orders coins of equal value by outpoint', () => {
    const coins = coinsOf(...Array.from({ length: 30 }, () => 9_000n));
    const { pool } = preparePool(coins, { feerate: 1_000n }, 272n);
    expect(pool.coins.map(idOf)).toEqual(coins.map(idOf).toSorted());
  });

  it('lets no amount through that a float64 cannot hold', () => {
    expect(exactNumber(2n ** 53n - 1n)).toBe(2 ** 53 - 1);
    expect(() => exactNumber(2n ** 53n)).toThrow('float64');
  });
});

describe('select', () => {
  const options: SelectOptions = {
    changeTarget: 50_000n,
    random: random(sha256Hex('s'), 'single-random-draw'),
    prefer: 'least-waste',
  };

  it('prefers an exact match to change', () => {
    const exact = 1_000_000n + 20n * 110n;
    const { pool, demand } = problemOf(coinsOf(9_000_000n, exact, 4_000_000n), paymentsOf(1_000_000n));
    const outcome = select(pool, demand, options);
    expect(outcome).toMatchObject({ kind: 'selected', selection: { algorithm: 'bnb', indexes: [2], change: null } });
  });

  it('prefers one larger coin to many small ones while fees are high, and the smaller of two that do', () => {
    const small = Array.from({ length: 12 }, () => 100_000n);
    const { pool, demand } = problemOf(coinsOf(...small, 9_000_000n, 4_000_000n), paymentsOf(1_000_000n), {
      terms: { feerate: 100_000n },
    });
    const outcome = select(pool, demand, options);
    if (outcome.kind !== 'selected') throw new Error(outcome.kind);
    expect(outcome.selection.indexes).toHaveLength(1);
  });

  it('binds less in change where that is preferred', () => {
    const values = [9_000_000n, 4_000_000n, 600_000n, 600_000n];
    const { pool, demand } = problemOf(coinsOf(...values), paymentsOf(1_000_000n), { terms: { feerate: 100_000n } });
    const change = (prefer: SelectOptions['prefer'], seed: number): bigint => {
      const stream = random(sha256Hex(`${seed}`), 'single-random-draw');
      const outcome = select(pool, demand, { ...options, prefer, random: stream });
      if (outcome.kind !== 'selected') throw new Error(outcome.kind);
      return outcome.selection.change ?? 0n;
    };
    let less = 0;
    for (let seed = 0; seed < 40; seed++) {
      const [byChange, byWaste] = [change('least-change', seed), change('least-waste', seed)];
      expect(byChange).toBeLessThanOrEqual(byWaste);
      if (byChange < byWaste) less++;
    }
    expect(less).toBeGreaterThan(0);
  });

  it('makes change from exactly the least that is worth having', () => {
    const { demand } = problemOf(coinsOf(2_000_000n), paymentsOf(1_000_000n));
    const enough = 1_000_000n + demand.fee(1, true) + demand.minimumChange;
    const answer = (value: bigint): readonly [string, bigint | null] => {
      const problem = problemOf(coinsOf(value), paymentsOf(1_000_000n));
      const outcome = select(problem.pool, problem.demand, options);
      if (outcome.kind !== 'selected') throw new Error(outcome.kind);
      return [outcome.selection.algorithm, outcome.selection.change];
    };
    expect(answer(enough - 1n)).toEqual(['bnb', null]);
    expect(answer(enough)).toEqual(['coin-grinder', demand.minimumChange]);
    expect(answer(enough + 1n)).toEqual(['coin-grinder', demand.minimumChange + 1n]);
  });

  it('takes the least change worth having where the target is out of reach, and says so', () => {
    const { pool, demand } = problemOf(coinsOf(1_010_000n), paymentsOf(1_000_000n));
    const outcome = select(pool, demand, options);
    if (outcome.kind !== 'selected') throw new Error(outcome.kind);
    expect(outcome.selection.change).toBe(1_010_000n - 1_000_000n - demand.fee(1, true));
    expect(outcome.selection.tried[1]?.outcome).toContain('change of 50000 sat is out of reach');
  });
});

describe('a demand', () => {
  it('counts the inputs that fit a weight to the unit, with change and without', () => {
    const coins = Array.from({ length: 30 }, (_, index) => coinOf(100_000n, index));
    const payments = Array.from({ length: 40 }, (_, index) => paymentOf(1_000n, index));
    const { demand } = problemOf(coins, payments);
    const counts = (maxWeight: bigint): readonly [number, number] => {
      const { demand } = problemOf(coins, payments, { limits: { maxInputs: 50, maxOutputs: 40, maxWeight } });
      return [demand.maxInputs, demand.maxInputsWithChange];
    };
    for (const inputs of [0, 1, 2, 7, 8, 29]) {
      expect(counts(demand.weight(inputs, false))[0]).toBe(inputs);
      expect(counts(demand.weight(inputs, false) - 1n)[0]).toBe(inputs - 1);
      expect(counts(demand.weight(inputs, true))[1]).toBe(inputs);
      expect(counts(demand.weight(inputs, true) - 1n)[1]).toBe(inputs - 1);
    }
    expect(demand.maxInputs).toBe(30);
  });
});

describe('the locktime', () => {
  /** A stream that gives one answer to "one in ten?" and the greatest number to everything else. */
  const stream = (tenth: number): Random => ({
    below: (bound) => (bound === 10 ? tenth : bound - 1),
    shuffle: (items) => [...items],
  });

  it('is the tip nine times in ten, and else at most 99 blocks earlier, never below zero', () => {
    expect(antiFeeSnipingLocktime(840_000, stream(1))).toBe(840_000);
    expect(antiFeeSnipingLocktime(840_000, stream(0))).toBe(839_901);
    expect(antiFeeSnipingLocktime(99, stream(0))).toBe(0);
    expect(antiFeeSnipingLocktime(98, stream(0))).toBe(0);
  });

  it('is a height: at most 499,999,999', () => {
    expect(antiFeeSnipingLocktime(499_999_999, stream(1))).toBe(499_999_999);
    for (const height of [500_000_000, -1, 1.5]) {
      expect(() => antiFeeSnipingLocktime(height, stream(1))).toThrow('not a block height');
    }
  });
});
