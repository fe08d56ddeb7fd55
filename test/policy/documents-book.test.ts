import { BIP32Factory } from 'bip32';
import * as secp256k1 from 'tiny-secp256k1';
import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { hash160, toHex } from '../../src/domain/bytes.js';
import { loadBook } from '../../src/policy/book.js';
import { firstScript } from '../../src/policy/counterparties.js';
import { proofMessage } from '../../src/policy/proof.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { keyHashProof, proofOf, publicOf, signedScript } from '../psbt/bip322-signer.js';
import { shipped, yamlNode } from './documents-support.js';
import { OKX, okxAddress } from './okx.js';

const A = 'bc1qrjqln9462l3yg4uk93nhheyw75kp2jmagz3djn';
const A_SCRIPT = '00141c81f996ba57e24457962c677be48ef52c154b7d';
const E = '1HaPjweoDS3b6pcj7ijBdvvsD5AmQjy9Mf';

const HEAD = 'schema: countersign.book/1\nwallet: cold-btc-1\nversion: 1\nentries:\n';
const entry = (id: string, address: string, more = ''): string =>
  `  - { id: ${id}, address: ${address}, label: "L", owner: "O", purpose: "P"${more} }\n`;

const load = (text: string, network: 'main' | 'testnet3' = 'main') =>
  loadBook(yamlNode(text, 'b.yaml'), 'b.yaml', network);

const faults = (text: string): readonly string[] => {
  const book = load(text);
  return book.ok ? [] : book.error.map(({ tag, where }) => `${tag} ${where?.line}`);
};

