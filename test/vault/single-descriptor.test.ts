import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/domain/bytes.js';
import { createDeriver } from '../../src/vault/derive.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { branchDescriptor, scriptOfDescriptor } from '../../src/vault/single-descriptor.js';
import type { DerivedKey, Vault } from '../../src/vault/types.js';
import { readSidecar, type VaultText, vaultOf } from '../device/recordings.js';
import { runs } from '../runs.js';

/** One vault of each kind, of the public test seeds. */
const VAULTS: readonly Vault[] = [
  'address-pkh',
  'address-sh-wpkh',
  'address-wpkh',
  'address-tr',
  'multisig-address-wsh-a',
  'multisig-address-sh-wsh-a',
].map((name) => vaultOf(readSidecar<VaultText>(name)));
const kinds = VAULTS.map((vault) => [vault.kind, vault] as const);
const [, , WPKH] = VAULTS;
if (WPKH === undefined) throw new Error('no wpkh vault');

/** The function around the keys, by the vault's own text. */
const around = ({ descriptor }: Vault, keys: readonly string[]): string => {
  const [body = ''] = descriptor.split('#');
  const before = /^[a-z(]*\(/.exec(body)?.[0] ?? '';
  const threshold = /sortedmulti\((\d+,)/.exec(body)?.[1] ?? '';
  return `${before}${threshold}${keys.join(',')}${')'.repeat(before.split('(').length - 1)}`;
};
const withChecksum = (body: string): string => `${body}#${descriptorChecksum(body)}`;

function concrete(vault: Vault, { fingerprint, path, publicKey }: DerivedKey): string {
  const steps = path.map((step) => (step >= 0x80000000 ? `${step - 0x80000000}h` : `${step}`)).join('/');
  return `[${fingerprint}/${steps}]${toHex(publicKey).slice(vault.kind === 'tr' ? 2 : 0)}`;
}

const place = fc.tuple(fc.constantFrom(0 as const, 1 as const), fc.nat(2 ** 31 - 1));

describe.each(kinds)('%s', (_, vault) => {
  const deriver = createDeriver(vault);

  it('has one descriptor a branch, and each is half of its own', () => {
    const [body = ''] = vault.descriptor.split('#');
    for (const branch of [0, 1] as const) {
      expect(branchDescriptor(vault, branch)).toBe(withChecksum(body.replaceAll('<0;1>', `${branch}`)));
    }
  });

  it('is known by public keys and by account keys, at every place', () => {
    fc.assert(
      fc.property(place, fc.boolean(), fc.boolean(), ([branch, index], ranged, apostrophe) => {
        const due = deriver.at(branch, index);
        const body = ranged
          ? (vault.descriptor.split('#')[0] ?? '').replaceAll('<0;1>/*', `${branch}/${index}`)
          : around(
              vault,
              due.keys.map((key) => concrete(vault, key)),
            );
        const text = apostrophe ? body.replaceAll(/h(?=[/\]])/g, "'") : body;
        expect(scriptOfDescriptor(deriver, withChecksum(text))).toEqual({ ok: true, value: due });
        expect(scriptOfDescriptor(deriver, text)).toEqual({ ok: true, value: due });
      }),
      { numRuns: runs(20) },
    );
  });

  it('is not taken for its own with any other character', () => {
    const body = around(
      vault,
      deriver.at(0, 7).keys.map((key) => concrete(vault, key)),
    );
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.constantFrom(...'0123456789abcdefhx[]()/,'), (at, character) => {
        const changed = `${body.slice(0, at)}${character}${body.slice(at + 1)}`;
        fc.pre(changed !== body);
        expect(scriptOfDescriptor(deriver, withChecksum(changed))).toMatchObject({
          error: { tag: 'E_SIGNER_DESCRIPTOR' },
        });
      }),
      { numRuns: runs(150) },
    );
  });

  it('is not the vault of another kind', () => {
    for (const other of VAULTS.filter((one) => one !== vault)) {
      const keys = createDeriver(other)
        .at(0, 3)
        .keys.map((key) => concrete(other, key));
      const found = scriptOfDescriptor(deriver, around(other, keys));
      expect(found, other.kind).toMatchObject({ error: { tag: 'E_SIGNER_DESCRIPTOR' } });
    }
  });
});

