import { describe, expect, it } from 'vitest';
import { checkSignable, checkTransport, identify } from '../../src/device/preflight.js';
import type { Signer } from '../../src/device/types.js';
import { fail } from '../../src/domain/fault.js';
import { ok } from '../../src/domain/result.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import type { Vault } from '../../src/vault/types.js';
import { keyText } from '../vault/fixtures.js';
import { readSidecar, vaultOf } from './recordings.js';

const vault = vaultOf(readSidecar('sign-wpkh-1'));
const XPUB = vault.keys[0]?.xpub ?? '';

function device(more: Partial<Signer> = {}): { readonly signer: Signer; readonly asked: string[] } {
  const asked: string[] = [];
  const unused = async () => fail('E_DEVICE_PROTOCOL', 'not expected here');
  const base: Signer = {
    model: async () => 'nanos',
    appInfo: async () => ok({ name: 'Bitcoin Test', version: '2.2.7' }),
    fingerprint: async () => ok('f5acc2fd'),
    xpub: async () => ok(XPUB),
    register: unused,
    address: unused,
    sign: async () => ({ ok: true, value: [] }),
    close: async () => ok(undefined),
    ...more,
  };
  const signer: Signer = {
    ...base,
    appInfo: () => {
      asked.push('app');
      return base.appInfo();
    },
    fingerprint: () => {
      asked.push('fingerprint');
      return base.fingerprint();
    },
    xpub: (path, display) => {
      asked.push(`xpub ${path} ${display}`);
      return base.xpub(path, display);
    },
  };
  return { signer, asked };
}

const app = (name: string, version: string): Partial<Signer> => ({ appInfo: async () => ok({ name, version }) });

describe('identify', () => {
  it('asks for the app, the fingerprint and the account key, silently, in this order', async () => {
    const { signer, asked } = device();
    expect(await identify(signer, vault, { minAppVersion: '2.2.0' })).toEqual(
      ok({ app: { name: 'Bitcoin Test', version: '2.2.7' }, model: 'nanos', fingerprint: 'f5acc2fd' }),
    );
    expect(asked).toEqual(['app', 'fingerprint', "xpub 84'/1'/0' false"]);
  });

  it.each([
    ['BOLOS', '2.1.0', 'E_DEVICE_APP', 'no app is open'],
    ['Bitcoin', '2.2.7', 'E_DEVICE_APP', 'needs "Bitcoin Test"'],
    ['Bitcoin Test Legacy', '2.2.7', 'E_DEVICE_APP', 'needs "Bitcoin Test"'],
    ['Ethereum', '1.0.0', 'E_DEVICE_APP', 'needs "Bitcoin Test"'],
    ['Bitcoin Test', '2.0.9', 'E_DEVICE_VERSION', 'countersign needs 2.1.0'],
    ['Bitcoin Test', '2.2.6', 'E_DEVICE_VERSION', 'the policy asks for 2.2.7'],
    ['Bitcoin Test', '2.2.7-rc1', 'E_DEVICE_VERSION', '2.2.7-rc1'],
  ])('refuses the app %s %s before it asks for keys', async (name, version, tag, message) => {
    const { signer, asked } = device(app(name, version));
    const identified = await identify(signer, vault, { minAppVersion: '2.2.7' });
    expect(identified).toMatchObject({ ok: false, error: { tag, message: expect.stringContaining(message) } });
    expect(asked).toEqual(['app']);
  });

  it('takes 2.1.0 where no policy asks for more', async () => {
    expect((await identify(device(app('Bitcoin Test', '2.1.0')).signer, vault, {})).ok).toBe(true);
    expect((await identify(device(app('Bitcoin Test', '2.0.99')).signer, vault, {})).ok).toBe(false);
  });

  it('names both fingerprints', async () => {
    const { signer, asked } = device({ fingerprint: async () => ok('00000001') });
    const identified = await identify(signer, vault, {});
    expect(identified).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
    expect(identified.ok ? '' : identified.error.message).toMatch(/00000001.*f5acc2fd/);
    expect(asked).toEqual(['app', 'fingerprint']);
  });

  it('names both account keys in full', async () => {
    const other = `${XPUB.slice(0, -1)}X`;
    const identified = await identify(device({ xpub: async () => ok(other) }).signer, vault, {});
    expect(identified).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
    expect(identified.ok ? '' : identified.error.message).toContain(other);
    expect(identified.ok ? '' : identified.error.message).toContain(XPUB);
  });

  it.each(['appInfo', 'fingerprint', 'xpub'] as const)('passes on a fault of %s', async (command) => {
    const locked = fail('E_DEVICE_LOCKED', 'locked');
    expect(await identify(device({ [command]: async () => locked }).signer, vault, {})).toEqual(locked);
  });
});

describe('checkSignable', () => {
  const at = (path: string, wrap = (key: string) => `wpkh(${key})`): Vault => {
    const body = wrap(`[f5acc2fd/${path}]${XPUB}/<0;1>/*`);
    return vaultOf({ network: 'testnet3', descriptor: `${body}#${descriptorChecksum(body)}` });
  };

  it.each(['84h/1h/0h', '84h/1h/1h', '84h/1h/100h'])('takes wpkh at %s', (path) => {
    expect(checkSignable(at(path)).ok).toBe(true);
  });

  it.each(['84h/1h/101h', '84h/0h/0h', '49h/1h/0h', '84h/1h/0', '84h/1h', '84h/1h/0h/0h', '48h/1h/0h/2h'])(
    'refuses wpkh at %s, before any exchange',
    async (path) => {
      const odd = at(path);
      expect(checkSignable(odd)).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_UNSUPPORTED' } });
      const { signer, asked } = device();
      expect((await identify(signer, odd, {})).ok).toBe(false);
      expect(asked).toEqual([]);
    },
  );

  it('says at which path each kind would do', () => {
    const refused = checkSignable(at('84h/1h/0h', (key) => `tr(${key})`));
    expect(refused.ok ? '' : refused.error.message).toContain("only at 86'/1'/ACCOUNT'");
  });
});