const bip32 = BIP32Factory(secp256k1);
const withChecksum = (body: string): string => `${body}#${descriptorChecksum(body)}`;
const OTHER = withChecksum(OKX.replace(/#.*/, '').replace('wpkh(', 'pkh('));
/** The same keys with an origin before them. */
const SAME = withChecksum(OKX.replace(/#.*/, '').replace('wpkh(', 'wpkh([73c5da0a/84h/0h/0h]'));

describe('loadBook', () => {
  it('reads entries to scripts, each with its line', () => {
    const book = load(HEAD + entry('warm-1', A) + entry('legacy', E));
    expect(book).toMatchObject({
      ok: true,
      value: {
        wallet: 'cold-btc-1',
        version: 1,
        prev: null,
        file: 'b.yaml',
        digest: expect.stringMatching(/^sha256:/),
      },
    });
    const entries = book.ok ? book.value.entries : [];
    expect(entries.map((one) => [one.id, toHex(firstScript(one)), one.where.line])).toEqual([
      ['warm-1', A_SCRIPT, 5],
      ['legacy', '76a914b5d2b8d4bbe015de6a43405f6da181c78c9cd1df88ac', 6],
    ]);
    expect(entries[0]).toMatchObject({ address: A, label: 'L', owner: 'O', purpose: 'P' });
  });

  it('reads the shipped example', () => {
    const book = load(shipped('example-book.yaml'), 'testnet3');
    expect(book.ok ? book.value.entries.map(({ id }) => id) : book.error).toEqual([
      'warm-1',
      'warm-2',
      'settle',
      'custodian',
      'legacy',
      'okx',
    ]);
  });

  it('reads an empty book: nothing may be paid', () => {
    expect(load(HEAD.replace('entries:\n', 'entries: []\n'))).toMatchObject({ ok: true, value: { entries: [] } });
  });

  it.each([
    ['one script in two spellings', entry('a', A) + entry('b', A.toUpperCase()), ['E_BOOK_DUPLICATE 6']],
    ['one id twice', entry('a', A) + entry('a', E), ['E_BOOK_DUPLICATE 6']],
    [
      'one script three times',
      entry('a', A) + entry('b', A) + entry('c', A),
      ['E_BOOK_DUPLICATE 6', 'E_BOOK_DUPLICATE 7'],
    ],
    [
      'a duplicate and another fault',
      entry('a', A) + entry('b', A) + entry('C', E),
      ['E_BOOK_DUPLICATE 6', 'E_FIELD_TYPE 7'],
    ],
  ])('%s is refused', (_name, entries, expected) => {
    expect(faults(HEAD + entries)).toEqual(expected);
  });

  it('names both lines of a duplicate', () => {
    const book = load(HEAD + entry('a', A) + entry('b', A.toUpperCase()));
    expect(book.ok ? '' : book.error[0]?.message).toContain('b pays the same script as a in line 5');
  });

  it.each([['added_at'], ['effective_at'], ['age'], ['since'], ['first_seen'], ['date_added']])(
    'a field %s is refused: ages come from the journal',
    (field) => {
      const book = load(HEAD + entry('a', A, `, ${field}: "2020-01-01T00:00:00Z"`));
      expect(book).toMatchObject({ ok: false, error: [{ tag: 'E_UNKNOWN_FIELD', where: { line: 5 } }] });
      expect(book.ok ? '' : book.error[0]?.remedy).toContain('comes from the journal');
    },
  );

  it('suggests the name of a misspelt field, and does not speak of ages', () => {
    const book = load(HEAD + entry('a', A, ', usage: "x"'));
    expect(book.ok ? '' : book.error[0]?.remedy).toContain('known here');
  });

  it.each([
    ['another network', 'tb1qrjqln9462l3yg4uk93nhheyw75kp2jmazy27fq', 'E_ADDRESS_WRONG_NETWORK'],
    ['mixed case', 'bc1qrjqln9462l3yg4uk93NHHEYW75KP2JMAGZ3DJN', 'E_ADDRESS_MIXED_CASE'],
    ['lower-cased base58', E.toLowerCase(), 'E_ADDRESS'],
    ['a bech32m checksum on version 0', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh', 'E_ADDRESS_VARIANT'],
    ['a key off the curve', 'bc1plllllllllllllllllllllllllllllllllllllllllllllllllllsr7rg6v', 'E_ADDRESS_OFF_CURVE'],
    ['pay-to-anchor', 'bc1pfeessrawgf', 'E_ADDRESS_ANCHOR'],
    [
      'a future witness version',
      'bc1ze3yywtynakwlwsyusvhrgfx9h7cxpaqv48m95n6uq5tt6u6w3qus3s0a3p',
      'E_ADDRESS_FUTURE_WITNESS',
    ],
    ['a Tron address', 'TUCsTq7TofTCJRRoHk6RvhMoS2mJLm5Yzq', 'E_ADDRESS'],
  ])('an address with %s is refused', (_name, address, tag) => {
    expect(faults(HEAD + entry('a', address))).toEqual([expect.stringMatching(new RegExp(`^${tag}.* 5$`))]);
  });

  it.each([['A'], ['"a b"'], ['-a'], ['a_b'], ['x'.repeat(33)], ['__proto__']])('%s is no id', (id) => {
    expect(faults(HEAD + entry(id, A))).toEqual(['E_FIELD_TYPE 5']);
  });

  it.each([['a'], ['"0"'], ['a-b'], ['x'.repeat(32)], ['constructor']])('%s is an id', (id) => {
    expect(faults(HEAD + entry(id, A))).toEqual([]);
  });

  it.each([['"\\u202Ex"'], ['"\\e[2K"'], ['"a\\nb"'], [`"${'x'.repeat(201)}"`]])('%s is no label', (label) => {
    expect(faults(HEAD + entry('a', A).replace('"L"', label))).toEqual(['E_TEXT_UNSAFE 5']);
  });

  it('holds the chain of versions together', () => {
    const digest = `sha256:${'7'.repeat(64)}`;
    const head = (version: number, prev: string): string =>
      HEAD.replace('version: 1\n', `version: ${version}\n${prev === '' ? '' : `prev: ${prev}\n`}`) + entry('a', A);
    expect(faults(head(1, 'none'))).toEqual([]);
    expect(load(head(2, digest))).toMatchObject({ ok: true, value: { version: 2, prev: digest } });
    expect(faults(head(2, ''))).toEqual(['E_BOOK_SCHEMA 1']);
    expect(faults(head(2, 'none'))).toEqual(['E_BOOK_SCHEMA 4']);
    expect(faults(head(1, digest))).toEqual(['E_BOOK_SCHEMA 4']);
  });
});

describe('descriptors in a book', () => {
  const ranged = (id: string, descriptor: string, more = ''): string =>
    `  - { id: ${id}, descriptor: "${descriptor}", label: "L", owner: "O", purpose: "P"${more} }\n`;

  it('stand beside addresses, with the highest index that is said or 999', () => {
    const book = load(HEAD + entry('warm-1', A) + ranged('okx', OKX) + ranged('x', OTHER, ', max_index: 7'));
    expect(book.ok ? book.value.entries : book.error).toMatchObject([
      { kind: 'address', id: 'warm-1' },
      { kind: 'descriptor', id: 'okx', maxIndex: 999, counterparty: { descriptor: OKX }, where: { line: 6 } },
      { kind: 'descriptor', id: 'x', maxIndex: 7, where: { line: 7 } },
    ]);
  });

  it.each([
    ['0', []],
    ['9999', []],
    ['10000', ['E_FIELD_TYPE 5']],
    ['-1', ['E_FIELD_TYPE 5']],
    ['"5"', ['E_FIELD_TYPE 5']],
    ['unlimited', ['E_FIELD_TYPE 5']],
  ])('max_index: %s', (maxIndex, due) => {
    expect(faults(HEAD + ranged('okx', OKX, `, max_index: ${maxIndex}`))).toEqual(due);
  });

  it.each([
    ['a descriptor twice', ranged('a', OKX) + ranged('b', OKX), ['E_BOOK_DUPLICATE 6']],
    ['a descriptor twice, written differently', ranged('a', OKX) + ranged('b', SAME), ['E_BOOK_DUPLICATE 6']],
    ['its address before it', entry('a', okxAddress(7)) + ranged('b', OKX), ['E_BOOK_DUPLICATE 6']],
    ['its address after it', ranged('a', OKX) + entry('b', okxAddress(999)), ['E_BOOK_DUPLICATE 6']],
    ['an address beyond its highest index', ranged('a', OKX) + entry('b', okxAddress(1000)), []],
    ['another descriptor', ranged('a', OKX) + ranged('b', OTHER), []],
    ['the same id', entry('a', A) + ranged('a', OKX), ['E_BOOK_DUPLICATE 6']],
    ['an address and a descriptor in one', entry('a', A, `, descriptor: "${OKX}"`), ['E_UNKNOWN_FIELD 5']],
    ['a highest index of an address', entry('a', A, ', max_index: 5'), ['E_UNKNOWN_FIELD 5']],
    ['neither address nor descriptor', '  - { id: a, label: "L", owner: "O", purpose: "P" }\n', ['E_MISSING_FIELD 5']],
    ['an age', ranged('a', OKX, ', since: "2020-01-01T00:00:00Z"'), ['E_UNKNOWN_FIELD 5']],
    ['no checksum', ranged('a', OKX.replace(/#.*/, '')), ['E_DESCRIPTOR_CHECKSUM 5']],
    ['a digit of it changed', ranged('a', OKX.replace('/0/', '/1/')), ['E_DESCRIPTOR_CHECKSUM 5']],
  ])('%s', (_name, entries, due) => {
    expect(faults(HEAD + entries)).toEqual(due);
  });

  it('says which address of which entry stands there twice', () => {
    const book = load(HEAD + ranged('okx', OKX) + entry('b', okxAddress(12)));
    expect(book.ok ? '' : book.error[0]?.message).toContain('b pays the same script as okx /12 in line 5');
  });

  it('of another network are refused', () => {
    expect(load(HEAD + ranged('okx', OKX), 'testnet3')).toMatchObject({
      ok: false,
      error: [{ tag: 'E_DESCRIPTOR_KEY' }],
    });
  });
});

describe('proofs of control in a book', () => {
  const address = encodeAddress(signedScript('p2wpkh', 1), 'main') ?? '';
  const proven = (id: string, proof: string, where = address): string => entry(id, where, `, proof: "${proof}"`);

  /** The message that the entry of an id asks for, as the book itself says it. */
  function messageOf(id: string, where = address): string {
    const book = load(HEAD + entry(id, where));
    const [one] = book.ok ? book.value.entries : [];
    if (one === undefined) throw new Error('the book of this test can be read');
    return proofMessage('cold-btc-1', one);
  }

  const good = proofOf('p2wpkh', 1, messageOf('okx'));

  it('name the wallet, the entry and the address', () => {
    expect(messageOf('okx')).toBe(`countersign.book/1 of wallet cold-btc-1, destination okx, address ${address}`);
    expect(messageOf('okx', address.toUpperCase())).toBe(messageOf('okx'));
  });

  it.each(['p2wpkh', 'p2tr', 'p2wsh', 'p2sh-p2wpkh', 'p2sh-p2wsh'] as const)('are taken of %s', (kind) => {
    const where = encodeAddress(signedScript(kind, 4), 'main') ?? '';
    expect(faults(HEAD + proven('okx', proofOf(kind, 4, messageOf('okx', where)), where))).toEqual([]);
  });

  it('are taken however the address is spelled', () => {
    expect(faults(HEAD + proven('okx', good, address.toUpperCase()))).toEqual([]);
  });

  it.each([
    ['of another entry', proven('kraken', good)],
    ['by another key', proven('okx', proofOf('p2wpkh', 2, messageOf('okx')))],
    ['of a P2PKH address', proven('okx', good, E)],
    ['that is cut off', proven('okx', good.slice(0, -4))],
    ['of nothing', proven('okx', 'AA==')],
  ])('%s are refused with the line', (_name, entries) => {
    expect(faults(HEAD + entry('warm-1', A) + entries)).toEqual(['E_BOOK_PROOF 6']);
  });

  it('of a book for another wallet are refused', () => {
    expect(faults(HEAD.replace('cold-btc-1', 'cold-btc-2') + proven('okx', good))).toEqual(['E_BOOK_PROOF 5']);
  });

  it('that are no base64 are refused', () => {
    expect(faults(HEAD + proven('okx', 'not base64'))).toEqual(['E_FIELD_TYPE 5']);
    expect(faults(HEAD + proven('okx', ''))).toEqual(['E_MISSING_FIELD 5']);
  });

  it('say what is to be signed where they are not good', () => {
    const book = load(HEAD + proven('okx', 'AA=='));
    expect(book.ok ? '' : book.error[0]?.remedy).toContain(messageOf('okx'));
  });

  it('of a descriptor are over the whole of it, by its first address', () => {
    const root = bip32.fromSeed(new Uint8Array(32).fill(5));
    const body = `wpkh(${root.neutered().toBase58()}/0/*)`;
    const descriptor = withChecksum(body);
    const secret = root.derive(0).derive(0).privateKey ?? new Uint8Array();
    const script = Uint8Array.of(0, 20, ...hash160(publicOf(secret)));
    const said = `countersign.book/1 of wallet cold-btc-1, destination okx, descriptor ${descriptor} at index 0, address ${encodeAddress(script, 'main')}`;
    const ranged = (proof: string, more = ''): string =>
      `  - { id: okx, descriptor: "${descriptor}", label: "L", owner: "O", purpose: "P", proof: "${proof}"${more} }\n`;
    const proof = keyHashProof(script, secret, said);
    expect(faults(HEAD + ranged(proof))).toEqual([]);
    expect(faults(HEAD + ranged(proof, ', max_index: 5'))).toEqual([]);
    const second = root.derive(0).derive(1).privateKey ?? new Uint8Array();
    expect(faults(HEAD + ranged(keyHashProof(script, second, said)))).toEqual(['E_BOOK_PROOF 5']);
  });
});
