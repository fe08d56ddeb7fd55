import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Branch } from '../../src/domain/coin.js';
import { hardened, type Path, parsePath } from '../../src/domain/path.js';
import { createDeriver } from '../../src/vault/derive.js';
import { type ChangeGap, proveOwn } from '../../src/vault/own-output.js';
import type { DerivationClaim, DerivedScript, OwnProof, Vault } from '../../src/vault/types.js';
import { KINDS, master, vaultOf } from './fixtures.js';

/** Last used change index 41, gap 20: 61 is the last index that may be change. */
const GAP: ChangeGap = { lastUsedChange: 41, maxGap: 20 };
const LAST = 61;
const FOREIGN = 'ffffffff';

const vault = vaultOf('wpkh');
const deriver = createDeriver(vault);

/** The fields that an honest PSBT carries for a script. */
function honest({ keys }: DerivedScript): DerivationClaim[] {
  return keys.map(({ fingerprint, path, publicKey }) => ({ fingerprint, path, publicKey }));
}

function prove(script: Uint8Array, claims: readonly DerivationClaim[], gap = GAP): OwnProof {
  return proveOwn(deriver, script, claims, gap);
}

function claimAt(path: Path, publicKey: Uint8Array, fingerprint = vault.keys[0]?.fingerprint ?? ''): DerivationClaim {
  return { fingerprint, path, publicKey };
}

const account = vault.keys[0]?.path ?? [];
/** A key of the same account path on another seed: what an imitated fingerprint would hold. */
const strange = createDeriver(vaultOf('wpkh', [9]));
const unproven = { own: false, problem: 'CHANGE_UNPROVEN' };
const wrongPath = { own: false, problem: 'CHANGE_PATH' };
const beyondGap = { own: false, problem: 'CHANGE_GAP' };
const external = { own: false, problem: null };

describe.each(KINDS)('change of %s', (kind) => {
  const own = createDeriver(vaultOf(kind));
  test('with its fields is proven', () => {
    const derived = own.at(1, 42);
    expect(proveOwn(own, derived.script, honest(derived), GAP)).toEqual({
      own: true,
      origin: { branch: 1, index: 42 },
      claimed: true,
    });
  });
  test('without fields is found by search', () => {
    expect(proveOwn(own, own.at(1, 43).script, [], GAP)).toEqual({
      own: true,
      origin: { branch: 1, index: 43 },
      claimed: false,
    });
  });
  test('beyond the gap is named as such', () => {
    const derived = own.at(1, LAST + 1);
    expect(proveOwn(own, derived.script, honest(derived), GAP)).toEqual(beyondGap);
  });
  test('claimed for a strange script is unproven', () => {
    const other = createDeriver(vaultOf(kind, [7, 8, 9]));
    expect(proveOwn(own, other.at(1, 42).script, honest(own.at(1, 42)), GAP)).toEqual(unproven);
  });
  test('of a taproot field is claimed by 32 bytes', () => {
    const derived = own.at(1, 42);
    const claims = honest(derived).map((claim) => ({ ...claim, publicKey: claim.publicKey.subarray(1) }));
    expect(proveOwn(own, derived.script, claims, GAP)).toMatchObject({ own: true, claimed: true });
  });
});

describe('the gap', () => {
  test.each([
    [0, true],
    [41, true],
    [LAST, true],
    [LAST + 1, false],
    [50_001, false],
    [2 ** 31 - 1, false],
  ])('at change index %i: own is %s', (index, own) => {
    const derived = deriver.at(1, index);
    const proof = prove(derived.script, honest(derived));
    expect(proof).toEqual(own ? { own, origin: { branch: 1, index }, claimed: true } : beyondGap);
  });
  test('is counted from -1 where no change was used yet', () => {
    const gap = { lastUsedChange: -1, maxGap: 20 };
    expect(prove(deriver.at(1, 19).script, honest(deriver.at(1, 19)), gap)).toMatchObject({ own: true });
    expect(prove(deriver.at(1, 20).script, honest(deriver.at(1, 20)), gap)).toEqual(beyondGap);
  });
  test('of 0 lets nothing be change but what was used', () => {
    const gap = { lastUsedChange: -1, maxGap: 0 };
    expect(prove(deriver.at(1, 0).script, honest(deriver.at(1, 0)), gap)).toEqual(beyondGap);
    expect(prove(deriver.at(1, 0).script, [], gap)).toEqual(external);
  });
  test('an own script beyond it without fields counts as spent', () => {
    expect(prove(deriver.at(1, LAST + 1).script, [])).toEqual(external);
  });
});

