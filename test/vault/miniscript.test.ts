import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256, toHex } from '../../src/domain/bytes.js';
import { createDeriver } from '../../src/vault/derive.js';
import { parseVault } from '../../src/vault/descriptor.js';
import { signingKeys } from '../../src/vault/signing-keys.js';
import { walletPolicy } from '../../src/vault/wallet-policy.js';
import { master, withChecksum } from './fixtures.js';
import { descriptorOf, keyOf, MINISCRIPTS, miniscriptDeriver, miniscriptVault } from './miniscripts.js';

const fingerprintOf = (seed: number): string => toHex(master(seed).fingerprint);

const refusal = (descriptor: string): string => {
  const vault = parseVault('recovery', 'testnet3', descriptor);
  return vault.ok ? 'taken' : `${vault.error.tag} ${vault.error.message}`;
};

describe('a vault of miniscript', () => {
  it.each(MINISCRIPTS)('%s is signed by %j, %i of them', (miniscript, seeds, threshold) => {
    const vault = miniscriptVault(miniscript);
    expect(vault).toMatchObject({ kind: 'wsh(miniscript)', threshold });
    expect(signingKeys(vault).map(({ fingerprint }) => fingerprint)).toEqual(seeds.map(fingerprintOf));
  });

  it.each(MINISCRIPTS)('%s: descriptor and wallet policy are one another (BIP388)', (miniscript) => {
    const vault = miniscriptVault(miniscript);
    expect(vault.descriptor).toBe(descriptorOf(miniscript));
    const { template, keys } = walletPolicy(vault);
    const named = keys.map((key) => key.replaceAll("'", 'h'));
    const back = template.replace(/@(\d+)\/\*\*/g, (_, index) => `${named[Number(index)]}/<0;1>/*`);
    expect(withChecksum(back)).toBe(vault.descriptor);
    // BIP388: placeholders stand in their order, each key has one.
    expect([...template.matchAll(/@(\d+)/g)].map(([, index]) => Number(index))).toEqual([...keys.keys()]);
    const again = parseVault('recovery', 'testnet3', vault.descriptor);
    expect(again.ok && again.value).toEqual(vault);
  });

  it('derives the program of its own witness script, which has every key in its place', () => {
    const { vault, at } = miniscriptDeriver('or_d(multi(2,@1,@2),and_v(v:pkh(@3),older(52560)))');
    const { script, witnessScript, keys } = at(1, 7);
    const hex = toHex(witnessScript ?? new Uint8Array(0));
    const [first = '', second = ''] = keys.map(({ publicKey }) => toHex(publicKey));
    expect(toHex(script)).toBe(`0020${toHex(sha256(witnessScript ?? new Uint8Array(0)))}`);
    // 2 <first> <second> 2 CHECKMULTISIG IFDUP NOTIF DUP HASH160 <hash> EQUALVERIFY CHECKSIGVERIFY 52560 CSV ENDIF
    expect(hex).toMatch(new RegExp(`^5221${first}21${second}52ae736476a914[0-9a-f]{40}88ad0350cd00b268$`));
    expect(vault.keys).toHaveLength(3);
  });

  it.each(['descriptor', 'keys'] as const)('the vectors of BIP388 with miniscript: %s', (what) => {
    const { policies: vectors } = JSON.parse(readFileSync(new URL('../vectors/bip388.json', import.meta.url), 'utf8'));
    const wanted = vectors.filter(({ template }: { template: string }) => /^wsh\((?!sortedmulti|multi)/.test(template));
    expect(wanted).toHaveLength(2);
    for (const vector of wanted) {
      const vault = parseVault('vector', 'main', withChecksum(vector.descriptor));
      if (!vault.ok) throw new Error(vault.error.message);
      const policy = walletPolicy(vault.value);
      if (what === 'keys') expect(policy.keys).toEqual(vector.keys);
      else expect(policy.template).toBe(vector.template);
      expect(createDeriver(vault.value).at(0, 0).script).toHaveLength(34);
    }
  });
});

const LOCK = 'E_DESCRIPTOR_UNSUPPORTED older';
const KIND = 'E_DESCRIPTOR_UNSUPPORTED without a time lock the miniscript is signed by any of';
const INSANE = 'E_DESCRIPTOR_UNSUPPORTED the miniscript is not sane: ';

describe('no vault of miniscript', () => {
  it.each([
    ['or_d(pk(@1),older(5))', `${INSANE}signature required in every branch`],
    ['or_b(pk(@1),a:older(5))', INSANE],
    ['and_v(v:pk(@1),older(5))', 'E_DESCRIPTOR_UNSUPPORTED every branch of the miniscript waits for a time lock'],
    ['or_i(pk(@1),and_v(v:pk(@2),pk(@3)))', `${KIND} {0} or {1 2} of its keys`],
    ['thresh(2,pk(@1),s:pk(@2),a:and_v(v:pk(@3),pk(@4)))', `${INSANE}`],
    ['andor(pk(@1),multi(2,@2,@3,@4),pkh(@5))', KIND],
    ['and_v(v:pk(@1),pk(@1))', 'E_DESCRIPTOR_KEY'],
    [`and_v(v:pk(@1),sha256(${'00'.repeat(32)}))`, 'E_DESCRIPTOR_UNSUPPORTED sha256() at character'],
    [`and_v(v:pk(@1),hash160(${'00'.repeat(20)}))`, 'E_DESCRIPTOR_UNSUPPORTED hash160() at character'],
    ['or_d(sortedmulti(2,@1,@2),and_v(v:pkh(@3),older(5)))', 'sortedmulti() is no miniscript'],
    ['or_d(multi_a(2,@1,@2),and_v(v:pkh(@3),older(5)))', 'multi_a() may stand in a script tree of tr() alone'],
    ['or_d(pk(@1),and_v(v:unknown(@2),older(5)))', 'unknown() is no fragment of miniscript'],
    ['or_d(pk(@1),and_v(x:pkh(@2),older(5)))', 'x: is not made of the wrappers of miniscript'],
    ['or_d(pk(@1),and_v(v:pkh(@2),older(05)))', 'older() takes a number from 1 on here'],
    ['or_d(pk(@1),and_v(v:pkh(@2),older(5),older(5)))', 'and_v() takes 2 fragments, and has 3'],
    ['or_d(pk(@1),@2)', 'stands where a miniscript fragment is expected'],
    ['or_d(pk(@1),and_v(v:pkh(pk(@2)),older(5)))', 'pkh() takes a key here, not a script'],
    ['or_d(multi(3,@1,@2),and_v(v:pkh(@3),older(5)))', 'E_DESCRIPTOR_UNSUPPORTED'],
    ['or_d(pk(@1),pkh(@2)', 'E_DESCRIPTOR_SYNTAX'],
    ['or_d(v:pk(@1),and_v(v:pkh(@2),older(5)))', INSANE],
  ])('%s: %s', (miniscript, due) => {
    expect(refusal(descriptorOf(miniscript))).toContain(due);
  });

  it.each([
    [1, true],
    [65_535, true],
    [65_536, false],
    [4_194_304, false],
    [4_194_305, true],
    [4_259_839, true],
    [4_259_840, false],
    [2_147_483_647, false],
    [2_147_483_648, false],
  ])('older(%i) is a lock that means what it says: %s', (number, taken) => {
    const answer = refusal(descriptorOf(`or_d(pk(@1),and_v(v:pkh(@2),older(${number})))`));
    if (taken) expect(answer).toBe('taken');
    else expect(answer).toContain(LOCK);
  });

  it('the branch of a person may not hang on the same device as the one that waits', () => {
    const other = keyOf(1).replace('48h/1h/0h/2h', '48h/1h/1h/2h');
    const account = master(1).derivePath("48'/1'/1'/2'").neutered().toBase58();
    const key = other.replace(/\]tpub\w+/, `]${account}`);
    expect(refusal(withChecksum(`wsh(or_d(pk(${keyOf(1)}),and_v(v:pkh(${key}),older(5))))`))).toContain(
      'holds a key of the branch without a time lock and one of another branch',
    );
  });

  it.each(['sh(wsh(SCRIPT))', 'tr(KEY,SCRIPT)'])('in %s it is refused by its name', (form) => {
    const script = `and_v(v:pk(${keyOf(2)}),older(5))`;
    const body = form.replace('SCRIPT', script).replace('KEY', keyOf(1));
    expect(refusal(withChecksum(body))).toMatch(
      /^E_DESCRIPTOR_UNSUPPORTED .* is a valid descriptor, but not one of a vault/,
    );
  });

  it('without its checksum, or with a wrong one', () => {
    const [body = '', checksum = ''] = descriptorOf('or_d(pk(@1),and_v(v:pkh(@2),older(65535)))').split('#');
    expect(refusal(body)).toContain('E_DESCRIPTOR_CHECKSUM the descriptor has no checksum');
    expect(refusal(`${body.replace('65535', '65534')}#${checksum}`)).toContain('E_DESCRIPTOR_CHECKSUM');
  });
});
