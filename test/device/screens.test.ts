import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedExchanges, expectedSeconds } from '../../src/device/estimate.js';
import type { LedgerModel } from '../../src/device/models.js';
import { pages } from '../../src/device/screens/nanos-pages.js';
import { pages as nanospPages } from '../../src/device/screens/nanosp-pages.js';
import {
  type PreviewFacts,
  previewAddress,
  previewKey,
  previewRegistration,
  previewSigning,
} from '../../src/device/screens.js';
import type { Screen, SeenDevice } from '../../src/device/types.js';
import { decodeAddress } from '../../src/domain/address.js';
import type { Network } from '../../src/domain/network.js';
import type { DecodedOutput, DecodedPsbt } from '../../src/psbt/types.js';
import { readSidecar, vaultOf } from './recordings.js';

const vault = vaultOf(readSidecar('sign-wpkh-1'));
const P2WPKH = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(7));

const paying = (...values: bigint[]): Pick<DecodedPsbt, 'inputs' | 'outputs'> => ({
  inputs: [],
  outputs: values.map(
    (value): DecodedOutput => ({ value, script: P2WPKH, redeemScript: null, witnessScript: null, derivations: [] }),
  ),
});

const facts = (more: Partial<PreviewFacts> = {}): PreviewFacts => ({
  changeOutputs: new Set<number>(),
  fee: 1_000n,
  inputsTotal: 1_000_000n,
  ...more,
});

const NANOS: SeenDevice = { model: 'nanos', version: '2.2.7' };
const NANOSP: SeenDevice = { model: 'nanosp', version: '2.4.6' };

/** What a device is predicted to show; a test of the pages fails where they are not predicted. */
function shown(
  decoded: Pick<DecodedPsbt, 'inputs' | 'outputs'>,
  more: Partial<PreviewFacts> = {},
  device = NANOS,
  network: Network = vault.network,
) {
  const { prediction } = previewSigning(decoded, { ...vault, network }, facts(more), device);
  if (prediction.kind === 'unpredicted') throw new Error(prediction.why);
  return prediction;
}

const textUnder = (title: string, screens: readonly Screen[]): string =>
  screens
    .filter((screen) => screen.title === title || screen.title.startsWith(`${title} (`))
    .map(({ text }) => text)
    .join('')
    .replaceAll('\n', '');

const titles = (device: SeenDevice, more: Partial<PreviewFacts>, ...values: bigint[]): readonly string[] =>
  shown(paying(...values), more, device).screens.map(({ title }) => title);

describe('the pages of a Nano S', () => {
  it('leave out change, number the rest in their order, and take an approval for each and one at the end', () => {
    const { screens, approvals } = shown(paying(1n, 2n, 3n), { changeOutputs: new Set([1]) });
    const reviews = screens.filter(({ title }) => title === 'Review' || title === 'Amount');
    expect(reviews).toEqual([
      { title: 'Review', text: 'output #1' },
      { title: 'Amount', text: 'TEST 0.00000001' },
      { title: 'Review', text: 'output #2' },
      { title: 'Amount', text: 'TEST 0.00000003' },
    ]);
    expect(approvals).toBe(3);
    expect(screens.slice(-2)).toEqual([
      { title: 'Fees', text: 'TEST 0.00001' },
      { title: 'Sign', text: 'transaction' },
    ]);
  });

  it.each([
    [99_999n, 1_000_000n, false],
    [100_000n, 1_000_000n, true],
    [100_001n, 1_000_000n, true],
    [9_000n, 10_000n, false],
    [9_000n, 10_001n, true],
  ])('warn of a fee of %s of %s sat: %s', (fee, inputsTotal, warns) => {
    expect(titles(NANOS, { fee, inputsTotal }, 5n).includes('Fees over 10%')).toBe(warns);
    expect(shown(paying(5n), { fee, inputsTotal }).approvals).toBe(warns ? 3 : 2);
  });

  it('say so where nothing leaves the vault', () => {
    expect(titles(NANOS, { changeOutputs: new Set([0]) }, 5n)).toEqual(['Confirm', 'Fees', 'Sign']);
  });
});