describe('claims are not believed', () => {
  const derived = deriver.at(1, 42);
  const [publicKey = new Uint8Array()] = derived.keys.map((key) => key.publicKey);
  const [strangeKey = new Uint8Array()] = strange.at(1, 42).keys.map((key) => key.publicKey);
  test('our fingerprint, another xpub', () => {
    expect(prove(strange.at(1, 42).script, [claimAt([...account, 1, 42], strangeKey)])).toEqual(unproven);
  });
  test('our fingerprint, our key, another script', () => {
    expect(prove(strange.at(1, 42).script, [claimAt([...account, 1, 42], publicKey)])).toEqual(unproven);
  });
  test.each([
    ['branch 2', [...account, 2, 5]],
    ['a hardened branch', [...account, hardened(1), 5]],
    ['a hardened index', [...account, 1, hardened(0)]],
    ['account 1', [...account.slice(0, 2), hardened(1), 1, 5]],
    ['another purpose', [hardened(49), ...account.slice(1), 1, 5]],
    ['an unhardened account', [...account.slice(0, 2), 0, 1, 5]],
    ['no index', [...account, 1]],
    ['one step too many', [...account, 1, 5, 0]],
    ['the master key', []],
  ])('a script at %s', (_, path) => {
    const node = path.reduce((parent, step) => parent.derive(step), master(1));
    const script = Uint8Array.from([0, 20, ...node.identifier]);
    expect(prove(script, [claimAt(path, node.publicKey)])).toEqual(wrongPath);
  });
  test('an own script with a false path is no change either: the device would not see it as such', () => {
    expect(prove(derived.script, [claimAt([...account, 2, 42], publicKey)])).toEqual(wrongPath);
    expect(prove(derived.script, [claimAt([...account, 1, 41], publicKey)])).toEqual(wrongPath);
  });
  test('an own script with a false key', () => {
    expect(prove(derived.script, [claimAt([...account, 1, 42], strangeKey)])).toEqual(unproven);
  });
  test('one right and one wrong claim are wrong, in either order', () => {
    const claims = [...honest(derived), claimAt([...account, 1, 42], strangeKey)];
    expect(prove(derived.script, claims)).toEqual(unproven);
    expect(prove(derived.script, claims.reverse())).toEqual(unproven);
  });
  test('a field of somebody else says nothing: neither of their script nor of ours', () => {
    expect(prove(strange.at(1, 42).script, [claimAt([...account, 1, 42], strangeKey, FOREIGN)])).toEqual(external);
    expect(prove(derived.script, [claimAt([...account, 1, 42], publicKey, FOREIGN)])).toEqual({
      own: true,
      origin: { branch: 1, index: 42 },
      claimed: false,
    });
  });
  test('an own script beyond the gap under a foreign fingerprint is still named', () => {
    const far = deriver.at(1, 5000);
    const claims = honest(far).map((claim) => ({ ...claim, fingerprint: FOREIGN }));
    expect(prove(far.script, claims)).toEqual(beyondGap);
  });
});

describe('the receive branch', () => {
  test.each([0, LAST, LAST + 1, 2 ** 31 - 1])(
    'at index %i is own, and branch 0 says that it is not change',
    (index) => {
      const derived = deriver.at(0, index);
      expect(prove(derived.script, honest(derived))).toEqual({
        own: true,
        origin: { branch: 0, index },
        claimed: true,
      });
    },
  );
});

