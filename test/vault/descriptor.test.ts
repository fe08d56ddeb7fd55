import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FaultTag } from '../../src/domain/fault.js';
import type { Network } from '../../src/domain/network.js';
import { defaultAccount, descriptorChecksum, parseVault } from '../../src/vault/descriptor.js';
import { ACCOUNT_PATHS, descriptorOf, KINDS, keyText, master, vaultOf, withChecksum } from './fixtures.js';

interface Vector {
  readonly reason?: string;
  readonly descriptor: string;
  readonly fault: FaultTag;
}
interface Vectors {
  readonly checksum: readonly { readonly reason: string; readonly descriptor: string }[];
  readonly keyExpressions: Record<'valid' | 'invalid', readonly { reason: string; key: string; fault: FaultTag }[]>;
  readonly valid: readonly Vector[];
  readonly invalid: readonly Vector[];
}
const vectors: Vectors = JSON.parse(readFileSync('test/vectors/descriptors.json', 'utf8'));

function faultOf(descriptor: string, network: Network = 'testnet3', id = 'cold'): FaultTag | 'accepted' {
  const vault = parseVault(id, network, descriptor);
  return vault.ok ? 'accepted' : vault.error.tag;
}

function remedyOf(descriptor: string): string | undefined {
  const vault = parseVault('cold', 'testnet3', descriptor);
  return vault.ok ? undefined : vault.error.remedy;
}

const WPKH = keyText(1, ACCOUNT_PATHS.wpkh);
/** WPKH with another mark of hardened steps. */
const withMarker = (marker: string): string =>
  WPKH.replace('84h/1h/0h', ['84', '1', '0'].map((step) => step + marker).join('/'));
const wpkh = (key: string): string => withChecksum(`wpkh(${key})`);

describe('checksum (BIP380)', () => {
  const expected: Readonly<Record<string, FaultTag>> = {
    // A right checksum, so what is said is that a vault cannot be raw().
    'Valid checksum': 'E_DESCRIPTOR_UNSUPPORTED',
    'No checksum': 'E_DESCRIPTOR_UNSUPPORTED',
    'Missing checksum': 'E_DESCRIPTOR_UNSUPPORTED',
    'Too long checksum (9 chars)': 'E_DESCRIPTOR_CHECKSUM',
    'Too short checksum (7 chars)': 'E_DESCRIPTOR_CHECKSUM',
    'Error in payload': 'E_DESCRIPTOR_CHECKSUM',
    'Error in checksum': 'E_DESCRIPTOR_CHECKSUM',
    'Invalid characters in payload': 'E_DESCRIPTOR_SYNTAX',
  };
  test('every vector is in the table', () => {
    expect(vectors.checksum.map(({ reason }) => reason)).toEqual(Object.keys(expected));
  });
  test.each(vectors.checksum)('$reason: $descriptor', ({ reason, descriptor }) => {
    expect(faultOf(descriptor)).toBe(expected[reason]);
  });
  test('of raw(deadbeef) is 89f8spxm', () => {
    expect(descriptorChecksum('raw(deadbeef)')).toBe('89f8spxm');
  });
  test('of a text with a foreign character is a bug of the caller', () => {
    expect(() => descriptorChecksum('raw(Ü)')).toThrow(/no descriptor holds/);
  });
  test('changes with every single changed character', () => {
    const body = descriptorOf('wpkh').slice(0, -9);
    const checksum = descriptorChecksum(body);
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.constantFrom(...'0123456789()[]<>;/*hxyzABC'), (position, character) => {
        const changed = body.slice(0, position) + character + body.slice(position + 1);
        expect(descriptorChecksum(changed) === checksum).toBe(changed === body);
      }),
    );
  });
  test('missing: the remedy names it, for "" and for a bare #', () => {
    const whole = descriptorOf('wpkh');
    const [body = '', checksum = ''] = whole.split('#');
    for (const text of [body, `${body}#`]) {
      expect(faultOf(text)).toBe('E_DESCRIPTOR_CHECKSUM');
      expect(remedyOf(text)).toContain(`#${checksum}`);
    }
  });
  test('missing in a descriptor that is wrong otherwise: nobody is invited to append one', () => {
    expect(faultOf(`wpkh(${WPKH}/0/*)`)).toBe('E_DESCRIPTOR_UNSUPPORTED');
    expect(remedyOf(`wpkh(${WPKH}/0/*)`)).not.toContain('#');
  });
  test('wrong: the right one is not given away', () => {
    const [body = '', checksum = ''] = descriptorOf('wpkh').split('#');
    const vault = parseVault('cold', 'testnet3', `${body}#${checksum.startsWith('q') ? 'p' : 'q'}${checksum.slice(1)}`);
    expect(JSON.stringify(vault)).toContain('E_DESCRIPTOR_CHECKSUM');
    expect(JSON.stringify(vault)).not.toContain(checksum);
  });
});

