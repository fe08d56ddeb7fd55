import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { HALT_NAMESPACE } from '../../src/approval/halt-statement.js';
import { removeAll, type Session, stage } from '../cli/session.js';
import { findings, forge, newest } from './forged-journal.js';
import { putIntoForce, TIGHTER, writeSigned } from './lifecycle.js';

afterAll(removeAll);

const DAY = 86_400;
const HOUR = 3600;

async function raise(s: Session, ...more: string[]): Promise<string> {
  return (await s.json(0, 'halt', 'raise', '--reason', 'looked into', '--key', 'keys/alice', ...more)).halt;
}

/** A halt a day old less these seconds. */
async function halted(before = 0): Promise<{ s: Session; halt: string }> {
  const s = await stage();
  const halt = await raise(s);
  s.wait(DAY - before);
  return { s, halt };
}

const agree = (s: Session, code: number, person: string, ...more: string[]) =>
  s.json(code, 'halt', 'resume', ...more, '--key', `keys/${person}`);
const isHalted = async (s: Session): Promise<boolean> => (await s.run('halt', 'status')).code === 12;

describe('the end of a halt', () => {
  it('takes three people, one of compliance, a day later; partial words collect', async () => {
    const { s, halt } = await halted();
    expect(await agree(s, 11, 'alice')).toMatchObject({ halt, resumed: false, approved: ['alice'], missing: 2 });
    expect(await agree(s, 11, 'bob')).toMatchObject({ missing: 1 });
    expect(await agree(s, 11, 'carol')).toMatchObject({ missing: 1, able: ['erin'] });
    expect(await isHalted(s)).toBe(true);
    expect(await agree(s, 0, 'erin')).toMatchObject({ resumed: true, standing: [] });
    expect(await s.json(0, 'halt', 'status')).toMatchObject({ halted: false, halts: [] });
    await s.expect(0, 'audit', 'verify');
    expect(await s.faultOf(2, 'halt', 'resume', '--key', 'keys/dave')).toBe('E_HALT_UNKNOWN');
  });

  it.each([
    [1, 12, true],
    [0, 0, false],
    [-1, 0, false],
  ])('%i s before the day is over, with a complete quorum, ends with %i', async (before, code, still) => {
    const { s } = await halted(HOUR);
    for (const person of ['alice', 'bob']) await agree(s, 11, person);
    expect(await agree(s, 12, 'erin')).toMatchObject({ resumed: false, missing: 0, may_end: false });
    s.wait(HOUR - before);
    expect(await s.json(code, 'halt', 'resume')).toMatchObject({ resumed: !still, person: null });
    expect(await isHalted(s)).toBe(still);
    await s.expect(0, 'audit', 'verify');
  });

  it('takes no word that would run out before it can end, and says when to come back', async () => {
    const s = await stage();
    await raise(s);
    s.wait(20 * HOUR);
    const { faults } = await s.json(12, 'halt', 'resume', '--key', 'keys/bob');
    expect(faults[0]).toMatchObject({ tag: 'E_HALT_EARLY' });
    expect(faults[0].remedy).toContain('agree after 2026-06-02T08:00:00Z');
    s.wait(1);
    await agree(s, 11, 'bob');
  });

  it('counts a word up to the second before it runs out', async () => {
    const { s } = await halted();
    await agree(s, 11, 'alice');
    s.wait(4 * HOUR - 1);
    await agree(s, 11, 'bob');
    const kept = await stage();
    await raise(kept);
    kept.wait(DAY);
    await agree(kept, 11, 'alice');
    kept.wait(4 * HOUR);
    expect(await agree(kept, 11, 'bob')).toMatchObject({ approved: ['bob'], missing: 2 });
    expect(await agree(kept, 11, 'alice')).toMatchObject({ approved: ['alice', 'bob'] });
    expect(await agree(s, 0, 'erin')).toMatchObject({ resumed: true });
    await kept.expect(0, 'audit', 'verify');
  });

  it('counts no word that runs out while another person signs', async () => {
    const ended = new Set<boolean>();
    for (const left of [0, 1, 2, 3]) {
      const { s } = await halted();
      await agree(s, 11, 'alice');
      s.wait(4 * HOUR - left);
      await agree(s, 11, 'bob');
      s.ticks = 1;
      const { code } = await s.run('halt', 'resume', '--key', 'keys/erin');
      s.ticks = 0;
      ended.add(!(await isHalted(s)));
      expect(code).toBe(left > 1 ? 0 : 11);
      await s.expect(0, 'audit', 'verify');
    }
    expect(ended).toEqual(new Set([false, true]));
  });

  it('counts people, not signatures, and nobody whom the policy does not ask', async () => {
    const { s } = await halted();
    await agree(s, 11, 'alice');
    await s.untouched(async () => {
      expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/alice')).toBe('E_HALT_REPLAY');
      expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/frank')).toBe('E_HALT_PERSON');
      expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/mallory')).toBe('E_HALT_PERSON');
    });
  });

  it('is no matter for whom it is about', async () => {
    const s = await stage();
    await raise(s, '--scope', 'initiator:dave');
    s.wait(DAY);
    expect(await s.faultOf(10, 'halt', 'resume', '--key', 'keys/dave')).toBe('E_HALT_PERSON');
    for (const person of ['alice', 'bob']) await agree(s, 11, person);
    await agree(s, 0, 'erin');
  });

  it('has to be said of one halt where several stand, and leaves the others', async () => {
    const s = await stage();
    const [first, second] = [await raise(s), await raise(s, '--scope', 'initiator:dave')];
    s.wait(DAY);
    expect(await s.faultOf(2, 'halt', 'resume', '--key', 'keys/bob')).toBe('E_HALT_UNKNOWN');
    for (const person of ['alice', 'bob']) await agree(s, 11, person, first);
    expect(await agree(s, 0, 'erin', first)).toMatchObject({ resumed: true, standing: [second] });
    expect(await isHalted(s)).toBe(true);
  });
});

