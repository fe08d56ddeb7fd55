import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/tree.js';
import { removeAll, type Session, stage } from './session.js';

afterAll(removeAll);

let s: Session;
beforeAll(async () => {
  s = await stage({ until: 'nothing' });
  s.write('countersign.bash', (await s.expect(0, 'completion', 'bash')).stdout);
});

/** What bash offers at the end of a command line, after the script was sourced; the last word is the one that is typed. */
function offered(...words: string[]): string[] {
  const script = `source countersign.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _countersign; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-c', script, 'bash', 'countersign', ...words], { cwd: s.folder });
  return printed
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

describe('completion bash', () => {
  it('offers groups and verbs, as many as there are', () => {
    for (const { path } of COMMANDS) {
      const [group = '', verb] = path;
      expect(offered(group.slice(0, 2))).toContain(group);
      if (verb !== undefined) expect(offered(group, verb.slice(0, 2))).toContain(verb);
    }
    expect(offered('ba')).toEqual(['batch']);
    expect(offered('-w', '/somewhere', 'batch', 'app')).toEqual(['approve']);
    expect(offered('batch', '--json', 'app')).toEqual(['approve']);
  });

  it('offers the options of a verb and those of every verb, once a dash is typed', () => {
    for (const { path, options } of COMMANDS) {
      const names = offered(...path, '--');
      expect(names).toEqual(expect.arrayContaining(['--json', '--workspace', '--help']));
      for (const { flags } of options) expect(names).toContain(/--[a-z-]+/.exec(flags)?.[0]);
    }
    expect(offered('batch', 'approve', 'ID', '--pe')).toEqual(['--person']);
    expect(offered('batch', 'approve', '')).toEqual([]);
  });

  it('offers the words of options that have few', () => {
    expect(offered('init', '--network', 'test')).toEqual(['testnet3', 'testnet4']);
    expect(offered('batch', 'list', '--state', 'DRAFT', '--state', 'RE')).toEqual(['RESERVED', 'REPLACED', 'RELEASED']);
  });

  it('leaves folders to bash, which quotes the blanks in their names', () => {
    mkdirSync(s.path('cold storage'));
    expect(offered('-w', 'co')).toEqual([]);
    expect(offered('batch', 'list', '--workspace', 'co')).toEqual([]);
    expect(s.read('countersign.bash')).toContain('complete -o default -F _countersign countersign');
  });

  it('is for shells that it is for', async () => {
    expect(await s.faultOf(2, 'completion', 'tcsh')).toBe('E_USAGE');
    expect((await s.json(0, 'completion', 'bash')).script).toBe(s.read('countersign.bash'));
  });
});
