import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { reviewFingerprint, type StatementFields } from '../../src/approval/statement.js';
import { csv, removeAll, stage } from './session.js';

afterAll(removeAll);

describe('batch review', () => {
  it('prints the same digits on a second machine with a copy of the journal, and writes nothing', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const first = await s.untouched(() => s.json(11, 'batch', 'review', id));
    expect(first.fingerprint).toMatch(/^\d{4}( \d{4}){7}$/);
    const second = await stage({ until: 'nothing' });
    await s.expect(0, 'journal', 'copy', second.path('copy.sqlite'));
    second.write('countersign.yaml', 'schema: countersign.workspace/1\nnetwork: testnet3\njournal: copy.sqlite\n');
    second.now = s.now;
    expect(await second.json(11, 'batch', 'review', id)).toMatchObject({ fingerprint: first.fingerprint });
    const { stdout } = await second.expect(11, 'batch', 'review', id);
    expect(stdout).toContain(`compare  ${first.fingerprint}`);
  });

  it('keeps the digits while people approve and time passes, and gives another batch other ones', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const { fingerprint } = await s.json(11, 'batch', 'review', id);
    await s.approve(id, 'bob');
    s.wait(60);
    expect((await s.json(11, 'batch', 'review', id)).fingerprint).toBe(fingerprint);
    await s.approve(id, 'carol');
    expect((await s.json(0, 'batch', 'review', id)).fingerprint).toBe(fingerprint);
    const other = await s.planOne('second.csv');
    expect((await s.json(11, 'batch', 'review', other)).fingerprint).not.toBe(fingerprint);
  });

  it('tells apart two plans of the same withdrawals', async () => {
    const s = await stage();
    s.write('one.csv', csv([['W-1', 'warm-1', 1_000_000n]]));
    const id = await s.planOne('one.csv');
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'a test', '--as', 'alice');
    s.write('two.csv', csv([['W-2', 'warm-1', 1_000_000n]]));
    const again = await s.planOne('two.csv');
    const prints = [];
    for (const one of [id, again])
      prints.push((await s.json(one === id ? 10 : 11, 'batch', 'review', one)).fingerprint);
    expect(prints[0]).not.toBe(prints[1]);
  });

  it('holds a PSBT that was brought to the one of the journal', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const file = `batches/${id}/unsigned.psbt`;
    await s.expect(11, 'batch', 'review', id, '--psbt', s.path(file));
    const bytes = readFileSync(s.path(file));
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
    writeFileSync(s.path('other.psbt'), bytes);
    const code = (await s.run('batch', 'review', id, '--psbt', 'other.psbt')).code;
    expect(code).not.toBe(11);
    const { faults } = await s.json(code, 'batch', 'review', id, '--psbt', 'other.psbt');
    expect(['E_PSBT_CHANGED', 'E_PSBT_PARSE']).toContain(faults[0].tag);
    expect(await s.faultOf(2, 'batch', 'review', 'nobody')).toBe('E_BATCH_UNKNOWN');
  });
});

const BASE: Omit<StatementFields, 'approver' | 'validUntil'> = {
  network: 'main',
  vault: 'cold',
  descriptor: 'wpkh(xpub)#abcdefgh',
  batch: '20260601-00000000',
  kind: 'withdrawal',
  psbt: '00'.repeat(32),
  txid: '11'.repeat(32),
  inputs: [{ outpoint: `${'22'.repeat(32)}:0`, amount: 1000n }],
  outputs: [{ script: '0014', amount: 900n, change: false }],
  spend: 1000n,
  fee: 100n,
  policy: 'sha256:33',
  book: null,
  journal: { seq: 7, hash: '44'.repeat(32) },
  replaces: null,
  childOf: null,
  initiator: 'alice',
};

describe('the digits', () => {
  it('are others where any bound field is another one', () => {
    const changes: Partial<typeof BASE>[] = [
      { network: 'testnet3' },
      { vault: 'warm' },
      { descriptor: 'wpkh(xpub2)#abcdefgh' },
      { batch: '20260601-00000001' },
      { kind: 'consolidation' },
      { psbt: '01'.repeat(32) },
      { txid: '12'.repeat(32) },
      { inputs: [{ outpoint: `${'22'.repeat(32)}:0`, amount: 1001n }] },
      { outputs: [{ script: '0014', amount: 900n, change: true }] },
      { spend: 1001n },
      { fee: 101n },
      { policy: 'sha256:34' },
      { book: 'sha256:35' },
      { journal: { seq: 8, hash: '44'.repeat(32) } },
      { replaces: 'x' },
      { childOf: 'x' },
      { initiator: 'bob' },
    ];
    const prints = changes.map((change) => reviewFingerprint({ ...BASE, ...change }));
    expect(new Set([...prints, reviewFingerprint(BASE)]).size).toBe(changes.length + 1);
  });

  it('are always eight groups of four', () => {
    fc.assert(
      fc.property(fc.nat(), (seq) => {
        const print = reviewFingerprint({ ...BASE, journal: { seq, hash: '44'.repeat(32) } });
        expect(print).toMatch(/^\d{4}( \d{4}){7}$/);
      }),
    );
  });
});
