import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseVault } from '../../src/vault/descriptor.js';
import { namedPolicy, policyId, serialisePolicy, walletPolicy } from '../../src/vault/wallet-policy.js';
import { KINDS, vaultOf, withChecksum } from './fixtures.js';

interface Policy {
  readonly name: string;
  readonly template: string;
  readonly keys: readonly string[];
  readonly descriptor: string;
}
const { policies }: { policies: readonly Policy[] } = JSON.parse(readFileSync('test/vectors/bip388.json', 'utf8'));
const OURS =
  /^(?:(?:pkh|wpkh|sh\(wpkh|tr|wsh\(sortedmulti)\((?:2,)?@0\/\*\*(?:,@1\/\*\*)?\)+|wsh\((?:thresh|or_d)\(.*)$/;

describe('BIP388 vectors', () => {
  const [ours, others] = [true, false].map((own) => policies.filter(({ template }) => OURS.test(template) === own));
  test('of vault kinds there are seven, and two of others', () => {
    expect([ours?.length, others?.length]).toEqual([7, 2]);
  });
  test.each(ours ?? [])('$name', ({ template, keys, descriptor }) => {
    const vault = parseVault('cold', 'main', withChecksum(descriptor));
    if (!vault.ok) throw new Error(vault.error.message);
    expect(walletPolicy(vault.value)).toEqual({ template, keys });
  });
  test.each(others ?? [])('$name is no vault', ({ descriptor }) => {
    expect(parseVault('cold', 'main', withChecksum(descriptor))).toMatchObject({
      ok: false,
      error: { tag: 'E_DESCRIPTOR_UNSUPPORTED' },
    });
  });
});

describe('the id of a named policy', () => {
  // From Ledger's app in the emulator: test/recordings/nanos-2.2.7/multisig-register-wsh-a.json.
  const recorded = JSON.parse(readFileSync('test/recordings/nanos-2.2.7/multisig-register-wsh-a.json', 'utf8'));
  test('is the one that a device answers', () => {
    const vault = parseVault(recorded.vault, 'testnet3', recorded.descriptor);
    if (!vault.ok) throw new Error(vault.error.message);
    const policy = namedPolicy(vault.value);
    expect(serialisePolicy(policy)).toHaveLength(1 + 1 + 10 + 1 + 32 + 1 + 32);
    expect(policyId(policy)).toBe(recorded.registration.policy);
  });
  test('changes with the name, the threshold, the kind, the keys and their order', () => {
    const variants = [
      vaultOf('wsh(sortedmulti)'),
      { ...vaultOf('wsh(sortedmulti)'), id: 'cold-2' },
      vaultOf('wsh(sortedmulti)', [1, 2, 3], 3),
      vaultOf('sh(wsh(sortedmulti))'),
      vaultOf('wsh(sortedmulti)', [1, 2, 4]),
      vaultOf('wsh(sortedmulti)', [2, 1, 3]),
      vaultOf('wsh(sortedmulti)', [1, 2, 3, 4]),
    ];
    expect(new Set(variants.map((vault) => policyId(namedPolicy(vault)))).size).toBe(variants.length);
  });
  test('of fifteen keys needs a longer length for its template', () => {
    const seeds = Array.from({ length: 15 }, (_, index) => index + 1);
    const policy = namedPolicy(vaultOf('sh(wsh(sortedmulti))', seeds));
    expect(policy.template.length).toBeLessThanOrEqual(192);
    expect(serialisePolicy({ ...policy, template: 'x'.repeat(253) })).toHaveLength(1 + 1 + 4 + 3 + 32 + 1 + 32);
  });
});

describe('walletPolicy', () => {
  test.each([
    ['pkh', 'pkh(@0/**)'],
    ['sh(wpkh)', 'sh(wpkh(@0/**))'],
    ['wpkh', 'wpkh(@0/**)'],
    ['tr', 'tr(@0/**)'],
    ['wsh(sortedmulti)', 'wsh(sortedmulti(2,@0/**,@1/**,@2/**))'],
    ['sh(wsh(sortedmulti))', 'sh(wsh(sortedmulti(2,@0/**,@1/**,@2/**)))'],
  ] as const)('of %s has the template %s', (kind, template) => {
    expect(walletPolicy(vaultOf(kind)).template).toBe(template);
  });
  test.each(KINDS)('of %s, filled in, is the descriptor', (kind) => {
    const vault = vaultOf(kind);
    const { template, keys } = walletPolicy(vault);
    const filled = keys.reduce((text, key, index) => text.replace(`@${index}/**`, `${key}/<0;1>/*`), template);
    expect(parseVault('cold', 'testnet3', withChecksum(filled))).toEqual({ ok: true, value: vault });
  });
  test('of a master key has an origin without a path', () => {
    const text = withChecksum(
      'wpkh([3442193e]xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8/<0;1>/*)',
    );
    const vault = parseVault('cold', 'main', text);
    expect(vault.ok && walletPolicy(vault.value).keys[0]?.startsWith('[3442193e]xpub')).toBe(true);
  });
});
