import { describe, expect, it } from 'vitest';
import { expectedExchanges, expectedSeconds } from '../../src/device/estimate.js';
import { pages } from '../../src/device/nanos-font.js';
import { type PreviewFacts, previewSigning } from '../../src/device/screens.js';
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

const titles = (more: Partial<PreviewFacts>, ...values: bigint[]): readonly string[] =>
  previewSigning(paying(...values), vault, facts(more), 'nanos').screens.map(({ title }) => title);

describe('previewSigning', () => {
  it('leaves out change, numbers the rest in their order, and counts an approval for each and one at the end', () => {
    const preview = previewSigning(paying(1n, 2n, 3n), vault, facts({ changeOutputs: new Set([1]) }), 'nanos');
    const reviews = preview.screens.filter(({ title }) => title === 'Review' || title === 'Amount');
    expect(reviews).toEqual([
      { title: 'Review', text: 'output #1' },
      { title: 'Amount', text: 'TEST 0.00000001' },
      { title: 'Review', text: 'output #2' },
      { title: 'Amount', text: 'TEST 0.00000003' },
    ]);
    expect(preview.approvals).toBe(3);
    expect(preview.screens.slice(-2)).toEqual([
      { title: 'Fees', text: 'TEST 0.00001' },
      { title: 'Sign', text: 'transaction' },
    ]);
  });

  it.each([
    [0n, '0'],
    [1n, '0.00000001'],
    [10n, '0.0000001'],
    [100_000_000n, '1'],
    [1_000_000_000n, '10'],
    [150_000_000n, '1.5'],
    [2_100_000_000_000_000n, '21000000'],
  ])('writes %s sat as %s', (sats, text) => {
    const { screens } = previewSigning(paying(sats), vault, facts(), 'nanos');
    expect(screens[1]).toEqual({ title: 'Amount', text: `TEST ${text}` });
  });

  it.each([
    ['main', 'BTC', 'bc1q'],
    ['signet', 'TEST', 'tb1q'],
    ['regtest', 'TEST', 'tb1q'],
  ] as const)('shows %s with its ticker and the address that the app knows', (network: Network, ticker, prefix) => {
    const { screens } = previewSigning(paying(5n), { ...vault, network }, facts(), 'nanos');
    expect(screens[1]?.text).toBe(`${ticker} 0.00000005`);
    const address = screens
      .filter(({ title }) => title.startsWith('Address'))
      .map(({ text }) => text)
      .join('');
    expect(address.startsWith(prefix)).toBe(true);
    expect(decodeAddress(address, network === 'regtest' ? 'testnet3' : network)).toMatchObject({
      ok: true,
      value: { script: P2WPKH },
    });
  });

  it.each([
    [99_999n, 1_000_000n, false],
    [100_000n, 1_000_000n, true],
    [100_001n, 1_000_000n, true],
    [9_000n, 10_000n, false],
    [9_000n, 10_001n, true],
  ])('a fee of %s of %s sat: warns %s', (fee, inputsTotal, warns) => {
    expect(titles({ fee, inputsTotal }, 5n).includes('Fees over 10%')).toBe(warns);
    const { approvals } = previewSigning(paying(5n), vault, facts({ fee, inputsTotal }), 'nanos');
    expect(approvals).toBe(warns ? 3 : 2);
  });

  it('says so where nothing leaves the vault', () => {
    expect(titles({ changeOutputs: new Set([0]) }, 5n)).toEqual(['Confirm', 'Fees', 'Sign']);
  });

  it('does not invent an address for a script that has none', () => {
    const decoded = paying(5n);
    const outputs = decoded.outputs.map((output) => ({ ...output, script: Uint8Array.of(0x6a, 1, 0xff) }));
    const { screens } = previewSigning({ ...decoded, outputs }, vault, facts(), 'nanos');
    const text = screens
      .filter(({ title }) => title.startsWith('Address'))
      .map((screen) => screen.text)
      .join('');
    expect(text).toBe('script 6a01ff, which has no address');
  });
});

describe('pages', () => {
  it('keeps the whole text, page by page', () => {
    const text = 'tb1pa0f2erxvuzxmgylz6wharcyruz8ajvv9xpr493uvsa23jcy8h5msdxzr9p';
    expect(pages('Address', text)).toEqual([
      { title: 'Address (1/4)', text: 'tb1pa0f2erxvuzxmgyl' },
      { title: 'Address (2/4)', text: 'z6wharcyruz8ajvv9xp' },
      { title: 'Address (3/4)', text: 'r493uvsa23jcy8h5ms' },
      { title: 'Address (4/4)', text: 'dxzr9p' },
    ]);
  });

  it('fills a line of 114 pixels and breaks at the next one', () => {
    // 19 characters of 6 pixels are 114.
    expect(pages('T', 'a'.repeat(19))).toEqual([{ title: 'T', text: 'a'.repeat(19) }]);
    expect(pages('T', 'a'.repeat(20))).toHaveLength(2);
    expect(pages('T', `${'a'.repeat(18)}b`)).toHaveLength(2);
  });

  it('breaks before a word that does not fit', () => {
    expect(pages('T', 'aaaaaaaaaa bbbbbbbbbb').map(({ text }) => text)).toEqual(['aaaaaaaaaa', ' bbbbbbbbbb']);
  });

  it('knows an empty text', () => {
    expect(pages('T', '')).toEqual([{ title: 'T', text: '' }]);
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

  it('is rounded up to seconds of 20 ms an exchange', () => {
    expect([0, 1, 50, 51, 1305].map(expectedSeconds)).toEqual([0, 1, 1, 2, 27]);
  });
});