describe('BIP380 key expressions', () => {
  test.each([...vectors.keyExpressions.valid, ...vectors.keyExpressions.invalid])('$reason: $key', ({ key, fault }) => {
    expect(faultOf(withChecksum(`pkh(${key})`), 'main')).toBe(fault);
  });
});

describe('BIP381 to BIP386 and BIP389', () => {
  test.each(vectors.valid)('valid, and no vault: $descriptor', ({ descriptor, fault }) => {
    expect(faultOf(withChecksum(descriptor), 'main')).toBe(fault);
  });
  test.each(vectors.invalid)('invalid, $reason: $descriptor', ({ descriptor, fault }) => {
    expect(faultOf(withChecksum(descriptor), 'main')).toBe(fault);
  });
});

describe('a vault', () => {
  test.each(KINDS)('of kind %s is read, and its text is a fixed point', (kind) => {
    const vault = vaultOf(kind);
    expect(vault.kind).toBe(kind);
    expect(vault.threshold).toBe(kind.includes('multi') ? 2 : 1);
    expect(vault.keys).toHaveLength(kind.includes('multi') ? 3 : 1);
    expect(vault.descriptor).toBe(descriptorOf(kind));
    expect(parseVault('cold', 'testnet3', vault.descriptor)).toEqual({ ok: true, value: vault });
  });
  test.each([
    ['testnet3', 'accepted'],
    ['testnet4', 'accepted'],
    ['signet', 'accepted'],
    ['regtest', 'accepted'],
    ['main', 'E_DESCRIPTOR_KEY'],
  ] as const)('with a tpub on %s: %s', (network, outcome) => {
    expect(faultOf(descriptorOf('wpkh'), network)).toBe(outcome);
  });
  test('with an xpub belongs to main alone', () => {
    const text = wpkh(`${keyText(1, '84h/0h/0h', 'main')}/<0;1>/*`);
    expect(faultOf(text, 'main')).toBe('accepted');
    expect(faultOf(text, 'testnet4')).toBe('E_DESCRIPTOR_KEY');
  });
  test("is the same whether hardened steps are written h or ', and fingerprints in capitals or not", () => {
    const apostrophes = wpkh(`${withMarker("'")}/<0;1>/*`);
    const capitals = wpkh(`${WPKH.slice(0, 9).toUpperCase()}${WPKH.slice(9)}/<0;1>/*`);
    for (const text of [apostrophes, capitals]) {
      expect(parseVault('cold', 'testnet3', text)).toEqual({ ok: true, value: vaultOf('wpkh') });
    }
  });
  test('keeps the order of its keys', () => {
    const fingerprints = (seeds: number[]) => vaultOf('wsh(sortedmulti)', seeds).keys.map((key) => key.fingerprint);
    expect(fingerprints([3, 1, 2])).toEqual(
      [3, 1, 2].map((seed) => Buffer.from(master(seed).fingerprint).toString('hex')),
    );
  });
  test.each(['a', '7', 'cold-btc-1', 'a'.repeat(32)])('may be named %s', (id) => {
    expect(faultOf(descriptorOf('wpkh'), 'testnet3', id)).toBe('accepted');
  });
  test.each(['', '-a', 'Cold', 'a b', 'a/b', 'kälte', 'a\n', 'a'.repeat(33)])('may not be named %j', (id) => {
    expect(faultOf(descriptorOf('wpkh'), 'testnet3', id)).toBe('E_VAULT_ID');
  });
});

