import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, SEED, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

const PLAN = ['batch', 'plan', '--consolidate', '--as', 'alice', '--seed', SEED] as const;

async function planned(s: Session, ...more: string[]): Promise<string> {
  const { batches } = await s.json(0, ...PLAN, ...more);
  expect(batches.length).toBe(1);
  return batches[0].id;
}

describe('batch plan --consolidate', () => {
  it('is planned, approved as what it is, signed, audited and judged again like any other batch', async () => {
    const s = await stage();
    const before = await s.balance('available');
    const id = await planned(s, '--max-inputs', '5', '--feerate', '3');
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch).toMatchObject({ kind: 'consolidation', requests: [], state: 'DRAFT' });
    expect(batch.inputs.length).toBe(5);
    expect(batch.spend).toBe(batch.fee);
    const shown = await s.expect(0, 'batch', 'show', id);
    expect(shown.stdout).toContain('consolidation: it pays nobody');
    expect((await s.expect(0, 'batch', 'list')).stdout).toMatch(/ consolidation /);

    const statement = JSON.parse((await s.expect(0, 'batch', 'approve', id, '--statement', '--person', 'bob')).stdout);
    expect(statement.kind).toBe('consolidation');
    expect(statement.outputs).toEqual([expect.objectContaining({ change: true })]);

    await s.expect(11, 'batch', 'sign', id);
    await s.approve(id, 'bob', 'carol');
    const checked = await s.expect(0, 'batch', 'check', id);
    expect(checked.stdout).toContain('a consolidation');
    const signed = await s.expect(0, 'batch', 'sign', id);
    expect(signed.stdout + signed.stderr).toContain('self-transfer');
    expect(await s.stateOf(id)).toBe('SIGNED');
    expect((await s.balance('available')) < before).toBe(true);
    await s.expect(0, 'audit', 'verify');
    const { changed } = await s.json(0, 'policy', 'backtest', '--policy', 'policy.yaml');
    expect(changed).toEqual([]);
  });

  it('takes the smallest coins of the vault', async () => {
    const s = await stage();
    const { coins } = await s.json(0, 'vault', 'coins');
    const values = coins
      .map(({ value }: { value: string }) => BigInt(value))
      .sort((a: bigint, b: bigint) => (a < b ? -1 : 1));
    const id = await planned(s, '--max-inputs', '4', '--feerate', '1');
    const { batch } = await s.json(0, 'batch', 'show', id);
    const chosen = coins.filter(({ outpoint }: { outpoint: string }) => batch.inputs.includes(outpoint));
    const taken = chosen
      .map(({ value }: { value: string }) => BigInt(value))
      .sort((a: bigint, b: bigint) => (a < b ? -1 : 1));
    expect(taken).toEqual(values.slice(0, 4));
  });

  it('gives the same bytes for the same seed, and does not take coins that a batch holds', async () => {
    const [a, b] = [await stage(), await stage()];
    const words = [...PLAN, '--max-inputs', '3'];
    const first = await a.json(0, ...words);
    expect((await b.json(0, ...words)).batches).toEqual(first.batches);
    const second = (await a.json(0, ...words)).batches[0].id;
    const inputsOf = async (id: string): Promise<string[]> => (await a.json(0, 'batch', 'show', id)).batch.inputs;
    const held = new Set(await inputsOf(first.batches[0].id));
    expect((await inputsOf(second)).filter((input) => held.has(input))).toEqual([]);
  });

  it('keeps what the policy denies as evidence, and frees its coins', async () => {
    const s = await stage();
    const denied = await s.json(10, ...PLAN, '--feerate', '500');
    expect(denied.batches[0].verdict.findings[0].code).toMatch(/^FEE_/);
    expect(await s.stateOf(denied.batches[0].id)).toBe('ABANDONED');
  });

  it.each([
    [['withdrawals.csv', '--consolidate'], 'E_USAGE'],
    [['--consolidate', '--max-outputs', '3'], 'E_USAGE'],
    [[], 'E_USAGE'],
    [['--consolidate', '--max-inputs', '1'], 'E_PLAN_NOTHING'],
    [['--consolidate', '--max-inputs', '0'], 'E_USAGE'],
  ])('refuses %j, and does nothing', async (words, tag) => {
    const s = await stage();
    expect(await s.untouched(() => s.faultOf(2, 'batch', 'plan', ...words, '--as', 'alice'))).toBe(tag);
  });
});
