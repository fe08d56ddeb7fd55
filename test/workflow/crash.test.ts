import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTime } from '../../src/domain/time.js';
import { csv, policyText, removeAll, type Session, stage } from '../cli/session.js';

afterAll(removeAll);

const SCRIPT = fileURLToPath(new URL('./crash.child.mjs', import.meta.url));
const BUILT = fileURLToPath(new URL('../../dist/compose.js', import.meta.url));

beforeAll(() => {
  if (!existsSync(BUILT)) throw new Error('these tests run the built program: npm run build comes first');
});

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly said: string;
}

/** A command in a process of its own, killed at a moment or left to end. */
function child(s: Session, argv: readonly string[], more: { dieAt?: string; slow?: number } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const process_ = spawn(process.execPath, [SCRIPT], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [process_.stdout, process_.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    process_.on('close', (code, signal) => resolve({ code, signal, said }));
    process_.stdin.end(JSON.stringify({ folder: s.folder, now: parseTime(s.now), argv, ...more }));
  });
}

async function killed(s: Session, argv: readonly string[], dieAt: string): Promise<void> {
  const ended = await child(s, argv, { dieAt });
  expect([ended.signal, ended.code], ended.said).toEqual(['SIGKILL', null]);
  await s.expect(0, 'audit', 'verify');
}

/** What counts against the limit of 24 hours as a new batch would see it, that batch left out. */
async function debited(s: Session): Promise<bigint> {
  s.write('probe.csv', csv([['PROBE', 'client-01', 1_000_000n]]));
  const { batches } = await s.json(0, 'batch', 'plan', 'probe.csv', '--as', 'alice');
  const [probe] = batches;
  const row = probe.verdict.findings.find((one: { code: string }) => one.code === 'LIMIT_24H');
  await s.expect(0, 'batch', 'abandon', probe.id, '--reason', 'probe', '--as', 'alice');
  return BigInt(row.measured) - BigInt(probe.spend);
}

describe('a signing process that is killed', () => {
  it.each([
    ['before anything was durable', 'inside', 'DRAFT', false],
    ['after it reserved and opened the device', 'opened', 'RESERVED', true],
    ['after it knew the device', 'identified', 'RESERVED', true],
    ['after batch.sent was written', 'sent', 'SENT', true],
    ['after the device answered', 'answered', 'SENT', true],
    ['after batch.signed was written', 'durable', 'SIGNED', true],
  ])('%s leaves an honest state, and never too small a debit', async (_, dieAt, state, debit) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await killed(s, ['batch', 'sign', id], dieAt);
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch.state).toBe(state);
    expect(await debited(s)).toBe(debit ? BigInt(batch.spend) : 0n);
  });

  it.each(['opened', 'identified'])(
    'before it asked (%s) leaves a batch that can be signed or abandoned',
    async (dieAt) => {
      const [a, b] = [await stage(), await stage()];
      const [ofA, ofB] = [await a.ready('second.csv'), await b.ready('second.csv')];
      await killed(a, ['batch', 'sign', ofA], dieAt);
      await a.expect(0, 'batch', 'sign', ofA);
      expect(await a.stateOf(ofA)).toBe('SIGNED');
      await killed(b, ['batch', 'sign', ofB], dieAt);
      await b.expect(0, 'batch', 'abandon', ofB, '--reason', 'the machine crashed', '--as', 'alice');
      expect([await debited(b), await b.balance('in a batch')]).toEqual([0n, 0n]);
    },
  );

  it.each(['sent', 'answered'])(
    'after it asked (%s) leaves a batch that nobody can sign, abandon or plan around',
    async (dieAt) => {
      const s = await stage();
      const id = await s.ready('second.csv');
      await killed(s, ['batch', 'sign', id], dieAt);
      expect(await s.untouched(() => s.faultOf(15, 'batch', 'sign', id))).toBe('E_BATCH_STATE');
      const abandon = ['batch', 'abandon', id, '--reason', 'r', '--as', 'alice'];
      expect(await s.untouched(() => s.faultOf(15, ...abandon))).toBe('E_BATCH_STATE');
      const repeated = await s.untouched(() => s.json(0, 'batch', 'plan', 'second.csv', '--as', 'alice'));
      expect(repeated).toMatchObject({ repeated: true, batches: [{ id }] });
      expect(await s.balance('in a batch')).toBeGreaterThan(0n);
    },
  );

  it('before it asked leaves a debit that a later refusal speaks of', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await killed(s, ['batch', 'sign', id], 'opened');
    s.now = '2026-06-01T19:00:00Z';
    const { stdout } = await s.expect(10, 'batch', 'sign', id);
    expect(stdout).toContain('The budget is debited since an earlier run');
    expect(await s.stateOf(id)).toBe('RESERVED');
  });

  it('after it signed has lost only the copy for people, which can be written again', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await killed(s, ['batch', 'sign', id], 'durable');
    expect(existsSync(s.path(`batches/${id}/transaction.hex`))).toBe(false);
    const { transaction, files } = await s.json(0, 'batch', 'show', id, '--export');
    expect(files).toContain(`batches/${id}/transaction.hex`);
    expect(s.read(`batches/${id}/transaction.hex`)).toBe(`${transaction}\n`);
  });
});