describe('valid descriptors that no vault can be', () => {
  test.each([
    ['one branch', `wpkh(${WPKH}/0/*)`],
    ['no branch', `wpkh(${WPKH}/*)`],
    ['a fixed index', `wpkh(${WPKH}/<0;1>/5)`],
    ['no index', `wpkh(${WPKH}/<0;1>)`],
    ['nothing after the key', `wpkh(${WPKH})`],
    ['hardened children', `wpkh(${WPKH}/<0;1>/*h)`],
    ["hardened children (')", `wpkh(${WPKH}/<0;1>/*')`],
    ['a hardened step after the key', `wpkh(${WPKH}/0h/*)`],
    ['hardened branches', `wpkh(${WPKH}/<0h;1h>/*)`],
    ['other branches', `wpkh(${WPKH}/<2;3>/*)`],
    ['branches the other way round', `wpkh(${WPKH}/<1;0>/*)`],
    ['three branches', `wpkh(${WPKH}/<0;1;2>/*)`],
    ['a step before the branches', `wpkh(${WPKH}/0/<0;1>/*)`],
    ['a step after the branches', `wpkh(${WPKH}/<0;1>/0/*)`],
    ['pk', `pk(${WPKH}/<0;1>/*)`],
    ['combo', `combo(${WPKH}/<0;1>/*)`],
    ['sh(pkh)', `sh(pkh(${WPKH}/<0;1>/*))`],
    ['wsh(pk)', `wsh(pk(${WPKH}/<0;1>/*))`],
    ['multi', `wsh(multi(1,${WPKH}/<0;1>/*))`],
    ['sh(sortedmulti), not segwit', `sh(sortedmulti(1,${WPKH}/<0;1>/*))`],
    ['bare sortedmulti', `sortedmulti(1,${WPKH}/<0;1>/*)`],
    ['tr with a script tree', `tr(${WPKH}/<0;1>/*,pk(${keyText(2, '86h/1h/0h')}/<0;1>/*))`],
    ['tr with miniscript leaves', `tr(${WPKH}/<0;1>/*,{and_v(v:pk(A),older(9)),multi_a(1,${WPKH}/<2;3>/*)})`],
    ['musig', `tr(musig(${WPKH},${keyText(2, '86h/1h/0h')})/<0;1>/*)`],
    ['rawtr', `rawtr(${WPKH}/<0;1>/*)`],
    ['miniscript', `wsh(and_v(v:pk(${WPKH}/<0;1>/*),older(144)))`],
    ['an address', 'addr(2MtMbX7gt7JjaGoWBhbNcPatrD1ACdug1vf)'],
    ['a public key', 'wpkh(0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600)'],
    ['an x-only key', 'tr(a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)'],
  ])('%s', (_, body) => {
    expect(faultOf(withChecksum(body))).toBe('E_DESCRIPTOR_UNSUPPORTED');
  });
});

