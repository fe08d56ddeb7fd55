import { afterAll, describe, expect, it } from 'vitest';
import { OBJECTION_NAMESPACE } from '../../src/approval/objection-statement.js';
import { formatTime, parseTime } from '../../src/domain/time.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';
import { findings, forge, newest } from './forged-journal.js';
import { putIntoForce, withKeys, writeSigned } from './lifecycle.js';

afterAll(removeAll);

const reject = (s: Session, code: number, id: string, person: string) =>
  s.json(code, 'batch', 'reject', id, '--reason', 'nobody asked for it', '--key', `keys/${person}`);
const withdraw = (s: Session, code: number, id: string, person: string) =>
  s.json(code, 'batch', 'withdraw', id, '--key', `keys/${person}`);
// biome-ignore lint/suspicious/noExplicitAny: the documented object of a verdict.
const denials = ({ verdict }: any): string[] =>
  verdict.findings
    .filter(({ outcome }: { outcome: string }) => outcome === 'deny')
    .map(({ code }: { code: string }) => code);

/** In three days carol gets another key; the clock shows `off` seconds after that, and goes on whenever it is looked at. */
async function keyChange(s: Session, off: number): Promise<void> {
  const effectiveAt = '2026-06-04T13:00:00Z';
  const edit = (text: string) => withKeys(text, { carol: ['mallory'] });
  await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit, effectiveAt });
  await putIntoForce(s, 'p2.yaml');
  s.now = formatTime((parseTime(effectiveAt) ?? 0) + off);
  s.ticks = 1;
}

it('what is said while one\u2019s key is exchanged is kept under the policy that it was proven by, or not at all', async () => {
  const said = new Set<string>();
  for (let off = -4; off < 2; off += 1) {
    const s = await stage();
    const id = await s.planOne('second.csv');
    await keyChange(s, off);
    const rejected = await s.run('batch', 'reject', id, '--reason', 'r', '--key', 'keys/carol');
    const raised = await s.run('halt', 'raise', '--reason', 'r', '--key', 'keys/carol', '--json');
    s.ticks = 0;
    said.add(`${rejected.code} ${JSON.parse(raised.stdout).verified}`);
    const { ask } = await s.json(0, 'audit', 'verify');
    expect(ask.length).toBe(raised.stdout.includes('"verified": true') ? 0 : 1);
  }
  expect([...said].sort()).toEqual(expect.arrayContaining(['0 true', '10 false', '15 false']));
});

describe('a reject', () => {
  it('wins over a complete quorum: the batch is neither approved nor signed again', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    expect(await reject(s, 0, id, 'dave')).toMatchObject({ person: 'dave', reason: 'nobody asked for it' });
    expect(denials(await s.json(10, 'batch', 'sign', id))).toEqual(['REJECTED']);
    expect(await s.faultOf(10, 'batch', 'approve', id, '--key', 'keys/erin')).toBe('E_DENIED');
    expect((await s.expect(0, 'batch', 'show', id)).stdout).toContain('dave at 2026-06-01T12:00:00Z: rejected');
    expect((await s.expect(0, 'batch', 'list')).stdout).toContain('rejected by dave');
    await s.expect(0, 'audit', 'verify');
  });

  it('lasts until the batch is planned anew, which takes giving it up', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await reject(s, 0, id, 'dave');
    const { faults } = await s.json(10, 'batch', 'plan', 'second.csv', '--as', 'alice');
    expect(faults[0].remedy).toContain(`countersign batch abandon ${id}`);
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'cleared up', '--as', 'alice');
    await s.expect(0, 'batch', 'sign', await s.ready('second.csv'));
  });

  it('counts from everybody of any tier, also where this tier does not ask them, and from the initiator', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await reject(s, 0, id, 'erin');
    await reject(s, 0, id, 'alice');
    expect(denials(await s.json(10, 'batch', 'check', id))).toEqual(['REJECTED', 'REJECTED']);
    expect(await s.faultOf(15, 'batch', 'reject', id, '--reason', 'again', '--key', 'keys/erin')).toBe('E_BATCH_STATE');
  });

  it('does not count from who has no such say', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.untouched(async () => {
      for (const person of ['frank', 'mallory']) {
        expect((await reject(s, 10, id, person)).faults[0].tag).toBe('E_OBJECTION_PERSON');
      }
      expect(await s.faultOf(2, 'batch', 'reject', id, '--key', 'keys/bob')).toBe('E_USAGE');
      expect(await s.faultOf(2, 'batch', 'reject', id, '--reason', 'r')).toBe('E_USAGE');
      expect(await s.faultOf(2, 'batch', 'reject', 'nobody', '--reason', 'r', '--key', 'keys/bob')).toBe(
        'E_BATCH_UNKNOWN',
      );
      expect(await s.faultOf(2, 'batch', 'reject', id, '--reason', 'a\u0007', '--key', 'keys/bob')).toBe(
        'E_TEXT_UNSAFE',
      );
    });
  });

  it('is possible while a halt stands, and too late once the device was asked', async () => {
    const s = await stage();
    const [a, b] = [await s.ready('second.csv'), await s.ready('withdrawals.csv')];
    await s.expect(0, 'batch', 'sign', a);
    const { faults } = await reject(s, 15, a, 'dave');
    expect(faults[0].remedy).toContain('countersign halt raise');
    await s.expect(0, 'halt', 'raise', '--reason', 'r', '--key', 'keys/alice');
    await reject(s, 0, b, 'dave');
  });

  it('that comes between the reservation and the device stops the signing, and frees the budget', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const device = softSigner();
    s.signer = () => ({
      ...device,
      appInfo: async () => {
        await reject(s, 0, id, 'dave');
        return device.appInfo();
      },
      sign: async () => {
        throw new Error('it may not be asked to sign');
      },
    });
    expect(denials(await s.json(10, 'batch', 'sign', id))).toEqual(['REJECTED']);
    expect(await s.stateOf(id)).toBe('RELEASED');
    await s.expect(0, 'audit', 'verify');
  });
});

