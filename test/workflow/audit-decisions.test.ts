import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { compose } from '../../src/compose.js';
import { fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import type { Verdict } from '../../src/policy/types.js';
import { canonicalVerdict } from '../../src/policy/verdict.js';
import { csv, demoFile, destinations, removeAll, SEED, type Session, snapshot, stage } from '../cli/session.js';
import { softSigner } from '../cli/soft-device.mjs';
import {
  assessmentOf,
  type Body,
  blobOf,
  entriesOf,
  type Forgery,
  findings,
  forge,
  forgedVerdict,
  newest,
  reservation,
} from './forged-journal.js';
import { putIntoForce, TIGHTER, writeSigned } from './lifecycle.js';

afterAll(removeAll);

const HEIGHT = JSON.parse(demoFile('coins.json')).tip.height as number;
const DEVICE = { app: 'Bitcoin Test', version: '2.2.7', fingerprint: 'f5acc2fd' } as const;
const JUNK = Buffer.from('junk');

const answer = (tag: 'E_DEVICE_REFUSED' | 'E_DEVICE_GONE', maySign: boolean) => () =>
  softSigner(() => err({ fault: fault(tag, 'so it is said'), maySign }));

/** Everything that the demo's withdrawals allow: batches signed, confirmed, denied, in parts, refused and lost. */
async function busyWeek(): Promise<{ s: Session; signed: string; lost: string }> {
  const s = await stage();
  const signed = await s.ready('withdrawals.csv');
  await s.expect(0, 'batch', 'sign', signed);
  s.write('theft.csv', demoFile('theft.csv'));
  await s.expect(10, 'batch', 'plan', 'theft.csv', '--as', 'alice', '--seed', SEED, '--max-outputs', '44');
  const [coin] = (await s.json(0, 'vault', 'coins')).coins.filter(
    (one: { status: string }) => one.status === 'available',
  );
  await s.expect(0, 'coins', 'freeze', coin.outpoint, '--reason', 'asked for', '--as', 'alice');
  s.wait(60);
  const lost = await s.planOne('second.csv');
  await s.approve(lost, 'bob');
  await s.run('batch', 'sign', lost);
  await s.approve(lost, 'carol');
  s.signer = answer('E_DEVICE_REFUSED', false);
  await s.run('batch', 'sign', lost);
  s.wait(60);
  s.signer = answer('E_DEVICE_GONE', true);
  await s.run('batch', 'sign', lost);
  await s.expect(0, 'coins', 'unfreeze', coin.outpoint, '--reason', 'asked for', '--as', 'alice');
  const { txid } = await newest(s, 'batch.signed');
  const confirmed = { [txid]: { height: HEIGHT + 1, time: '2026-06-01T12:20:00Z' } };
  s.now = '2026-06-01T13:40:00Z';
  const spent = await inputsOf(s, signed);
  s.write('new.json', snapshot({ height: HEIGHT + 9, takenAt: '2026-06-01T13:35:00Z', confirmed, spent }));
  await s.expect(0, 'coins', 'import', 'new.json');
  return { s, signed, lost };
}

describe('an honest journal', () => {
  it('comes out again, every decision to the byte, and says what to ask about', async () => {
    const { s, lost } = await busyWeek();
    const report = await s.untouched(() => s.json(0, 'audit', 'verify'));
    const kinds: Record<string, number> = {};
    for (const { body } of await entriesOf(s)) kinds[body.kind] = (kinds[body.kind] ?? 0) + 1;
    expect(report.kinds).toEqual(kinds);
    expect(report).toMatchObject({
      batches: kinds['batch.planned'],
      verdicts: kinds['batch.verdict'],
      approvals: 4,
      reservations: 3,
      signed: 1,
    });
    expect(report.signatures).toBeGreaterThan(0);
    expect(kinds['batch.confirmed']).toBe(1);
    expect(report.ask).toMatchObject([
      { batch: lost, about: 'released', text: expect.stringContaining('E_DEVICE_REFUSED') },
      { batch: lost, about: 'unknown', text: expect.stringContaining('E_DEVICE_GONE') },
    ]);
    const { stdout } = await s.expect(0, 'audit', 'verify');
    expect(stdout).toContain('2 entries whose truth lies outside the journal');
  });

  it('in which one plan has several parts, judged as of before all of them', async () => {
    const s = await stage();
    await s.planOne('second.csv');
    const rows = destinations()
      .slice(0, 7)
      .map((id, n) => [`w-${n}`, id, 1_000_000n + BigInt(n)] as const);
    s.write('many.csv', csv(rows));
    const parts = await s.plan('many.csv', '--max-outputs', '3');
    expect(parts.length).toBeGreaterThan(2);
    expect((await s.json(0, 'audit', 'verify')).verdicts).toBe(parts.length + 1);
  });

  it('in which seconds went by while a plan of several parts was made and written down', async () => {
    const s = await stage();
    s.write(
      'many.csv',
      csv(
        destinations()
          .slice(0, 7)
          .map((id, n) => [`w-${n}`, id, 1_000_000n + BigInt(n)]),
      ),
    );
    let now = Date.parse(s.now) / 1000;
    const ticking = async (workspace?: string) => {
      const clock = () => {
        now += 3;
        return now;
      };
      return compose({ version: '0.0.0-test', workspace: workspace ?? s.folder, base: s.folder, clock });
    };
    const io = { stdout: () => undefined, stderr: () => undefined, colors: false, rewrites: false };
    const plan = ['batch', 'plan', 'many.csv', '--as', 'alice', '--max-outputs', '3'];
    expect(await runCommandLine(plan, ({ workspace }) => ticking(workspace), io)).toBe(0);
    const { at } = (await entriesOf(s)).at(-1) ?? {};
    expect(Date.parse(at ?? '') / 1000).toBeGreaterThan(Date.parse(s.now) / 1000 + 4);
    await s.expect(0, 'audit', 'verify');
  });

  it('in which the policy changed between planning, approving and signing', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.wait(60);
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: TIGHTER });
    await putIntoForce(s, 'p2.yaml');
    await s.expect(11, 'batch', 'sign', id);
    s.now = '2026-06-01T16:00:00Z';
    s.write('later.json', snapshot({ takenAt: '2026-06-01T15:55:00Z', medianTimePast: '2026-06-01T15:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'later.json');
    await s.approve(id, 'bob', 'carol');
    await s.expect(0, 'batch', 'sign', id);
    expect(await s.json(0, 'audit', 'verify')).toMatchObject({ approvals: 4, signed: 1, ask: [] });
  });

  it('in which somebody signed an approval while a new book came in', async () => {
    const s = await stage({ until: 'policy' });
    s.now = '2026-04-01T09:00:00Z';
    await s.signDocument('book', 'book-1.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-1.yaml');
    s.now = '2026-06-01T12:00:00Z';
    await s.expect(0, 'coins', 'import', 'coins.json');
    s.write('w.csv', csv([['w-1', destinations()[0] ?? '', 120_000n]]));
    const id = await s.planOne('w.csv');
    const { statement } = await s.json(0, 'batch', 'approve', id, '--statement', '--person', 'bob');
    await s.signDocument('book', 'book-2.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-2.yaml');
    await forge(s, (keep) => [
      {
        kind: 'batch.approved',
        batch: id,
        person: 'bob',
        statement: keep(Buffer.from(statement)),
        signature: s.sign('bob', statement),
        validUntil: JSON.parse(statement).valid_until,
      },
    ]);
    expect(await s.json(0, 'audit', 'verify')).toMatchObject({ approvals: 1 });
  });

  it('in which the clock was behind the newest entry, within what the policy tolerates', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.wait(-20);
    await s.expect(0, 'batch', 'sign', id);
    await s.expect(0, 'audit', 'verify');
  });

  it('whose newest batch was sent and has no answer: that is to be asked about', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const assessment = await assessmentOf(s, id);
    const verdict = forgedVerdict(id, assessment);
    await forge(s, (keep) => [verdict(keep), reservation(id, assessment)]);
    const approvers = assessment.verdict.quorum?.approved ?? [];
    const again = forgedVerdict(id, await assessmentOf(s, id));
    const psbt = assessment.decoded.sha256;
    await forge(s, (keep) => [again(keep), { kind: 'batch.sent', batch: id, psbt, device: DEVICE, approvers }]);
    const { ask } = await s.json(0, 'audit', 'verify');
    expect(ask).toMatchObject([{ batch: id, about: 'unknown', text: expect.stringContaining('no answer') }]);
  });
});