describe('a planning process that is killed', () => {
  const plan = ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', '11'.repeat(32)];

  it('before its transaction is durable has planned nothing', async () => {
    const s = await stage();
    const head = await s.head();
    await killed(s, plan, 'inside');
    expect(await s.head()).toBe(head);
    expect(await s.planOne('withdrawals.csv')).toMatch(/^20260601-/);
  });

  it('after it has planned all, and the files can be written again', async () => {
    const s = await stage();
    await killed(s, plan, 'durable');
    const repeated = await s.json(0, ...plan);
    expect(repeated.repeated).toBe(true);
    const [{ id }] = repeated.batches;
    expect(readdirSync(s.folder)).not.toContain('batches');
    await s.expect(0, 'batch', 'show', id, '--export');
    expect(existsSync(s.path(`batches/${id}/unsigned.psbt`))).toBe(true);
  });
});

describe('two processes at once', () => {
  it('sign one batch once', async () => {
    for (const slow of [0, 40, 200]) {
      const s = await stage();
      const id = await s.ready('second.csv');
      const ended = await Promise.all([child(s, ['batch', 'sign', id], { slow }), child(s, ['batch', 'sign', id])]);
      const said = ended.map((one) => one.said).join('\n');
      const codes = ended.map(({ code }) => code).sort((a, b) => (a ?? 0) - (b ?? 0));
      expect(codes, said).toEqual([0, 15]);
      expect(await s.stateOf(id)).toBe('SIGNED');
      const { stdout } = await s.expect(0, 'audit', 'log');
      expect(['batch.reserved', 'batch.sent', 'batch.signed'].map((kind) => stdout.split(kind).length - 1)).toEqual([
        1, 1, 1,
      ]);
    }
  }, 60_000);

  it('share one budget: what only one of two batches may spend is spent by one', async () => {
    const policy = policyText().replace('rolling: { "1h": "12000000000"', 'rolling: { "1h": "500000000"');
    const s = await stage({ policy });
    s.write('a.csv', csv([['A-1', 'warm-1', 300_000_000n]]));
    s.write('b.csv', csv([['B-1', 'custodian', 300_000_000n]]));
    const ids = [await s.ready('a.csv'), await s.ready('b.csv')];
    const ended = await Promise.all(ids.map((id) => child(s, ['batch', 'sign', id])));
    const said = ended.map((one) => one.said).join('\n');
    expect(ended.map(({ code }) => code).sort(), said).toEqual([0, 10]);
    const states = await Promise.all(ids.map((id) => s.stateOf(id)));
    expect(states.sort()).toEqual(['DRAFT', 'SIGNED']);
  }, 60_000);

  it('plan the same withdrawals once', async () => {
    const s = await stage();
    const plan = ['batch', 'plan', 'withdrawals.csv', '--as', 'alice'];
    const ended = await Promise.all([child(s, plan), child(s, plan)]);
    const said = ended.map((one) => one.said).join('\n');
    for (const { code } of ended) expect([0, 15], said).toContain(code);
    expect(
      ended.some(({ code }) => code === 0),
      said,
    ).toBe(true);
    expect((await s.json(0, 'batch', 'list')).batches).toHaveLength(1);
  }, 60_000);
});