describe('a withdrawal (Q-17)', () => {
  it('takes a complete quorum apart, for good', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    expect((await s.json(0, 'batch', 'check', id)).verdict.decision).toBe('ALLOW');
    await withdraw(s, 0, id, 'carol');
    expect(denials(await s.json(10, 'batch', 'sign', id))).toEqual(['APPROVAL_WITHDRAWN']);
    for (const person of ['carol', 'dave']) {
      expect(await s.faultOf(10, 'batch', 'approve', id, '--key', `keys/${person}`)).toBe('E_DENIED');
    }
    const { batch } = await s.json(0, 'batch', 'show', id);
    expect(batch.approvals.map(({ person }: { person: string }) => person)).toEqual(['bob']);
    expect(batch.objections).toEqual([{ kind: 'withdrawn', person: 'carol', at: '2026-06-01T12:00:00Z' }]);
    await s.expect(0, 'audit', 'verify');
  });

  it('is of one\u2019s own approval alone, and once', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    expect((await withdraw(s, 10, id, 'dave')).faults[0].tag).toBe('E_OBJECTION_PERSON');
    await withdraw(s, 0, id, 'carol');
    expect((await withdraw(s, 10, id, 'carol')).faults[0].tag).toBe('E_OBJECTION_PERSON');
  });

  it('takes back nothing where its giver renewed the approval while signing, and takes back that one then', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const { digest } = await s.json(0, 'book', 'show');
    const book = s.read('book-2.yaml').replace('version: 2', 'version: 3');
    s.write('book-3.yaml', book.replace(/prev: .*/, `prev: "sha256:${digest.replace('sha256:', '')}"`));
    await s.signDocument('book', 'book-3.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-3.yaml');
    s.whileSigning = () => s.approve(id, 'carol');
    expect((await withdraw(s, 13, id, 'carol')).faults[0].tag).toBe('E_OBJECTION_BINDING');
    await s.expect(0, 'audit', 'verify');
    await withdraw(s, 0, id, 'carol');
    await s.expect(0, 'audit', 'verify');
  });

  it('is of nothing once the approval has run out', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.wait(4 * 3600);
    expect((await withdraw(s, 15, id, 'carol')).faults[0].tag).toBe('E_BATCH_STATE');
  });
});

describe('a batch that is not there', () => {
  it('is what is told, also where no policy says yet who could speak against one', async () => {
    const s = await stage({ until: 'vault' });
    const words = ['--reason', 'r', '--key', 'keys/bob'];
    expect(await s.faultOf(2, 'batch', 'reject', '20260601-00000000', ...words)).toBe('E_BATCH_UNKNOWN');
  });
});