describe('a word for the end of a halt', () => {
  async function statement(s: Session, person: string, ...more: string[]): Promise<string> {
    const { stdout } = await s.expect(0, 'halt', 'resume', ...more, '--statement', '--person', person);
    return stdout;
  }
  const bring = (s: Session, code: number, text: string, signature: string, ...more: string[]) => {
    s.write('resume.json', text);
    s.write('resume.sig', signature);
    return s.json(code, 'halt', 'resume', ...more, '--signature', 'resume.sig', '--over', 'resume.json');
  };
  const signed = (s: Session, person: string, text: string) => s.sign(person, text, { namespace: HALT_NAMESPACE });

  it('may be signed elsewhere', async () => {
    const { s } = await halted();
    const text = await statement(s, 'bob');
    expect(await bring(s, 11, text, signed(s, 'bob', text))).toMatchObject({ person: 'bob', approved: ['bob'] });
    expect((await bring(s, 10, text, signed(s, 'bob', text))).faults[0].tag).toBe('E_HALT_REPLAY');
    await s.expect(0, 'audit', 'verify');
  });

  it.each([
    ['by somebody else', 'carol', (text: string) => text, HALT_NAMESPACE, 13, 'E_HALT_BINDING'],
    ['by a stranger', 'mallory', (text: string) => text, HALT_NAMESPACE, 10, 'E_HALT_PERSON'],
    ['as an approval', 'bob', (text: string) => text, 'countersign-approve@v1', 13, 'E_SSHSIG_NAMESPACE'],
    [
      'for longer than the policy allows',
      'bob',
      (t: string) => t.replace('T16:00:00', 'T16:00:01'),
      HALT_NAMESPACE,
      13,
      'E_HALT_BINDING',
    ],
    ['that ran out', 'bob', (t: string) => t.replace('T16:00:00', 'T12:00:00'), HALT_NAMESPACE, 13, 'E_HALT_BINDING'],
    [
      'for ever',
      'bob',
      (t: string) => t.replace(/"valid_until":"[^"]*"/, '"valid_until":"never"'),
      HALT_NAMESPACE,
      13,
      'E_HALT_BINDING',
    ],
    [
      'as an order to stop',
      'bob',
      (t: string) => t.replace('"resume"', '"raise"'),
      HALT_NAMESPACE,
      13,
      'E_HALT_BINDING',
    ],
    ['with spaces', 'bob', (t: string) => t.replaceAll('","', '", "'), HALT_NAMESPACE, 13, 'E_HALT_BINDING'],
  ] as const)('signed %s is refused, and nothing is written', async (_, signer, edit, namespace, code, tag) => {
    const { s } = await halted();
    const text = edit(await statement(s, 'bob'));
    const head = await s.head();
    const refused = await bring(s, code, text, s.sign(signer, text, { namespace }));
    expect([refused.faults[0].tag, await s.head()]).toEqual([tag, head]);
  });

  it('of an earlier halt does not count for a later one', async () => {
    const { s } = await halted();
    const text = await statement(s, 'bob');
    for (const person of ['alice', 'carol']) await agree(s, 11, person);
    await agree(s, 0, 'erin');
    await raise(s);
    expect((await bring(s, 13, text, signed(s, 'bob', text))).faults[0].tag).toBe('E_HALT_BINDING');
  });

  it('is void once a newer halt is raised, and cannot be brought again', async () => {
    const { s, halt } = await halted();
    const text = await statement(s, 'bob');
    await bring(s, 11, text, signed(s, 'bob', text));
    await raise(s, '--scope', 'initiator:dave');
    const { halts } = await s.json(12, 'halt', 'status');
    expect(halts[0]).toMatchObject({ halt, approved: [], missing: 3 });
    expect((await bring(s, 13, text, signed(s, 'bob', text), halt)).faults[0].tag).toBe('E_HALT_BINDING');
    await s.expect(0, 'audit', 'verify');
  });

  it('stands when somebody unverified cries halt: that cannot keep a quorum from ending one', async () => {
    const { s, halt } = await halted();
    for (const person of ['alice', 'bob']) await agree(s, 11, person);
    await s.json(0, 'halt', 'raise', '--reason', 'r', '--unsigned');
    expect(await agree(s, 0, 'erin', halt)).toMatchObject({ resumed: true });
    expect(await isHalted(s)).toBe(true);
    await agree(s, 0, 'dave');
    await s.expect(0, 'audit', 'verify');
  });

  it('is void once another policy is in force', async () => {
    const { s } = await halted();
    for (const person of ['alice', 'bob']) await agree(s, 11, person);
    await writeSigned(s, 'next.yaml', 'policy.yaml', { edit: TIGHTER });
    await putIntoForce(s, 'next.yaml');
    expect(await agree(s, 11, 'erin')).toMatchObject({ approved: ['erin'], missing: 2 });
    for (const person of ['alice']) await agree(s, 11, person);
    await agree(s, 0, 'bob');
    await s.expect(0, 'audit', 'verify');
  });
});

