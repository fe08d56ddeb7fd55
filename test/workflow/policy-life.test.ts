import { afterAll, describe, expect, it } from 'vitest';
import { documentStatement } from '../../src/approval/document-statement.js';
import { verifySshsig } from '../../src/approval/sshsig.js';
import { formatTime, parseTime } from '../../src/domain/time.js';
import { publicLine } from '../approval/soft-token.js';
import { NOON, policyText, removeAll, type Session, stage, tokenOf } from '../cli/session.js';
import { AUDITORS, digestOf, LOOSER, putIntoForce, TIGHTER, withKeys, writeNext, writeSigned } from './lifecycle.js';

afterAll(removeAll);

const DAY = 86_400;
const NOTICE = 3 * DAY;
const later = (seconds: number, from = NOON): string => formatTime((parseTime(from) ?? 0) + seconds);
const activate = ['policy', 'activate'] as const;

/** The fault of an activation that is refused and leaves everything as it was. */
const refused = (s: Session, code: number, file: string) =>
  s.untouched(async () => (await s.json(code, ...activate, file)).faults[0]);

describe('policy sign', () => {
  it('signs the canonical statement, in the name of whom the policy gives the key', async () => {
    const s = await stage({ until: 'vault' });
    const { statement, digest } = await s.json(0, 'policy', 'sign', 'policy.yaml', '--statement');
    const fields = { kind: 'policy', wallet: 'demo-cold', version: 1, prev: null, digest } as const;
    expect(statement).toBe(documentStatement(fields));
    const done = await s.json(0, 'policy', 'sign', 'policy.yaml', '--key', 'keys/frank');
    expect(done).toMatchObject({ person: 'frank', signature: 'policy.yaml.frank.sig', digest });
    const verified = verifySshsig(s.read(done.signature), Buffer.from(statement), 'countersign-policy@v1');
    expect(verified.ok && verified.value.publicKey).toBe(publicLine(tokenOf('frank')));
  });

  it('prints nothing but the statement, without a line end, for ssh-keygen elsewhere', async () => {
    const s = await stage({ until: 'nothing' });
    const { stdout } = await s.expect(0, 'policy', 'sign', 'policy.yaml', '--statement');
    expect(stdout).toBe(
      `{"digest":"${await digestOf(s, 'policy.yaml')}","kind":"policy","prev":"none","schema":"countersign.document/1","version":1,"wallet":"demo-cold"}`,
    );
  });

  it.each([
    ['a key of nobody without --as', ['--key', 'keys/mallory'], 'E_USAGE'],
    ['a name that would leave the folder', ['--key', 'keys/frank', '--as', '../frank'], 'E_USAGE'],
    ['no key', [], 'E_USAGE'],
    ['a key that is not there', ['--key', 'keys/nobody'], 'E_SSH_KEY'],
  ])('refuses %s', async (_, words, tag) => {
    const s = await stage({ until: 'vault' });
    expect(await s.untouched(() => s.faultOf(2, 'policy', 'sign', 'policy.yaml', ...words))).toBe(tag);
  });

  it('writes over no other signature, and leaves the same one as it is', async () => {
    const s = await stage({ until: 'vault' });
    s.write('policy.yaml.frank.sig', 'something else');
    expect(await s.untouched(() => s.faultOf(2, 'policy', 'sign', 'policy.yaml', '--key', 'keys/frank'))).toBe(
      'E_FILE_EXISTS',
    );
  });
});