describe('the pages of a Nano S Plus', () => {
  it('leave out change, say which output of how many where there are several, and take one approval', () => {
    const { screens, approvals } = shown(paying(1n, 2n, 3n), { changeOutputs: new Set([1]) }, NANOSP);
    expect(screens.filter(({ title }) => !title.startsWith('To'))).toEqual([
      { title: 'Review transaction', text: 'to send bitcoin' },
      { title: 'Transaction output', text: '1 of 2' },
      { title: 'Amount', text: '0.00000001 TEST' },
      { title: 'Transaction output', text: '2 of 2' },
      { title: 'Amount', text: '0.00000003 TEST' },
      { title: 'Fees', text: '0.00001 TEST' },
      { title: 'Sign transaction', text: '' },
    ]);
    expect(approvals).toBe(1);
    expect(titles(NANOSP, {}, 5n)).not.toContain('Transaction output');
  });

  it.each([
    [15, 'To'],
    [16, 'To'],
    [17, 'Address'],
  ])('call the destination of %i outputs %j', (outputs, title) => {
    const { screens, approvals } = shown(paying(...Array.from({ length: outputs }, () => 5n)), {}, NANOSP);
    expect(screens.filter((screen) => screen.title === title)).toHaveLength(outputs);
    expect(approvals).toBe(1);
  });

  it.each([
    [99_999n, 1_000_000n, false],
    [100_000n, 1_000_000n, true],
    [100_001n, 1_000_000n, true],
    [90_000n, 100_000n, false],
    [90_000n, 100_001n, true],
  ])('warn of a fee of %s of %s sat: %s', (fee, inputsTotal, warns) => {
    expect(titles(NANOSP, { fee, inputsTotal }, 5n).includes('High fees warning')).toBe(warns);
    expect(shown(paying(5n), { fee, inputsTotal }, NANOSP).approvals).toBe(1);
  });

  it('say so where nothing leaves the vault', () => {
    const { screens } = shown(paying(5n), { changeOutputs: new Set([0]) }, NANOSP);
    expect(textUnder('Amount', screens)).toBe('0 TEST (self-transfer)');
  });
});

describe.each([
  ['nanos', NANOS, 'Address'],
  ['nanosp', NANOSP, 'To'],
] as const)('%s', (_, device, destination) => {
  it.each([
    [0n, '0'],
    [1n, '0.00000001'],
    [10n, '0.0000001'],
    [100_000_000n, '1'],
    [1_000_000_000n, '10'],
    [150_000_000n, '1.5'],
    [2_100_000_000_000_000n, '21000000'],
  ])('writes %s sat as %s', (sats, text) => {
    const amount = textUnder('Amount', shown(paying(sats), {}, device).screens);
    expect(amount).toBe(device === NANOS ? `TEST ${text}` : `${text} TEST`);
  });

  it.each([
    ['main', 'BTC', 'bc1q'],
    ['signet', 'TEST', 'tb1q'],
    ['regtest', 'TEST', 'tb1q'],
  ] as const)('shows %s with its ticker and the address that the app knows', (network: Network, ticker, prefix) => {
    const { screens } = shown(paying(5n), {}, device, network);
    expect(textUnder('Amount', screens)).toContain(ticker);
    const address = textUnder(destination, screens);
    expect(address.startsWith(prefix)).toBe(true);
    expect(decodeAddress(address, network === 'regtest' ? 'testnet3' : network)).toMatchObject({
      ok: true,
      value: { script: P2WPKH },
    });
  });

  it('does not invent an address for a script that has none', () => {
    const decoded = paying(5n);
    const outputs = decoded.outputs.map((output) => ({ ...output, script: Uint8Array.of(0x6a, 1, 0xff) }));
    const { screens } = shown({ ...decoded, outputs }, {}, device);
    expect(textUnder(destination, screens)).toBe('script 6a01ff, which has no address');
  });
});