describe('audit verify finds a verdict', () => {
  const allowed = (honest: Verdict): Verdict => ({
    ...honest,
    decision: 'ALLOW',
    findings: honest.findings.filter(({ outcome }) => outcome !== 'need'),
  });

  it.each<[string, Forgery, string]>([
    [
      'that is none',
      { verdict: () => 'no verdict at all' },
      'what it keeps is no verdict; due is NEED APPROVALS_MISSING',
    ],
    ['that allows what lacks approvals', { verdict: allowed }, 'decision is "ALLOW", and now "NEED"'],
    ['whose entry says another decision', { entry: { decision: 'ALLOW', codes: [] } }, 'codes'],
    ['whose entry leaves out a reason', { entry: { codes: [] } }, 'codes[0] is nothing'],
    ['whose entry names another policy', { entry: { policy: 'ab'.repeat(32) } }, 'policy is "abab'],
    ['with another amount', { verdict: (honest) => ({ ...honest, spend: honest.spend - 1n }) }, 'spend is "'],
    [
      'dated before the newest entry',
      { verdict: (honest) => ({ ...honest, evaluatedAt: honest.evaluatedAt - 60 }) },
      'evaluated_at is "2026-06-01T11:59:00Z", and now "2026-06-01T12:00:00Z"',
    ],
    [
      'dated after its own entry',
      { verdict: (honest) => ({ ...honest, evaluatedAt: honest.evaluatedAt + 86_400 }) },
      'its verdict is of 2026-06-02T12:00:00Z, after the entry that keeps it',
    ],
    ['in another spelling', { verdict: (honest) => ` ${canonicalVerdict(honest)}` }, 'not written in canonical form'],
  ])('%s', async (_, forgery, message) => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const verdict = forgedVerdict(id, await assessmentOf(s, id), forgery);
    const seq = await forge(s, (keep) => [verdict(keep)]);
    const [first = '', ...others] = await findings(s);
    expect(others).toEqual([]);
    expect(first).toContain(`entry ${seq}, batch ${id}: `);
    expect(first).toContain(message);
  });

  it('at planning, behind another entry than its plan', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    await s.approve(id, 'bob');
    const again = await newest(s, 'batch.verdict');
    await forge(s, () => [again]);
    expect((await findings(s))[0]).toContain('a verdict at planning stands behind its plan');
  });

  it('that was written down long after it was given: to be asked about', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const verdict = forgedVerdict(id, await assessmentOf(s, id));
    s.wait(900);
    await forge(s, (keep) => [verdict(keep)]);
    expect((await s.json(0, 'audit', 'verify')).ask).toEqual([]);
    const later = forgedVerdict(id, await assessmentOf(s, id));
    s.wait(901);
    await forge(s, (keep) => [later(keep)]);
    expect((await s.json(0, 'audit', 'verify')).ask).toMatchObject([{ about: 'late', batch: id }]);
  });
});

