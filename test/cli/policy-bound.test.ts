import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_LINE } from '../../src/policy/bound/powers.js';
import { NOT_ENFORCED } from '../../src/policy/not-enforced.js';
import { removeAll, Session, stage } from './session.js';

const shipped = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../policies/${name}`, import.meta.url)), 'utf8');

/** An auditor's folder: two files and no workspace. */
let session: Session;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-bound-'));
  session = new Session(folder);
  session.write('policy.yaml', shipped('example.yaml'));
  session.write('looser.yaml', shipped('example.yaml').replace('"24h": "20000000000"', '"24h": "20100000000"'));
  session.write('book.yaml', shipped('example-book.yaml'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Line {
  readonly what: string;
  readonly span: string;
  readonly at_most: string | null;
  readonly exact: boolean;
  readonly by: readonly { code: string; field: string; times: number; where: { file: string; line: number } }[];
}

describe('policy bound', () => {
  it('ends with the line about the host, and names rule, field and line of every figure', async () => {
    const { stdout } = await session.expect(0, 'policy', 'bound', 'policy.yaml', '--compromise', 'alice,bob');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(HOST_LINE);
    expect(stdout).toContain('24 h        at most 1000000000 sat (10.00000000 BTC)');
    expect(stdout).toContain('6 x APPROVALS_MISSING policy.yaml:');
    for (const { field } of NOT_ENFORCED) expect(stdout).toContain(`- ${field}: `);
  });

  it('as JSON: amounts as digits', async () => {
    const found = await session.json(
      0,
      'policy',
      'bound',
      'policy.yaml',
      '--book',
      'book.yaml',
      '--compromise',
      'alice,bob',
    );
    const bounds: readonly Line[] = found.bounds;
    const day = bounds.find(({ what, span }) => what === 'everything together' && span === '24 h');
    expect(day).toMatchObject({ at_most: '1000000000', exact: true });
    expect(day?.by[0]).toMatchObject({ code: 'APPROVALS_MISSING', field: 'approvals.tiers[1]', times: 1 });
    expect(bounds.every(({ by }) => by.every(({ where }) => where.file === 'policy.yaml' && where.line > 0))).toBe(
      true,
    );
    expect(found).toMatchObject({ host: HOST_LINE, compromised: ['alice', 'bob'] });
  });

  it('everybody, and the balance', async () => {
    const found = await session.json(0, 'policy', 'bound', 'policy.yaml', '--balance', '100000000001');
    expect(found.bounds[0]).toMatchObject({ at_most: '1', by: [{ code: 'RESERVE_FLOOR' }] });
    expect(found.compromised).toEqual(['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace']);
  });

  it.each([
    [['--compromise', 'alice,mallory'], 'mallory'],
    [['--compromise', ''], 'is nobody'],
    [['--balance', '1e8'], 'E_AMOUNT_SYNTAX'],
    [['--book', 'nowhere.yaml'], 'E_FILE_MISSING'],
  ])('refuses %j', async (options, says) => {
    const { stderr } = await session.expect(2, 'policy', 'bound', 'policy.yaml', ...options);
    expect(stderr).toContain(says);
  });
});

describe('policy bound of a workspace', () => {
  afterAll(removeAll);

  it('is about the active policy and the active book', async () => {
    const staged = await stage({ until: 'coins' });
    const found = await staged.json(0, 'policy', 'bound', '--compromise', 'alice,bob');
    expect(found.book).toMatch(/^sha256:/);
    expect(found.bounds[0]).toMatchObject({ what: 'everything together', span: '1 h' });
    const { stdout } = await staged.expect(0, 'policy', 'bound');
    expect(stdout).toMatch(/; \d+ destinations\n/);
  });

  it('needs a policy', async () => {
    const staged = await stage({ until: 'vault' });
    await staged.expect(14, 'policy', 'bound');
  });
});

describe('policy prove', () => {
  const prove = (code: number, ...words: string[]) => session.expect(code, 'policy', 'prove', ...words);

  it('0 for proven, 10 for refuted', async () => {
    expect((await prove(0, 'outside-book', 'policy.yaml')).stdout).toMatch(/^proven {2}/);
    await prove(0, 'separation', 'policy.yaml');
    await prove(0, 'needs-role', 'policy.yaml', '--over', '5000000000', '--role', 'compliance');
    await prove(10, 'needs-role', 'policy.yaml', '--over', '4999999999', '--role', 'compliance');
    await prove(0, 'max-outflow', 'policy.yaml', '--window', '24h', '--amount', '20000000000');
    await prove(0, 'refines', 'looser.yaml', 'policy.yaml');
    const { stdout } = await prove(10, 'refines', 'policy.yaml', 'looser.yaml');
    expect(stdout).toContain('looser.yaml allows a batch of which policy.yaml says DENY (LIMIT_24H)');
  });

  it('a counterexample as JSON has what is needed to make it again', async () => {
    const found = await session.json(
      10,
      'policy',
      'prove',
      'max-outflow',
      'policy.yaml',
      '--window',
      '24h',
      '--amount',
      '19999999999',
    );
    expect(found).toMatchObject({ outcome: 'refuted', property: 'max-outflow' });
    const steps: readonly Record<string, string>[] = found.counterexample;
    expect(steps.every(({ decision }) => decision === 'ALLOW')).toBe(true);
    expect(steps.reduce((sum, { spend }) => sum + BigInt(spend ?? 0), 0n)).toBe(20_000_000_000n);
    expect(steps.at(-1)).toHaveProperty('approved_by');
  });

  it('a long schedule is cut for people', async () => {
    const { stdout } = await prove(10, 'max-outflow', 'policy.yaml', '--window', '30d', '--amount', '200000000000');
    expect(stdout).toContain('more batches (--json has all of them)');
  });

  it.each([
    [['nonsense', 'policy.yaml'], 'is no property'],
    [['separation', 'policy.yaml', '--over', '1'], '--over means nothing to separation'],
    [['separation', 'policy.yaml', 'looser.yaml'], 'speaks of one policy'],
    [['refines', 'policy.yaml'], 'name the newer one'],
    [['max-outflow', 'policy.yaml', '--amount', '1'], '--window is missing'],
    [['max-outflow', 'policy.yaml', '--window', '24h'], '--amount is missing'],
    [['max-outflow', 'policy.yaml', '--window', '0h', '--amount', '1'], 'is no window'],
    [['max-outflow', 'policy.yaml', '--window', '61d', '--amount', '1'], 'is no window'],
    [['needs-role', 'policy.yaml', '--over', '1', '--role', 'wizards'], 'has no role wizards'],
  ])('refuses %j', async (words, says) => {
    expect((await prove(2, ...words)).stderr).toContain(says);
  });
});
