import { readFileSync } from 'node:fs';
import bs58check from 'bs58check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Destination, decodeAddress, encodeAddress, groupedAddress } from '../../src/domain/address.js';
import { toHex, trustedHex } from '../../src/domain/bytes.js';
import type { FaultTag } from '../../src/domain/fault.js';
import { NETWORKS, type Network } from '../../src/domain/network.js';
import type { PayableKind } from '../../src/domain/script.js';

interface Vector {
  readonly network: Network;
  readonly address: string;
}
interface Vectors {
  readonly own: readonly (Vector & { readonly script: string; readonly kind: PayableKind })[];
  readonly lookalike: { readonly of: string; readonly address: string };
  readonly refused: readonly (Vector & { readonly fault: FaultTag; readonly reason: string })[];
  readonly bips: readonly (Vector & { readonly bip: number; readonly script?: string; readonly fault?: FaultTag })[];
}
const vectors: Vectors = JSON.parse(readFileSync('test/vectors/addresses.json', 'utf8'));

function decoded(address: string, network: Network): Destination {
  const result = decodeAddress(address, network);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function outcome(address: string, network: Network): string {
  const result = decodeAddress(address, network);
  return result.ok ? toHex(result.value.script) : result.error.tag;
}

test.each(vectors.own)('$network $address is $script', ({ network, address, script, kind }) => {
  expect(decoded(address, network)).toEqual({ script: trustedHex(script), kind });
  expect(encodeAddress(trustedHex(script), network)).toBe(address);
});

test.each(vectors.refused)('$address on $network ($reason): $fault', ({ network, address, fault }) => {
  expect(outcome(address, network)).toBe(fault);
});

test.each(vectors.bips)('BIP$bip $address', ({ network, address, script, fault }) => {
  expect(outcome(address, network)).toBe(script ?? fault);
  if (script !== undefined) expect(encodeAddress(trustedHex(script), network)).toBe(address.toLowerCase());
});

test('an address that looks like another is another destination', () => {
  const { of, address } = vectors.lookalike;
  expect([address.slice(0, 17), address.slice(-18)]).toEqual([of.slice(0, 17), of.slice(-18)]);
  expect(outcome(address, 'main')).not.toBe(outcome(of, 'main'));
  expect(decoded(address, 'main').kind).toBe('p2wpkh');
});

const BECH32 = 'bc1qrjqln9462l3yg4uk93nhheyw75kp2jmagz3djn';
const BASE58 = '13bjdBza8Km3tBZvH7hTpWwwwJBsHqwhfN';

describe('bad input', () => {
  test.each([
    ['', 'E_ADDRESS_EMPTY'],
    [' ', 'E_ADDRESS_FORM'],
    [` ${BECH32}`, 'E_ADDRESS_FORM'],
    [`${BECH32} `, 'E_ADDRESS_FORM'],
    [`${BECH32}\n`, 'E_ADDRESS_FORM'],
    [`bitcoin:${BECH32}`, 'E_ADDRESS_FORM'],
    [BECH32.slice(0, -1), 'E_ADDRESS_CHECKSUM'],
    [`${BECH32}q`, 'E_ADDRESS_CHECKSUM'],
    [BECH32.replace('q', 'b'), 'E_ADDRESS_FORM'],
    [BECH32.replace('k', '\u212a'), 'E_ADDRESS_FORM'],
    [BECH32.toUpperCase().replace('K', '\u212a'), 'E_ADDRESS_FORM'],
    [BECH32.replace('bc1', 'Bc1'), 'E_ADDRESS_MIXED_CASE'],
    ['bc1', 'E_ADDRESS_FORM'],
    [`bc1${'q'.repeat(87)}`, 'E_ADDRESS_CHECKSUM'],
    [`bc1${'q'.repeat(88)}`, 'E_ADDRESS_FORM'],
    ['ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9', 'E_ADDRESS_FORM'],
    [`${BASE58} `, 'E_ADDRESS_FORM'],
    [`0${BASE58}`, 'E_ADDRESS_FORM'],
    [BASE58.slice(0, -1), 'E_ADDRESS_CHECKSUM'],
    [BASE58.toLowerCase(), 'E_ADDRESS_CHECKSUM'],
    [BASE58.replace('j', 'l'), 'E_ADDRESS_FORM'],
    ['1'.repeat(34), 'E_ADDRESS_CHECKSUM'],
    ['x'.repeat(100_000), 'E_ADDRESS_FORM'],
  ])('%j: %s', (address, fault) => {
    expect(outcome(address, 'main')).toBe(fault);
  });
  test.each([19, 21])('a P2PKH version with %i bytes of hash has a wrong length', (length) => {
    expect(outcome(bs58check.encode(Uint8Array.of(111, ...new Uint8Array(length).fill(9))), 'testnet3')).toBe(
      'E_ADDRESS_LENGTH',
    );
  });
  test('whatever the text, there is an answer, and no control character in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `bc1${text}`),
        ),
        (text) => {
          const result = decodeAddress(text, 'main');
          if (!result.ok) expect(result.error.message).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});

const hash = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Of taproot keys only half are on the curve: the others have no address. */
const scripts = fc
  .oneof(
    hash(20).map((bytes) => Uint8Array.from([0x76, 0xa9, 20, ...bytes, 0x88, 0xac])),
    hash(20).map((bytes) => Uint8Array.from([0xa9, 20, ...bytes, 0x87])),
    hash(20).map((bytes) => Uint8Array.from([0, 20, ...bytes])),
    hash(32).map((bytes) => Uint8Array.from([0, 32, ...bytes])),
    hash(32).map((bytes) => Uint8Array.from([0x51, 32, ...bytes])),
  )
  .filter((script) => encodeAddress(script, 'main') !== null);
const networks = fc.constantFrom(...NETWORKS);

describe('properties', () => {
  test('decoding what was encoded gives the script back', () => {
    fc.assert(
      fc.property(scripts, networks, (script, network) => {
        expect(decoded(encodeAddress(script, network) ?? '', network).script).toEqual(script);
      }),
    );
  });
  test('capitals are the same bech32 address', () => {
    fc.assert(
      fc.property(scripts, networks, (script, network) => {
        const address = encodeAddress(script, network) ?? '';
        fc.pre(/^(?:bc|tb|bcrt)1/.test(address));
        expect(decoded(address.toUpperCase(), network).script).toEqual(script);
      }),
    );
  });
  test('one changed character is refused, or never the same script', () => {
    const characters = fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');
    fc.assert(
      fc.property(scripts, networks, fc.nat(), characters, (script, network, place, character) => {
        const address = encodeAddress(script, network) ?? '';
        const index = place % address.length;
        const changed = address.slice(0, index) + character + address.slice(index + 1);
        fc.pre(changed !== address);
        expect(decodeAddress(changed, network).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
  test('two exchanged neighbours are refused', () => {
    fc.assert(
      fc.property(scripts, networks, fc.nat(), (script, network, place) => {
        const address = encodeAddress(script, network) ?? '';
        const index = place % (address.length - 1);
        const [a = '', b = ''] = address.slice(index, index + 2);
        fc.pre(a !== b);
        expect(decodeAddress(address.slice(0, index) + b + a + address.slice(index + 2), network).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
  test('main and the others never take one address for both', () => {
    fc.assert(
      fc.property(scripts, fc.constantFrom('testnet3', 'testnet4', 'signet', 'regtest'), (script, network) => {
        expect(outcome(encodeAddress(script, 'main') ?? '', network)).toBe('E_ADDRESS_WRONG_NETWORK');
        expect(outcome(encodeAddress(script, network) ?? '', 'main')).toBe('E_ADDRESS_WRONG_NETWORK');
      }),
    );
  });
});

test.each(['6a0401020304', '51024e73', '6002751e', '51', '', `5120${'ff'.repeat(32)}`])(
  'script %s has no address',
  (script) => {
    expect(encodeAddress(trustedHex(script), 'main')).toBeNull();
  },
);

test('an address in groups of four loses nothing', () => {
  expect(groupedAddress('bc1qrjqln9')).toBe('bc1q rjql n9');
  expect(groupedAddress(BECH32).replaceAll(' ', '')).toBe(BECH32);
  expect(groupedAddress('')).toBe('');
});
