import { describe, expect, it } from 'vitest';
import { APPROVAL_NAMESPACE } from '../../src/approval/statement.js';
import { demoFile, NOON, stage } from './session.js';

/** What `> statement.json` and `| ssh-keygen -Y sign` get: a line end would be signed, and the signature would not count. */
describe('a statement that is printed to be signed elsewhere', () => {
  it.each([
    ['batch approve', ['batch', 'approve', 'ID', '--person', 'bob']],
    ['batch reject', ['batch', 'reject', 'ID', '--person', 'bob', '--reason', 'r']],
    ['halt raise', ['halt', 'raise', '--person', 'bob', '--reason', 'r']],
    ['policy sign', ['policy', 'sign', 'policy.yaml']],
    ['book sign', ['book', 'sign', 'book-1.yaml']],
    ['screening sign', ['screening', 'sign', 'ofac', 'list.txt', '--issued-at', NOON]],
  ])('by %s is its bytes and nothing else', async (_, argv) => {
    const s = await stage();
    s.write('list.txt', demoFile('sanctioned.txt'));
    const id = await s.planOne('withdrawals.csv');
    const words = [...argv.map((word) => (word === 'ID' ? id : word)), '--statement'];
    const { statement } = await s.json(0, ...words);
    const { stdout, stderr } = await s.expect(0, ...words);
    expect(stdout).toBe(statement);
    expect(JSON.parse(stdout)).toBeTypeOf('object');
    expect(stderr).toBe('');
  });

  it('by batch withdraw and halt resume as well', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const withdraw = await s.expect(0, 'batch', 'withdraw', id, '--person', 'bob', '--statement');
    await s.expect(0, 'halt', 'raise', '--reason', 'r', '--key', 'keys/bob');
    s.wait(86_400);
    const resume = await s.expect(0, 'halt', 'resume', '--person', 'bob', '--statement');
    for (const { stdout } of [withdraw, resume]) expect(stdout).toMatch(/^\{.*\}$/);
  });

  it('counts as it was printed, and is told from one that an editor saved', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const { stdout } = await s.expect(0, 'batch', 'approve', id, '--person', 'bob', '--statement');
    const bring = ['batch', 'approve', id, '--signature', 'bob.sig', '--over', 'bob.json'];
    s.write('bob.json', `${stdout}\n`);
    s.write('bob.sig', s.sign('bob', `${stdout}\n`, { namespace: APPROVAL_NAMESPACE }));
    const [fault] = (await s.json(13, ...bring)).faults;
    expect(fault.message).toBe(
      'the statement says the right things but ends with a line end, which was signed with it',
    );
    s.write('bob.json', stdout);
    s.write('bob.sig', s.sign('bob', stdout, { namespace: APPROVAL_NAMESPACE }));
    expect((await s.json(0, ...bring)).approved).toEqual(['bob']);
  });
});