describe('the first policy of a journal', () => {
  it('is taken on the word of its own auditors, and says so', async () => {
    const s = await stage({ until: 'vault' });
    expect(await refused(s, 11, 'policy.yaml')).toMatchObject({ tag: 'E_POLICY_QUORUM' });
    await s.signDocument('policy', 'policy.yaml', ...AUDITORS);
    const done = await s.json(0, ...activate, 'policy.yaml');
    expect(done).toMatchObject({ version: 1, in_force: true, change: 'first', signers: ['frank', 'grace'] });
  });

  it('may be a later version, since a journal can begin late', async () => {
    const s = await stage({ until: 'vault' });
    await writeSigned(s, 'late.yaml', 'policy.yaml', { version: 7 });
    expect(await putIntoForce(s, 'late.yaml')).toMatchObject({ version: 7, change: 'first' });
  });

  it('is waited for where its time has not come: nothing may leave, and only its people may change it', async () => {
    const s = await stage({ until: 'vault' });
    s.write('policy.yaml', policyText().replace(/effective_at: .*/, `effective_at: "${later(DAY)}"`));
    await s.signDocument('policy', 'policy.yaml', ...AUDITORS);
    expect(await s.json(0, ...activate, 'policy.yaml')).toMatchObject({ in_force: false });
    expect(await s.untouched(() => s.faultOf(10, 'policy', 'explain'))).toBe('E_POLICY_NOT_EFFECTIVE');

    await writeNext(s, 'mine.yaml', 'policy.yaml', { edit: (text) => withKeys(text, { frank: ['mallory'] }) });
    await s.signDocument('policy', 'mine.yaml', 'mallory');
    expect(await refused(s, 10, 'mine.yaml')).toMatchObject({ tag: 'E_POLICY_SIGNER' });

    await s.signDocument('book', 'book-1.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', 'book-1.yaml');
    s.wait(DAY);
    expect((await s.json(0, 'policy', 'explain')).version).toBe(1);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('signatures under a policy', () => {
  it.each<[string, readonly string[], number, string]>([
    ['nobody', [], 11, 'E_POLICY_QUORUM'],
    ['one of two auditors', ['frank'], 11, 'E_POLICY_QUORUM'],
    ['an auditor and officers', ['frank', 'alice', 'bob'], 11, 'E_POLICY_QUORUM'],
    ['a stranger beside the quorum', ['frank', 'grace', 'mallory'], 10, 'E_POLICY_SIGNER'],
  ])('of %s are refused', async (_, people, code, tag) => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml');
    await s.signDocument('policy', 'p2.yaml', ...people);
    expect((await refused(s, code, 'p2.yaml')).tag).toBe(tag);
  });

  it('name in the refusal who has signed and who can', async () => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml');
    await s.signDocument('policy', 'p2.yaml', 'frank');
    const fault = await refused(s, 11, 'p2.yaml');
    expect(fault.message).toContain('signed by frank');
    expect(fault.remedy).toContain('grace can sign it');
  });

  it('of people of other roles are left out beside a complete quorum', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml');
    await s.signDocument('policy', 'p2.yaml', 'alice');
    expect((await putIntoForce(s, 'p2.yaml')).signers).toEqual(['frank', 'grace']);
  });

  it('count people and not keys', async () => {
    const s = await stage({ until: 'vault', policy: withKeys(policyText(), { frank: ['frank', 'mallory'] }) });
    await s.signDocument('policy', 'policy.yaml', 'frank', 'mallory');
    expect((await refused(s, 11, 'policy.yaml')).message).toContain('signed by frank');
    await s.signDocument('policy', 'policy.yaml', 'grace');
    expect((await s.json(0, ...activate, 'policy.yaml')).signers).toEqual(['frank', 'grace']);
  });

  it('are over the meaning: a comment may change, a value may not', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml');
    const signed = s.read('p2.yaml');
    s.write('p2.yaml', signed.replace('valid_for: "4h"', 'valid_for: "3h"'));
    const fault = await refused(s, 13, 'p2.yaml');
    expect(fault).toMatchObject({ tag: 'E_POLICY_SIG', where: { file: 'p2.yaml.frank.sig' } });
    s.write('p2.yaml', `# a comment\n${signed}`);
    await putIntoForce(s, 'p2.yaml');
  });

  it.each([
    ['countersign-book@v1', 'E_SSHSIG_NAMESPACE'],
    ['countersign-approve@v1', 'E_SSHSIG_NAMESPACE'],
    ['git', 'E_SSHSIG_NAMESPACE'],
  ])('made for %s are refused', async (namespace, tag) => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml');
    const { statement } = await s.json(0, 'policy', 'sign', 'p2.yaml', '--statement');
    s.write('p2.yaml.grace.sig', s.sign('grace', statement, { namespace }));
    expect((await refused(s, 13, 'p2.yaml')).tag).toBe(tag);
  });

  it('can be named one by one; what lies beside the file is not looked at then', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml');
    await s.signDocument('policy', 'p2.yaml', 'mallory');
    const named = AUDITORS.flatMap((name) => ['--signature', `p2.yaml.${name}.sig`]);
    await s.untouched(() => s.expect(11, ...activate, 'p2.yaml', '--signature', 'p2.yaml.frank.sig'));
    await s.untouched(() => s.expect(2, ...activate, 'p2.yaml', '--signature', 'missing.sig'));
    await putIntoForce(s, 'p2.yaml', ...named);
  });

  it('are those of the auditors in force, not of those whom the new policy names', async () => {
    const s = await stage({ until: 'policy' });
    const edit = (text: string): string => withKeys(text, { frank: ['mallory'] });
    await writeNext(s, 'p2.yaml', 'policy.yaml', { edit, effectiveAt: later(NOTICE) });
    await s.signDocument('policy', 'p2.yaml', 'mallory');
    expect((await refused(s, 10, 'p2.yaml')).tag).toBe('E_POLICY_SIGNER');
    const named = AUDITORS.flatMap((name) => ['--signature', `p2.yaml.${name}.sig`]);
    await s.signDocument('policy', 'p2.yaml', ...AUDITORS);
    await putIntoForce(s, 'p2.yaml', ...named);

    s.wait(NOTICE);
    await writeSigned(s, 'p3.yaml', 'p2.yaml');
    expect((await refused(s, 10, 'p3.yaml')).tag).toBe('E_POLICY_SIGNER');
    await s.signDocument('policy', 'p3.yaml', 'mallory');
    const now = ['mallory', 'grace'].flatMap((name) => ['--signature', `p3.yaml.${name}.sig`]);
    expect((await putIntoForce(s, 'p3.yaml', ...now)).signers).toEqual(['frank', 'grace']);
    await s.expect(0, 'audit', 'verify');
  });
});

