import { afterAll, describe, expect, it } from 'vitest';
import { documentStatement } from '../../src/approval/document-statement.js';
import { verifySshsig } from '../../src/approval/sshsig.js';
import { publicLine } from '../approval/soft-token.js';
import { removeAll, type Session, stage, tokenOf } from '../cli/session.js';
import { putIntoForce, withKeys, writeSigned } from './lifecycle.js';

afterAll(removeAll);

const refused = (s: Session, code: number, file: string) =>
  s.untouched(async () => (await s.json(code, 'book', 'import', file)).faults[0]);

const inForce = async (s: Session): Promise<string> => (await s.json(0, 'book', 'show')).digest;

/** The successor of book-2.yaml, which is in force: without its last destination. */
async function writeThird(s: Session, edit: (text: string) => string = (text) => text): Promise<void> {
  const text = s.read('book-2.yaml').replace('version: 2', 'version: 3');
  const next = text
    .replace(/prev: .*/, `prev: "${await inForce(s)}"`)
    .replace(/ {2}- id: partner-21\n(?: {4}.*\n)+/, '');
  s.write('b3.yaml', edit(next));
}

describe('book sign', () => {
  it('signs the canonical statement, without a workspace', async () => {
    const s = await stage({ until: 'nothing' });
    const done = await s.json(0, 'book', 'sign', 'book-1.yaml', '--key', 'keys/erin', '--as', 'erin');
    const { statement } = await s.json(0, 'book', 'sign', 'book-1.yaml', '--statement');
    const fields = { kind: 'book', wallet: 'demo-cold', version: 1, prev: null, digest: done.digest } as const;
    expect(statement).toBe(documentStatement(fields));
    const verified = verifySshsig(s.read('book-1.yaml.erin.sig'), Buffer.from(statement), 'countersign-book@v1');
    expect(verified.ok && verified.value.publicKey).toBe(publicLine(tokenOf('erin')));
  });

  it('has to be told who signs, and reads the book first', async () => {
    const s = await stage({ until: 'vault' });
    const sign = (file: string, ...words: string[]) =>
      s.untouched(() => s.faultOf(2, 'book', 'sign', file, '--key', 'keys/erin', ...words));
    expect(await sign('book-1.yaml')).toBe('E_USAGE');
    s.write('odd.yaml', s.read('book-1.yaml').replace('version: 1', 'version: 1\nnote: "x"'));
    expect(await sign('odd.yaml', '--as', 'erin')).toBe('E_UNKNOWN_FIELD');
    s.write('bad.yaml', s.read('book-1.yaml').replace(/address: \S+/, 'address: nowhere'));
    expect(await sign('bad.yaml', '--as', 'erin')).toBe('E_ADDRESS_FORM');
  });
});

describe('book import', () => {
  it.each<[string, readonly string[], number, string]>([
    ['nobody', [], 11, 'E_BOOK_QUORUM'],
    ['one person', ['erin'], 11, 'E_BOOK_QUORUM'],
    ['two people, none of them of compliance', ['alice', 'bob'], 11, 'E_BOOK_QUORUM'],
    ['compliance and an auditor, who has no say here', ['erin', 'frank'], 11, 'E_BOOK_QUORUM'],
    ['a stranger beside the quorum', ['bob', 'erin', 'mallory'], 10, 'E_BOOK_SIGNER'],
  ])('refuses the signatures of %s', async (_, people, code, tag) => {
    const s = await stage();
    await writeThird(s);
    await s.signDocument('book', 'b3.yaml', ...people);
    expect((await refused(s, code, 'b3.yaml')).tag).toBe(tag);
  });

  it('says that compliance is missing where the number is met', async () => {
    const s = await stage();
    await writeThird(s);
    await s.signDocument('book', 'b3.yaml', 'alice', 'bob');
    expect((await refused(s, 11, 'b3.yaml')).remedy).toMatch(/^erin can sign it/);
  });

  it('takes a book that enough people signed, and says who', async () => {
    const s = await stage();
    await writeThird(s);
    await s.signDocument('book', 'b3.yaml', 'dave', 'erin');
    const done = await s.json(0, 'book', 'import', 'b3.yaml');
    expect(done).toMatchObject({ version: 3, signers: ['dave', 'erin'], added: [], removed: ['partner-21'] });
    await s.expect(0, 'audit', 'verify');
  });

  it('counts people of the policy in force, from its first second', async () => {
    const s = await stage();
    const edit = (text: string): string => withKeys(text, { erin: ['mallory'] });
    const effectiveAt = '2026-06-04T12:00:00Z';
    await writeSigned(s, 'p2.yaml', 'policy.yaml', { edit, effectiveAt });
    await putIntoForce(s, 'p2.yaml');
    await writeThird(s);
    await s.signDocument('book', 'b3.yaml', 'bob', 'mallory');
    s.now = '2026-06-04T11:59:59Z';
    expect((await refused(s, 10, 'b3.yaml')).tag).toBe('E_BOOK_SIGNER');
    s.now = effectiveAt;
    expect((await s.json(0, 'book', 'import', 'b3.yaml')).signers).toEqual(['bob', 'erin']);
    await s.expect(0, 'audit', 'verify');
  });

  it.each<[string, string, (text: string) => string]>([
    ['a gap', 'E_BOOK_GAP', (text) => text.replace('version: 3', 'version: 4')],
    ['another predecessor', 'E_BOOK_CHAIN', (text) => text.replace(/prev: "sha256:.{4}/, 'prev: "sha256:0000')],
    ['another wallet', 'E_BOOK_WALLET', (text) => text.replace('wallet: demo-cold', 'wallet: other-cold')],
    ['another book of the version in force', 'E_BOOK_FORK', (text) => text.replace('version: 3', 'version: 2')],
  ])('refuses %s', async (_, tag, edit) => {
    const s = await stage();
    await writeThird(s, edit);
    await s.signDocument('book', 'b3.yaml', 'bob', 'erin');
    expect((await refused(s, 13, 'b3.yaml')).tag).toBe(tag);
  });

  it('refuses the book in force and every older one', async () => {
    const s = await stage();
    expect((await refused(s, 2, 'book-2.yaml')).tag).toBe('E_USAGE');
    expect((await refused(s, 13, 'book-1.yaml')).tag).toBe('E_BOOK_ROLLBACK');
  });

  it('refuses a signature over an earlier draft, and one for a policy', async () => {
    const s = await stage();
    await writeThird(s);
    await s.signDocument('book', 'b3.yaml', 'bob', 'erin');
    const text = s.read('b3.yaml');
    s.write('b3.yaml', text.replace('Hot wallet 1', 'Hot wallet one'));
    expect(await refused(s, 13, 'b3.yaml')).toMatchObject({ tag: 'E_BOOK_SIG', where: { file: 'b3.yaml.bob.sig' } });
    s.write('b3.yaml', text);
    const { statement } = await s.json(0, 'book', 'sign', 'b3.yaml', '--statement');
    s.write('b3.yaml.erin.sig', s.sign('erin', statement, { namespace: 'countersign-policy@v1' }));
    expect((await refused(s, 13, 'b3.yaml')).tag).toBe('E_SSHSIG_NAMESPACE');
  });

  it('wants a vault and a policy first', async () => {
    const s = await stage({ until: 'vault' });
    await s.signDocument('book', 'book-1.yaml', 'bob', 'erin');
    expect((await refused(s, 14, 'book-1.yaml')).tag).toBe('E_POLICY_MISSING');
    const bare = await stage({ until: 'init' });
    expect((await refused(bare, 14, 'book-1.yaml')).tag).toBe('E_VAULT_MISSING');
  });
});
