import { afterAll, describe, expect, it } from 'vitest';
import { DOCUMENT_NAMESPACES, documentStatement } from '../../src/approval/document-statement.js';
import { ok } from '../../src/domain/result.js';
import type { EntryBody } from '../../src/journal/entries.js';
import { bookDifference } from '../../src/workflow/documents.js';
import { bookFields, hexDigest, policyFields } from '../../src/workflow/policy-life.js';
import { NOON, removeAll, type Session, stage } from '../cli/session.js';
import { LOOSER, writeNext } from './lifecycle.js';

afterAll(removeAll);

type PolicyBody = Extract<EntryBody, { kind: 'policy.activated' }>;
type BookBody = Extract<EntryBody, { kind: 'book.changed' }>;

/** Writes an entry past all checks but those of the journal itself, as somebody with the file and a debugger could. */
async function append(s: Session, body: (keep: (bytes: Uint8Array) => string) => EntryBody): Promise<void> {
  const opened = await (await s.composition()).openWorkspace();
  if (!opened.ok) throw new Error(opened.error.message);
  const { journal } = opened.value;
  const done = await journal.transact(async (tx) => ok(tx.append(body((bytes) => tx.keep(bytes)))));
  await journal.close();
  if (!done.ok) throw new Error(done.error.message);
}

async function policyBody(s: Session, file: string, people: readonly string[], change: Partial<PolicyBody> = {}) {
  const { documents } = await s.composition();
  const bytes = Buffer.from(s.read(file));
  const [policy, before] = [
    documents.policy(bytes, file),
    documents.policy(Buffer.from(s.read('policy.yaml')), 'policy.yaml'),
  ];
  if (!policy.ok || !before.ok) throw new Error('the policies of this test can be read');
  const statement = documentStatement(policyFields(policy.value));
  const namespace = DOCUMENT_NAMESPACES.policy;
  return (keep: (bytes: Uint8Array) => string): EntryBody => ({
    kind: 'policy.activated',
    digest: hexDigest(policy.value.digest),
    version: policy.value.document.version,
    document: keep(bytes),
    effectiveAt: NOON,
    under: hexDigest(before.value.digest),
    signatures: people.map((person) => ({ person, signature: s.sign(person, statement, { namespace }) })),
    ...change,
  });
}

/** The message of the fault that `audit verify` ends with. */
async function verdictOf(s: Session): Promise<string> {
  const { faults } = await s.json(13, 'audit', 'verify');
  expect(faults[0].tag).toBe('E_JOURNAL_TAMPERED');
  return faults[0].message;
}

describe('audit verify finds a policy', () => {
  it.each<[string, readonly string[], Partial<PolicyBody>, string]>([
    ['that too few signed', ['frank'], {}, 'has to be signed by'],
    ['with a signature in the name of another', ['frank', 'grace'], { signatures: [] }, 'its signatures is not'],
    [
      'that begins at another time than it says',
      ['frank', 'grace'],
      { effectiveAt: '2026-06-01T11:00:00Z' },
      'its effectiveAt is not',
    ],
    ['that an entry numbers differently', ['frank', 'grace'], { digest: 'ab'.repeat(32) }, 'its digest is not'],
  ])('%s', async (_, people, change, message) => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml');
    const body = await policyBody(s, 'p2.yaml', people);
    await append(s, (keep) => {
      const made = body(keep) as PolicyBody;
      const swapped = made.signatures.map(({ signature }, n) => ({ person: people[1 - n] ?? '', signature }));
      return { ...made, ...change, ...(change.signatures === undefined ? {} : { signatures: swapped }) };
    });
    expect(await verdictOf(s)).toContain(message);
  });

  it('that loosens and did not wait', async () => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml', 'policy.yaml', { edit: LOOSER });
    await append(s, await policyBody(s, 'p2.yaml', ['frank', 'grace']));
    expect(await verdictOf(s)).toContain('loosens (limits.batch)');
  });

  it('that does not name the version before', async () => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml', 'policy.yaml', { prev: `sha256:${'00'.repeat(32)}` });
    await append(s, await policyBody(s, 'p2.yaml', ['frank', 'grace']));
    expect(await verdictOf(s)).toContain('prev is sha256:00');
  });

  it('in order where it is', async () => {
    const s = await stage({ until: 'policy' });
    await writeNext(s, 'p2.yaml');
    await append(s, await policyBody(s, 'p2.yaml', ['frank', 'grace']));
    expect((await s.json(0, 'audit', 'verify')).document_signatures).toBe(4);
  });
});

describe('audit verify finds a book', () => {
  async function bookBody(s: Session, people: readonly string[], change: Partial<BookBody> = {}) {
    const { documents } = await s.composition();
    const bytes = Buffer.from(s.read('book-1.yaml'));
    const book = documents.book(bytes, 'book-1.yaml', 'testnet3');
    const policy = documents.policy(Buffer.from(s.read('policy.yaml')), 'policy.yaml');
    if (!book.ok || !policy.ok) throw new Error('the documents of this test can be read');
    const statement = documentStatement(bookFields(book.value));
    const namespace = DOCUMENT_NAMESPACES.book;
    return (keep: (bytes: Uint8Array) => string): EntryBody => ({
      kind: 'book.changed',
      digest: hexDigest(book.value.digest),
      version: 1,
      document: keep(bytes),
      under: hexDigest(policy.value.digest),
      signatures: people.map((person) => ({ person, signature: s.sign(person, statement, { namespace }) })),
      ...bookDifference(undefined, book.value),
      ...change,
    });
  }

  it.each<[string, readonly string[], Partial<BookBody>, string]>([
    ['that too few signed', ['bob'], {}, 'has to be signed by'],
    [
      'whose entry adds an address that it does not hold',
      ['bob', 'erin'],
      { added: [{ id: 'x', script: '51', label: 'x' }] },
      'its added is not',
    ],
    ['whose entry has another version', ['bob', 'erin'], { version: 2 }, 'its version is not'],
  ])('%s', async (_, people, change, message) => {
    const s = await stage({ until: 'policy' });
    await append(s, await bookBody(s, people, change));
    expect(await verdictOf(s)).toContain(message);
  });

  it('in order where it is', async () => {
    const s = await stage({ until: 'policy' });
    await append(s, await bookBody(s, ['bob', 'erin']));
    await s.expect(0, 'audit', 'verify');
  });
});
