import { describe, expect, test } from 'vitest';
import { type Coin, confirmations } from '../../src/domain/coin.js';

describe('confirmations', () => {
  const coin = (height: number | null): Coin => ({
    outpoint: { txid: '00'.repeat(32), vout: 0 },
    value: 1n,
    script: new Uint8Array(),
    origin: { branch: 0, index: 0 },
    height,
    coinbase: false,
  });
  test.each([
    [null, 0],
    [101, 0],
    [100, 1],
    [95, 6],
    [96, 5],
  ])('at tip 100 of a coin at height %s: %i', (height, count) => {
    expect(confirmations(coin(height), { height: 100, hash: '', medianTimePast: 0 })).toBe(count);
  });
});
