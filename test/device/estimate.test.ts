import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expectedExchanges } from '../../src/device/estimate.js';
import { signingShape } from '../../src/device/signing-shape.js';
import type { Registration } from '../../src/device/types.js';
import { PLAIN_KINDS } from '../../src/vault/descriptor.js';
import type { VaultKind } from '../../src/vault/types.js';
import { readRecording, readSidecar, recordingNames, type SigningSidecar, vaultOf } from './recordings.js';

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

/** The figures that the project holds itself to, by kind and inputs: one payment, one change, small previous transactions. */
const FIGURES: {
  readonly cosigners: Readonly<Record<string, { readonly cosigners: number; readonly position: number }>>;
  readonly most: Readonly<Record<string, Readonly<Record<string, number>>>>;
} = JSON.parse(readFileSync(new URL('../../bench/exchanges.json', import.meta.url), 'utf8'));

/** Fingerprint and account key, which come before SIGN_PSBT and are no part of the figures. */
const preparation = (kind: string): number => (kind.startsWith('wsh') || kind.startsWith('sh(wsh') ? 0 : 2);

describe('exchanges of SIGN_PSBT', () => {
  const signings = ['sign-', 'multisig-sign-', 'miniscript-sign-']
    .flatMap((prefix) => recordingNames(prefix))
    .filter((name) => !name.includes('refused'));

  it.each(signings)('%s: as many as estimated', (name) => {
    const sidecar = readSidecar<SigningSidecar & { readonly registration?: Registration }>(name);
    const vault = vaultOf(sidecar);
    const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
    const shaped = signingShape(psbt, vault, sidecar.registration?.fingerprint ?? null);
    if (!shaped.ok) throw new Error(shaped.error.message);
    const { header, exchanges } = readRecording(name);
    const start = exchanges.findIndex(({ request }) => request[0] === 0xe1 && request[1] === 0x04);
    expect(exchanges.length - start).toBe(expectedExchanges(shaped.value, header.version) - preparation(vault.kind));
  });

  const sizes = Object.entries(FIGURES.most).flatMap(([kind, most]) =>
    Object.entries(most).map(([inputs, due]) => [kind, Number(inputs), due] as const),
  );
  it.each(sizes)('%s with %i inputs: at most %i', (name, inputs, due) => {
    const kind = PLAIN_KINDS.find((known) => known === name);
    if (kind === undefined) throw new Error(`${name} is no kind of vault`);
    const estimated = expectedExchanges({ ...shape(kind, inputs, 1, 1), ...FIGURES.cosigners[kind] });
    expect(estimated - preparation(kind)).toBeLessThanOrEqual(due);
  });
});