describe('a prediction', () => {
  const of = (model: LedgerModel | null, version: string | null) =>
    previewSigning(paying(5n), vault, facts(), { model, version }).prediction;

  it.each([
    ['nanos', '2.2.7', '2.2.7'],
    ['nanos', '2.2.0', '2.2.7'],
    ['nanos', '2.2.8', '2.2.7'],
    ['nanos', null, '2.2.7'],
    ['nanosp', '2.4.6', '2.4.6'],
    ['nanosp', '2.4.3', '2.4.6'],
    ['nanosp', '2.4.99', '2.4.6'],
  ] as const)('of %s with app %s is made of what was recorded with %s', (model, version, recorded) => {
    expect(of(model, version)).toMatchObject({ kind: 'predicted', model, version, recorded });
  });

  it.each([
    ['nanos', '2.1.3'],
    ['nanos', '2.3.0'],
    ['nanosp', '2.4.2'],
    ['nanosp', '2.5.0'],
    ['nanosp', '2.4.6-rc1'],
  ] as const)('of %s is not made for app %s, whose pages may be others', (model, version) => {
    expect(of(model, version)).toEqual({ kind: 'unpredicted', why: expect.stringContaining(`app ${version} may`) });
  });

  it.each(['nanox', 'stax', 'flex', 'apex'] as const)('is not made for %s, which was never recorded', (model) => {
    for (const version of ['2.4.6', null]) {
      expect(of(model, version)).toEqual({ kind: 'unpredicted', why: expect.stringContaining('never recorded') });
    }
  });

  it('is not made for a device that did not tell its model, whatever it is asked for', () => {
    const device = { model: null, version: '2.4.6' };
    const none = { kind: 'unpredicted', why: 'the device did not tell which model it is' };
    expect(of(null, '2.4.6')).toEqual(none);
    expect(previewAddress(P2WPKH, vault, device)).toEqual(none);
    expect(previewKey("84'/1'/0'", 'tpub', device)).toEqual(none);
    const multisig = vaultOf(readSidecar('multisig-register-wsh-a'));
    expect(previewRegistration(multisig, 'f5acc2fd', device)).toEqual(none);
  });
});

describe('the pages of a text on a Nano S', () => {
  it('keep the whole text, page by page', () => {
    const text = 'tb1pa0f2erxvuzxmgylz6wharcyruz8ajvv9xpr493uvsa23jcy8h5msdxzr9p';
    expect(pages('Address', text)).toEqual([
      { title: 'Address (1/4)', text: 'tb1pa0f2erxvuzxmgyl' },
      { title: 'Address (2/4)', text: 'z6wharcyruz8ajvv9xp' },
      { title: 'Address (3/4)', text: 'r493uvsa23jcy8h5ms' },
      { title: 'Address (4/4)', text: 'dxzr9p' },
    ]);
  });

  it('fill a line of 114 pixels and break at the next one', () => {
    // 19 characters of 6 pixels are 114.
    expect(pages('T', 'a'.repeat(19))).toEqual([{ title: 'T', text: 'a'.repeat(19) }]);
    expect(pages('T', 'a'.repeat(20))).toHaveLength(2);
    expect(pages('T', `${'a'.repeat(18)}b`)).toHaveLength(2);
  });

  it('break before a word that does not fit', () => {
    expect(pages('T', 'aaaaaaaaaa bbbbbbbbbb').map(({ text }) => text)).toEqual(['aaaaaaaaaa', ' bbbbbbbbbb']);
  });

  it('know an empty text', () => {
    expect(pages('T', '')).toEqual([{ title: 'T', text: '' }]);
  });
});

