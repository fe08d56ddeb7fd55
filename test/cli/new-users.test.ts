import { afterAll, describe, expect, it } from 'vitest';
import { removeAll, stage } from './session.js';

afterAll(removeAll);

/** What people meet on their first day: each was a place where somebody did not know how to go on. */
describe('a first day', () => {
  it('begins with a book that can be looked at before it is signed', async () => {
    const s = await stage({ until: 'nothing' });
    const { digest, entries, proven } = await s.json(0, 'book', 'lint', 'book-1.yaml');
    expect((await s.json(0, 'book', 'sign', 'book-1.yaml', '--statement')).digest).toBe(digest);
    expect([entries > 0, proven]).toEqual([true, 0]);
    expect(await s.faultOf(2, 'book', 'lint', 'policy.yaml')).toBe('E_FIELD_TYPE');
  });

  it('says of a signature under a policy that nobody asked for it', async () => {
    const s = await stage({ until: 'vault' });
    const words = ['policy', 'sign', 'policy.yaml', '--key'];
    const { doubt } = await s.json(0, ...words, 'keys/alice');
    expect(doubt).toBe('by this policy alice is not asked to sign: it takes 2 different people of the role auditors');
    expect(await s.json(0, ...words, 'keys/frank')).not.toHaveProperty('doubt');
  });

  it('says which name a policy has to have', async () => {
    const s = await stage({ until: 'init' });
    await s.expect(0, 'vault', 'import', 'other', 'descriptor.txt');
    const [fault] = (await s.json(13, 'policy', 'activate', 'policy.yaml')).faults;
    expect(fault).toMatchObject({ tag: 'E_POLICY_WALLET', remedy: expect.stringContaining('write id: other') });
  });

  it('says until when new destinations cool down, to the second', async () => {
    const s = await stage({ until: 'policy' });
    await s.signDocument('book', 'book-1.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-1.yaml');
    const before = s.now;
    const { stdout } = await s.expect(0, 'book', 'show');
    const [, end = ''] = /cooling down, not paid before (\S+): /.exec(stdout) ?? [];
    s.now = end;
    expect(Date.parse(end) > Date.parse(before)).toBe(true);
    expect((await s.expect(0, 'book', 'show')).stdout).not.toContain('cooling down');
    s.wait(-1);
    expect((await s.expect(0, 'book', 'show')).stdout).toContain('cooling down');
  });

  it('names the batch that was meant, and takes none but the one that was typed', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    for (const typed of [id.slice(0, 8), id.slice(0, -1), `${id.slice(0, -1)}x`]) {
      const [fault] = (await s.json(2, 'batch', 'show', typed)).faults;
      expect(fault).toMatchObject({ tag: 'E_BATCH_UNKNOWN', remedy: expect.stringContaining(`did you mean ${id}?`) });
    }
    const [fault] = (await s.json(2, 'batch', 'show', '')).faults;
    expect(fault.remedy).toBe('countersign batch list shows all of them');
  });

  it('says with which words a halt is agreed to end, and that nobody agreed', async () => {
    const s = await stage();
    const { halt } = await s.json(0, 'halt', 'raise', '--reason', 'r', '--key', 'keys/bob');
    expect((await s.expect(12, 'halt', 'status')).stdout).toContain(`countersign halt resume ${halt} --key FILE`);
    expect((await s.expect(11, 'halt', 'resume')).stdout).toContain(`Nobody's word was added to the end of ${halt}`);
  });

  it('says how a day is written as a time', async () => {
    const s = await stage({ until: 'init' });
    const [fault] = (await s.json(2, 'audit', 'report', '--from', '2026-06-01')).faults;
    expect(fault.remedy).toContain('2026-06-01T00:00:00Z');
  });
});