describe('malformed descriptors', () => {
  test.each([
    ['nothing', ''],
    ['a bare key', WPKH],
    ['a misspelt function', `wpkhh(${WPKH}/<0;1>/*)`],
    ['a capital', `WPKH(${WPKH}/<0;1>/*)`],
    ['no closing parenthesis', `wpkh(${WPKH}/<0;1>/*`],
    ['one too many', `wpkh(${WPKH}/<0;1>/*))`],
    ['no argument', 'wpkh()'],
    ['two keys', `wpkh(${WPKH}/<0;1>/*,${keyText(2, '84h/1h/0h')}/<0;1>/*)`],
    ['an empty second argument', `wpkh(${WPKH}/<0;1>/*,)`],
    ['a space', `wpkh( ${WPKH}/<0;1>/*)`],
    ['text after a function', `sh(wpkh(${WPKH}/<0;1>/*)x)`],
    ['a tree at the top', `{${WPKH},${WPKH}}`],
    ['a tree of one', `tr(${WPKH}/<0;1>/*,{pk(${WPKH}/<2;3>/*)})`],
    ['a capital H', `wpkh(${withMarker('H')}/<0;1>/*)`],
    ['a leading zero', `wpkh(${WPKH.replace('84h', '084h')}/<0;1>/*)`],
    ['an index of 2^31', `wpkh(${WPKH}/2147483648/*)`],
    ['the same branch twice', `wpkh(${WPKH}/<0;0>/*)`],
    ['two multipath steps', `wpkh(${WPKH}/<0;1>/<0;1>/*)`],
    ['a wildcard in the middle', `wpkh(${WPKH}/*/<0;1>)`],
    ['musig outside taproot', `wpkh(musig(${WPKH},${WPKH})/<0;1>/*)`],
    ['miniscript at the top', `and_v(v:pk(${WPKH}),older(1))`],
    ['no threshold', `wsh(sortedmulti(${WPKH}/<0;1>/*))`],
    ['a threshold with a leading zero', `wsh(sortedmulti(01,${WPKH}/<0;1>/*))`],
    ['a threshold without keys', 'wsh(sortedmulti(1))'],
    ['nesting without end', `tr(${WPKH},${'{'.repeat(10_000)}`],
  ])('%s', (_, body) => {
    expect(faultOf(withChecksum(body))).toBe('E_DESCRIPTOR_SYNTAX');
  });
  test('a trailing line break is named, and what to do about it', () => {
    const vault = parseVault('cold', 'testnet3', `${descriptorOf('wpkh')}\n`);
    expect(vault).toMatchObject({ ok: false, error: { tag: 'E_DESCRIPTOR_SYNTAX', remedy: /line breaks/ } });
  });
  test('no text whatever makes the parser throw, and what it accepts it writes canonically', () => {
    const pieces = [
      'wpkh(',
      'sh(',
      'wsh(',
      'sortedmulti(',
      '2,',
      '1,',
      'tr(',
      '{',
      '}',
      ')',
      ',',
      WPKH,
      '/<0;1>',
      '/*',
      '#',
    ];
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 9 }),
        (parts) => {
          const text = parts.join('');
          const vault = parseVault('cold', 'testnet3', /^[ -"$-~]*$/.test(text) ? withChecksum(text) : text);
          if (vault.ok) expect(parseVault('cold', 'testnet3', vault.value.descriptor)).toEqual(vault);
          else expect(vault.error.tag).toMatch(/^E_DESCRIPTOR_/);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('number of keys', () => {
  const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  test.each([
    ['wsh(sortedmulti)', 1, 1, 'accepted'],
    ['wsh(sortedmulti)', 16, 16, 'accepted'],
    ['sh(wsh(sortedmulti))', 2, 16, 'accepted'],
    ['wsh(sortedmulti)', 2, 17, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['wsh(sortedmulti)', 2, 20, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['wsh(sortedmulti)', 2, 21, 'E_DESCRIPTOR_SYNTAX'],
    ['wsh(sortedmulti)', 0, 3, 'E_DESCRIPTOR_SYNTAX'],
    ['wsh(sortedmulti)', 3, 3, 'accepted'],
    ['wsh(sortedmulti)', 4, 3, 'E_DESCRIPTOR_SYNTAX'],
  ] as const)('%s with %i of %i: %s', (kind, threshold, count, outcome) => {
    expect(faultOf(descriptorOf(kind, seeds(count), threshold))).toBe(outcome);
  });
  test.each([
    [3, 'E_DESCRIPTOR_UNSUPPORTED'],
    [4, 'E_DESCRIPTOR_SYNTAX'],
  ] as const)('bare multisig of %i keys: %s (BIP383)', (count, outcome) => {
    const keys = seeds(count).map((seed) => `${keyText(seed, '48h/1h/0h')}/<0;1>/*`);
    expect(faultOf(withChecksum(`sortedmulti(1,${keys.join(',')})`))).toBe(outcome);
  });
  test.each([
    [15, 'E_DESCRIPTOR_UNSUPPORTED'],
    [16, 'E_DESCRIPTOR_SYNTAX'],
  ] as const)('sh(sortedmulti) of %i keys: %s, for 520 bytes', (count, outcome) => {
    const keys = seeds(count).map((seed) => `${keyText(seed, '48h/1h/0h')}/<0;1>/*`);
    expect(faultOf(withChecksum(`sh(sortedmulti(1,${keys.join(',')}))`))).toBe(outcome);
  });
  test('one key twice counts one person twice, whatever its origin says', () => {
    const key = keyText(1, ACCOUNT_PATHS['wsh(sortedmulti)']);
    const renamed = key.replace(/\[[0-9a-f]{8}/, '[00000001');
    for (const twin of [key, renamed]) {
      expect(faultOf(withChecksum(`wsh(sortedmulti(2,${key}/<0;1>/*,${twin}/<0;1>/*))`))).toBe('E_DESCRIPTOR_KEY');
    }
  });
});

describe('keys', () => {
  const xpub = WPKH.slice(WPKH.indexOf(']') + 1);
  const account = master(1).derivePath("84'/1'/0'");
  test('without origin are refused', () => {
    expect(faultOf(wpkh(`${xpub}/<0;1>/*`))).toBe('E_DESCRIPTOR_KEY');
  });
  test('with one changed character are damaged', () => {
    const changed = `${xpub.slice(0, 50)}${xpub[50] === 'a' ? 'b' : 'a'}${xpub.slice(51)}`;
    expect(faultOf(wpkh(`${WPKH.replace(xpub, changed)}/<0;1>/*`))).toBe('E_DESCRIPTOR_KEY');
  });
  test('in SLIP-132 form are named', () => {
    const zpub = `zpub${xpub.slice(4)}`;
    const vault = parseVault('cold', 'testnet3', wpkh(`${WPKH.replace(xpub, zpub)}/<0;1>/*`));
    expect(vault).toMatchObject({ ok: false, error: { tag: 'E_DESCRIPTOR_KEY', message: /zpub/ } });
  });
  test.each([
    [
      'an extended private key',
      `${WPKH.slice(0, WPKH.indexOf(']') + 1)}${account.toBase58()}/<0;1>/*`,
      account.toBase58(),
    ],
    ['a WIF key', account.toWIF(), account.toWIF()],
  ])('%s is called a danger, never repeated, and noticed before any other fault', (_, key, secret) => {
    for (const text of [wpkh(key), `wpkh(${key})`, `wpkh(${key})#qqqqqqqq`, `wpkh(${key}`, `${key}\n`]) {
      const vault = parseVault('cold', 'testnet3', text);
      expect(vault).toMatchObject({
        ok: false,
        error: { tag: 'E_DESCRIPTOR_KEY', message: /private key.*take every coin/ },
      });
      expect(JSON.stringify(vault)).not.toContain(secret.slice(5, 20));
    }
  });
  test('off the curve or with impossible master fields are refused', async () => {
    const { default: bs58check } = await import('bs58check');
    const change = (edit: (payload: Uint8Array) => void): string => {
      const payload = Uint8Array.from(bs58check.decode(xpub));
      edit(payload);
      return wpkh(`${WPKH.replace(xpub, bs58check.encode(payload))}/<0;1>/*`);
    };
    expect(faultOf(change(() => {}))).toBe('accepted');
    expect(faultOf(change((payload) => payload.fill(0xff, 46)))).toBe('E_DESCRIPTOR_KEY');
    expect(faultOf(change((payload) => payload.fill(4, 45, 46)))).toBe('E_DESCRIPTOR_KEY');
    expect(faultOf(change((payload) => payload.fill(0, 4, 5)))).toBe('E_DESCRIPTOR_KEY');
    expect(faultOf(change((payload) => payload.fill(0, 4, 13)))).toBe('accepted');
  });
});

describe('defaultAccount', () => {
  test.each([
    ['pkh', 44],
    ['sh(wpkh)', 49],
    ['wpkh', 84],
    ['tr', 86],
  ] as const)('%s has purpose %i', (kind, purpose) => {
    expect(defaultAccount(vaultOf(kind))).toEqual({ purpose, coinType: 1, account: 0 });
  });
  test('a multisig has none', () => {
    expect(defaultAccount(vaultOf('wsh(sortedmulti)'))).toBeNull();
  });
  const accountOf = (path: string, network: Network = 'testnet3') => {
    const vault = parseVault('cold', network, wpkh(`${keyText(1, path, network)}/<0;1>/*`));
    if (!vault.ok) throw new Error(vault.error.message);
    return defaultAccount(vault.value);
  };
  test('accounts go up to 100', () => {
    expect(accountOf('84h/1h/100h')).toEqual({ purpose: 84, coinType: 1, account: 100 });
    expect(accountOf('84h/1h/101h')).toBeNull();
    expect(accountOf('84h/0h/7h', 'main')).toEqual({ purpose: 84, coinType: 0, account: 7 });
  });
  test.each(['49h/1h/0h', '84h/0h/0h', '84/1h/0h', '84h/1h/0', '84h/1h', '84h/1h/0h/0h'])('%s is none', (path) => {
    expect(accountOf(path)).toBeNull();
  });
});