describe('a multisig', () => {
  const multisig = vaultOf('wsh(sortedmulti)', [1, 2, 3], 2);
  const own = createDeriver(multisig);
  const claims = honest(own.at(1, 42));
  const scriptOf = (other: Vault): Uint8Array => createDeriver(other).at(1, 42).script;
  test('with a lower threshold is unproven', () => {
    expect(proveOwn(own, scriptOf(vaultOf('wsh(sortedmulti)', [1, 2, 3], 1)), claims, GAP)).toEqual(unproven);
  });
  test('with one cosigner swapped is unproven, whether the swapped key is claimed or not', () => {
    const swapped = createDeriver(vaultOf('wsh(sortedmulti)', [1, 2, 9], 2)).at(1, 42);
    expect(proveOwn(own, swapped.script, claims, GAP)).toEqual(unproven);
    expect(proveOwn(own, swapped.script, honest(swapped), GAP)).toEqual(unproven);
  });
  test('wrapped in P2SH is unproven', () => {
    const wrapped = vaultOf('sh(wsh(sortedmulti))', [1, 2, 3], 2);
    expect(proveOwn(own, scriptOf(wrapped), claims, GAP)).toEqual(unproven);
  });
  test('whose descriptor lists its keys otherwise is the same wallet (BIP67)', () => {
    expect(proveOwn(own, scriptOf(vaultOf('wsh(sortedmulti)', [3, 1, 2], 2)), claims, GAP)).toMatchObject({
      own: true,
    });
  });
  test('with the keys of two claims exchanged has false paths', () => {
    const [a, b, c] = claims;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three cosigners');
    const exchanged = [{ ...a, publicKey: b.publicKey }, { ...b, publicKey: a.publicKey }, c];
    expect(proveOwn(own, own.at(1, 42).script, exchanged, GAP)).toEqual(wrongPath);
  });
});

describe("paths written with h, H or '", () => {
  test.each(["84'/1'/0'/1/42", '84h/1h/0h/1/42', '84H/1H/0H/1/42', "m/84h/1H/0'/1/42"])(
    '%s proves the same',
    (text) => {
      const path = parsePath(text);
      const [key] = deriver.at(1, 42).keys;
      if (!path.ok || key === undefined) throw new Error(text);
      expect(prove(deriver.at(1, 42).script, [claimAt(path.value, key.publicKey)])).toMatchObject({ own: true });
    },
  );
});

const claimed: fc.Arbitrary<DerivationClaim> = fc.record({
  fingerprint: fc.constantFrom(vault.keys[0]?.fingerprint ?? '', FOREIGN),
  path: fc.oneof(
    fc.tuple(fc.constantFrom<Branch>(0, 1), fc.nat(80)).map((steps) => [...account, ...steps]),
    fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 6 }),
  ),
  publicKey: fc.oneof(
    fc.constantFrom(...deriver.at(1, 3).keys.map((key) => key.publicKey)),
    fc.uint8Array({ minLength: 33, maxLength: 33 }),
  ),
});

test('whatever is claimed: own means derived again at that place, and change within the gap', () => {
  const scripts = fc.oneof(
    fc.tuple(fc.constantFrom<Branch>(0, 1), fc.nat(80)).map(([branch, index]) => deriver.at(branch, index).script),
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map((hash) => Uint8Array.from([0, 20, ...hash])),
  );
  fc.assert(
    fc.property(scripts, fc.array(claimed, { maxLength: 3 }), (script, claims) => {
      const proof = prove(script, claims);
      if (!proof.own) return;
      expect(createDeriver(vault).at(proof.origin.branch, proof.origin.index).script).toEqual(script);
      if (proof.origin.branch === 1) expect(proof.origin.index).toBeLessThanOrEqual(LAST);
    }),
    { numRuns: 300 },
  );
});

test('claims can take own away, and never give it', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.array(claimed, { maxLength: 4 }),
      (hash, claims) => {
        expect(prove(Uint8Array.from([0, 20, ...hash]), claims).own).toBe(false);
      },
    ),
    { numRuns: 200 },
  );
});
