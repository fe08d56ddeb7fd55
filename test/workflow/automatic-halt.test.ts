import { afterAll, describe, expect, it } from 'vitest';
import { namedBlobs } from '../../src/journal/blobs.js';
import { NO_HALT } from '../../src/workflow/audit-halts.js';
import { denialsDue, raiseAutomaticHalt } from '../../src/workflow/automatic-halt.js';
import { csv, policyText, removeAll, type Session, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';
import { atDesk, blobOf, entriesOf, findings, forge } from './forged-journal.js';

afterAll(removeAll);

const AUTO = 'auto: [out_of_band_spend, ledger_tamper, screening_hit_on_own_address]';
const withDenials = (count: number, within = '1h'): string =>
  policyText().replace(AUTO, `${AUTO}\n  denials: { count: ${count}, within: "${within}" }`);

/** A plan that the policy denies: far more than one output may carry. */
async function deny(s: Session, name: string, code = 10): Promise<void> {
  s.write(`${name}.csv`, csv([[name, 'custodian', 5_000_000_000n + BigInt(name.length)]]));
  await s.expect(code, 'batch', 'plan', `${name}.csv`, '--as', 'alice', '--feerate', '1');
}
const halts = async (s: Session): Promise<number> =>
  (await s.json((await s.run('halt', 'status')).code, 'halt', 'status')).halts.length;

describe('denials of late', () => {
  const at = (...times: number[]) => times.map((time, seq) => ({ seq, at: time, plan: null }));
  const limit = { count: 2, within: 60 };

  it.each([
    ['one fewer', at(100), limit, 100, false],
    ['as many', at(100, 100), limit, 100, true],
    ['one more', at(90, 100, 100), limit, 100, true],
    ['the first a second less than the time ago', at(41, 100), limit, 100, true],
    ['the first exactly the time ago', at(40, 100), limit, 100, false],
    ['without a limit', at(1, 1, 1), undefined, 1, false],
  ])('%s', (_, denials, bound, now, due) => {
    expect(denialsDue(denials, bound, now) !== null).toBe(due);
  });
});

describe('repeated denials', () => {
  it('halt with the one that makes too many, in the same transaction, and not with one fewer', async () => {
    const s = await stage({ policy: withDenials(2) });
    await deny(s, 'first');
    expect(await halts(s)).toBe(0);
    await deny(s, 'second');
    expect(await s.json(12, 'halt', 'status')).toMatchObject({
      halts: [{ source: 'automatic', trigger: 'repeated_denials', scope: 'all', needed: 3 }],
    });
    expect((await entriesOf(s)).slice(-4).map(({ body }) => body.kind)).toEqual([
      'batch.planned',
      'batch.verdict',
      'batch.abandoned',
      'halt.raised',
    ]);
    await s.expect(0, 'audit', 'verify');
  });

  it('are forgotten after their time', async () => {
    const s = await stage({ policy: withDenials(2, '10m') });
    await deny(s, 'first');
    s.wait(600);
    await deny(s, 'second');
    expect(await halts(s)).toBe(0);
    s.wait(599);
    await deny(s, 'third');
    expect(await halts(s)).toBe(1);
  });

  it('do not count what the halt itself denies, and count from anew once it has ended', async () => {
    const s = await stage({ policy: withDenials(1, '30d').replace('not_before: "24h"', 'not_before: "0s"') });
    await deny(s, 'first');
    await deny(s, 'second', 12);
    expect(await halts(s)).toBe(1);
    for (const [person, code] of [
      ['alice', 11],
      ['bob', 11],
      ['erin', 0],
    ] as const) {
      await s.expect(code, 'halt', 'resume', '--key', `keys/${person}`);
    }
    expect(await halts(s)).toBe(0);
    await deny(s, 'third');
    expect(await halts(s)).toBe(1);
    await s.expect(0, 'audit', 'verify');
  });

  it('count at signing as well', async () => {
    const s = await stage({ policy: withDenials(1) });
    const id = await s.ready('second.csv');
    const device = softSigner();
    s.signer = () => ({
      ...device,
      appInfo: async () => {
        s.now = '2026-06-01T19:30:00Z';
        return device.appInfo();
      },
    });
    await s.expect(10, 'batch', 'sign', id);
    expect(await halts(s)).toBe(1);
    await s.expect(0, 'audit', 'verify');
  });

  it('halt nothing where the policy names no number', async () => {
    const s = await stage();
    for (const name of ['a', 'ab', 'abc', 'abcd']) await deny(s, name);
    expect(await halts(s)).toBe(0);
  });

  it.each([
    ['at the end of a journal', false],
    ['in the middle of one', true],
  ])('without their halt are found by audit verify, %s', async (_, goesOn) => {
    const [honest, forged] = [await stage({ policy: withDenials(2) }), await stage({ policy: withDenials(2) })];
    for (const s of [honest, forged]) await deny(s, 'first');
    await deny(honest, 'second');
    const written = (await entriesOf(honest)).slice(-4, -1).map(({ body }) => body);
    const blobs = await Promise.all(written.flatMap(namedBlobs).map((name) => blobOf(honest, name)));
    await forge(forged, (keep) => {
      for (const bytes of blobs) keep(bytes);
      return written;
    });
    if (goesOn) {
      const words = ['--reason', 'r', '--as', 'alice'];
      const { coins } = await forged.json(0, 'vault', 'coins');
      await forged.expect(0, 'coins', 'freeze', coins[0].outpoint, ...words);
    }
    expect((await findings(forged)).join()).toContain(NO_HALT);
  });

  it('that are too few are found by audit verify where a halt says otherwise', async () => {
    const s = await stage({ policy: withDenials(2) });
    await deny(s, 'first');
    await forge(s, (keep) => [
      {
        kind: 'halt.raised',
        scope: 'all',
        reason: 'r',
        source: 'automatic',
        trigger: 'repeated_denials',
        evidence: keep(Buffer.from('{"trigger":"repeated_denials"}')),
      },
    ]);
    expect((await findings(s)).join()).toContain('its evidence is not the denials before it');
  });
});

describe('a halt upon a finding', () => {
  const raise = (s: Session, evidence = 'TXID') =>
    atDesk(s, (desk) => raiseAutomaticHalt(desk, 'out_of_band_spend', { txid: evidence }));

  it('stands once for one finding, also after it has ended', async () => {
    const s = await stage();
    const first = await raise(s);
    expect(first).toMatchObject({ ok: true, value: { kind: 'raised' } });
    expect(await raise(s)).toMatchObject({ ok: true, value: { kind: 'known' } });
    expect(await s.json(12, 'halt', 'status')).toMatchObject({ halts: [{ trigger: 'out_of_band_spend' }] });
    s.wait(86_400);
    for (const [person, code] of [
      ['alice', 11],
      ['bob', 11],
      ['erin', 0],
    ] as const) {
      await s.expect(code, 'halt', 'resume', '--key', `keys/${person}`);
    }
    expect(await raise(s)).toMatchObject({ ok: true, value: { kind: 'known' } });
    expect(await halts(s)).toBe(0);
    expect(await raise(s, 'another')).toMatchObject({ ok: true, value: { kind: 'raised' } });
    await s.expect(0, 'audit', 'verify');
  });

  it('is raised only where the policy wants it', async () => {
    const s = await stage({ policy: policyText().replace(AUTO, 'auto: [ledger_tamper]') });
    expect(await s.untouched(() => raise(s))).toEqual({ ok: true, value: { kind: 'left-out' } });
  });

  it('with evidence of something else is found by audit verify', async () => {
    const s = await stage();
    await forge(s, (keep) => [
      {
        kind: 'halt.raised',
        scope: 'all',
        reason: 'r',
        source: 'automatic',
        trigger: 'ledger_tamper',
        evidence: keep(Buffer.from('{"trigger":"out_of_band_spend"}')),
      },
    ]);
    expect((await findings(s)).join()).toContain('its evidence is of another trigger');
  });
});
