import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, limitsOf, rowsOf } from '../../src/device/limits.js';
import {
  checkPolicyLimits,
  checkSigning,
  policyExcesses,
  refusingModels,
  transactionExcesses,
} from '../../src/device/preflight-limits.js';
import { writePsbt } from '../../src/psbt/key-map.js';
import { splitPsbt } from '../../src/psbt/parts.js';
import type { DecodedInput, DecodedOutput } from '../../src/psbt/types.js';
import { createDeriver } from '../../src/vault/derive.js';
import { namedPolicy } from '../../src/vault/wallet-policy.js';
import { vaultOf as vaultOfKind } from '../vault/fixtures.js';
import { readSidecar, type SigningSidecar, vaultOf } from './recordings.js';

const vault = vaultOfKind('wpkh');
const multisig = vaultOfKind('wsh(sortedmulti)');
const policy = namedPolicy(multisig);
const ANY = limitsOf({});

const claimAt = (branch: 0 | 1, index: number) => {
  const [key] = vault.keys;
  if (key === undefined) throw new Error('the vault has a key');
  return { fingerprint: key.fingerprint, path: [...key.path, branch, index], publicKey: new Uint8Array(33) };
};
const input = (index = 0): DecodedInput => ({
  outpoint: { txid: '00'.repeat(32), vout: index },
  sequence: 0,
  prevout: null,
  proof: 'absent',
  sighashType: null,
  redeemScript: null,
  witnessScript: null,
  derivations: [claimAt(0, index)],
  presigned: false,
  foreignFields: [],
});
const output = (bytes = 22, change: number | null = null): DecodedOutput => ({
  value: 1n,
  script: new Uint8Array(bytes),
  redeemScript: null,
  witnessScript: null,
  derivations: change === null ? [] : [claimAt(1, change)],
});
const times = <T>(count: number, make: () => T): readonly T[] => Array.from({ length: count }, make);

describe('the limits of a transaction', () => {
  const said = (inputs: readonly DecodedInput[], outputs: readonly DecodedOutput[], limits = ANY): string =>
    transactionExcesses({ inputs, outputs }, vault, limits)
      .map(({ what, limit }) => `${what}: ${limit}`)
      .join('; ');
  const LARGER = limitsOf({ model: 'nanosp', version: '2.4.6' });

  // Each one under, at, and one over.
  it('inputs', () => {
    const one = input();
    const of = (count: number) =>
      said(
        times(count, () => one),
        [output()],
      );
    expect([of(511), of(512), of(513)]).toEqual(['', '', 'the transaction has 513 inputs: at most 512']);
  });

  it('outputs: not counted on a Nano S, 512 elsewhere since 2.2.4', () => {
    const of = (count: number, limits = LARGER) =>
      said(
        [input()],
        times(count, () => output()),
        limits,
      );
    expect([of(511), of(512), of(513)]).toEqual(['', '', 'the transaction has 513 outputs: at most 512']);
    expect(of(513, limitsOf({ model: 'nanos', version: '2.2.7' }))).toBe('');
    expect(of(513, limitsOf({ model: 'nanox', version: '2.2.3' }))).toBe('');
  });

  it('change outputs', () => {
    const one = output(22, 3);
    const of = (count: number) => said([input()], [output(), ...times(count, () => one)]);
    expect([of(9), of(10), of(11)]).toEqual(['', '', 'it has 11 change outputs: at most 10']);
    // An own output of the receive branch is shown as a payment.
    expect(
      said(
        [input()],
        times(11, () => ({ ...output(), derivations: [claimAt(0, 1)] })),
      ),
    ).toBe('');
  });

  it('bytes of an output script', () => {
    const of = (bytes: number) => said([input()], [output(22), output(bytes)]);
    expect([of(82), of(83), of(84)]).toEqual(['', '', 'it has an output script of 84 bytes: at most 83']);
  });

  it('the index of an address, of coins and of change', () => {
    const over = 'it has an address of the vault with the index 50001: up to 50000';
    expect([49_999, 50_000, 50_001].map((index) => said([input(index)], [output()]))).toEqual(['', '', over]);
    expect([49_999, 50_000, 50_001].map((index) => said([input()], [output(22, index)]))).toEqual(['', '', over]);
  });

  it('every one that is exceeded is named', () => {
    const found = said(
      times(513, () => input()),
      times(11, () => output(84, 1)),
    );
    expect(found.split('; ')).toHaveLength(3);
  });
});

