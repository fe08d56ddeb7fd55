import { afterAll, describe, expect, it } from 'vitest';
import { publicLine } from '../approval/soft-token.js';
import { csv, policyText, removeAll, type Session, snapshot, stage, tokenOf } from '../cli/session.js';

afterAll(removeAll);

/** Four hours, as the policy of these tests has it. */
const VALID_FOR = 4 * 3600;

const approve = (id: string, person: string) => ['batch', 'approve', id, '--key', `keys/${person}`];

async function statement(s: Session, id: string, person: string): Promise<string> {
  return (await s.json(0, 'batch', 'approve', id, '--statement', '--person', person)).statement;
}

/** Brings along a signature that was made elsewhere. */
function brought(s: Session, id: string, armored: string, over: string): string[] {
  s.write('brought.sig', armored);
  s.write('brought.json', over);
  return ['batch', 'approve', id, '--signature', 'brought.sig', '--over', 'brought.json'];
}

describe('batch approve', () => {
  it('counts people until the quorum is there', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    expect(await s.json(0, ...approve(id, 'bob'))).toMatchObject({ person: 'bob', decision: 'NEED', missing: 1 });
    expect(await s.json(0, ...approve(id, 'carol'))).toMatchObject({ decision: 'ALLOW', approved: ['bob', 'carol'] });
  });

  it.each([
    ['alice', 10, 'E_DENIED'],
    ['mallory', 10, 'E_APPROVER_UNKNOWN'],
    ['nobody', 2, 'E_SSH_KEY'],
  ])('refuses the key of %s', async (person, code, tag) => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    expect(await s.untouched(() => s.faultOf(code, ...approve(id, person)))).toBe(tag);
  });

  it('refuses the same person twice while the first approval stands, and takes a renewal of one that ran out', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    await s.approve(id, 'bob');
    s.wait(VALID_FOR - 1);
    expect(await s.untouched(() => s.faultOf(10, ...approve(id, 'bob')))).toBe('E_APPROVAL_REPLAY');
    s.wait(1);
    s.write('fresh.json', snapshot({ takenAt: s.now, medianTimePast: s.now }));
    await s.expect(0, 'coins', 'import', 'fresh.json');
    expect(await s.json(0, ...approve(id, 'bob'))).toMatchObject({ approved: ['bob'], missing: 1 });
  });

  it.each([
    ['a second before it runs out', VALID_FOR - 1, 0],
    ['when it runs out', VALID_FOR, 11],
    ['a second after', VALID_FOR + 1, 11],
  ])('counts an approval %s: exit code %#', async (_, seconds, code) => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.wait(seconds);
    s.write('fresh.json', snapshot({ takenAt: s.now, medianTimePast: s.now }));
    await s.expect(0, 'coins', 'import', 'fresh.json');
    await s.expect(code, 'batch', 'sign', id);
  });

  it('refuses an approval of a batch that is signed or abandoned', async () => {
    const s = await stage();
    const [a, b] = [await s.ready('withdrawals.csv'), await s.planOne('second.csv')];
    await s.expect(0, 'batch', 'sign', a);
    await s.expect(0, 'batch', 'abandon', b, '--reason', 'cancelled', '--as', 'alice');
    for (const id of [a, b])
      expect(await s.untouched(() => s.faultOf(15, ...approve(id, 'dave')))).toBe('E_BATCH_STATE');
  });

  it('wants one source, and a batch that exists', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const wrong = [
      ['batch', 'approve', id],
      ['batch', 'approve', id, '--key', 'keys/bob', '--signature', 'x.sig'],
      ['batch', 'approve', id, '--signature', 'descriptor.txt'],
      ['batch', 'approve', id, '--statement'],
    ];
    for (const argv of wrong) expect(await s.untouched(() => s.faultOf(2, ...argv))).toBe('E_USAGE');
    expect(await s.faultOf(2, ...approve('20260601-00000000', 'bob'))).toBe('E_BATCH_UNKNOWN');
    expect(await s.faultOf(10, 'batch', 'approve', id, '--statement', '--person', 'mallory')).toBe(
      'E_APPROVER_UNKNOWN',
    );
    expect(await s.faultOf(10, 'batch', 'approve', id, '--statement', '--person', 'alice')).toBe('E_DENIED');
  });
});

