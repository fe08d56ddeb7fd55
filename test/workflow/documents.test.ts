import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { addressOf, csv, removeAll, type Session, stage } from '../cli/session.js';
import { writeSigned } from './lifecycle.js';

afterAll(removeAll);

async function policyDigest(s: Session): Promise<string> {
  const { digest } = await s.json(0, 'policy', 'lint', 'policy.yaml');
  return digest;
}

async function digestOf(s: Session): Promise<string> {
  const { stdout } = await s.expect(0, 'audit', 'log', '--json');
  const activated = JSON.parse(stdout).entries.filter(
    (entry: { body: { kind: string } }) => entry.body.kind === 'policy.activated',
  );
  return `sha256:${activated.at(-1).body.digest}`;
}

describe('policy activate', () => {
  it('refuses another network', async () => {
    const s = await stage({ until: 'policy' });
    s.write('new.yaml', s.read('policy.yaml').replace('network: testnet3', 'network: main'));
    expect(await s.untouched(() => s.faultOf(2, 'policy', 'activate', 'new.yaml'))).toBe('E_POLICY_SCHEMA');
  });

  it('does not put a policy into force beside the file that every command compares with it', async () => {
    const s = await stage({ until: 'policy' });
    await writeSigned(s, 'new.yaml');
    const refused = await s.untouched(() => s.json(2, 'policy', 'activate', 'new.yaml'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_USAGE', where: { file: 'new.yaml' } });
    expect(refused.faults[0].remedy).toContain('policy.yaml');
    rmSync(s.path('policy.yaml'));
    await s.expect(0, 'policy', 'activate', 'new.yaml');
  });

  it('wants a vault first', async () => {
    const s = await stage({ until: 'init' });
    expect(await s.untouched(() => s.faultOf(14, 'policy', 'activate', 'policy.yaml'))).toBe('E_VAULT_MISSING');
  });
});

describe('a policy file that was edited after its activation', () => {
  const commands = (id: string): readonly (readonly string[])[] => [
    ['batch', 'plan', 'second.csv', '--as', 'alice'],
    ['batch', 'check', id],
    ['batch', 'approve', id, '--key', 'keys/dave'],
    ['batch', 'sign', id],
  ];

  it.each([
    ['a higher limit', (text: string) => text.replace('output: "5000000000"', 'output: "5000000001"')],
    ['a lower limit', (text: string) => text.replace('output: "5000000000"', 'output: "4999999999"')],
    ['nonsense', () => 'schema: [\n'],
  ])('stops everything with %s in it', async (_, edit) => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.write('policy.yaml', edit(s.read('policy.yaml')));
    for (const argv of commands(id)) {
      expect([argv[1], await s.untouched(() => s.faultOf(13, ...argv))]).toEqual([argv[1], 'E_POLICY_INTEGRITY']);
    }
  });

  it('may gain a comment, which means nothing', async () => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.write('policy.yaml', `# seen by the auditors\n${s.read('policy.yaml')}`);
    await s.expect(0, 'batch', 'sign', id);
  });
});

describe('book import', () => {
  const digest = async (s: Session): Promise<string> => {
    const shown = await s.json(0, 'book', 'show');
    return `sha256:${shown.digest.replace('sha256:', '')}`;
  };
  const entry = (id: string, address: string): string =>
    `  - id: ${id}\n    address: ${address}\n    label: "L ${id}"\n    owner: "o"\n    purpose: "p"\n`;
  const book = (version: number, prev: string, entries: string): string =>
    `schema: countersign.book/1\nwallet: demo-cold\nversion: ${version}\nprev: ${prev === 'none' ? prev : `"${prev}"`}\nentries:\n${entries}`;

  it('starts the cool-down again for what was taken out and put back, and for a name that moved to another address', async () => {
    const s = await stage();
    const rest = entry('client-01', addressOf('client-01'));
    s.write('3.yaml', book(3, await digest(s), rest));
    await s.signDocument('book', '3.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', '3.yaml');
    s.wait(60);
    s.write(
      '4.yaml',
      book(
        4,
        await digest(s),
        `${rest}${entry('warm-1', addressOf('warm-1'))}${entry('settle', addressOf('client-05'))}`,
      ),
    );
    await s.signDocument('book', '4.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', '4.yaml');
    s.write('a.csv', csv([['A-1', 'warm-1', 1_000_000n]]));
    const planned = await s.json(10, 'batch', 'plan', 'a.csv', '--as', 'alice');
    expect(JSON.stringify(planned.batches[0].verdict)).toContain('DEST_COOLDOWN');
    const shown = await s.json(0, 'book', 'show');
    const since = new Map(shown.entries.map((one: { id: string; since: string }) => [one.id, one.since]));
    expect([since.get('client-01'), since.get('warm-1'), since.get('settle')]).toEqual([
      '2026-04-01T09:00:00Z',
      '2026-06-01T12:01:00Z',
      '2026-06-01T12:01:00Z',
    ]);
  });

  it('takes a destination out at once', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    s.write('3.yaml', book(3, await digest(s), entry('client-01', addressOf('client-01'))));
    await s.signDocument('book', '3.yaml', 'bob', 'erin');
    await s.expect(0, 'book', 'import', '3.yaml');
    const refused = await s.json(10, 'batch', 'sign', id);
    expect(JSON.stringify(refused.verdict)).toContain('DEST_NOT_ALLOWED');
  });
});

it('lints a policy to the digest that activation takes', async () => {
  const s = await stage({ until: 'policy' });
  expect(await policyDigest(s)).toBe(await digestOf(s));
});
