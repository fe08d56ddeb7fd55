import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import type { Network } from '../../src/domain/network.js';
import { derivesFrom, parseCounterparty } from '../../src/vault/counterparty.js';
import { createDeriver } from '../../src/vault/derive.js';
import { ACCOUNT_PATHS, descriptorOf, KINDS, keyText, master, vaultOf, withChecksum } from './fixtures.js';

const ACCOUNTS: readonly { network: Network; descriptor: string; addresses: Readonly<Record<string, string>> }[] =
  JSON.parse(readFileSync(new URL('../vectors/accounts.json', import.meta.url), 'utf8')).accounts;

const bodyOf = (descriptor: string): string => descriptor.replace(/#.*$/, '');
/** A vault's descriptor as its owner would give it to somebody who is to pay it. */
const receiving = (descriptor: string): string => withChecksum(bodyOf(descriptor).replaceAll('<0;1>/*', '0/*'));

function parsed(descriptor: string, network: Network = 'testnet3') {
  const read = parseCounterparty(network, descriptor);
  if (!read.ok) throw new Error(`${read.error.tag}: ${read.error.message}`);
  return read.value;
}

function refusal(body: string, network: Network = 'testnet3'): string {
  const read = parseCounterparty(network, body.includes('#') ? body : withChecksum(body));
  return read.ok ? 'taken' : read.error.tag;
}

describe("a counterparty's descriptor", () => {
  it.each(ACCOUNTS.map((account) => [account.descriptor.slice(0, 24), account] as const))(
    'derives the published addresses of %s',
    (_name, { network, descriptor, addresses }) => {
      const okx = parsed(receiving(descriptor), network);
      const published = Object.entries(addresses).filter(([place]) => place.startsWith('0/'));
      expect(published.length).toBeGreaterThan(0);
      for (const [place, address] of published) {
        const due = decodeAddress(address, network);
        expect(toHex(okx.at(Number(place.slice(2))))).toBe(due.ok ? toHex(due.value.script) : 'no address');
      }
    },
  );

  it.each(KINDS)('%s derives what a vault of the same keys derives to receive', (kind) => {
    const deriver = createDeriver(vaultOf(kind));
    const okx = parsed(receiving(descriptorOf(kind)));
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (index) => {
        expect(toHex(okx.at(index))).toBe(toHex(deriver.at(0, index).script));
      }),
      { numRuns: 20 },
    );
    expect(okx.kind).toBe(kind);
  });

  it('takes a key without an origin, and one whose last step is the star', () => {
    const account = master(1).derivePath("84'/1'/0'");
    const long = parsed(withChecksum(`wpkh(${account.neutered().toBase58()}/0/*)`));
    const short = parsed(withChecksum(`wpkh(${account.derive(0).neutered().toBase58()}/*)`));
    expect(toHex(short.at(7))).toBe(toHex(long.at(7)));
    expect(short.identity).toBe(long.identity);
    expect(short.descriptor).not.toBe(long.descriptor);
  });

  it('writes its text in one way', () => {
    const key = keyText(1, '84h/1h/0h');
    const written = withChecksum(`wpkh(${key.replace(/\[[^\]]*\]/, (origin) => origin.replaceAll('h', "'"))}/0/*)`);
    expect(parsed(written).descriptor).toBe(withChecksum(`wpkh(${key}/0/*)`));
    expect(parsed(parsed(written).descriptor).descriptor).toBe(parsed(written).descriptor);
  });

  it('of a multisig is the same in whatever order its keys are named, and another with another threshold', () => {
    const of = (seeds: readonly number[], threshold = 2) =>
      parsed(receiving(descriptorOf('wsh(sortedmulti)', seeds, threshold))).identity;
    expect(of([3, 1, 2])).toBe(of([1, 2, 3]));
    expect(of([1, 2, 3], 3)).not.toBe(of([1, 2, 3]));
    expect(of([1, 2, 4])).not.toBe(of([1, 2, 3]));
  });

  const key = keyText(1, '84h/1h/0h');
  it.each([
    ['no checksum', `wpkh(${key}/0/*)#`, 'E_DESCRIPTOR_CHECKSUM'],
    ['a wrong checksum', `wpkh(${key}/0/*)#qqqqqqqq`, 'E_DESCRIPTOR_CHECKSUM'],
    ['both branches of a vault', `wpkh(${key}/<0;1>/*)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['the change branch', `wpkh(${key}/1/*)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['a longer path', `wpkh(${key}/0/0/*)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['hardened children', `wpkh(${key}/0/*h)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['a hardened step', `wpkh(${key}/0h/*)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['no range', `wpkh(${key}/0/5)`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['a single key', `wpkh(02${'11'.repeat(32)})`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['keys in an order of their own', `wsh(multi(1,${key}/0/*))`, 'E_DESCRIPTOR_UNSUPPORTED'],
    ['a key of another network', `wpkh(${keyText(1, '84h/0h/0h', 'main')}/0/*)`, 'E_DESCRIPTOR_KEY'],
    ['one key twice', `wsh(sortedmulti(2,${key}/0/*,${key}/0/*))`, 'E_DESCRIPTOR_KEY'],
    ['no descriptor', 'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq', 'E_DESCRIPTOR_SYNTAX'],
  ])('with %s is refused', (_name, body, tag) => {
    expect(refusal(body)).toBe(tag);
  });

  it('with a private key is refused before anything else, and not repeated', () => {
    const secret = master(1).derivePath("84'/1'/0'").toBase58();
    const read = parseCounterparty('testnet3', `wpkh(${secret}/0/*)`);
    expect(read).toMatchObject({ ok: false, error: { tag: 'E_DESCRIPTOR_KEY' } });
    expect(JSON.stringify(read)).not.toContain(secret.slice(4, 24));
  });

  it('of more keys than one opcode counts is refused', () => {
    const seeds = Array.from({ length: 17 }, (_, index) => index + 1);
    const keys = seeds.map((seed) => `${keyText(seed, ACCOUNT_PATHS['wsh(sortedmulti)'])}/0/*`);
    expect(refusal(`wsh(sortedmulti(2,${keys.join(',')}))`)).toBe('E_DESCRIPTOR_UNSUPPORTED');
    expect(refusal(`wsh(sortedmulti(2,${keys.slice(1).join(',')}))`)).toBe('taken');
  });

  it('has no script at what is no index', () => {
    const okx = parsed(receiving(descriptorOf('wpkh')));
    for (const index of [-1, 0.5, 2 ** 31, Number.NaN]) expect(() => okx.at(index)).toThrow('no address index');
  });
});

describe('derivesFrom', () => {
  it.each(KINDS)('finds the receiving and the change branch of a %s vault, and no other wallet', (kind) => {
    const vault = vaultOf(kind);
    const branch = (step: number, seeds?: readonly number[]): string => {
      const keys = [...bodyOf(descriptorOf(kind, seeds)).matchAll(/\[[^\]]*\](\w+)\/<0;1>\/\*/g)];
      return keys.reduce(
        (body, [whole]) => {
          const seed = (seeds ?? [1, 2, 3])[keys.findIndex(([one]) => one === whole)] ?? 0;
          const node = master(seed).derivePath(ACCOUNT_PATHS[kind].replaceAll('h', "'")).derive(step);
          return body.replace(whole, `${node.neutered().toBase58()}/*`);
        },
        bodyOf(descriptorOf(kind, seeds)),
      );
    };
    expect(derivesFrom(parsed(withChecksum(branch(0))), vault)).toBe(true);
    expect(derivesFrom(parsed(withChecksum(branch(1))), vault)).toBe(true);
    expect(derivesFrom(parsed(withChecksum(branch(2))), vault)).toBe(false);
    expect(derivesFrom(parsed(withChecksum(branch(0, [4, 5, 6]))), vault)).toBe(false);
  });
});
