import { afterAll, describe, expect, it } from 'vitest';
import { predictionLines, previewsLines } from '../../src/cli/render/device.js';
import { makeStyle } from '../../src/cli/render/style.js';
import type { Signer } from '../../src/device/types.js';
import { ok } from '../../src/domain/result.js';
import { policyText, removeAll, stage } from './session.js';
import { softSigner } from './soft-device.mjs';

afterAll(removeAll);

const plainStyle = makeStyle(false);

const BASE = { kind: 'predicted', model: 'nanosp', recorded: '2.4.6', version: '2.4.6', approvals: 1 } as const;
const SCREENS = [
  { title: 'Fees', text: '0.5 TEST' },
  { title: 'To (1/2)', text: 'first\nsecond\n third' },
  { title: 'Sign transaction', text: '' },
];

describe('the pages of a prediction', () => {
  it('stand under the name of the model, numbered, a line for each line of the device', () => {
    expect(predictionLines({ ...BASE, screens: SCREENS }, plainStyle)).toEqual([
      'A Ledger Nano S Plus will show  3 screens, 1 approval to give',
      '  1  Fees              0.5 TEST',
      '  2  To (1/2)          first',
      '                       second',
      '                       third',
      '  3  Sign transaction',
    ]);
  });

  it('say which app they were recorded with where another one is open', () => {
    const lines = predictionLines({ ...BASE, version: '2.4.3', screens: SCREENS }, plainStyle);
    expect(lines[1]).toBe('  as recorded with app 2.4.6; version 2.4.3 is open, whose pages may differ in details');
    expect(predictionLines({ ...BASE, version: null, screens: SCREENS }, plainStyle)).toHaveLength(6);
  });

  it('are none where they are not predicted, and it is said why and what to compare then', () => {
    expect(predictionLines({ kind: 'unpredicted', why: 'the reason' }, plainStyle)).toEqual([
      'What the device will show is not predicted: the reason',
      '  compare every amount and address on it with the plan',
    ]);
  });

  it('are said to be unknown in one go, where a policy names several such devices', () => {
    const unknown = (why: string) => ({ prediction: { kind: 'unpredicted' as const, why }, exchanges: 9, seconds: 1 });
    const known = { prediction: { ...BASE, screens: SCREENS }, exchanges: 9, seconds: 1 };
    expect(previewsLines([unknown('this'), known, unknown('that')], plainStyle).slice(-4)).toEqual([
      'What the device will show is not predicted:',
      '  this',
      '  that',
      '  compare every amount and address on it with the plan',
    ]);
    expect(previewsLines([known], plainStyle).at(-1)).toContain('about 9 exchanges');
  });
});

const of = (model: Awaited<ReturnType<Signer['model']>>, version: string) => (): Signer => ({
  ...softSigner(),
  model: async () => model,
  appInfo: async () => ok({ name: 'Bitcoin Test', version }),
});

describe('batch sign', () => {
  it.each([
    ['nanos', '2.2.7', 'A Ledger Nano S will show', 'known wallet|Continue'],
    ['nanosp', '2.4.6', 'A Ledger Nano S Plus will show', 'Sign transaction'],
    ['nanosp', '2.5.0', 'not predicted', 'app 2\\.5\\.0 may have others'],
    ['stax', '2.4.6', 'not predicted', 'a Ledger Stax were never recorded'],
    [null, '2.4.6', 'not predicted', 'did not tell which model it is'],
  ] as const)('on %s with app %s: %s, and signs', async (model, version, says, more) => {
    const s = await stage();
    const id = await s.ready('withdrawals.csv');
    s.signer = of(model, version);
    const { stderr } = await s.expect(0, 'batch', 'sign', id);
    expect(stderr).toContain(says);
    expect(stderr).toMatch(new RegExp(more));
    expect(stderr.indexOf(says)).toBeGreaterThan(stderr.indexOf('device: '));
  });
});

describe('batch plan', () => {
  it('prints the pages of each kind of Ledger that the policy names, without a device', async () => {
    const policy = policyText().replace(/kinds: \[[^\]]*\]/, 'kinds: [nanos, nanosp, flex]');
    const s = await stage({ policy });
    s.signer = () => {
      throw new Error('nobody is asked');
    };
    const { stdout } = await s.run('batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(stdout).toContain('A Ledger Nano S will show');
    expect(stdout).toContain('A Ledger Nano S Plus will show');
    expect(stdout).toContain('the pages of a Ledger Flex were never recorded');
  });
});

describe('what is shown for comparison', () => {
  const PATH = "84'/1'/0'";

  it('a key: asked for silently first, predicted, and shown', async () => {
    const s = await stage({ until: 'init' });
    const asked: boolean[] = [];
    const signer = softSigner();
    s.signer = () => ({
      ...signer,
      xpub: async (path, display) => {
        asked.push(display);
        return signer.xpub(path, display);
      },
    });
    const { stderr } = await s.expect(0, 'device', 'xpub', PATH, '--verify');
    expect(stderr).toContain('A Ledger Nano S will show');
    expect(stderr).toContain('Confirm public key');
    expect(asked).toEqual([false, true]);
    asked.length = 0;
    await s.expect(0, 'device', 'xpub', PATH);
    expect(asked).toEqual([false]);
  });

  it('a key that the device gives otherwise when it shows it is neither', async () => {
    const s = await stage({ until: 'init' });
    const signer = softSigner();
    s.signer = () => ({ ...signer, xpub: async (path, display) => signer.xpub(display ? "84'/1'/1'" : path, display) });
    expect(await s.faultOf(24, 'device', 'xpub', PATH, '--verify')).toBe('E_DEVICE_MISMATCH');
  });

  it('a key that the app gives on its screen alone is shown without a prediction', async () => {
    const s = await stage({ until: 'init' });
    const signer = softSigner();
    const refusal = { ok: false, error: { tag: 'E_DEVICE_UNSUPPORTED', message: '6a82' } } as const;
    s.signer = () => ({
      ...signer,
      xpub: async (path, display) => (display ? signer.xpub(path, display) : refusal),
    });
    const { stderr } = await s.expect(0, 'device', 'xpub', PATH, '--verify');
    expect(stderr).toContain('not predicted: the app gives the key at this path on its screen alone');
  });
});