describe('audit verify', () => {
  it('finds a halt that ended without its quorum', async () => {
    const { s, halt } = await halted();
    await agree(s, 11, 'alice');
    const { digest } = await newest(s, 'policy.activated');
    await forge(s, () => [{ kind: 'halt.resumed', halt, policy: digest, approvers: ['alice'] }]);
    expect((await findings(s)).join()).toContain(`${halt} ended without the quorum, or before the delay`);
  });

  it('finds a halt that ended before its delay', async () => {
    const { s, halt } = await halted(HOUR);
    for (const person of ['alice', 'bob']) await agree(s, 11, person);
    await agree(s, 12, 'erin');
    const { digest } = await newest(s, 'policy.activated');
    await forge(s, () => [{ kind: 'halt.resumed', halt, policy: digest, approvers: ['alice', 'bob', 'erin'] }]);
    expect((await findings(s)).join()).toContain(`${halt} ended without the quorum, or before the delay`);
  });

  it('finds a word that nobody gave', async () => {
    const { s, halt } = await halted();
    await agree(s, 11, 'alice');
    const word = await newest(s, 'halt.resume-approved');
    await forge(s, (keep) => [{ ...word, person: 'bob', statement: keep(Buffer.from('made up')) }]);
    expect((await findings(s)).join()).toContain(`the word of bob for ${halt}`);
  });

  it('finds a halt in the name of somebody who did not sign it', async () => {
    const { s } = await halted();
    const body = await newest(s, 'halt.raised');
    await forge(s, (keep) => [{ ...body, person: 'bob', statement: keep(Buffer.from('made up')) } as typeof body]);
    expect((await findings(s)).join()).toContain('the halt of bob is not theirs');
  });

  it('finds a halt that says less than was signed', async () => {
    const s = await stage();
    const words = ['halt', 'raise', '--statement', '--person', 'bob', '--reason', 'r'];
    const text = (await s.expect(0, ...words)).stdout;
    const signature = s.sign('bob', text, { namespace: HALT_NAMESPACE });
    await forge(s, (keep) => [
      {
        kind: 'halt.raised',
        scope: 'initiator:dave',
        reason: 'r',
        source: 'person',
        person: 'bob',
        statement: keep(Buffer.from(text)),
        signature,
      },
    ]);
    expect((await findings(s)).join()).toContain('scope');
  });
});