describe('a statement that was signed elsewhere', () => {
  async function brought(
    verb: 'reject' | 'withdraw',
    code: number,
    edit: (text: string) => string = (text) => text,
    signer = 'carol',
    namespace = OBJECTION_NAMESPACE,
  ) {
    const s = await stage();
    const id = await s.ready('second.csv');
    const words = ['batch', verb, id, '--statement', '--person', 'carol'];
    const { stdout } = await s.expect(0, ...words, ...(verb === 'reject' ? ['--reason', 'not mine'] : []));
    const text = edit(stdout);
    s.write('no.json', text);
    s.write('no.sig', s.sign(signer, text, { namespace }));
    return { s, id, said: await s.json(code, 'batch', verb, id, '--signature', 'no.sig', '--over', 'no.json') };
  }

  it.each(['reject', 'withdraw'] as const)('%ss the batch', async (verb) => {
    const { s, id, said } = await brought(verb, 0);
    expect(said.person).toBe('carol');
    await s.expect(10, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it.each([
    ['by somebody else', (text: string) => text, 'dave', OBJECTION_NAMESPACE, 13, 'E_OBJECTION_BINDING'],
    ['by a stranger', (text: string) => text, 'mallory', OBJECTION_NAMESPACE, 10, 'E_OBJECTION_PERSON'],
    ['for another purpose', (text: string) => text, 'carol', 'git', 13, 'E_SSHSIG_NAMESPACE'],
    [
      'of another batch',
      (t: string) => t.replace(/"batch":"[^"]*"/, '"batch":"b"'),
      'carol',
      OBJECTION_NAMESPACE,
      13,
      'E_OBJECTION_BINDING',
    ],
    [
      'to take an approval back',
      (t: string) => t.replace('"reject"', '"withdraw"'),
      'carol',
      OBJECTION_NAMESPACE,
      13,
      'E_OBJECTION_BINDING',
    ],
    ['that is none', () => 'no', 'carol', OBJECTION_NAMESPACE, 13, 'E_OBJECTION_BINDING'],
  ] as const)('%s is refused', async (_, edit, signer, namespace, code, tag) => {
    const { s, id, said } = await brought('reject', code, edit, signer, namespace);
    expect(said.faults[0].tag).toBe(tag);
    expect((await s.json(0, 'batch', 'check', id)).verdict.decision).toBe('ALLOW');
  });

  it('says its reason itself', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.write('no.json', '');
    s.write('no.sig', '');
    const words = ['batch', 'reject', id, '--signature', 'no.sig', '--over', 'no.json', '--reason', 'r'];
    expect(await s.faultOf(2, ...words)).toBe('E_USAGE');
    expect(await s.faultOf(2, 'batch', 'reject', id, '--signature', 'no.sig', '--key', 'keys/bob')).toBe('E_USAGE');
  });
});

describe('audit verify', () => {
  it.each([
    ['batch.rejected', 'what bob said against it', reject],
    ['batch.withdrawn', 'what bob said against it', withdraw],
  ] as const)('finds a %s that nobody signed', async (kind, finding, object) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await object(s, 0, id, 'carol');
    const body = await newest(s, kind);
    await forge(s, (keep) => [{ ...body, person: 'bob', statement: keep(Buffer.from('made up')) }]);
    expect((await findings(s)).join()).toContain(finding);
  });

  it('finds a no in the name of another signer, and with another reason', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await reject(s, 0, id, 'carol');
    const body = await newest(s, 'batch.rejected');
    await forge(s, () => [{ ...body, person: 'bob' }]);
    await forge(s, () => [{ ...body, person: 'dave', reason: 'another' }]);
    const found = (await findings(s)).join();
    expect(found).toContain('carol spoke against it, and not bob');
    expect(found).toContain('what dave said against it');
  });

  it('finds a batch that was signed over a no', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await reject(s, 0, id, 'carol');
    const { verdict } = await s.json(10, 'batch', 'sign', id);
    expect(verdict.decision).toBe('DENY');
    const { digest } = await newest(s, 'policy.activated');
    const plan = await newest(s, 'batch.verdict');
    await expect(
      forge(s, () => [
        { ...plan, stage: 'sign', decision: 'ALLOW', codes: [], policy: digest },
        {
          kind: 'batch.reserved',
          batch: id,
          psbt: plan.psbt,
          spend: verdict.spend,
          fee: verdict.fee,
          outputs: [{ script: '00', amount: '0' }],
          approvers: [],
        },
      ]),
    ).rejects.toThrow();
  });
});
