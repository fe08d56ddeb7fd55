import { afterAll, describe, expect, it } from 'vitest';
import { helpText } from '../../src/cli/help.js';
import { print } from '../../src/cli/print.js';
import { makeStyle } from '../../src/cli/render/style.js';
import { fields } from '../../src/cli/render/table.js';
import { fault } from '../../src/domain/fault.js';
import { err } from '../../src/domain/result.js';
import { removeAll, stage } from './session.js';

/** What a person reads when something is not as they think: each of these was misread once. */
afterAll(removeAll);

describe('an approval that does not count', () => {
  it('is said to add nothing, and who it is that counts', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const auditor = await s.expect(0, 'batch', 'approve', id, '--key', 'keys/frank');
    expect(auditor.stdout).toContain('\n  The approval of frank does not count: the tier asks officers.\n');
    expect(auditor.stdout).toContain('NEED 2 more approvals; no approval counts yet\n');
    const officer = await s.expect(0, 'batch', 'approve', id, '--key', 'keys/bob');
    expect(officer.stdout).not.toContain('does not count');
    expect(officer.stdout).toContain('NEED 1 more approval; approved by bob\n');
  });
});

describe('a document that the journal has already', () => {
  it.each([
    ['policy', 'activate', 'policy.yaml'],
    ['book', 'import', 'book-2.yaml'],
  ])('leaves nothing to correct: %s %s', async (...argv) => {
    const s = await stage();
    const { stderr } = await s.expect(2, ...argv);
    expect(stderr).toContain('which the journal has already\n  remedy: nothing is left to do for it; for a change, ');
    expect(stderr).toMatch(/for a change, write version [23], with prev: "sha256:[0-9a-f]{64}"\n/);
  });
});

describe('a command that there is not', () => {
  it.each([
    [['batch', 'lsit'], 'batch list', 'batch'],
    [['audit', 'reprot', '--from', 'yesterday'], 'audit report', 'audit'],
    [['--json', 'transcript', 'shwo', 'x.apdu'], 'transcript show', 'transcript'],
    [['btach', 'lsit'], 'batch list', 'batch'],
    [['btach', 'zzzzzzzz'], 'batch', 'batch'],
    [['lint', 'policy.yaml'], 'policy lint', 'policy'],
    [['reconcil'], 'reconcile', null],
  ])('%j is told as one that there is', async (argv, meant, group) => {
    const { stderr, stdout } = await (await stage({ until: 'nothing' })).expect(2, ...argv);
    const told = stderr + stdout;
    expect(told).toContain(`: did you mean countersign ${meant}?`);
    expect(told).toContain(`see countersign ${group === null ? '' : `${group} `}--help`);
  });

  it.each([
    [['policy', 'zzzzzzzzz'], 'policy --help'],
    [['zzzzzzzzz'], '--help'],
  ])('%j is told as no other where none is near', async (argv, help) => {
    const { stderr } = await (await stage({ until: 'nothing' })).expect(2, ...argv);
    expect(stderr).toBe(`error E_USAGE: unknown command '${argv.at(-1)}'\n  remedy: see countersign ${help}\n`);
  });
});

describe('a failure', () => {
  const told = (...faults: Parameters<typeof fault>[]) =>
    print(err(faults.map((one) => fault(...one))), false, makeStyle(false), 'test').stderr;

  it('names its place before the message, and in the place of the name where the message begins with it', () => {
    const where = { file: 'a.json' };
    expect(told(['E_PARSE', 'is no JSON', { where, remedy: 'r' }])).toBe(
      'error E_PARSE: a.json: is no JSON\n  remedy: r\n',
    );
    const begins = 'error E_PARSE: a.json is no JSON\n  remedy: r\n';
    expect(told(['E_PARSE', 'a.json is no JSON', { where, remedy: 'r' }])).toBe(begins);
    const line = { file: 'a.json', line: 3 };
    expect(told(['E_PARSE', 'a.json is no JSON', { where: line, remedy: 'r' }])).toBe(
      'error E_PARSE: a.json:3 is no JSON\n  remedy: r\n',
    );
    expect(told(['E_PARSE', 'a.json.sig is no signature', { where: line, remedy: 'r' }])).toBe(
      'error E_PARSE: a.json:3: a.json.sig is no signature\n  remedy: r\n',
    );
  });

  it('has one remedy for several faults in a row that share it, and each its own otherwise', () => {
    const lines = told(
      ['E_PARSE', 'one', { remedy: 'same' }],
      ['E_PARSE', 'two', { remedy: 'same' }],
      ['E_PARSE', 'three', { remedy: 'other' }],
      ['E_PARSE', 'four', { remedy: 'same' }],
    );
    expect(lines.trimEnd().split('\n')).toEqual([
      'error E_PARSE: one',
      'error E_PARSE: two',
      '  remedy: same',
      'error E_PARSE: three',
      '  remedy: other',
      'error E_PARSE: four',
      '  remedy: same',
    ]);
  });
});

describe('a narrow terminal', () => {
  it.each([[[]], [['batch']], [['batch', 'sign']], [['audit', 'verify']]])('holds the help of %j', (path) => {
    const words = (text: string | null) => (text ?? '').split(/\s+/);
    const narrow = helpText(path, 80);
    expect(Math.max(...(narrow ?? '').split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(words(narrow)).toEqual(words(helpText(path)));
  });

  it('does not change the help where it is wide, or does not know its width', () => {
    for (const columns of [0, 59, 100, 300]) expect(helpText(['batch'], columns)).toBe(helpText(['batch']));
    expect(helpText(['batch'], 60)).not.toBe(helpText(['batch']));
  });

  it('has a long value broken at its spaces, under its beginning; a word without any stays whole', () => {
    const pairs = [
      ['ends', `${'word '.repeat(10)}end`],
      ['txid', 'f'.repeat(64)],
    ] as const;
    expect(fields(pairs, makeStyle(false, 40))).toEqual([
      'ends  word word word word word word word',
      '      word word word end',
      `txid  ${'f'.repeat(64)}`,
    ]);
    expect(fields(pairs, makeStyle(false))).toHaveLength(2);
  });
});
