import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { compose } from '../../src/compose.js';

const EXAMPLE = fileURLToPath(new URL('../../policies/example.yaml', import.meta.url));

/** A folder with nothing in it but policies: no workspace. */
const folder = mkdtempSync(join(tmpdir(), 'countersign-diff-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
cpSync(EXAMPLE, join(folder, 'old.yaml'));

const VERSION_2 = [
  [/^version: 1$/m, 'version: 2'],
  [/^prev: none$/m, `prev: "sha256:${'7'.repeat(64)}"`],
] as const;

function write(name: string, ...edits: readonly (readonly [RegExp, string])[]): string {
  const text = edits.reduce(
    (done, [from, to]) => {
      const next = done.replace(from, to);
      if (next === done) throw new Error(`${from} changes nothing`);
      return next;
    },
    readFileSync(EXAMPLE, 'utf8'),
  );
  writeFileSync(join(folder, name), text);
  return name;
}

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine(argv, () => compose({ version: '0', workspace: folder, base: folder }), {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    colors: false,
    rewrites: false,
  });
  return { code, stdout, stderr };
}

const LOOSER_DAY = [/"24h": "20000000000"/, '"24h": "20000000001"'] as const;
const TIGHTER_BATCH = [/^ {2}batch: "10000000000"$/m, '  batch: "9999999999"'] as const;

describe('policy diff', () => {
  it('shows fields, values and places, and judges nothing unless it is asked', async () => {
    const { code, stdout, stderr } = await run('policy', 'diff', 'old.yaml', write('2.yaml', ...VERSION_2));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('\nversion  2.yaml:22:1\n  old  1\n  new  2\n');
    expect(stdout).not.toMatch(/neutral|why/i);
  });

  it('--classify says of every change what it does and why, and of all of them what they are', async () => {
    write('mixed.yaml', ...VERSION_2, TIGHTER_BATCH, LOOSER_DAY);
    const { code, stdout } = await run('policy', 'diff', 'old.yaml', 'mixed.yaml', '--classify');
    expect(code).toBe(0);
    expect(stdout).toContain(
      [
        'tightening  limits.batch  mixed.yaml:53:3',
        '  old  10000000000 sat (100.00000000 BTC)',
        '  new  9999999999 sat (99.99999999 BTC)',
        '  why  the cap is lower',
        '',
        'loosening   limits.rolling.24h  mixed.yaml:55:35',
        '  old  20000000000 sat (200.00000000 BTC)',
        '  new  20000000001 sat (200.00000001 BTC)',
        '  why  the cap is higher',
        '',
        'LOOSENING  1 of 4 changes is not provably tighter; the notice of version 1 is 3 days',
      ].join('\n'),
    );
  });

  it('says of a tightening and of a neutral version that they need no notice', async () => {
    write('tighter.yaml', ...VERSION_2, TIGHTER_BATCH);
    const tighter = await run('policy', 'diff', 'old.yaml', 'tighter.yaml', '--classify');
    expect(tighter.stdout).toMatch(/\nTIGHTENING {2}1 of 3 changes tightens and none loosens; it needs no notice\n$/);
    const neutral = await run('policy', 'diff', 'old.yaml', write('n.yaml', ...VERSION_2), '--classify');
    expect(neutral.stdout).toMatch(/\nNEUTRAL {2}nothing that changes what may leave; it needs no notice\n$/);
  });

  it('says that documents which differ in comments alone mean the same', async () => {
    write('comment.yaml', [/^# An example.*$/m, '# Another comment']);
    const { code, stdout } = await run('policy', 'diff', 'old.yaml', 'comment.yaml', '--classify');
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nNo field means anything else\.\n$/);
  });

  it('--json gives both documents and every change, and the kinds only with --classify', async () => {
    write('json.yaml', ...VERSION_2, LOOSER_DAY);
    const json = async (...more: string[]) => {
      const { code, stdout } = await run('policy', 'diff', 'old.yaml', 'json.yaml', '--json', ...more);
      return { code, object: JSON.parse(stdout) };
    };
    const place = {
      field: 'limits.rolling.24h',
      before: '20000000000 sat (200.00000000 BTC)',
      after: '20000000001 sat (200.00000001 BTC)',
      where: { file: 'json.yaml', line: 55, column: 35 },
    };
    const plain = await json();
    expect(plain.code).toBe(0);
    expect(plain.object).toMatchObject({
      schema: 'countersign.policy-diff/1',
      exit: 0,
      before: { file: 'old.yaml', version: 1, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
      after: { file: 'json.yaml', version: 2 },
    });
    expect(plain.object.changes).toContainEqual(place);
    expect(plain.object).not.toHaveProperty('overall');
    const classified = await json('--classify');
    expect(classified.object).toMatchObject({ overall: 'loosening', loosening_notice_seconds: 259_200 });
    expect(classified.object.changes).toContainEqual({ ...place, kind: 'loosening', why: 'the cap is higher' });
  });

  it('reports the faults of both files, each at its place', async () => {
    write('bad-1.yaml', [/^version: 1$/m, 'version: zero']);
    write('bad-2.yaml', [/^expires_at: .*$/m, 'expires_at: "never"']);
    const { code, stderr } = await run('policy', 'diff', 'bad-1.yaml', 'bad-2.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('bad-1.yaml:22');
    expect(stderr).toMatch(/bad-2\.yaml:\d+/);
  });

  it('refuses to read both from standard input', async () => {
    const { code, stderr } = await run('policy', 'diff', '-', '-');
    expect(code).toBe(2);
    expect(stderr).toContain('E_USAGE');
  });
});
