import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import type { Coin } from '../../src/domain/coin.js';
import { formatOutpoint } from '../../src/domain/outpoint.js';
import type { BatchRecord } from '../../src/journal/state.js';
import type { Snapshot } from '../../src/vault/snapshot-types.js';
import { arrivalsOf } from '../../src/workflow/arrivals.js';
import { coinOf } from '../selection/make.js';

const onto = (coin: Coin, like: Coin): Coin => ({ ...coin, script: like.script, origin: like.origin });
// Only the coins of a snapshot are looked at.
const holding = (...coins: Coin[]): Snapshot => ({ coins }) as unknown as Snapshot;
const none = { batches: new Map<string, BatchRecord>(), frozen: new Map<string, string>() };
const NO_SCRIPTS = new Set<string>();
const names = (coins: readonly Coin[]): string[] => coins.map(({ outpoint }) => formatOutpoint(outpoint));

const [old, other, fresh, small] = [coinOf(5_000n, 1), coinOf(6_000n, 2), coinOf(1_000n, 3), coinOf(999n, 4)];

describe('arrivals', () => {
  it('are coins that were not there before; of a first snapshot nothing is one', () => {
    expect(names(arrivalsOf(holding(old), holding(old, fresh), none, null, NO_SCRIPTS).deposits)).toEqual(
      names([fresh]),
    );
    expect(arrivalsOf(null, holding(old), none, 10_000n, NO_SCRIPTS)).toEqual({ deposits: [], quarantined: [] });
  });

  it.each([
    ['at the limit', fresh, 0],
    ['a sat below it', small, 1],
  ] as const)('%s: kept back %#', (_, coin, count) => {
    const { quarantined } = arrivalsOf(holding(old), holding(old, coin), none, 1_000n, NO_SCRIPTS);
    expect(quarantined).toHaveLength(count);
    for (const one of quarantined)
      expect(one.reason).toMatch(/^dust: it is below the smallest input of the policy, 1000 sat/);
  });

  it('on a script that holds or held a coin a trifle is forced reuse', () => {
    const reused = onto(small, old);
    const reason = /^forced reuse: it came onto a script that held other coins/;
    expect(
      arrivalsOf(holding(old, other), holding(old, reused), none, 1_000n, NO_SCRIPTS).quarantined[0]?.reason,
    ).toMatch(reason);
    expect(arrivalsOf(holding(old), holding(other, reused), none, 1_000n, NO_SCRIPTS).quarantined[0]?.reason).toMatch(
      reason,
    );
  });

  it('on a script whose coin a batch spent long ago a trifle is forced reuse as well', () => {
    const reused = onto(small, other);
    const reasonOf = (scripts: readonly string[]): string | undefined =>
      arrivalsOf(holding(old), holding(old, reused), none, 1_000n, new Set(scripts)).quarantined[0]?.reason;
    expect(reasonOf([toHex(other.script)])).toMatch(/^forced reuse: it came onto a script that held other coins/);
    expect(reasonOf([toHex(old.script)])).toMatch(/^dust: /);
  });

  it('own change is none, nor a coin that a batch spends and a reorganisation brings back, nor one that is frozen', () => {
    const batch = {
      signed: { txid: fresh.outpoint.txid },
      inputs: [formatOutpoint(other.outpoint)],
    } as unknown as BatchRecord;
    const batches = new Map([['b', batch]]);
    const frozen = new Map([[formatOutpoint(small.outpoint), 'looked into']]);
    const { deposits, quarantined } = arrivalsOf(
      holding(old),
      holding(old, other, fresh, small),
      { batches, frozen },
      10_000n,
      NO_SCRIPTS,
    );
    expect(names(deposits)).toEqual(names([small]));
    expect(quarantined).toEqual([]);
  });
});