describe('audit verify finds an approval', () => {
  it.each<[string, number, boolean]>([
    ['2026-06-01T16:00:00Z', 0, true],
    ['2026-06-01T16:00:01Z', 13, false],
  ])('that is valid for longer than the policy lets one be: until %s, exit %i', async (until, code, holds) => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const { statement } = await s.json(0, 'batch', 'approve', id, '--statement', '--person', 'bob');
    const text = statement.replace(/"valid_until":"[^"]*"/, `"valid_until":"${until}"`);
    await forge(s, (keep) => [
      {
        kind: 'batch.approved',
        batch: id,
        person: 'bob',
        statement: keep(Buffer.from(text)),
        signature: s.sign('bob', text),
        validUntil: until,
      },
    ]);
    const { faults = [] } = await s.json(code, 'audit', 'verify');
    const messages = faults.map(({ message }: { message: string }) => message);
    expect(messages).toEqual(holds ? [] : [expect.stringContaining('for longer than the policy allows')]);
  });
});

describe('audit verify finds a plan', () => {
  const planned = async (s: Session, change: Partial<Body<'batch.planned'>>): Promise<readonly EntryBody[]> => {
    const id = await s.planOne('second.csv');
    const [plan, verdict] = [await newest(s, 'batch.planned'), await newest(s, 'batch.verdict')];
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'a copy follows', '--as', 'alice');
    const batch = 'a-copy';
    return [
      { ...plan, batch, parts: [batch], ...change },
      { ...verdict, batch },
    ];
  };

  it.each<[string, Partial<Body<'batch.planned'>>, string]>([
    ['with another fee', { fee: '1' }, 'fee is "1"'],
    ['with another spend', { spend: '99999999' }, 'spend is "99999999"'],
    ['with other coins', { inputs: [`${'ab'.repeat(32)}:0`] }, 'inputs'],
    ['with other outputs', { outputs: [{ script: '51', amount: '1' }] }, 'outputs[0].amount'],
    ['of nobody', { initiator: 'zoe' }, 'was made by somebody else: "zoe" is nobody'],
  ])('%s than its PSBT says', async (_, change, message) => {
    const s = await stage();
    const bodies = await planned(s, change);
    const seq = await forge(s, () => bodies);
    const [first = ''] = await findings(s);
    expect(first).toContain(`its plan (entry ${seq})`);
    expect(first).toContain(message);
  });

  it('that is what its PSBT does in order', async () => {
    const s = await stage();
    const bodies = await planned(s, {});
    await forge(s, () => bodies);
    await s.expect(0, 'audit', 'verify');
  });

  it('that nobody judged', async () => {
    const s = await stage();
    const [plan] = await planned(s, {});
    if (plan === undefined) throw new Error('there is a plan');
    const seq = await forge(s, () => [plan]);
    expect(await findings(s)).toEqual([
      `entry ${seq}, batch a-copy: it was planned, and no verdict says what the policy thought of it`,
    ]);
  });
});

