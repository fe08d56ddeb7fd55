import { readFileSync } from 'node:fs';
import { initEccLib, payments } from 'bitcoinjs-lib';
import fc from 'fast-check';
import * as secp256k1 from 'tiny-secp256k1';
import { describe, expect, test } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import type { Branch } from '../../src/domain/coin.js';
import type { Network } from '../../src/domain/network.js';
import { formatPath } from '../../src/domain/path.js';
import { createDeriver, MOST_SEARCHED } from '../../src/vault/derive.js';
import { parseVault } from '../../src/vault/descriptor.js';
import type { PlainKind } from '../../src/vault/types.js';
import { ACCOUNT_PATHS, KINDS, master, vaultOf, withChecksum } from './fixtures.js';

initEccLib(secp256k1);

interface Account {
  readonly bip: number;
  readonly network: Network;
  readonly descriptor: string;
  readonly addresses: Readonly<Record<string, string>>;
}
const { accounts }: { accounts: readonly Account[] } = JSON.parse(readFileSync('test/vectors/accounts.json', 'utf8'));

describe('BIP49, BIP84 and BIP86 accounts', () => {
  const rows = accounts.flatMap((account) =>
    Object.entries(account.addresses).map(([place, address]) => ({ ...account, place, address })),
  );
  test.each(rows)('BIP$bip $place is $address', ({ network, descriptor, place, address }) => {
    const vault = parseVault('cold', network, withChecksum(descriptor));
    if (!vault.ok) throw new Error(vault.error.message);
    const branch: Branch = place.startsWith('1/') ? 1 : 0;
    const { script } = createDeriver(vault.value).at(branch, Number(place.slice(2)));
    expect(encodeAddress(script, network)).toBe(address);
  });
});

/** The same scripts by the private keys, bip32's own derivation and bitcoinjs-lib's payments. */
function reference(
  kind: PlainKind,
  branch: Branch,
  index: number,
): { script: string; witness?: string; redeem?: string } {
  const keys = (kind.includes('multi') ? [1, 2, 3] : [1]).map(
    (seed) => master(seed).derivePath(`${ACCOUNT_PATHS[kind].replaceAll('h', "'")}/${branch}/${index}`).publicKey,
  );
  const [pubkey = new Uint8Array()] = keys;
  const multisig = () => payments.p2ms({ m: 2, pubkeys: [...keys].sort(Buffer.compare) });
  const hex = (bytes: Uint8Array | undefined): string => toHex(bytes ?? new Uint8Array());
  switch (kind) {
    case 'pkh':
      return { script: hex(payments.p2pkh({ pubkey }).output) };
    case 'wpkh':
      return { script: hex(payments.p2wpkh({ pubkey }).output) };
    case 'tr':
      return { script: hex(payments.p2tr({ internalPubkey: pubkey.subarray(1) }).output) };
    case 'sh(wpkh)': {
      const redeem = payments.p2wpkh({ pubkey });
      return { script: hex(payments.p2sh({ redeem }).output), redeem: hex(redeem.output) };
    }
    case 'wsh(sortedmulti)':
      return { script: hex(payments.p2wsh({ redeem: multisig() }).output), witness: hex(multisig().output) };
    case 'sh(wsh(sortedmulti))': {
      const redeem = payments.p2wsh({ redeem: multisig() });
      return {
        script: hex(payments.p2sh({ redeem }).output),
        redeem: hex(redeem.output),
        witness: hex(multisig().output),
      };
    }
  }
}

const branches = fc.constantFrom<Branch>(0, 1);
const indexes = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constant(2 ** 31 - 1));