describe('the chain of versions', () => {
  it.each<[string, number, string, Parameters<typeof writeNext>[3]]>([
    ['a gap', 13, 'E_POLICY_GAP', { version: 3 }],
    ['another predecessor', 13, 'E_POLICY_CHAIN', { prev: `sha256:${'00'.repeat(32)}` }],
    ['another wallet', 13, 'E_POLICY_WALLET', { edit: (text) => text.replace('id: demo-cold', 'id: other-cold') }],
    [
      'another descriptor',
      13,
      'E_POLICY_WALLET',
      { edit: (text) => text.replace(/descriptor: .*/, `descriptor: "${OTHER_DESCRIPTOR}"`) },
    ],
  ])('refuses %s', async (_, code, tag, change) => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml', 'policy.yaml', change);
    expect((await refused(s, code, 'p2.yaml')).tag).toBe(tag);
  });

  it('refuses a fork, the version that is active, and every older one', async () => {
    const s = await stage({ until: 'policy' });
    s.write('p1.yaml', s.read('policy.yaml'));
    await writeSigned(s, 'p2.yaml');
    await putIntoForce(s, 'p2.yaml');
    expect((await refused(s, 2, 'p2.yaml')).tag).toBe('E_USAGE');
    expect((await refused(s, 13, 'p1.yaml')).tag).toBe('E_POLICY_ROLLBACK');
    await writeSigned(s, 'fork.yaml', 'p1.yaml', { edit: TIGHTER });
    const fork = await refused(s, 13, 'fork.yaml');
    expect(fork.tag).toBe('E_POLICY_FORK');
    expect(fork.message).toContain(await digestOf(s, 'p2.yaml'));
    expect(fork.remedy).toContain('version 3');
  });

  it('refuses to go back also while the newest version waits', async () => {
    const s = await stage({ until: 'policy' });
    s.write('p1.yaml', s.read('policy.yaml'));
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { effectiveAt: later(DAY) });
    await putIntoForce(s, 'p2.yaml');
    expect((await refused(s, 13, 'p1.yaml')).tag).toBe('E_POLICY_ROLLBACK');
  });
});

const OTHER_DESCRIPTOR =
  'wpkh([f5acc2fd/84h/1h/1h]tpubDCtKfsNyRhULjZ9XMS4VKKtVcPdVDi8MKUbcSD9MJDyjRu1A2ND5MiipozyyspBT9bg8upEp7a8EAgFxNxXn1d7QkdbL52Ty5jiSLcxPt1P/<0;1>/*)#pernz0jt';

describe('an expired policy', () => {
  it.each([
    [-1, 0],
    [0, 10],
    [1, 10],
  ])('%i s after its expires_at ends with exit code %i', async (offset, code) => {
    const s = await stage({ until: 'policy' });
    const expiresAt = later(10 * DAY);
    const edit = (text: string): string => text.replace(/expires_at: .*/, `expires_at: "${expiresAt}"`);
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit });
    s.wait(10 * DAY + offset);
    if (code === 0) await putIntoForce(s, 'p2.yaml');
    else expect(await refused(s, code, 'p2.yaml')).toMatchObject({ tag: 'E_POLICY_EXPIRED' });
  });
});