describe('audit verify finds a signing', () => {
  it('that nobody approved and no device made, at each of its entries', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const { psbt } = await newest(s, 'batch.planned');
    const assessment = await assessmentOf(s, id);
    const verdict = forgedVerdict(id, assessment, {
      verdict: () => 'no verdict at all',
      entry: { decision: 'ALLOW', codes: [] },
    });
    const device = { app: 'x', version: 'x', fingerprint: '00000000' };
    const seq = await forge(s, (keep) => [
      verdict(keep),
      { ...reservation(id, assessment), approvers: [] },
      verdict(keep),
      { kind: 'batch.sent', batch: id, psbt, device, approvers: [] },
      {
        kind: 'batch.signed',
        batch: id,
        psbt,
        signedPsbt: keep(JUNK),
        transaction: keep(JUNK),
        txid: '11'.repeat(32),
        signatures: 1,
      },
    ]);
    expect(await findings(s)).toEqual([
      expect.stringContaining(`entry ${seq}, batch ${id}: what it keeps is no verdict`),
      expect.stringContaining(`entry ${seq + 1}, batch ${id}: it is reserved though the policy says NEED`),
      expect.stringContaining(`entry ${seq + 2}, batch ${id}: what it keeps is no verdict`),
      expect.stringContaining(`entry ${seq + 3}, batch ${id}: it is sent to a device though the policy says NEED`),
      expect.stringContaining(`entry ${seq + 4}, batch ${id}: its signed PSBT: not a readable PSBT`),
    ]);
  });

  it.each<[string, (one: Body<'batch.reserved'>) => Body<'batch.reserved'>, string]>([
    [
      'on the word of fewer people',
      (one) => ({ ...one, approvers: one.approvers.slice(1) }),
      'approvers[0] is "carol"',
    ],
    ['in the name of nobody', (one) => ({ ...one, approvers: [] }), 'approvers[0] is nothing'],
  ])('reserved %s', async (_, change, message) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const assessment = await assessmentOf(s, id);
    const verdict = forgedVerdict(id, assessment);
    await forge(s, (keep) => [verdict(keep), change(reservation(id, assessment))]);
    expect((await findings(s))[0]).toContain(message);
  });

  it('reserved on a verdict that something came after', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const assessment = await assessmentOf(s, id);
    const verdict = forgedVerdict(id, assessment);
    await forge(s, (keep) => [verdict(keep)]);
    const [coin] = (await s.json(0, 'vault', 'coins')).coins.filter(
      (one: { status: string }) => one.status === 'available',
    );
    await s.expect(0, 'coins', 'freeze', coin.outpoint, '--reason', 'asked for', '--as', 'alice');
    await forge(s, () => [reservation(id, assessment)]);
    expect((await findings(s))[0]).toContain('it is reserved without a verdict at signing right before it');
  });

  it('by another device, or on the word of others', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const assessment = await assessmentOf(s, id);
    const first = forgedVerdict(id, assessment);
    await forge(s, (keep) => [first(keep), reservation(id, assessment)]);
    const verdict = forgedVerdict(id, await assessmentOf(s, id));
    const { sha256: psbt } = assessment.decoded;
    const sent = { kind: 'batch.sent', batch: id, psbt, device: DEVICE, approvers: ['carol'] } as const;
    await forge(s, (keep) => [verdict(keep), sent]);
    expect((await findings(s))[0]).toContain('approvers[0] is "carol", and has to be "bob"');
    const other = await stage();
    const same = await other.ready('second.csv');
    const own = await assessmentOf(other, same);
    const verdicts = [forgedVerdict(same, own)];
    await forge(other, (keep) => [...verdicts.map((one) => one(keep)), reservation(same, own)]);
    const again = forgedVerdict(same, await assessmentOf(other, same));
    const device = { ...DEVICE, fingerprint: '00000000' };
    await forge(other, (keep) => [
      again(keep),
      { ...sent, batch: same, psbt: own.decoded.sha256, device, approvers: ['bob', 'carol'] },
    ]);
    expect((await findings(other))[0]).toContain('it was sent to the device 00000000');
  });

  type Signed = Body<'batch.signed'>;
  it.each<[string, (signed: Signed, keep: (bytes: Uint8Array) => string, at: Blobs) => Partial<Signed>, string]>([
    ['with another txid', () => ({ txid: '11'.repeat(32) }), 'txid is "1111'],
    ['with another number of signatures', ({ signatures }) => ({ signatures: signatures + 1 }), 'signatures is'],
    [
      'whose transaction is another',
      (_, keep) => ({ transaction: keep(JUNK) }),
      'its transaction is not the planned one',
    ],
    [
      'of which one bit of a signature differs',
      (_, keep, { signedPsbt }) => ({ signedPsbt: keep(flipped(signedPsbt)) }),
      'its signed PSBT',
    ],
    [
      'whose PSBT was never signed',
      (_, keep, { unsigned }) => ({ signedPsbt: keep(unsigned) }),
      'input 0 has no final script',
    ],
    [
      'whose transaction pays another',
      (_, keep, { transaction }) => ({ transaction: keep(paysElse(transaction)) }),
      'its transaction is not the planned one',
    ],
  ])('%s', async (_, change, message) => {
    const real = await stage();
    const id = await real.ready('second.csv');
    await real.expect(0, 'batch', 'sign', id);
    const signed = await newest(real, 'batch.signed');
    const at: Blobs = {
      signedPsbt: await blobOf(real, signed.signedPsbt),
      transaction: await blobOf(real, signed.transaction),
      unsigned: await blobOf(real, signed.psbt),
    };
    // The same batch up to the device, in a journal that was not signed in.
    const s = await stage();
    expect(await s.ready('second.csv')).toBe(id);
    s.signer = answer('E_DEVICE_GONE', true);
    await s.run('batch', 'sign', id);
    const seq = await forge(s, (keep) => {
      const kept = { signedPsbt: keep(at.signedPsbt), transaction: keep(at.transaction) };
      return [{ ...signed, ...kept, ...change(signed, keep, at) }];
    });
    const [first = ''] = await findings(s);
    expect(first).toContain(`entry ${seq}, batch ${id}: `);
    expect(first).toContain(message);
  });

  it('that the chain has not seen, or not like that', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    const { txid } = await newest(s, 'batch.signed');
    await forge(s, () => [{ kind: 'batch.confirmed', batch: id, txid, height: HEIGHT, time: '2026-06-01T12:00:00Z' }]);
    expect((await findings(s))[0]).toContain(`does not say that ${txid} is confirmed`);
  });

  it.each<[string, number, string, boolean, string]>([
    ['five blocks deep', 5, '2026-06-01T12:20:00Z', true, 'at a depth of 5 blocks'],
    ['at another time than the chain says', 9, '2026-06-01T12:10:00Z', true, 'says block'],
    ['while its coins are there', 9, '2026-06-01T12:20:00Z', false, 'as unspent'],
  ])('confirmed %s', async (_, tip, time, isSpent, message) => {
    const s = await stage();
    const id = await s.ready('second.csv');
    await s.expect(0, 'batch', 'sign', id);
    const { txid } = await newest(s, 'batch.signed');
    const height = HEIGHT + 1;
    const confirmed = { [txid]: { height, time: '2026-06-01T12:20:00Z' } };
    const spent = isSpent ? await inputsOf(s, id) : [];
    const text = snapshot({ height: HEIGHT + tip, takenAt: '2026-06-01T12:40:00Z', confirmed, spent });
    s.now = '2026-06-01T12:45:00Z';
    const { coins } = JSON.parse(text) as { coins: { value: string }[] };
    const total = coins.reduce((sum, { value }) => sum + BigInt(value), 0n).toString();
    const before = await newest(s, 'coins.imported');
    await forge(s, (keep) => [
      { ...before, snapshot: keep(Buffer.from(text)), height: HEIGHT + tip, coins: coins.length, total },
      { kind: 'batch.confirmed', batch: id, txid, height, time },
    ]);
    expect(await findings(s)).toEqual([expect.stringContaining(message)]);
  });
});

