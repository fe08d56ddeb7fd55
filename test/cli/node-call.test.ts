import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { psbtOfStdin, verbFirst } from '../../src/cli/node-call.js';
import { runs } from '../runs.js';

const split = (text: string): string[] => text.split(' ');

describe('a command line with its verb in front', () => {
  it.each([
    ['signer enumerate', 'signer enumerate'],
    ['signer -w /x enumerate', 'signer enumerate -w /x'],
    ['signer  -w /x  enumerate', 'signer enumerate -w /x'],
    [
      'signer -w /x --fingerprint f5acc2fd --chain main getdescriptors --account 0',
      'signer getdescriptors --account 0 -w /x --fingerprint f5acc2fd --chain main',
    ],
    ['signer --fingerprint=f5acc2fd enumerate', 'signer enumerate --fingerprint=f5acc2fd'],
    ['signer --stdin --fingerprint f5acc2fd --chain main', 'signer signtx --stdin --fingerprint f5acc2fd --chain main'],
    ['signer --json enumerate', 'signer enumerate --json'],
    // A verb that is there is not replaced.
    ['signer --stdin enumerate', 'signer enumerate --stdin'],
    ['signer --fingerprint', 'signer --fingerprint'],
    ['signer', 'signer'],
    ['batch list --json', 'batch list --json'],
    ['batch sign --signer f5acc2fd', 'batch sign --signer f5acc2fd'],
  ])('%s', (given, due) => {
    expect(verbFirst(split(given))).toEqual({ ok: true, value: split(due) });
  });

  it('keeps every word that is not empty, once', () => {
    const word = fc.constantFrom(
      'enumerate',
      'signtx',
      '--chain',
      '--stdin',
      '-w',
      'main',
      '/x',
      '',
      '--json',
      'f5acc2fd',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const arranged = verbFirst(['signer', ...words]);
        if (!arranged.ok) return;
        const sorted = (list: readonly string[]): string[] => list.filter((one) => one !== '').sort();
        const same = sorted(['signer', ...words]);
        const called = sorted(['signer', 'signtx', ...words]);
        expect(words.includes('--stdin') ? [same, called] : [same]).toContainEqual(sorted(arranged.value));
      }),
      { numRuns: runs(300) },
    );
  });

  it.each([
    'signer --fingerprint f5acc2fd --fingerprint 00000000 enumerate',
    'signer --fingerprint f5acc2fd enumerate --fingerprint=00000000',
    'signer --chain main --chain test enumerate',
    'signer -w /a enumerate -w /b',
  ])('is refused with two values of one option: %s', (given) => {
    expect(verbFirst(split(given))).toMatchObject({
      error: { tag: 'E_USAGE', message: expect.stringContaining('is given twice') },
    });
  });

  it('takes the same value twice', () => {
    expect(verbFirst(split('signer --fingerprint f5acc2fd enumerate --fingerprint f5acc2fd')).ok).toBe(true);
  });
});

describe('standard input', () => {
  it.each([
    ['signtx cHNidP8=', 'cHNidP8='],
    ['signtx "cHNidP8="', 'cHNidP8='],
    ['signtx cHNidP8=\n', 'cHNidP8='],
    ['  signtx   "cHNidP8="  \r\n', 'cHNidP8='],
  ])('%j holds a PSBT', (text, psbt) => {
    expect(psbtOfStdin(text)).toEqual({ ok: true, value: psbt });
  });

  it.each([
    '',
    'signtx',
    'signtx ""',
    'signtx "cHNidP8=',
    "signtx 'cHNidP8='",
    'signtxcHNidP8=',
    'signtx cHNidP8= cHNidP8=',
    'signtx cHNid P8=',
    'signtx --psbt cHNidP8=',
    'enumerate\nsigntx cHNidP8=',
  ])('%j holds none', (text) => {
    expect(psbtOfStdin(text)).toMatchObject({ error: { tag: 'E_USAGE' } });
  });
});