describe.each(KINDS)('scripts of %s', (kind) => {
  const vault = vaultOf(kind);
  const deriver = createDeriver(vault);
  test('are those of the private keys by bip32 and bitcoinjs-lib', () => {
    fc.assert(
      fc.property(branches, indexes, (branch, index) => {
        const derived = deriver.at(branch, index);
        expect({
          script: toHex(derived.script),
          ...(derived.witnessScript === undefined ? {} : { witness: toHex(derived.witnessScript) }),
          ...(derived.redeemScript === undefined ? {} : { redeem: toHex(derived.redeemScript) }),
        }).toEqual(reference(kind, branch, index));
        expect(derived.origin).toEqual({ branch, index });
      }),
      { numRuns: 25 },
    );
  });
  test('name every key with its whole path, in the order of the descriptor', () => {
    const { keys } = deriver.at(1, 7);
    expect(keys.map((key) => key.fingerprint)).toEqual(vault.keys.map((key) => key.fingerprint));
    const path = `${ACCOUNT_PATHS[kind].replaceAll('h', "'")}/1/7`;
    for (const key of keys) expect(formatPath(key.path)).toBe(path);
    for (const key of keys) expect(key.publicKey).toHaveLength(33);
  });
  test('are found up to and including the last index, and not beyond it', () => {
    const fresh = createDeriver(vault);
    for (const branch of [0, 1] as const) {
      const { script } = deriver.at(branch, 9);
      expect(fresh.find(script, 8)).toBeNull();
      expect(fresh.find(script, 9)?.origin).toEqual({ branch, index: 9 });
      expect(fresh.find(script, 8)).toBeNull();
      expect(fresh.find(script, -1)).toBeNull();
    }
  });
  test('are found only within the search, even if they were derived before', () => {
    const fresh = createDeriver(vault);
    const { script } = fresh.at(1, 500);
    expect(fresh.find(script, 20)).toBeNull();
  });
  test('of another vault are not found', () => {
    const other = createDeriver(vaultOf(kind, [4, 5, 6])).at(0, 0).script;
    expect(deriver.find(other, 30)).toBeNull();
  });
});

test('the same place gives the same object: it is derived once', () => {
  const deriver = createDeriver(vaultOf('wpkh'));
  expect(deriver.at(0, 3)).toBe(deriver.at(0, 3));
  expect(deriver.find(deriver.at(0, 3).script, 5)).toBe(deriver.at(0, 3));
});

describe('a search', () => {
  const vault = vaultOf('wpkh');
  const foreign = createDeriver(vaultOf('wpkh', [9])).at(0, 0).script;

  test('looks at 2,000 indexes of each branch, the highest ones, and finds the lowest of them', () => {
    const to = 2 * MOST_SEARCHED;
    const lowest = to - MOST_SEARCHED + 1;
    const { at } = createDeriver(vault);
    for (const branch of [0, 1] as const) {
      expect(createDeriver(vault).find(at(branch, lowest).script, to)?.origin).toEqual({ branch, index: lowest });
      expect(createDeriver(vault).find(at(branch, lowest - 1).script, to)).toBeNull();
    }
  });

  test('finds the same whatever was derived before', () => {
    const fresh = createDeriver(vault);
    const { script } = fresh.at(1, 5);
    fresh.find(foreign, 100);
    expect(fresh.find(script, MOST_SEARCHED + 5)).toBeNull();
    expect(fresh.find(script, MOST_SEARCHED + 4)?.origin).toEqual({ branch: 1, index: 5 });
    expect(fresh.find(script, 5)?.origin).toEqual({ branch: 1, index: 5 });
    const windows = [3, 40, 20_000, 19_990, 17_999, 18_001, 10];
    for (const index of windows) fresh.find(foreign, index);
    for (const index of windows) {
      expect(fresh.find(fresh.at(1, index).script, index)?.origin).toEqual({ branch: 1, index });
      expect(fresh.find(createDeriver(vault).at(0, index).script, index)?.origin).toEqual({ branch: 0, index });
    }
  });

  test.each([2 ** 31 - 1, Number.POSITIVE_INFINITY])('up to %d ends, and costs no more than its window', (upTo) => {
    const started = process.cpuUsage();
    expect(createDeriver(vault).find(foreign, upTo)).toBeNull();
    expect(process.cpuUsage(started).user).toBeLessThan(20_000_000);
    const last = createDeriver(vault).at(1, 2 ** 31 - 1);
    expect(createDeriver(vault).find(last.script, upTo)?.origin).toEqual({ branch: 1, index: 2 ** 31 - 1 });
  });

  test('up to what is no index finds nothing', () => {
    const { script } = createDeriver(vault).at(0, 0);
    for (const upTo of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(createDeriver(vault).find(script, upTo)).toBeNull();
    }
    expect(createDeriver(vault).find(script, 0.5)?.origin).toEqual({ branch: 0, index: 0 });
  });
});

test('an output of another form is refused without deriving the window', () => {
  const deriver = createDeriver(vaultOf('tr'));
  const started = process.cpuUsage();
  expect(deriver.find(createDeriver(vaultOf('wpkh')).at(0, 0).script, 2 ** 31 - 1)).toBeNull();
  expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
});

test.each([-1, 0.5, 2 ** 31, Number.NaN])('index %d is a bug of the caller', (index) => {
  expect(() => createDeriver(vaultOf('wpkh')).at(0, index)).toThrow(/no address index/);
});
