import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, stage } from '../cli/session.js';

afterAll(removeAll);

interface Line {
  readonly id: string;
  readonly most: string;
  readonly bound_by: readonly { readonly code: string }[];
  readonly frees: { readonly at: string; readonly most: string } | null;
}

describe('policy simulate', () => {
  it('finds for every destination the most that may go: one satoshi more is denied, by the rules that it names', async () => {
    const s = await stage();
    const { destinations } = await s.json(0, 'policy', 'simulate');
    expect(destinations.length).toBeGreaterThan(3);
    expect(destinations.find((line: Line) => line.id === 'warm-1')?.most).toBe('5000000000');
    for (const { id, most, bound_by } of destinations as readonly Line[]) {
      const ask = (amount: bigint, code: number) =>
        s.json(code, 'policy', 'simulate', '--to', id, '--amount', `${amount}`);
      if (most !== '0') expect((await ask(BigInt(most), 0)).verdict.decision).toBe('ALLOW');
      if (bound_by.length === 0) continue;
      const { verdict } = await ask(BigInt(most) + 1n, 10);
      const denied = verdict.findings.filter((finding: { outcome: string }) => finding.outcome === 'deny');
      expect(denied.map(({ code }: { code: string }) => code)).toEqual(bound_by.map(({ code }) => code));
    }
  });

  it('says when more frees, and that is the first second at which more may go', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    s.now = '2026-06-01T18:59:59Z';
    const { destinations } = await s.json(0, 'policy', 'simulate');
    const closed = '2026-06-01T19:00:00Z';
    s.now = closed;
    const late = (await s.json(0, 'policy', 'simulate')).destinations as readonly Line[];
    expect(destinations).toHaveLength(late.length);
    for (const { most, frees, bound_by } of late) {
      expect(most).toBe('0');
      expect(bound_by.map(({ code }) => code)).toContain('TIME_CLOSED');
      if (frees !== null) expect(frees.at).toBe('2026-06-02T07:00:00Z');
    }
  });

  it('shows a table, and refuses an id that the book does not hold', async () => {
    const s = await stage();
    const { stdout } = await s.expect(0, 'policy', 'simulate');
    expect(stdout).toContain('bound by');
    expect(await s.faultOf(2, 'policy', 'simulate', '--to', 'nobody')).toBe('E_USAGE');
    expect(await s.faultOf(2, 'policy', 'simulate', '--amount', '5')).toBe('E_USAGE');
  });
});
