import { afterAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../src/cli/program.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

/** What goes to stderr where a journal of so many entries is opened. */
async function said(s: Session, entries: number, rewrites: boolean, ...argv: string[]): Promise<string> {
  let stderr = '';
  const io = {
    stdout: () => {},
    stderr: (text: string) => {
      stderr += text;
    },
    colors: false,
    rewrites,
  };
  const code = await runCommandLine(
    argv,
    async ({ workspace }) => {
      const real = await s.composition(workspace);
      return {
        ...real,
        openWorkspace: (onVerified) => {
          for (const done of [500, entries]) onVerified?.(done, entries);
          return real.openWorkspace(onVerified);
        },
        readLines: (work, onVerified) => {
          for (const done of [500, entries]) onVerified?.(done, entries);
          return real.readLines(work, onVerified);
        },
      };
    },
    io,
  );
  expect(code).toBe(0);
  return stderr;
}

describe('a long journal', () => {
  it.each([
    ['vault', 'balance'],
    ['halt', 'status'],
    ['batch', 'list'],
    ['audit', 'key', 'log.key'],
  ])('%s %s %s: shows whoever sits at a terminal how far its verifying is', async (...argv) => {
    const s = await stage();
    expect(await said(s, 20_000, true, ...argv)).toBe(
      '\rverifying the journal: entry 500 of 20000\u001b[K\rverifying the journal: entry 20000 of 20000\u001b[K\n',
    );
  });

  it('says nothing where nobody sits, nor where it is done before anybody wonders', async () => {
    const s = await stage();
    expect(await said(s, 20_000, false, 'vault', 'balance')).toBe('');
    expect(await said(s, 20_000, false, 'batch', 'list')).toBe('');
    expect(await said(s, 19_999, true, 'vault', 'balance')).toBe('');
  });
});