describe('an approval that was signed elsewhere', () => {
  it('counts like any other', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const text = await statement(s, id, 'bob');
    expect(await s.json(0, ...brought(s, id, s.sign('bob', text), text))).toMatchObject({ person: 'bob', missing: 1 });
  });

  it('is over what is printed, to the byte: without a line end', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const { stdout } = await s.expect(0, 'batch', 'approve', id, '--statement', '--person', 'bob');
    expect(stdout).toBe(await statement(s, id, 'bob'));
    expect(await s.json(0, ...brought(s, id, s.sign('bob', stdout), stdout))).toMatchObject({ approved: ['bob'] });
  });

  it('may be brought until it runs out, and not from then on', async () => {
    for (const [seconds, code] of [
      [VALID_FOR - 1, 0],
      [VALID_FOR, 13],
    ] as const) {
      const s = await stage();
      const id = await s.planOne('withdrawals.csv');
      const text = await statement(s, id, 'bob');
      s.wait(seconds);
      s.write('fresh.json', snapshot({ takenAt: s.now, medianTimePast: s.now }));
      await s.expect(0, 'coins', 'import', 'fresh.json');
      await s.expect(code, ...brought(s, id, s.sign('bob', text), text));
    }
  });

  it.each<[string, number, string, (s: Session, id: string, text: string) => Promise<[string, string]>]>([
    [
      'the statement of another batch',
      13,
      'E_APPROVAL_BINDING',
      async (s) => {
        const other = await statement(s, await s.planOne('second.csv'), 'bob');
        return [s.sign('bob', other), other];
      },
    ],
    [
      'the statement of another person',
      13,
      'E_APPROVAL_BINDING',
      async (s, id) => {
        const other = await statement(s, id, 'carol');
        return [s.sign('bob', other), other];
      },
    ],
    [
      'a longer validity than the policy gives',
      13,
      'E_APPROVAL_BINDING',
      async (s, _, text) => {
        const longer = text.replace('2026-06-01T16:00:00Z', '2026-06-01T16:00:01Z');
        return [s.sign('bob', longer), longer];
      },
    ],
    [
      'no validity',
      13,
      'E_APPROVAL_BINDING',
      async (s, _, text) => {
        const endless = text.replace(/,"valid_until":"[^"]*"/, '');
        return [s.sign('bob', endless), endless];
      },
    ],
    [
      'a line end after the statement',
      13,
      'E_APPROVAL_BINDING',
      async (s, _, text) => [s.sign('bob', `${text}\n`), `${text}\n`],
    ],
    [
      'another text than the one beside it',
      13,
      'E_SSHSIG_INVALID',
      async (s, _, text) => [s.sign('bob', `${text} `), text],
    ],
    [
      'another namespace',
      13,
      'E_SSHSIG_NAMESPACE',
      async (s, _, text) => [s.sign('bob', text, { namespace: 'git' }), text],
    ],
    ["a stranger's key", 10, 'E_APPROVER_UNKNOWN', async (s, _, text) => [s.sign('mallory', text), text]],
    ['something that is no signature', 13, 'E_SSHSIG_FORM', async (_s, _, text) => ['hello\n', text]],
  ])('is refused over %s', async (_, code, tag, make) => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const [armored, over] = await make(s, id, await statement(s, id, 'bob'));
    const argv = brought(s, id, armored, over);
    expect(await s.untouched(() => s.faultOf(code, ...argv))).toBe(tag);
  });

  it('no longer counts when the policy or the book changed since', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    const { digest } = (await s.json(0, 'book', 'show')) as { digest: string };
    const book = s
      .read('book-2.yaml')
      .replace('version: 2', 'version: 3')
      .replace(/prev: .*/, `prev: "sha256:${digest.replace('sha256:', '')}"`);
    s.write('book-3.yaml', book);
    await s.signDocument('book', 'book-3.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-3.yaml');
    const check = await s.json(11, 'batch', 'check', id);
    expect(check.discounted_approvals.map(({ person }: { person: string }) => person)).toEqual(['bob', 'carol']);
    await s.expect(11, 'batch', 'sign', id);
    // Who approved it gives another approval, over the batch as it is now, and that one counts once like any other.
    expect(await s.json(0, ...approve(id, 'bob'))).toMatchObject({ approved: ['bob'], missing: 1 });
    expect(await s.untouched(() => s.faultOf(10, ...approve(id, 'bob')))).toBe('E_APPROVAL_REPLAY');
    await s.approve(id, 'carol');
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it('with a key in a file may be given again with one that is touched, where the tier asks for that', async () => {
    const lines = ['bob', 'bob-token'].map((name) => JSON.stringify(publicLine(tokenOf(name)))).join(', ');
    const policy = policyText()
      .replace(/^( {4}bob: ).*$/m, `$1[${lines}]`)
      .replace('from: officers, m: 2 }', 'from: officers, m: 1, touch_required: true }');
    const s = await stage({ policy });
    const id = await s.planOne('withdrawals.csv');
    expect(await s.json(0, ...approve(id, 'bob'))).toMatchObject({ approved: [], missing: 1 });
    expect(await s.json(0, ...approve(id, 'bob-token'))).toMatchObject({
      person: 'bob',
      approved: ['bob'],
      missing: 0,
    });
    expect(await s.untouched(() => s.faultOf(10, ...approve(id, 'bob')))).toBe('E_APPROVAL_REPLAY');
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('tiers', () => {
  it('rise with what left within 24 hours, so that splitting a batch gains nothing', async () => {
    const s = await stage();
    s.write('a.csv', csv([['A-1', 'warm-1', 900_000_000n]]));
    s.write('b.csv', csv([['B-1', 'custodian', 900_000_000n]]));
    const a = await s.ready('a.csv');
    const b = await s.ready('b.csv');
    expect((await s.json(0, 'batch', 'check', b)).verdict.decision).toBe('ALLOW');
    await s.expect(0, 'batch', 'sign', a);
    const risen = await s.json(11, 'batch', 'sign', b);
    expect(risen.verdict.decision).toBe('NEED');
    await s.approve(b, 'dave');
    await s.expect(0, 'batch', 'sign', b);
  });

  it('ask the whole for four with touched keys, one of them of compliance', async () => {
    const s = await stage();
    s.write(
      'a.csv',
      csv([
        ['A-1', 'warm-1', 4_900_000_000n],
        ['A-2', 'custodian', 200_000_000n],
      ]),
    );
    const id = await s.planOne('a.csv');
    await s.approve(id, 'bob', 'carol', 'dave');
    const check = await s.json(11, 'batch', 'check', id);
    expect(JSON.stringify(check.verdict)).toContain('touched');
    expect(await s.json(0, ...approve(id, 'erin'))).toMatchObject({ decision: 'NEED', approved: ['erin'] });
  });
});
