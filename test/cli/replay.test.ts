import { afterAll, describe, expect, it } from 'vitest';
import { tamper } from '../adapters/journal-folder.js';
import { assessmentOf, blobOf, entriesOf, forge, forgedVerdict, newest } from '../workflow/forged-journal.js';
import { csv, policyText, removeAll, type Session, stage } from './session.js';
import { softSigner } from './soft-device.mjs';

afterAll(removeAll);

const verdictsOf = async (s: Session): Promise<number> =>
  (await entriesOf(s)).filter(({ body }) => body.kind === 'batch.verdict').length;

describe('audit replay', () => {
  it('judges every verdict again, at planning and at signing, allowed and denied', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    s.write('big.csv', csv([['big', 'custodian', 6_000_000_000n]]));
    await s.expect(10, 'batch', 'plan', 'big.csv', '--as', 'alice', '--feerate', '1');
    const report = await s.untouched(() => s.json(0, 'audit', 'replay'));
    expect(report).toMatchObject({ verdicts: await verdictsOf(s), differences: [] });
    expect(report.verdicts).toBeGreaterThan(3);
    expect((await s.expect(0, 'audit', 'replay')).stdout).toContain('each the same to the byte');
  });

  it('names the entry of one that comes out otherwise, and shows both', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const honest = await assessmentOf(s, id);
    const make = forgedVerdict(id, honest, {
      verdict: (verdict) => ({ ...verdict, spend: verdict.spend + 1n }),
    });
    const seq = await forge(s, (keep) => [make(keep)]);
    const { faults, differences } = await s.json(13, 'audit', 'replay');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      tag: 'E_VERDICT_DIFFERS',
      message: expect.stringContaining(`entry ${seq}, batch ${id}, at signing`),
    });
    expect(faults[0].message).toContain('spend');
    const [difference] = differences;
    expect(difference).toMatchObject({ seq, batch: id, stage: 'sign', path: 'spend' });
    const kept = await blobOf(s, (await newest(s, 'batch.verdict')).verdict);
    expect(difference.expected).toBe(Buffer.from(kept).toString());
    expect(BigInt(JSON.parse(difference.expected).spend) - BigInt(JSON.parse(difference.got).spend)).toBe(1n);
  });

  it('says so of a verdict that is none, and of one in another spelling', async () => {
    for (const [verdict, words] of [
      ['{}', 'no verdict'],
      [' ', 'no verdict'],
    ] as const) {
      const s = await stage();
      const id = await s.planOne('second.csv');
      const make = forgedVerdict(id, await assessmentOf(s, id), { verdict: () => verdict });
      await forge(s, (keep) => [make(keep)]);
      const { faults, differences } = await s.json(13, 'audit', 'replay');
      expect(faults[0].message).toContain(words);
      expect(differences[0].expected).toBe(verdict);
    }
  });

  it('stops where a document it needs is gone', async () => {
    const s = await stage();
    await s.planOne('second.csv');
    tamper(s.path('journal.sqlite'), 'DELETE FROM blobs');
    expect(await s.faultOf(13, 'audit', 'replay')).toBe('E_JOURNAL_TAMPERED');
  });
});

