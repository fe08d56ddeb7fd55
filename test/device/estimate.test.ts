import { describe, expect, it } from 'vitest';
import { expectedExchanges } from '../../src/device/estimate.js';
import type { VaultKind } from '../../src/vault/types.js';

const shape = (kind: VaultKind, inputs: number, payments: number, changeOutputs: number) => ({
  kind,
  inputs,
  outputs: payments + changeOutputs,
  changeOutputs,
  previousTransactions: [],
  ...(kind.includes('multi') ? { cosigners: 3, position: 0 } : {}),
});

/**
 * Counted on Ledger's app 2.2.7 (Nano S, Speculos) with one input and one payment; without and with one or two change
 * outputs, which the recordings all have one of. The first two exchanges of a single-key vault are not SIGN_PSBT.
 */
const COUNTED: readonly (readonly [VaultKind, number, number])[] = [
  ['wpkh', 0, 174],
  ['wpkh', 1, 210],
  ['wpkh', 2, 246],
  ['wpkh', 5, 354],
  ['sh(wpkh)', 0, 186],
  ['sh(wpkh)', 1, 222],
  ['sh(wpkh)', 2, 258],
  ['tr', 0, 138],
  ['tr', 1, 174],
  ['tr', 2, 210],
  ['pkh', 0, 181],
  ['pkh', 1, 233],
  ['pkh', 2, 285],
  ['wsh(sortedmulti)', 0, 196],
  ['wsh(sortedmulti)', 1, 242],
  ['wsh(sortedmulti)', 2, 288],
  ['wsh(sortedmulti)', 4, 380],
  ['sh(wsh(sortedmulti))', 0, 208],
  ['sh(wsh(sortedmulti))', 1, 254],
  ['sh(wsh(sortedmulti))', 2, 300],
];

describe('the expected exchanges', () => {
  it.each(COUNTED)('of %s with %i change outputs are the %i that the app took', (kind, change, counted) => {
    expect(expectedExchanges(shape(kind, 1, 1, change))).toBe(counted);
  });
});
