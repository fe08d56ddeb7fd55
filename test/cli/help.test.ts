import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { askedHelp, helpText } from '../../src/cli/help.js';
import { type Io, runCommandLine } from '../../src/cli/program.js';
import { COMMANDS } from '../../src/cli/tree.js';
import { main } from '../../src/main.js';
import { removeAll, stage } from './session.js';

afterAll(removeAll);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const silent: Io = { stdout: () => undefined, stderr: () => undefined, colors: false, rewrites: false };
const names = COMMANDS.map((spec) => spec.path.join(' '));

/** The words of an example as a shell would split it. */
function words(example: string): string[] {
  return [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
}

describe('help', () => {
  it.each(names)('%s: usage, options, and an example that parses', async (name) => {
    const spec = COMMANDS.find((one) => one.path.join(' ') === name);
    const text = helpText(name.split(' ')) ?? '';
    expect(text).toContain(`Usage: countersign ${name}`);
    expect(text).toContain(`Example:\n  ${spec?.example}\n`);
    for (const option of spec?.options ?? []) expect(text).toContain(option.flags);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(160);

    // The parser is through with a command line when it asks for a composition.
    const parsed = new Error('parsed');
    const argv = words(spec?.example ?? '');
    expect(argv.slice(0, spec?.path.length)).toEqual(spec?.path);
    await expect(runCommandLine(argv, () => Promise.reject(parsed), silent)).rejects.toBe(parsed);
  });

  it.each(names)('%s loads a verb', async (name) => {
    const spec = COMMANDS.find((one) => one.path.join(' ') === name);
    expect(await spec?.load()).toMatchObject({ run: expect.any(Function) });
  });

  it('names each verb once', () => {
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([
    [['--help'], null],
    [['-h'], null],
    [['batch', '--help'], 'countersign batch VERB'],
    [['batch', 'sign', '--help'], 'countersign batch sign <id>'],
    [['--help', 'batch', 'sign'], 'countersign batch sign <id>'],
    [['batch', 'sign', '20260601-1a2b3c4d', '--help'], 'countersign batch sign <id>'],
    [['batch', 'sign', '--json', '-h'], 'countersign batch sign <id>'],
    [['init', 'folder', '--help'], 'countersign init [folder]'],
  ])('answers %j', (argv, usage) => {
    expect(askedHelp(argv)).toContain(`Usage: ${usage ?? 'countersign VERB'}`);
  });

  it('is not asked by other words, and not given for a verb that is none', () => {
    expect([askedHelp(['batch', 'list']), askedHelp(['bacth', '--help'])]).toEqual([null, null]);
  });

  it('comes on stderr, with exit code 2, where nothing was asked', async () => {
    const said: string[] = [];
    const code = await runCommandLine([], () => Promise.reject(new Error('unused')), {
      ...silent,
      stderr: (text) => said.push(text),
    });
    expect([code, said.join('')]).toEqual([2, helpText([])]);
  });
});

describe('what a command loads', () => {
  const ROOT = fileURLToPath(new URL('../../', import.meta.url));
  const isBuilt = existsSync(`${ROOT}dist/main.js`);
  const HOOKS = `import { writeSync } from 'node:fs';
    export async function load(url, context, next) { writeSync(2, 'loads ' + url + '\\n'); return next(url, context); }`;
  const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)});`;

  function loads(...argv: string[]): string[] {
    const args = ['--import', `data:text/javascript,${encodeURIComponent(REGISTER)}`, 'bin/countersign.js', ...argv];
    const { stderr, status } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect(status).toBe(0);
    return [...stderr.matchAll(/^loads file:\/\/(\S+)$/gm)].map(([, path]) => (path ?? '').replace(ROOT, ''));
  }

  const forHelp = [
    'bin/countersign.js',
    'dist/cli/help.js',
    'dist/cli/tree.js',
    'dist/cli/tree/audit.js',
    'dist/cli/tree/batches.js',
    'dist/cli/tree/documents.js',
    'dist/cli/tree/looking.js',
    'dist/cli/tree/options.js',
    'dist/cli/tree/signer.js',
    'dist/cli/tree/vault.js',
    'dist/main.js',
  ];

  it.runIf(isBuilt).each([[['--help']], [['batch', 'plan', '--help']], [['help', 'exit-codes', '-h']]])(
    '%j loads the tree of verbs and nothing of the program',
    (argv) => {
      expect(loads(...argv).sort()).toEqual(forHelp);
    },
  );

  it.runIf(isBuilt)('a table of codes loads neither the journal nor the device', () => {
    const loaded = loads('help', 'exit-codes');
    expect(loaded).toContain('dist/cli/verbs/help-exit-codes.js');
    expect(loaded.filter((path) => /libsql|ledgerhq|sqlite|dist\/device/.test(path))).toEqual([]);
  });
});

describe('escape sequences', () => {
  const ESC = '\u001b';

  async function printed(stdout: boolean, stderr: boolean, env: string | undefined): Promise<string> {
    let text = '';
    for (const [stream, tty] of [
      [process.stdout, stdout],
      [process.stderr, stderr],
    ] as const) {
      vi.spyOn(stream, 'write').mockImplementation((chunk) => {
        text += String(chunk);
        return true;
      });
      Object.defineProperty(stream, 'isTTY', { value: tty, configurable: true });
    }
    vi.stubEnv('NO_COLOR', env);
    const before = [process.stdout.isTTY, process.stderr.isTTY];
    try {
      expect(await main(['batch', 'sing'])).toBe(2);
      return text;
    } finally {
      expect(before).toEqual([stdout, stderr]);
      for (const stream of [process.stdout, process.stderr]) Reflect.deleteProperty(stream, 'isTTY');
    }
  }

  it.each([
    [true, true, undefined, true],
    [true, true, '', true],
    [true, true, '1', false],
    [true, false, undefined, false],
    [false, true, undefined, false],
    [false, false, undefined, false],
  ])('stdout a terminal: %j, stderr: %j, NO_COLOR %j: colours %j', async (stdout, stderr, env, colours) => {
    const text = await printed(stdout, stderr, env);
    expect(text).toContain('E_USAGE');
    expect(text.includes(ESC)).toBe(colours);
  });

  it('of a reason stand in no view as they are', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const { coins } = await s.json(0, 'vault', 'coins');
    const hostile = `a${ESC}[2Jb\u202ec\u2066d\u200be\rf`;
    for (const argv of [
      ['coins', 'freeze', coins[5].outpoint, '--reason', hostile, '--as', 'bob'],
      ['batch', 'abandon', id, '--reason', hostile, '--as', 'alice'],
      ['vault', 'coins'],
      ['batch', 'list'],
      ['batch', 'show', id],
      ['batch', 'sign', id],
      ['audit', 'log'],
    ]) {
      const { stdout, stderr } = await s.run(...argv);
      expect([argv.slice(0, 2), (stdout + stderr).match(/\p{Cf}|[^\P{Cc}\n]/u)]).toEqual([argv.slice(0, 2), null]);
    }
  });
});
