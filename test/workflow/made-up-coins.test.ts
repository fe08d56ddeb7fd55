import { afterAll, describe, expect, it } from 'vitest';
import { csv, destinations, policyText, removeAll, SEED, type Session, snapshot, stage } from '../cli/session.js';
import { type MadeUp, snapshotWith } from './made-up-coins.js';

afterAll(removeAll);

const FRESH = { takenAt: '2026-06-01T11:50:00Z', medianTimePast: '2026-06-01T11:00:00Z' };

interface Shown {
  readonly code: string;
  readonly outcome: string;
  readonly measured: string;
}

async function floorOf(s: Session, file: string): Promise<readonly Shown[]> {
  const { stdout } = await s.run('batch', 'plan', file, '--as', 'alice', '--seed', SEED, '--json');
  const { batches } = JSON.parse(stdout);
  return batches.map(({ verdict }: { verdict: { findings: readonly Shown[] } }) =>
    verdict.findings.find(({ code }) => code === 'RESERVE_FLOOR'),
  );
}

async function withCoins(policy: string, coins: readonly MadeUp[], keep = 10): Promise<Session> {
  const s = await stage({ policy });
  s.write('fresh.json', snapshotWith(coins, { ...FRESH, coins: keep }));
  await s.expect(0, 'coins', 'import', 'fresh.json');
  return s;
}

describe('the reserve floor', () => {
  // Ten coins of the demo are 295 BTC, and the floor is 1,000 BTC: 10,000 BTC more would lift it.
  it.each<[string, MadeUp, string]>([
    ['an immature coinbase output', { coinbase: true, height: 2_949_902 }, 'deny'],
    ['a mature coinbase output', { coinbase: true, height: 2_949_901 }, 'pass'],
    ['a coin of five confirmations', { height: 2_949_996 }, 'deny'],
    ['a coin of six confirmations', { height: 2_949_995 }, 'pass'],
    ['an unconfirmed coin', { height: null }, 'deny'],
  ])('counts %s as the policy would let it be spent', async (_, coin, outcome) => {
    const s = await withCoins(policyText(), [coin]);
    expect(await floorOf(s, 'withdrawals.csv')).toMatchObject([{ outcome }]);
  });

  it('counts no unconfirmed coin, also where the policy lets it be spent', async () => {
    const policy = policyText().replace('min_confirmations: 6', 'min_confirmations: 0');
    expect(policy).not.toBe(policyText());
    expect(await floorOf(await withCoins(policy, [{ height: null }]), 'withdrawals.csv')).toMatchObject([
      { outcome: 'deny' },
    ]);
    expect(await floorOf(await withCoins(policy, [{ height: 2_950_000 }]), 'withdrawals.csv')).toMatchObject([
      { outcome: 'pass' },
    ]);
  });

  it('counts no frozen coin', async () => {
    const s = await withCoins(policyText(), [{}]);
    const { coins } = await s.json(0, 'vault', 'coins');
    const { outpoint } = coins.find(({ amount, value }: { amount?: string; value?: string }) =>
      [amount, value].includes('1000000000000'),
    );
    await s.expect(0, 'coins', 'freeze', outpoint, '--reason', 'whose is it', '--as', 'bob');
    expect(await floorOf(s, 'withdrawals.csv')).toMatchObject([{ outcome: 'deny' }]);
  });

  it('counts what earlier parts of a plan spend, and denies the part that would go below', async () => {
    const rows = destinations()
      .slice(0, 25)
      .map((id, n) => [`M-${n}`, id, BigInt(10_000_000 + n)] as const);
    const floors = async (floor: bigint): Promise<readonly Shown[]> => {
      const policy = policyText().replace(/reserve_floor: "\d+"/, `reserve_floor: "${floor}"`);
      const s = await stage({ policy });
      s.write('many.csv', csv(rows));
      return floorOf(s, 'many.csv');
    };
    const [first, second] = await floors(0n);
    const [left, leftAfterBoth] = [BigInt(first?.measured ?? 0), BigInt(second?.measured ?? 0)];
    // The change of the first part is not confirmed when the second is signed: all of its inputs are gone.
    expect(leftAfterBoth < left - 200_000_000n).toBe(true);
    expect((await floors(leftAfterBoth)).map(({ outcome }) => outcome)).toEqual(['pass', 'pass']);
    expect((await floors(leftAfterBoth + 1n)).map(({ outcome }) => outcome)).toEqual(['pass', 'deny']);
  });
});

describe('a coin far out on the change branch', () => {
  const changeOf = async (s: Session): Promise<readonly number[]> => {
    const id = await s.planOne('withdrawals.csv');
    const { entries } = await s.json(0, 'audit', 'log');
    const bodies: readonly { kind: string; batch?: string; outputs?: readonly { change?: number }[] }[] = entries.map(
      ({ body }: { body: object }) => body,
    );
    const planned = bodies.find(({ kind, batch }) => kind === 'batch.planned' && batch === id);
    return planned?.outputs?.flatMap(({ change }) => change ?? []) ?? [];
  };

  it.each([20, 5000, 60_000, 2 ** 31 - 1])('at index %i does not move the next change there', async (index) => {
    const s = await stage();
    s.write('far.json', snapshotWith([{ branch: 1, index, value: 100_000n }], FRESH));
    const imported = await s.json(0, 'coins', 'import', 'far.json');
    expect(imported.change_beyond_gap).toMatchObject([{ index }]);
    expect(await changeOf(s)).toEqual([0]);
  });

  it('within the gap is followed, and nothing is said of it', async () => {
    const s = await stage();
    const coins = [19, 39].map((index) => ({ branch: 1, index, value: 100_000n }) as const);
    s.write('near.json', snapshotWith(coins, FRESH));
    const imported = await s.json(0, 'coins', 'import', 'near.json');
    expect(imported.change_beyond_gap).toEqual([]);
    expect(await changeOf(s)).toEqual([40]);
  });

  it('is named by the import, a few of them one by one', async () => {
    const s = await stage();
    const coins = Array.from({ length: 7 }, (_, n) => ({ branch: 1, index: 100 + n, value: 100_000n }) as const);
    s.write('far.json', snapshotWith(coins, FRESH));
    const { stdout } = await s.expect(0, 'coins', 'import', 'far.json');
    expect(stdout.match(/WARNING: \S+ is change at index 10\d, beyond the gap/g)).toHaveLength(5);
    expect(stdout).toContain('and 2 more coins like it');
    s.write('usual.json', snapshot({ height: 2_950_001 }));
    const { stdout: usual } = await s.expect(0, 'coins', 'import', 'usual.json');
    expect(usual).not.toContain('beyond the gap');
    // Coins that were there and are gone, which nobody of this journal spent, are named whoever made them up.
    expect(usual).toContain('WARNING: 7 coins of 700000 sat (0.00700000 BTC) are no longer there');
  });
});