describe('notice', () => {
  it.each([
    [-1, 10],
    [0, 0],
    [1, 0],
  ])('a loosening whose effective_at is %i s off the earliest moment ends with exit code %i', async (offset, code) => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE + offset) });
    if (code === 0) {
      expect(await putIntoForce(s, 'p2.yaml')).toMatchObject({ in_force: false, change: 'loosening' });
      return;
    }
    const fault = await refused(s, code, 'p2.yaml');
    expect(fault).toMatchObject({ tag: 'E_POLICY_NOTICE' });
    expect(fault.message).toContain(later(NOTICE));
    expect(fault.message).toContain('limits.batch');
  });

  it('counts from the activation, not from when the file was written', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE) });
    s.wait(1);
    expect((await refused(s, 10, 'p2.yaml')).message).toContain(later(NOTICE + 1));
  });

  it('counts from the time that the entry has, also where the second turns while it is judged', async () => {
    const codes = new Set<number>();
    for (let off = -1; off < 5; off += 1) {
      const s = await stage({ until: 'policy' });
      await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE + off) });
      s.write('policy.yaml', s.read('p2.yaml'));
      s.ticks = 1;
      const { code } = await s.run(...activate, 'p2.yaml');
      s.ticks = 0;
      codes.add(code);
      await s.expect(0, 'audit', 'verify');
    }
    expect([...codes].sort()).toEqual([0, 10]);
  });

  it('is that of the policy in force: a loosening cannot shorten its own', async () => {
    const s = await stage({ until: 'policy' });
    const edit = (text: string): string => text.replace('loosening_notice: "72h"', 'loosening_notice: "0s"');
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit, effectiveAt: later(NOTICE - 1) });
    expect((await refused(s, 10, 'p2.yaml')).tag).toBe('E_POLICY_NOTICE');
  });

  it('is not asked of what only tightens, and is of what does both', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'both.yaml', 'policy.yaml', {
      edit: (text) => TIGHTER(text).replace('output: "5000000000"', 'output: "5000000001"'),
    });
    expect((await refused(s, 10, 'both.yaml')).tag).toBe('E_POLICY_NOTICE');
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: TIGHTER });
    expect(await putIntoForce(s, 'p2.yaml')).toMatchObject({ in_force: true, change: 'tightening' });
  });
});

describe('a version that waits', () => {
  it('leaves the one before it in force until exactly its effective_at', async () => {
    const s = await stage();
    const v1 = await digestOf(s, 'policy.yaml');
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE) });
    const v2 = await digestOf(s, 'p2.yaml');
    await putIntoForce(s, 'p2.yaml');
    const inForce = async (): Promise<string> => (await s.json(0, 'policy', 'explain')).digest;
    s.wait(NOTICE - 1);
    expect(await inForce()).toBe(v1);
    expect(await inForce()).toBe(v1);
    s.wait(1);
    expect(await inForce()).toBe(v2);
    expect((await s.json(0, 'audit', 'verify')).document_signatures).toBe(8);
  });

  it('can be overtaken by a tightening of what is in force, and never applies then', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE) });
    await putIntoForce(s, 'p2.yaml');
    await writeNext(s, 'p3.yaml', 'p2.yaml', {
      effectiveAt: NOON,
      edit: (text) => text.replace('batch: "10000000001"', 'batch: "9000000000"'),
    });
    await s.signDocument('policy', 'p3.yaml', ...AUDITORS);
    expect(await putIntoForce(s, 'p3.yaml')).toMatchObject({ in_force: true, change: 'tightening' });
    s.wait(2 * NOTICE);
    expect((await s.json(0, 'policy', 'explain')).version).toBe(3);
    await s.expect(0, 'audit', 'verify');
  });

  it('gives a loosening that overtakes it no head start', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER, effectiveAt: later(NOTICE) });
    await putIntoForce(s, 'p2.yaml');
    await writeSigned(s, 'p3.yaml', 'p2.yaml', { effectiveAt: NOON });
    expect((await refused(s, 10, 'p3.yaml')).tag).toBe('E_POLICY_NOTICE');
  });
});

describe('what was done under the policy before', () => {
  it('keeps counting: a new version resets no counter', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await s.expect(0, 'batch', 'sign', id);
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: TIGHTER });
    await putIntoForce(s, 'p2.yaml');
    const { batches } = await s.json(0, 'batch', 'plan', 'second.csv', '--as', 'alice');
    const day = batches[0].verdict.findings.find((one: { code: string }) => one.code === 'LIMIT_24H');
    expect(BigInt(day.measured)).toBe(715_003_119n + BigInt(batches[0].verdict.spend));
  });

  it('is approved anew: an approval is of one policy', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit: TIGHTER });
    await putIntoForce(s, 'p2.yaml');
    await s.expect(11, 'batch', 'sign', id);
  });
});