describe('the limits of a wallet policy', () => {
  const said = (more: Partial<typeof policy>, limits = ANY): readonly string[] =>
    policyExcesses({ ...policy, ...more }, limits).map(({ what, limit }) => `${what}: ${limit}`);

  it('the characters of its name', () => {
    const of = (length: number) => said({ name: 'x'.repeat(length) });
    expect([of(1), of(63), of(64)]).toEqual([[], [], []]);
    expect(of(65)).toEqual(["the policy's name has 65 characters: at most 64"]);
    expect(of(0)).toHaveLength(1);
  });

  it.each([' cold', 'cold ', 'cöld', 'co\tld', 'cold\n', ' '])('not the name %j', (name) => {
    expect(said({ name })).toHaveLength(1);
  });

  it('takes a space in the middle', () => expect(said({ name: 'cold wallet 1' })).toEqual([]));

  it('the characters of its template: 192 on a Nano S, 512 elsewhere', () => {
    const of = (length: number, limits = ANY) => said({ template: 'x'.repeat(length) }, limits).length;
    const nanoS = limitsOf({ model: 'nanos' });
    expect([191, 192, 193].map((length) => of(length, nanoS))).toEqual([0, 0, 1]);
    expect([511, 512, 513].map((length) => of(length))).toEqual([0, 0, 1]);
  });

  it.each([
    [{ model: 'nanos', version: '2.2.7' }, 16],
    [{ model: 'nanosp', version: '2.2.3' }, 16],
    [{ model: 'nanosp', version: '2.2.4' }, 10],
    [{ model: 'nanox', version: '2.3.0' }, 10],
    [{ version: '2.3.0' }, 10],
    [{ version: '2.3.9' }, 10],
    [{ model: 'stax', version: '2.4.0' }, 15],
    [{ version: '2.4.6' }, 15],
    [{ version: '2.2.7' }, 16],
    [{}, 16],
  ] as const)('the keys, with %j at hand: %i', (app, most) => {
    const of = (count: number) => said({ keys: times(count, () => 'k') }, limitsOf(app)).length;
    expect([most - 1, most, most + 1].map(of)).toEqual([0, 0, 1]);
  });

  it('does not bind vaults that the app knows by itself', () => {
    expect(checkPolicyLimits(vault, { ...ANY, policyKeys: 0, template: 0 }).ok).toBe(true);
    expect(checkPolicyLimits(multisig, { ...ANY, policyKeys: 2 })).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_LIMIT', remedy: expect.stringContaining('fewer keys') },
    });
  });
});

describe('the table', () => {
  const versions = fc.tuple(fc.constant(2), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 9 }));
  const models = fc.constantFrom('nanos', 'nanosp', 'nanox', 'stax', 'flex', 'apex', null);

  it('has exactly one row for every model with a version, and more knowledge never loosens a limit', () => {
    fc.assert(
      fc.property(models, versions, (model, numbers) => {
        const version = numbers.join('.');
        const rows = rowsOf({ model, version });
        if (model !== null) expect(rows).toHaveLength(1);
        const [known, unknown] = [limitsOf({ model, version }), limitsOf({})];
        expect(known.policyKeys).toBeLessThanOrEqual(unknown.policyKeys);
        expect(known.template).toBeLessThanOrEqual(unknown.template);
        expect(known.inputs).toBeLessThanOrEqual(unknown.inputs);
      }),
    );
  });

  it('speaks of every model', () => {
    expect(new Set(LIMITS.flatMap((row) => row.models)).size).toBe(6);
  });
});

describe('checkSigning', () => {
  const sidecar = readSidecar<SigningSidecar>('sign-wpkh-3');
  const psbt = new Uint8Array(Buffer.from(sidecar.psbt, 'base64'));
  const deriver = createDeriver(vaultOf(sidecar));

  it('has nothing against what the device signed', () => {
    expect(checkSigning(psbt, deriver, null)).toEqual({ ok: true, value: undefined });
    expect(refusingModels(psbt, deriver.vault)).toEqual([]);
  });

  it('finds what is missing before a device is plugged in: a derivation', () => {
    const stranger = createDeriver({ ...vaultOf(sidecar), keys: vault.keys });
    expect(checkSigning(psbt, stranger, null)).toMatchObject({ ok: false, error: { tag: 'E_PSBT_FOREIGN' } });
  });

  it('finds a multisig input without its witness script, which the device refuses only after the person approved', () => {
    const part = readSidecar<SigningSidecar>('multisig-sign-wsh-1-a');
    const bytes = new Uint8Array(Buffer.from(part.psbt, 'base64'));
    const ours = createDeriver(vaultOf(part));
    expect(checkSigning(bytes, ours, null).ok).toBe(true);
    expect(checkSigning(withoutField(bytes, 0x05), ours, null)).toMatchObject({
      ok: false,
      error: { tag: 'E_PSBT_FOREIGN' },
    });
    expect(checkSigning(withoutField(bytes, 0x00), ours, null)).toMatchObject({
      ok: false,
      error: { tag: 'E_PREVTX_MISSING' },
    });
  });
});

/** A PSBT with one field left out of its first input. */
function withoutField(psbt: Uint8Array, type: number): Uint8Array {
  const parts = splitPsbt(psbt);
  if (!parts.ok) throw new Error(parts.error.message);
  const { global, inputs, outputs } = parts.value;
  const [first = [], ...others] = inputs;
  return writePsbt([global, first.filter((one) => one.type !== type), ...others, ...outputs]);
}