describe('denials at a first look', () => {
  const AUTO = 'auto: [out_of_band_spend, ledger_tamper, screening_hit_on_own_address]';
  const limited = (count: number): string =>
    policyText().replace(AUTO, `${AUTO}\n  denials: { count: ${count}, within: "1h" }`);
  const LATE = '2026-06-01T19:30:00Z';
  const kinds = async (s: Session, from: number): Promise<string[]> =>
    (await entriesOf(s)).slice(from).map(({ body }) => body.kind);

  it('of batch sign are entries, and come out again', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const before = (await entriesOf(s)).length;
    s.now = LATE;
    s.signer = () => {
      throw new Error('no device may be opened');
    };
    await s.expect(10, 'batch', 'sign', id);
    expect(await kinds(s, before)).toEqual(['batch.verdict']);
    expect(await newest(s, 'batch.verdict')).toMatchObject({ batch: id, stage: 'sign', decision: 'DENY' });
    expect(await s.stateOf(id)).toBe('DRAFT');
    await s.expect(0, 'audit', 'verify');
    await s.expect(0, 'audit', 'replay');
  });

  it('of batch sign write nothing where approvals are missing: that is no denial', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    await s.untouched(() => s.expect(11, 'batch', 'sign', id));
  });

  it('of batch approve are entries, once somebody has signed, and no approval comes of it', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const before = (await entriesOf(s)).length;
    const now = s.now;
    s.now = LATE;
    // A look, and a word that does not count anyway.
    expect(await s.faultOf(10, 'batch', 'approve', id, '--statement', '--person', 'bob')).toBe('E_DENIED');
    expect(await s.faultOf(10, 'batch', 'approve', id, '--key', 'keys/mallory')).toBe('E_APPROVER_UNKNOWN');
    expect(await kinds(s, before)).toEqual([]);
    expect(await s.faultOf(10, 'batch', 'approve', id, '--key', 'keys/bob')).toBe('E_DENIED');
    expect(await kinds(s, before)).toEqual(['batch.verdict']);
    expect(await newest(s, 'batch.verdict')).toMatchObject({ batch: id, stage: 'sign', decision: 'DENY' });
    await s.expect(0, 'halt', 'raise', '--reason', 'stop', '--key', 'keys/bob');
    expect(await s.faultOf(12, 'batch', 'approve', id, '--key', 'keys/carol')).toBe('E_HALTED');
    expect((await newest(s, 'batch.verdict')).codes).toContain('HALTED');
    expect(await kinds(s, before)).toEqual(['batch.verdict', 'halt.raised', 'batch.verdict']);
    await s.expect(0, 'audit', 'verify');
    await s.expect(0, 'audit', 'replay');
    s.now = now;
  });

  it('of batch broadcast are entries of a batch that stays signed', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    const before = (await entriesOf(s)).length;
    s.now = LATE;
    const argv = ['batch', 'broadcast', id, '--backend', 'esplora:http://127.0.0.1:9'];
    expect(await s.faultOf(10, ...argv)).toBe('E_DENIED');
    expect(await kinds(s, before)).toEqual(['batch.verdict']);
    expect(await newest(s, 'batch.verdict')).toMatchObject({ batch: id, decision: 'DENY' });
    expect(await s.stateOf(id)).toBe('SIGNED');
    await s.expect(0, 'audit', 'verify');
    await s.expect(0, 'audit', 'replay');
    await s.expect(0, 'halt', 'raise', '--reason', 'stop', '--key', 'keys/bob');
    expect(await s.faultOf(12, ...argv)).toBe('E_HALTED');
    expect((await newest(s, 'batch.verdict')).codes).toContain('HALTED');
    await s.expect(0, 'audit', 'verify');
  });

  it('count towards the halt upon repeated ones', async () => {
    const s = await stage({ policy: limited(2) });
    const id = await s.ready('second.csv');
    s.signer = () => softSigner();
    s.now = LATE;
    await s.expect(10, 'batch', 'sign', id);
    await s.expect(0, 'halt', 'status');
    await s.expect(10, 'batch', 'sign', id);
    expect(await s.json(12, 'halt', 'status')).toMatchObject({ halts: [{ trigger: 'repeated_denials' }] });
    await s.expect(12, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('the tree that a journal keeps beside its entries', () => {
  it('is made again by audit verify and compared, row by row', async () => {
    const s = await stage({ until: 'init' });
    const frozen = (n: number) => ({
      kind: 'coin.frozen' as const,
      outpoint: `${n.toString(16).padStart(64, '0')}:0`,
      reason: 'r',
      by: 'alice',
    });
    await forge(s, () => Array.from({ length: 520 }, (_, n) => frozen(n)));
    await s.expect(0, 'audit', 'verify');
    const path = s.path('journal.sqlite');
    const found = async (): Promise<string[]> =>
      (await s.json(13, 'audit', 'verify')).faults.map(({ message }: { message: string }) => message);
    tamper(path, `UPDATE subtrees SET hash = '${'ab'.repeat(32)}' WHERE n = 1`);
    expect(await found()).toEqual([expect.stringMatching(/entries 256 to 511 is not that of its entries/)]);
    tamper(path, 'DELETE FROM subtrees WHERE n = 1');
    expect(await found()).toEqual([expect.stringMatching(/entries 256 to 511 was removed/)]);
    tamper(path, 'DELETE FROM subtrees');
    // As in a journal from before they were kept.
    await s.expect(0, 'audit', 'verify');
    for (const [level, n, words] of [
      [1, 2, 'the hash over entries 512 to 767'],
      [1, 1000000, 'the hash over entries 256000000 to 256000255'],
      [2, 0, 'the hash over entries 0 to 65535'],
      [7, 5, 'the hash over entries 360287970189639680 to 432345564227567615'],
      [9, 0, 'the hash 0 of level 9'],
      [0, 3, 'the hash 3 of level 0'],
      [-1, 0, 'the hash 0 of level -1'],
      [1, -1, 'the hash -1 of level 1'],
      ['1', '4611686018427387905', 'the hash over entries 1180591620717411'],
    ] as const) {
      tamper(path, `INSERT INTO subtrees VALUES (${level}, ${n}, '${'cd'.repeat(32)}')`);
      const messages = await found();
      expect(messages.join()).toContain(words);
      expect(messages.join()).toContain(' is kept, and its entries are not there');
      tamper(path, `DELETE FROM subtrees WHERE level = ${level} AND n = ${n}`);
    }
  });
});