describe('several keys', () => {
  const vault = VAULTS[4];
  if (vault === undefined) throw new Error('no multisig vault');
  const deriver = createDeriver(vault);
  const derived = deriver.at(1, 2);
  const keys = derived.keys.map((key) => ({ hex: toHex(key.publicKey), text: concrete(vault, key) }));
  const inOrder = [...keys].sort((a, b) => (a.hex < b.hex ? -1 : 1)).map(({ text }) => text);

  it('stand in their order where the word sorted is not there, as Core infers them from the script', () => {
    const multi = (list: readonly string[]): string => around(vault, list).replace('sortedmulti', 'multi');
    expect(scriptOfDescriptor(deriver, multi(inOrder))).toEqual({ ok: true, value: derived });
    for (const wrong of [[...inOrder].reverse(), [inOrder[1], inOrder[0], inOrder[2]]]) {
      expect(scriptOfDescriptor(deriver, multi(wrong.map(String)))).toMatchObject({ ok: false });
    }
  });

  it('may stand in any order where it is there', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(inOrder, { minLength: 3 }), (list) => {
        expect(scriptOfDescriptor(deriver, around(vault, list))).toEqual({ ok: true, value: derived });
      }),
      { numRuns: runs(10) },
    );
  });

  it.each([
    ['one is missing', inOrder.slice(1)],
    ['one stands twice', [inOrder[0], inOrder[0], inOrder[1]]],
    ['there is one more', [...inOrder, inOrder[0]]],
    ['one is of another place', [...inOrder.slice(0, 2), concrete(vault, deriver.at(1, 3).keys[0] as DerivedKey)]],
  ])('are not the vault where %s', (_, list) => {
    expect(scriptOfDescriptor(deriver, around(vault, list.map(String)))).toMatchObject({
      error: { tag: 'E_SIGNER_DESCRIPTOR' },
    });
  });

  it('with another threshold are another wallet', () => {
    const other = around(vault, inOrder).replace('(2,', '(1,');
    expect(scriptOfDescriptor(deriver, other)).toMatchObject({
      error: { message: expect.stringContaining('it is no wsh') },
    });
  });
});

describe('a descriptor of a node', () => {
  const deriver = createDeriver(WPKH);
  const body = around(
    WPKH,
    deriver.at(0, 0).keys.map((key) => concrete(WPKH, key)),
  );

  it.each([
    ['a wrong checksum', `${body}#aaaaaaaa`, 'E_DESCRIPTOR_CHECKSUM'],
    ['an empty checksum', `${body}#`, 'E_DESCRIPTOR_CHECKSUM'],
    ['two checksums', `${withChecksum(body)}#${descriptorChecksum(body)}`, 'E_DESCRIPTOR_CHECKSUM'],
    ['nothing in it', '', 'E_SIGNER_DESCRIPTOR'],
    ['an address', 'addr(tb1qxvvwqnawdsf2ljcqn35u64l9kfgy4e45v3uamu)', 'E_SIGNER_DESCRIPTOR'],
    ['no origin', body.replace(/\[.*\]/, ''), 'E_SIGNER_DESCRIPTOR'],
    ['a branch that is none', body.replace('/0/0]', '/2/0]'), 'E_SIGNER_DESCRIPTOR'],
    ['a hardened index', body.replace('/0/0]', '/0/0h]'), 'E_SIGNER_DESCRIPTOR'],
    ['an index beyond all', body.replace('/0/0]', '/0/2147483648]'), 'E_SIGNER_DESCRIPTOR'],
    ['a whole branch', branchDescriptor(WPKH, 0), 'E_SIGNER_DESCRIPTOR'],
    ['both branches', WPKH.descriptor, 'E_SIGNER_DESCRIPTOR'],
    ['words behind it', `${body})`, 'E_SIGNER_DESCRIPTOR'],
  ])('with %s is refused', (_, text, tag) => {
    expect(scriptOfDescriptor(deriver, text)).toMatchObject({ ok: false, error: { tag } });
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(scriptOfDescriptor(deriver, text).ok).toBe(false);
      }),
      { numRuns: runs(200) },
    );
  });
});
