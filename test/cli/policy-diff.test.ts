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

const looser = write(
  'looser.yaml',
  ...VERSION_2,
  [/"24h": "20000000000"/, '"24h": "20000000001"'],
  [/batch: "1/, 'batch: "0'],
);

describe('policy diff', () => {
  it('shows fields, values and places, and judges nothing unless it is asked', async () => {
    const refused = await run('policy', 'diff', 'old.yaml', looser, '--classify');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('limits.batch');
    const { code, stdout } = await run('policy', 'diff', 'old.yaml', write('same.yaml', ...VERSION_2));
    expect(code).toBe(0);
    expect(stdout).toContain('version  same.yaml:21:1\n  old  1\n  new  2\n');
    expect(stdout).not.toMatch(/neutral|why/i);
  });
});