describe('the pages of a text on a Nano S Plus', () => {
  const a = (count: number): string => 'a'.repeat(count);

  it('fill three lines of 114 pixels each, and then another page', () => {
    expect(nanospPages('T', a(19))).toEqual([{ title: 'T', text: a(19) }]);
    expect(nanospPages('T', a(20))).toEqual([{ title: 'T', text: `${a(19)}\na` }]);
    expect(nanospPages('T', a(57))).toEqual([{ title: 'T', text: `${a(19)}\n${a(19)}\n${a(19)}` }]);
    expect(nanospPages('T', a(58))).toEqual([
      { title: 'T (1/2)', text: `${a(19)}\n${a(19)}\n${a(19)}` },
      { title: 'T (2/2)', text: 'a' },
    ]);
  });

  it('break after a space, a hyphen or an underscore', () => {
    for (const mark of [' ', '-', '_']) {
      expect(nanospPages('T', `${a(10)}${mark}${a(10)}`)).toEqual([{ title: 'T', text: `${a(10)}${mark}\n${a(10)}` }]);
      // One that does not fit any more stays at the end of the full line.
      expect(nanospPages('T', `${a(19)}${mark}a`)).toEqual([{ title: 'T', text: `${a(19)}${mark}\na` }]);
    }
  });

  it('know an empty text', () => {
    expect(nanospPages('T', '')).toEqual([{ title: 'T', text: '' }]);
  });

  it('hold the whole text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 300 }), (text) => {
        const shownText = nanospPages('T', text).map((page) => page.text.replaceAll('\n', ''));
        expect(shownText.join('')).toBe(text);
      }),
    );
  });
});

describe('expectedExchanges', () => {
  const shape = { outputs: 2, changeOutputs: 1, previousTransactions: [] };

  // Ledger's app 2.2.7 driven further than the recordings go, hw-app-btc's own two exchanges included.
  it.each([
    [5, 2, 670],
    [20, 2, 2395],
    [64, 2, 7455],
    [65, 2, 7826],
    [100, 2, 11979],
    [1, 11, 462],
    [1, 21, 742],
  ])('wpkh, %i inputs, %i outputs: %i', (inputs, outputs, exchanges) => {
    expect(expectedExchanges({ ...shape, kind: 'wpkh', inputs, outputs })).toBe(exchanges);
  });

  it.each([
    [252 - 1, 0],
    [252, 1],
    [503, 1],
    [504, 2],
    [10_000, 39],
    [100_000, 395],
  ])('a previous transaction of %i bytes takes %i more', (bytes, more) => {
    const base = { ...shape, kind: 'wpkh', inputs: 1 } as const;
    const added = expectedExchanges({ ...base, previousTransactions: [bytes] }) - expectedExchanges(base);
    expect(added).toBe(more);
    const legacy = { ...base, kind: 'pkh' } as const;
    expect(expectedExchanges({ ...legacy, previousTransactions: [bytes] }) - expectedExchanges(legacy)).toBe(3 * more);
  });

  it('of a multisig are fewer with app 2.4.6, and do not depend on where the own key stands', () => {
    const base = { ...shape, kind: 'wsh(sortedmulti)', cosigners: 3, inputs: 1 } as const;
    const [first, last] = [0, 2].map((position) => ({ ...base, position }));
    if (first === undefined || last === undefined) throw new Error('two shapes');
    expect(expectedExchanges(last) - expectedExchanges(first)).toBe(8);
    expect(expectedExchanges(last, '2.4.6')).toBe(expectedExchanges(first) - 2);
    expect(expectedExchanges(last, '2.3.9')).toBe(expectedExchanges(last, '2.2.7'));
  });

  it.each([
    [15, 0],
    [16, 0],
    [17, 1],
    [18, 2],
  ])('of %i payments read %i of them twice with app 2.4.6', (payments, again) => {
    const base = { ...shape, kind: 'wpkh', inputs: 1, outputs: payments + 1 } as const;
    expect(expectedExchanges(base, '2.4.6')).toBe(expectedExchanges(base) - 2 + 14 * again);
  });

  it('is rounded up to seconds of 20 ms an exchange', () => {
    expect([0, 1, 50, 51, 1305].map(expectedSeconds)).toEqual([0, 1, 1, 2, 27]);
  });
});
