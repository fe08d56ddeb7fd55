import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { schemaOf } from '../../src/domain/source-reader.js';
import { areAlike, Looks, looksLike, splitAddress } from '../../src/policy/alike.js';
import { loadBook, readBookShape } from '../../src/policy/book.js';
import { createBookIndex, lookalikes } from '../../src/policy/book-index.js';
import { type BookRecord, Destinations, entryKind, firstScript, type Paid } from '../../src/policy/counterparties.js';
import { proofAddress } from '../../src/policy/proof.js';
import { ScriptsOfBook, scriptIndexes } from '../../src/policy/scripts-of-book.js';
import type { BookEntry } from '../../src/policy/types.js';
import { parseCounterparty } from '../../src/vault/counterparty.js';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { yamlNode } from './documents-support.js';
import { ADDRESSES, BOOK, btc, change, NOW, output, scriptOf, someScript, spent } from './fixture.js';
import { OKX, okxAt, okxEntry, okxRequest } from './okx.js';

const counterparty = (descriptor: string) => {
  const read = parseCounterparty('main', descriptor);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
};
const withChecksum = (body: string): string => `${body}#${descriptorChecksum(body)}`;
const LEGACY = withChecksum(OKX.replace(/#.*/, '').replace('wpkh(', 'pkh('));
const where = { file: 'b.yaml', line: 1 };
const words = { label: 'l', owner: 'o', purpose: 'p', where };

const address = (id: string, text: string): BookEntry => ({
  ...{ kind: 'address', id, address: text, script: scriptOf(text) },
  ...words,
});
const descriptor = (id: string, text = OKX): BookEntry => ({
  ...{ kind: 'descriptor', id, counterparty: counterparty(text), maxIndex: 9 },
  ...words,
});

describe('an entry of a book', () => {
  it('stands for scripts of one kind, and for a first one', () => {
    expect(entryKind(address('a', ADDRESSES.D))).toBe('p2tr');
    expect(entryKind(address('a', ADDRESSES.B))).toBe('p2sh');
    expect(entryKind(descriptor('okx'))).toBe('p2wpkh');
    expect(entryKind(descriptor('x', LEGACY))).toBe('p2pkh');
    expect(firstScript(address('a', ADDRESSES.D))).toEqual(scriptOf(ADDRESSES.D));
    expect(firstScript(descriptor('okx'))).toEqual(okxAt(0));
  });

  it('is proven at an address that is spelled in one way, though base58 means its capitals', () => {
    expect(proofAddress(address('a', ADDRESSES.A.toUpperCase()))).toBe(ADDRESSES.A);
    expect(proofAddress(address('a', ADDRESSES.E))).toBe(ADDRESSES.E);
    expect(proofAddress(address('a', ADDRESSES.B))).toBe(ADDRESSES.B);
    expect(proofAddress(descriptor('okx'))).toBe(encodeAddress(okxAt(0), 'main'));
  });
});

describe('the scripts of a book', () => {
  const other = { counterparty: counterparty(OKX), maxIndex: 9 };

  it('are those of a descriptor up to its highest index', () => {
    const found = scriptIndexes(other.counterparty, 2);
    expect([...found]).toEqual([0, 1, 2].map((index) => [toHex(okxAt(index)), index]));
  });

  it('stand there once, and the entry that has one already is named', () => {
    const book = new ScriptsOfBook();
    expect(book.add('okx', other)).toBeNull();
    expect(book.add('warm', { script: scriptOf(ADDRESSES.A) })).toBeNull();
    expect(book.add('again', { script: scriptOf(ADDRESSES.A) })).toEqual({ id: 'warm' });
    expect(book.add('five', { script: okxAt(5) })).toEqual({ id: 'okx', index: 5 });
    expect(book.add('ten', { script: okxAt(10) })).toBeNull();
    expect(book.add('okx-2', other)).toEqual({ id: 'okx' });
    expect(book.add('legacy', { counterparty: counterparty(LEGACY), maxIndex: 9 })).toBeNull();
    const later = new ScriptsOfBook();
    expect(later.add('warm', { script: scriptOf(ADDRESSES.A) })).toBeNull();
    expect(later.add('nine', { script: okxAt(9) })).toBeNull();
    expect(later.add('okx', other)).toEqual({ id: 'nine' });
  });
});

describe('what the book knows of a batch', () => {
  const entries = (...more: BookRecord[]): BookRecord[] => [...BOOK.values(), okxEntry(), ...more];
  const about = (paid: Partial<Paid>, ...more: BookRecord[]) =>
    new Destinations(entries(...more), 'main').about({
      outputs: [],
      requests: [],
      spends: [],
      indexed: new Map(),
      ...paid,
    });
  const okxIn = (paid: Partial<Paid>) => [...(about(paid).counterparties.entries.get('okx')?.scripts ?? [])];
  const hex = (...indexes: number[]) => indexes.map((index) => toHex(okxAt(index)));

  it('is the entries, each with the age and the highest index of its descriptor', () => {
    const { counterparties, destinations } = about({});
    expect(counterparties).toEqual({
      entries: new Map([
        ['okx', { id: 'okx', label: 'OKX', since: okxEntry().since, maxIndex: 99, scripts: new Set() }],
      ]),
      paidBefore: new Map(),
      alike: [],
    });
    expect([...destinations.keys()]).toEqual([...BOOK.keys()]);
    const plain = new Destinations(BOOK.values(), 'main');
    expect(plain.about({ outputs: [], requests: [], spends: [], indexed: new Map() })).toEqual({
      destinations: BOOK,
      counterparties: { entries: new Map(), paidBefore: new Map(), alike: [] },
    });
  });

  it('holds the scripts of a descriptor that the batch pays, that are asked for, and that were paid', () => {
    expect(okxIn({ outputs: [output(okxAt(3), btc('1'))] })).toEqual(hex(3));
    expect(okxIn({ requests: [okxRequest(4)] })).toEqual(hex(4));
    expect(okxIn({ requests: [okxRequest(4, 6)] }).sort()).toEqual(hex(4, 6).sort());
    expect(okxIn({ requests: [okxRequest(4, 99)] }).sort()).toEqual(hex(4, 99).sort());
    expect(okxIn({ requests: [okxRequest(4, 100)] })).toEqual(hex(4));
    expect(okxIn({ requests: [okxRequest(4, null)] })).toEqual(hex(4));
    expect(okxIn({ spends: [spent(btc('1'), { to: okxAt(8) })] })).toEqual(hex(8));
    expect(okxIn({ outputs: [output(okxAt(100), btc('1'))] })).toEqual([]);
  });

  it('holds the address that would be right, where a request names no entry but pays one', () => {
    const { destination: _, ...unnamed } = okxRequest(4, 6);
    expect(okxIn({ requests: [unnamed] }).sort()).toEqual(hex(4, 6).sort());
    const stranger = { ...unnamed, script: scriptOf(ADDRESSES.X), address: ADDRESSES.X };
    expect(okxIn({ requests: [stranger] })).toEqual([]);
  });

  it('asks nothing about outputs that come back', () => {
    const own = { ...change(btc('1')), script: okxAt(3) };
    expect(okxIn({ outputs: [own] })).toEqual([]);
  });

  it('says which addresses of descriptors that it pays were paid before, and by which batches', () => {
    const indexed = new Map([
      [toHex(okxAt(3)), { index: 3, batches: ['b-1', 'b-2'] }],
      [toHex(okxAt(4)), { index: 4, batches: [] }],
      [toHex(scriptOf(ADDRESSES.A)), { index: 0, batches: ['b-3'] }],
      [toHex(scriptOf(ADDRESSES.X)), { index: 0, batches: ['b-4'] }],
    ]);
    const outputs = [okxAt(3), okxAt(4), okxAt(5), scriptOf(ADDRESSES.A), scriptOf(ADDRESSES.X)].map((script) =>
      output(script, 1n),
    );
    const { counterparties } = about({ outputs, indexed });
    expect([...counterparties.paidBefore]).toEqual([[toHex(okxAt(3)), ['b-1', 'b-2']]]);
  });

  it('finds what looks like a stranger in every descriptor of its kind, each once, by script', () => {
    const poisoned = (index: number): Uint8Array => {
      const script = okxAt(index);
      return Uint8Array.from([
        ...script.subarray(0, 8),
        ...script.subarray(8, 14).toReversed(),
        ...script.subarray(14),
      ]);
    };
    const found = (...scripts: Uint8Array[]) =>
      about({ outputs: scripts.map((script) => output(script, 1n)) }).counterparties.alike.map(({ script }) => script);
    expect(found(poisoned(7))).toEqual(hex(7));
    expect(found(poisoned(7), poisoned(7))).toEqual(hex(7));
    for (const pair of [
      [7, 12],
      [12, 7],
      [3, 60],
      [60, 3],
    ] as const) {
      expect(found(...pair.map(poisoned))).toEqual(hex(...pair).sort());
    }
    expect(found(someScript('a stranger'))).toEqual([]);
    const script = Uint8Array.from([0x6a, 1, 1]);
    expect(found(script)).toEqual([]);
    const legacy: BookRecord = { id: 'legacy', label: 'l', since: NOW, descriptor: LEGACY, maxIndex: 9 };
    const { counterparties } = about({ outputs: [output(poisoned(7), 1n)] }, legacy);
    expect(counterparties.alike.map(({ id }) => id)).toEqual(['okx']);
    expect(counterparties.entries.get('legacy')?.scripts.size).toBe(0);
  });
});

describe('addresses of a book that look alike', () => {
  const index = (network: 'main' | 'testnet3' = 'main') =>
    createBookIndex(new Map([...BOOK].filter(([, { id }]) => id !== 'elsewhere')), network);

  it('are of other destinations, the same for whoever asks again', () => {
    const book = index();
    const script = toHex(scriptOf(ADDRESSES.A_LOOK));
    for (const _ of [1, 2]) {
      expect(lookalikes(book, script, ADDRESSES.A_LOOK).map(({ id }) => id)).toEqual(['warm-1']);
      expect(lookalikes(book, toHex(scriptOf(ADDRESSES.A)), ADDRESSES.A)).toEqual([]);
      expect(lookalikes(book, toHex(scriptOf(ADDRESSES.A)), ADDRESSES.A_LOOK)).toEqual([]);
      // The answer is kept for an address, and not for whatever is said of its script.
      expect(lookalikes(book, toHex(scriptOf(ADDRESSES.F)), ADDRESSES.A_LOOK).map(({ id }) => id)).toEqual(['warm-1']);
      expect(lookalikes(book, toHex(scriptOf(ADDRESSES.F)), ADDRESSES.F)).toEqual([]);
    }
  });

  it('share six characters at their ends', () => {
    const looks = new Looks<string>();
    const all = {
      a: 'bc1qaaaaaaxxxxxx',
      b: 'bc1qaaabbbbbbaaa',
      c: 'bc1qzzzzzzzzzzzz',
      d: 'bc1paaaaaaxxxxxx',
      e: 'bc1qaaaaaayyyyyy',
    };
    for (const [name, text] of Object.entries(all)) looks.add(text, name);
    const like = (text: string) => [...new Set(looks.like(text))].sort();
    expect(like('bc1qaaaaaabbbbbb')).toEqual(['a', 'e']);
    expect(like('bc1qaaabbbcccaaa')).toEqual(['b']);
    expect(like('bc1qaaaaacbbbbbb')).toEqual([]);
    expect(like('bc1qaaaaacbbbbbx')).toEqual(['a']);
    expect(like('bc1qccccccxxxxxx')).toEqual(['a']);
    expect(like('bc1qzzzzzzzzzzzz')).toEqual([]);
    expect(like(all.a)).toEqual(['e']);
    for (const text of Object.values(all)) {
      for (const [name, other] of Object.entries(all)) {
        expect(like(text).includes(name)).toBe(looksLike(text, other));
        expect(looksLike(text, other)).toBe(areAlike(splitAddress(other), splitAddress(text)));
      }
    }
  });
});

describe('the form of a book', () => {
  it('lets an entry be an address or a descriptor, with what no form can say beside it', () => {
    const schema = schemaOf(readBookShape('main'));
    const items = schema.properties?.entries?.items;
    expect(items?.form).toBe('With an address, or with a descriptor.');
    expect(items?.anyOf?.map(({ required }) => required)).toEqual([
      ['id', 'label', 'owner', 'purpose', 'address'],
      ['id', 'label', 'owner', 'purpose', 'descriptor'],
    ]);
    expect(items?.beyond).toEqual(['that no other entry has its id or stands for one of its scripts']);
  });

  it('refuses an entry of both, and one that is no object', () => {
    const head = 'schema: countersign.book/1\nwallet: w\nversion: 1\nentries:\n';
    const messages = (entries: string) => {
      const book = loadBook(yamlNode(head + entries, 'b.yaml'), 'b.yaml', 'main');
      return book.ok ? [] : book.error.map(({ message, remedy }) => `${message}; ${remedy ?? ''}`);
    };
    const both = `  - { id: a, address: ${ADDRESSES.A}, descriptor: "${OKX}", label: "L", owner: "O", purpose: "P" }\n`;
    expect(messages(both)).toEqual([
      expect.stringContaining('has both an address and a descriptor; write an entry of its own for each'),
    ]);
    expect(messages('  - warm-1\n')).toHaveLength(1);
    const aged = (field: string) =>
      messages(`  - { id: a, address: ${ADDRESSES.A}, label: "L", owner: "O", purpose: "P", ${field}: "x" }\n`)[0];
    for (const field of ['age', 'valid_since', 'seen_first', 'opened_at', 'created'])
      expect(aged(field)).toContain('comes from the journal');
    for (const field of ['agent', 'opened_attic', 'usage', 'at'])
      expect(aged(field)).not.toContain('comes from the journal');
  });
});