describe('a multisig vault', () => {
  const multisig = vaultOf(readSidecar('multisig-register-wsh-a'));
  const [first, second] = multisig.keys;
  const holder = (key: typeof first, more: Partial<Signer> = {}) =>
    device({ fingerprint: async () => ok(key?.fingerprint ?? ''), xpub: async () => ok(key?.xpub ?? ''), ...more });

  it('is signed for by any of its devices, known by fingerprint and account key', async () => {
    for (const key of multisig.keys) {
      const { signer, asked } = holder(key);
      expect(await identify(signer, multisig, {})).toMatchObject({ ok: true, value: { fingerprint: key.fingerprint } });
      expect(asked).toEqual(['app', 'fingerprint', "xpub 48'/1'/0'/2' false"]);
    }
  });

  it('where one device is meant, another cosigner is refused before its key is asked for', async () => {
    const { signer, asked } = holder(second);
    const identified = await identify(signer, multisig, { expected: first?.fingerprint });
    expect(identified).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
    expect(identified.ok ? '' : identified.error.message).toContain(`${first?.fingerprint} of the vault`);
    expect(asked).toEqual(['app', 'fingerprint']);
  });

  it('a device that only has the fingerprint of a cosigner is refused', async () => {
    const { signer } = holder(first, { xpub: async () => ok(second?.xpub ?? '') });
    expect(await identify(signer, multisig, {})).toMatchObject({ ok: false, error: { tag: 'E_DEVICE_MISMATCH' } });
  });

  const keys = (count: number, path: string) =>
    Array.from({ length: count }, (_, seed) => keyText(seed + 1, path)).map((key) => `${key}/<0;1>/*`);
  const vaultAt = (count: number, path: string): Vault => {
    const body = `wsh(sortedmulti(2,${keys(count, path).join(',')}))`;
    return vaultOf({ network: 'testnet3', descriptor: `${body}#${descriptorChecksum(body)}` });
  };

  it.each([
    [3, '48h/1h/0h/2h', true],
    [3, '48h/1h/0h/1h', true],
    [3, '48h/1h/100h/2h', true],
    [3, '48h/1h/101h/2h', false],
    [3, '48h/0h/0h/2h', false],
    [3, '48h/1h/0h/3h', false],
    [3, '48h/1h/0h', false],
    [3, '48h/1h/0h/2', false],
    [3, '45h/1h/0h', false],
    [3, '84h/1h/0h', false],
    [16, '48h/1h/0h/2h', true],
  ])('of %i keys at %s: %s', (count, path, expected) => {
    const checked = checkSignable(vaultAt(count, path));
    expect(checked.ok).toBe(expected);
    if (!checked.ok) expect(checked.error.tag).toBe('E_DEVICE_UNSUPPORTED');
  });

  it.each([
    ['2.2.7', 16, true],
    ['2.3.0', 10, true],
    ['2.3.0', 11, false],
    ['2.4.6', 15, true],
    ['2.4.6', 16, false],
  ])('with app %s at hand, %i keys: %s, before any key is asked for', async (version, count, expected) => {
    const vault = vaultAt(count, '48h/1h/0h/2h');
    const [key] = vault.keys;
    const { signer, asked } = holder(key, { ...app('Bitcoin Test', version), model: async () => null });
    const identified = await identify(signer, vault, {});
    expect(identified.ok).toBe(expected);
    if (identified.ok) return;
    expect(identified.error).toMatchObject({
      tag: 'E_DEVICE_LIMIT',
      message: expect.stringContaining(`${count} cosigners`),
    });
    expect(asked).toEqual(['app']);
  });

  it('is signable while one cosigner is a Ledger: the others bring their signatures in a file', async () => {
    const body = `wsh(sortedmulti(2,${[...keys(2, '45h/0'), `[${first?.fingerprint}/48h/1h/0h/2h]${first?.xpub}/<0;1>/*`].join(',')}))`;
    const mixed = vaultOf({ network: 'testnet3', descriptor: `${body}#${descriptorChecksum(body)}` });
    expect(checkSignable(mixed).ok).toBe(true);
    expect((await identify(holder(first).signer, mixed, {})).ok).toBe(true);
    const stranger = holder(mixed.keys[0]);
    expect(await identify(stranger.signer, mixed, {})).toMatchObject({
      ok: false,
      error: { tag: 'E_DEVICE_MISMATCH' },
    });
  });
});

describe('checkTransport', () => {
  const tag = (network: Vault['network'], spec: string): string => {
    const checked = checkTransport(spec, { id: 'cold', network });
    return checked.ok ? 'ok' : checked.error.tag;
  };

  it('takes no emulator for a vault on the main network, and anything else', () => {
    expect(tag('main', 'speculos:http://127.0.0.1:5000')).toBe('E_DEVICE_EMULATOR');
    expect(['hid', 'replay:x.apdu'].map((spec) => tag('main', spec))).toEqual(['ok', 'ok']);
  });

  it.each(['testnet3', 'testnet4', 'signet', 'regtest'] as const)('takes one on %s', (network) => {
    expect(tag(network, 'speculos:http://127.0.0.1:5000')).toBe('ok');
  });
});
