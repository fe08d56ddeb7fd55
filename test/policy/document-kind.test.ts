import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documents } from '../../src/documents.js';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const POLICY = read('policies/example.yaml');
const BOOK = read('policies/example-book.yaml');

/** One sentence, at the line that says what the file is, in the place of a list of all that it lacks. */
describe('a document of another kind than is due', () => {
  it.each([
    [
      'a book read as a policy',
      () => documents.policy(BOOK, 'f.yaml'),
      'this is an address book (countersign.book/1), and a policy is due here',
      7,
    ],
    [
      'a policy read as a book',
      () => documents.book(POLICY, 'f.yaml', 'testnet3'),
      'this is a policy (countersign.policy/1), and an address book is due here',
      14,
    ],
    [
      'cases read as a policy',
      () => documents.policy(read('policies/cases/sweep-to-hot.yaml'), 'f.yaml'),
      'this is a file of policy cases (countersign.case/1), and a policy is due here',
      undefined,
    ],
  ])('%s is told in one fault', (_, load, message, line) => {
    const loaded = load();
    if (loaded.ok) throw new Error('it was read');
    expect(loaded.error).toMatchObject([{ tag: 'E_FIELD_TYPE', message, where: { file: 'f.yaml' } }]);
    if (line !== undefined) expect(loaded.error[0]?.where?.line).toBe(line);
  });

  it.each(['countersign.policy/2', 'countersign.nothing/1', 'toString/1'])(
    '%s is told as any wrong value',
    (schema) => {
      const text = POLICY.toString('utf8').replace('schema: countersign.policy/1', `schema: ${schema}`);
      const loaded = documents.policy(Buffer.from(text), 'f.yaml');
      expect(!loaded.ok && loaded.error.map(({ message }) => message)).toEqual([
        `schema: countersign.policy/1 is the only value here, not "${schema}"`,
      ]);
    },
  );
});
