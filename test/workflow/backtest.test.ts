import { afterAll, describe, expect, it } from 'vitest';
import { csv, demoFile, destinations, policyText, removeAll, SEED, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

/** A day of the treasury: one batch signed, one denied, one planned and left to lie. */
async function day(): Promise<Session> {
  const s = await stage();
  const id = await s.ready('withdrawals.csv');
  await s.expect(0, 'batch', 'sign', id);
  s.write('theft.csv', demoFile('theft.csv'));
  await s.expect(10, 'batch', 'plan', 'theft.csv', '--as', 'alice', '--seed', '22'.repeat(32), '--max-outputs', '44');
  s.wait(600);
  const second = await s.ready('second.csv');
  await s.run('batch', 'sign', second);
  return s;
}

describe('policy backtest', () => {
  it('comes to every decision of the journal again under the policy that made it', async () => {
    const s = await day();
    const { decisions, changed, moves } = await s.json(0, 'policy', 'backtest', '--policy', 'policy.yaml');
    expect(changed).toEqual([]);
    expect(decisions).toBeGreaterThanOrEqual(5);
    const total = Object.values(moves).reduce((sum: number, count) => sum + Number(count), 0);
    expect(total).toBe(decisions);
    expect(moves['DENY -> DENY']).toBeGreaterThan(0);
    expect(moves['ALLOW -> ALLOW']).toBeGreaterThan(0);
  });

  it('counts the reserve as the decision did: parts of one plan, and coins frozen before and after', async () => {
    const s = await stage();
    const rows = destinations().map((id, n) => [`M-${n}`, id, BigInt(10_000_000 + n)] as const);
    s.write('many.csv', csv(rows.slice(0, 25)));
    s.write('again.csv', csv([['N-1', 'warm-1', 1_000_000n]]));
    const measured: bigint[] = [];
    const plan = async (file: string): Promise<void> => {
      const { batches } = await s.json(0, 'batch', 'plan', file, '--as', 'alice', '--seed', SEED);
      for (const { verdict } of batches) {
        const floor = verdict.findings.find(({ code }: { code: string }) => code === 'RESERVE_FLOOR');
        measured.push(BigInt(floor.measured));
      }
    };
    await plan('many.csv');
    const { coins } = await s.json(0, 'vault', 'coins');
    await s.expect(0, 'coins', 'freeze', coins.at(-1).outpoint, '--reason', 'r', '--as', 'bob');
    await plan('again.csv');
    expect(new Set(measured).size).toBe(3);
    for (const floor of measured.flatMap((amount) => [amount, amount + 1n])) {
      s.write('floor.yaml', policyText().replace(/reserve_floor: "\d+"/, `reserve_floor: "${floor}"`));
      const { changed } = await s.json(0, 'policy', 'backtest', '--policy', 'floor.yaml');
      const turned = changed.filter(({ after }: { after: { codes: string[] } }) =>
        after.codes.includes('RESERVE_FLOOR'),
      );
      expect(turned).toHaveLength(measured.filter((amount) => amount < floor).length);
    }
  });

  it('says which decisions another policy turns, and why', async () => {
    const s = await day();
    s.write('tight.yaml', policyText().replace(/^ {2}batch: "[0-9]+"/m, '  batch: "1000"'));
    const { changed, moves } = await s.json(0, 'policy', 'backtest', '--policy', 'tight.yaml');
    expect(changed.length).toBeGreaterThan(0);
    expect(moves['ALLOW -> DENY']).toBeGreaterThan(0);
    for (const { after } of changed) {
      expect(after.decision).toBe('DENY');
      expect(after.codes).toContain('LIMIT_BATCH');
    }
    const { stdout } = await s.expect(0, 'policy', 'backtest', '--policy', 'tight.yaml');
    expect(stdout).toContain('now also LIMIT_BATCH');
  });

  it('counts approvals under the tiers of the other policy', async () => {
    const s = await day();
    const demanding = policyText().replaceAll('from: officers, m: 2 }', 'from: officers, m: 3 }');
    s.write('demanding.yaml', demanding);
    expect(demanding).not.toBe(policyText());
    const { moves } = await s.json(0, 'policy', 'backtest', '--policy', 'demanding.yaml');
    expect(moves['ALLOW -> NEED']).toBeGreaterThan(0);
  });

  it('lets a laxer policy allow what was denied', async () => {
    const s = await day();
    const lax = policyText().replace(/all_24h: "[0-9]+"/, 'all_24h: unlimited');
    expect(lax).not.toBe(policyText());
    s.write('lax.yaml', lax);
    const { changed } = await s.json(0, 'policy', 'backtest', '--policy', 'lax.yaml');
    expect(changed.length).toBeGreaterThan(0);
    for (const { before, after } of changed) {
      expect(before.codes).toContain('YOUNG_AGGREGATE');
      expect(after.codes).not.toContain('YOUNG_AGGREGATE');
    }
  });
});
