import { afterAll, describe, expect, it } from 'vitest';
import { csv, removeAll, stage } from '../cli/session.js';

afterAll(removeAll);

describe('batch check', () => {
  it('judges a batch as of now and writes nothing', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    expect(await s.untouched(() => s.json(11, 'batch', 'check', id))).toMatchObject({ verdict: { decision: 'NEED' } });
    await s.approve(id, 'bob', 'carol');
    expect(await s.untouched(() => s.json(0, 'batch', 'check', id))).toMatchObject({ verdict: { decision: 'ALLOW' } });
    s.now = '2026-06-06T12:00:00Z';
    expect(await s.untouched(() => s.json(10, 'batch', 'check', id))).toMatchObject({ verdict: { decision: 'DENY' } });
  });

  it.each([
    ['binary', (psbt: Buffer) => psbt],
    ['base64', (psbt: Buffer) => psbt.toString('base64')],
    ['base64 with a line end', (psbt: Buffer) => `${psbt.toString('base64')}\n`],
    ['hex', (psbt: Buffer) => psbt.toString('hex')],
  ])("judges somebody else's PSBT as %s, to the same verdict", async (_, write) => {
    const s = await stage();
    const planned = await s.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    const psbt = Buffer.from(planned.batches[0].psbt, 'base64');
    s.write('them.psbt', write(psbt));
    const argv = ['batch', 'check', 'them.psbt', '--requests', 'withdrawals.csv', '--as', 'alice'];
    const checked = await s.untouched(() => s.json(11, ...argv));
    expect(checked.psbt_sha256).toBe(planned.batches[0].psbt_sha256);
    const codes = (verdict: { findings: { code: string }[] }): string[] => verdict.findings.map(({ code }) => code);
    expect(codes(checked.verdict)).toEqual(codes(planned.batches[0].verdict));
  });

  it('denies a PSBT that pays other than what was asked', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    s.write('less.csv', s.read('withdrawals.csv').replace('250000000', '249999999'));
    const argv = ['batch', 'check', `batches/${id}/unsigned.psbt`, '--requests', 'less.csv', '--as', 'alice'];
    const denied = await s.untouched(() => s.json(10, ...argv));
    expect(JSON.stringify(denied.verdict)).toContain('REQUEST_PSBT_MISMATCH');
  });

  it('denies a PSBT that pays, once more, what another batch pays', async () => {
    const s = await stage();
    s.write('a.csv', csv([['A-1', 'warm-1', 100_000_000n]]));
    const first = await s.json(0, 'batch', 'plan', 'a.csv', '--as', 'alice');
    s.write('first.psbt', Buffer.from(first.batches[0].psbt, 'base64'));
    await s.expect(0, 'batch', 'abandon', first.batches[0].id, '--reason', 'again', '--as', 'alice');
    await s.planOne('a.csv', '--feerate', '20');
    const denied = await s.json(10, 'batch', 'check', 'first.psbt', '--requests', 'a.csv', '--as', 'alice');
    const deny = denied.verdict.findings.filter(({ outcome }: { outcome: string }) => outcome === 'deny');
    expect(deny.map(({ code }: { code: string }) => code)).toContain('REQUEST_ID_REUSE');
  });
});
