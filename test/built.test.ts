import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../src/domain/exit-codes.js';

/** The program as it is installed: plain node, no test runner in between. */
const BIN = fileURLToPath(new URL('../bin/countersign.js', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../package.json', import.meta.url));

beforeAll(() => {
  if (!existsSync(DIST)) throw new Error('these tests run the built program: npm run build comes first');
});

function countersign(argv: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd = tmpdir()) {
  return spawnSync(process.execPath, [BIN, ...argv], { encoding: 'utf8', env, cwd });
}

describe('the built program', () => {
  it.each(['--version', '-V'])('prints its version for %s', (flag) => {
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
    expect(countersign([flag])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints the one table of exit codes', () => {
    const { status, stdout } = countersign(['help', 'exit-codes', '--json']);
    expect([status, JSON.parse(stdout).exit_codes]).toEqual([0, EXIT_CODES]);
  });

  it('shows no escape sequence where nobody sits at a terminal, whatever the environment asks for', () => {
    const { stdout, stderr } = countersign(['batch', 'sing'], { ...process.env, FORCE_COLOR: '1' });
    expect(stdout + stderr).toContain('E_USAGE');
    expect(stdout + stderr).not.toContain('\u001b');
  });

  it('goes on when its reader has seen enough', async () => {
    const child = spawn(process.execPath, [BIN, 'help', 'faults'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([0, '']);
  });

  it.skipIf(!existsSync('/dev/full'))('says in one line that the disk is full, on stdout or on stderr', () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const words of [['help', 'faults'], ['--help'], ['help', 'faults', '--json']]) {
        const ran = spawnSync(process.execPath, [BIN, ...words], {
          encoding: 'utf8',
          stdio: ['ignore', full, 'pipe'],
        });
        expect([ran.status, ran.stderr.trimEnd().split('\n').at(-1)]).toEqual([
          1,
          'error: not all of the output could be written to stdout: ENOSPC',
        ]);
        expect(ran.stderr).not.toContain('    at ');
      }
      // A failure of the command itself says more than one of its output.
      const refused = spawnSync(process.execPath, [BIN, 'batch', 'sing'], { stdio: ['ignore', 'pipe', full] });
      expect(refused.status).toBe(2);
    } finally {
      closeSync(full);
    }
  });

  it('looks for its workspace where it was started, or where it is told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-built-'));
    try {
      expect(countersign(['init', '--network', 'signet'], process.env, folder).status).toBe(0);
      expect(countersign(['batch', 'list'], process.env, folder)).toMatchObject({
        status: 0,
        stdout: 'No batches yet: plan one with countersign batch plan withdrawals.csv --as NAME\n',
      });
      expect(countersign(['batch', 'list', '--workspace', folder]).status).toBe(0);
      expect(countersign(['batch', 'list', '-w', join(folder, 'absent')]).status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a statement that is signed elsewhere', () => {
  const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

  it.skipIf(!hasSshKeygen)('is signed by ssh-keygen as it was printed: the signature is the one that counts', () => {
    const demo = fileURLToPath(new URL('../examples/demo/', import.meta.url));
    const folder = mkdtempSync(join(tmpdir(), 'countersign-built-'));
    try {
      writeFileSync(join(folder, 'frank'), readFileSync(join(demo, 'keys/frank')), { mode: 0o600 });
      const { stdout } = countersign(['policy', 'sign', join(demo, 'policy.yaml'), '--statement']);
      const argv = ['-Y', 'sign', '-f', join(folder, 'frank'), '-n', 'countersign-policy@v1'];
      const signed = spawnSync('ssh-keygen', argv, { encoding: 'utf8', input: stdout });
      expect(signed.stdout, signed.stderr).toBe(readFileSync(join(demo, 'policy.yaml.frank.sig'), 'utf8'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('countersign demo', () => {
  it('does the whole job, in under ten seconds', () => {
    const begun = performance.now();
    const { status, stdout } = countersign(['demo']);
    expect(status, stdout).toBe(0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    const parts = ['Verdict', 'YOUNG_AGGREGATE', 'txid', 'E_SIG_INVALID', 'each ended as it should'];
    for (const part of parts) expect(stdout).toContain(part);
  }, 30_000);

  it('needs no ssh-keygen', () => {
    const { status, stdout } = countersign(['demo'], { ...process.env, PATH: '/nonexistent' });
    // Signatures that were made before bind the journal: node scripts/make-demo.mjs approvals makes them again.
    expect(status, stdout).toBe(0);
    expect(stdout).toContain('There is no ssh-keygen here');
    expect(stdout).toContain('--over approvals/');
  }, 30_000);

  it('gives one object with --json, and what people read on stderr', () => {
    const { status, stdout, stderr } = countersign(['demo', '--json']);
    const object = JSON.parse(stdout);
    expect([status, object.schema, object.exit]).toEqual([0, 'countersign.demo/1', 0]);
    expect(object.steps.length).toBeGreaterThan(15);
    expect(object.steps.map(({ exit }: { exit: number }) => exit)).toEqual(expect.arrayContaining([0, 10, 11, 24]));
    expect(stderr).toContain('Verdict');
  }, 30_000);
});