/** What can be done to a halted workspace by people who are too few. */
type Step = { readonly who: string; readonly wait: number; readonly what: 'agree' | 'try' | 'halt' };

it('no order of words and halts ends one without quorum and delay', async () => {
  const step: fc.Arbitrary<Step> = fc.record({
    who: fc.constantFrom('alice', 'bob', 'carol', 'erin', 'erin', 'frank', 'mallory'),
    wait: fc.constantFrom(0, 1, 1, HOUR, 4 * HOUR - 1, 4 * HOUR, DAY),
    what: fc.constantFrom('agree', 'agree', 'agree', 'try', 'halt'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
      const s = await stage();
      let raisedAt = Date.parse(s.now);
      await raise(s);
      s.wait(DAY - 2 * HOUR);
      // What an honest reader of the policy makes of it: people whose word is newer than the newest halt and 4 h old at most.
      let agreed = new Map<string, number>();
      let stands = true;
      for (const { who, wait, what } of steps) {
        s.wait(wait);
        const now = Date.parse(s.now);
        if (what === 'halt') {
          if (stands) break;
          await raise(s);
          [raisedAt, agreed, stands] = [now, new Map(), true];
          continue;
        }
        if (!stands) continue;
        const ran = await s.run('halt', 'resume', ...(what === 'agree' ? ['--key', `keys/${who}`] : []));
        const isAsked = ['alice', 'bob', 'carol', 'dave', 'erin'].includes(who);
        const holdsLongEnough = now + 4 * HOUR * 1000 > raisedAt + DAY * 1000;
        const holds = (person: string): boolean => (agreed.get(person) ?? 0) > now;
        if (what === 'agree' && isAsked && holdsLongEnough && !holds(who)) agreed.set(who, now + 4 * HOUR * 1000);
        const counted = [...agreed.keys()].filter(holds);
        const due = counted.length >= 3 && counted.includes('erin') && now >= raisedAt + DAY * 1000;
        stands = await isHalted(s);
        expect([stands, ran.stdout + ran.stderr]).toEqual([
          !due || (what === 'agree' && !isAsked),
          ran.stdout + ran.stderr,
        ]);
      }
      await s.expect(0, 'audit', 'verify');
    }),
    { numRuns: 15 },
  );
}, 120_000);