describe('audit verify finds a coin snapshot', () => {
  it.each<[string, Partial<Body<'coins.imported'>>, string]>([
    ['of which the entry counts more', { total: '1' }, 'total is "1"'],
    ['of which the entry says another tip', { height: 1 }, 'height is 1'],
    ['of a block before the one that was known', {}, 'was known already'],
  ])('%s', async (_, change, message) => {
    const s = await stage();
    const imported = await newest(s, 'coins.imported');
    if (message.includes('known')) {
      s.write('new.json', snapshot({ height: HEIGHT + 1 }));
      await s.expect(0, 'coins', 'import', 'new.json');
    }
    await forge(s, () => [{ ...imported, ...change }]);
    expect((await findings(s))[0]).toContain(message);
  });

  it('with a coin that the vault does not derive', async () => {
    const s = await stage();
    const imported = await newest(s, 'coins.imported');
    const text = JSON.parse(demoFile('coins.json'));
    text.coins[0].index += 1;
    await forge(s, (keep) => [{ ...imported, snapshot: keep(Buffer.from(JSON.stringify(text))) }]);
    expect((await findings(s))[0]).toContain('its snapshot does not hold');
  });
});

describe('an audit', () => {
  it('stops after twenty findings, and says so', async () => {
    const s = await stage();
    const id = await s.planOne('second.csv');
    const assessment = await assessmentOf(s, id);
    const verdict = forgedVerdict(id, assessment, { verdict: () => 'no verdict at all' });
    await forge(s, (keep) => Array.from({ length: 20 }, () => verdict(keep)));
    const messages = await findings(s);
    expect(messages).toHaveLength(21);
    expect(messages.at(-1)).toContain('stopped after 20 findings');
  });

  it('says on stderr how far it is, where that takes long enough to be wondered about', async () => {
    const s = await stage();
    const outpoint = `${'ab'.repeat(32)}:0`;
    const freeze = { kind: 'coin.frozen', outpoint, reason: 'again', by: 'alice' } as const;
    const { entries } = await s.json(0, 'audit', 'verify');
    await forge(s, () => Array.from({ length: 1999 - entries }, () => freeze));
    expect((await s.expect(0, 'audit', 'verify')).stderr).toBe('');
    await forge(s, () => [freeze]);
    expect((await s.expect(0, 'audit', 'verify')).stderr).toBe('verifying entry 250 of 2000\n');
  });

  it('judges a withdrawal that was given up and planned again', async () => {
    const s = await stage();
    s.write('w.csv', csv([['w-1', destinations()[0] ?? '', 120_000n]]));
    for (let round = 0; round < 3; round += 1) {
      const id = await s.planOne('w.csv');
      await s.expect(0, 'batch', 'abandon', id, '--reason', 'again', '--as', 'alice');
    }
    expect((await s.json(0, 'audit', 'verify')).verdicts).toBe(3);
  });
});

interface Blobs {
  readonly signedPsbt: Uint8Array;
  readonly transaction: Uint8Array;
  readonly unsigned: Uint8Array;
}

async function inputsOf(s: Session, id: string): Promise<readonly string[]> {
  return (await entriesOf(s)).flatMap(({ body }) =>
    body.kind === 'batch.planned' && body.batch === id ? body.inputs : [],
  );
}

/** A bit of the first signature: it begins behind the count and the length of the first final witness. */
function flipped(psbt: Uint8Array): Uint8Array {
  const at = Buffer.from(psbt).indexOf(Buffer.from('0108', 'hex'));
  const copy = new Uint8Array(psbt);
  // Key length and type, value length, count of items, length of the signature, and 40 bytes into it.
  const place = at + 2 + 1 + 1 + 1 + 40;
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}

/** The last byte of the script of the last output, before the witnesses. */
function paysElse(transaction: Uint8Array): Uint8Array {
  const at = Buffer.from(transaction).lastIndexOf(Buffer.from('160014', 'hex'));
  const copy = new Uint8Array(transaction);
  copy[at + 5] = (copy[at + 5] ?? 0) ^ 1;
  return copy;
}
