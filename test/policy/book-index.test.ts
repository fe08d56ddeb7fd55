import { describe, expect, it } from 'vitest';
import { encodeAddress } from '../../src/domain/address.js';
import { toHex } from '../../src/domain/bytes.js';
import { createBookIndex } from '../../src/policy/book-index.js';
import type { DestinationAge } from '../../src/policy/types.js';
import { NOW, someScript } from './fixture.js';

const entry = (id: string, script = toHex(someScript(id))): DestinationAge => ({
  ...{ id, label: id, script, since: NOW },
});
const bookOf = (...entries: DestinationAge[]) => new Map(entries.map((one) => [one.script, one]));

describe('a book arranged for comparing addresses', () => {
  it('lists them by id, whatever order the book has, taken apart', () => {
    const ids = (...order: string[]) =>
      createBookIndex(bookOf(...order.map((id) => entry(id))), 'main').addresses.map(({ id }) => id);
    expect(ids('b', 'a', 'c')).toEqual(['a', 'b', 'c']);
    expect(ids('c', 'b', 'a')).toEqual(['a', 'b', 'c']);
    expect(ids('a', 'b', 'c')).toEqual(['a', 'b', 'c']);
    const [first] = createBookIndex(bookOf(entry('a')), 'main').addresses;
    const address = encodeAddress(someScript('a'), 'main') ?? '';
    expect(first).toEqual({ id: 'a', script: toHex(someScript('a')), address, prefix: 'bc1q', body: address.slice(4) });
  });

  it('leaves out what has no address', () => {
    const index = createBookIndex(bookOf(entry('burned', '6a0401020304'), entry('a')), 'main');
    expect(index.addresses.map(({ id }) => id)).toEqual(['a']);
    expect(index.fault).toBeNull();
  });

  it('arranges nothing of a book that is not sound', () => {
    const book = bookOf(entry('a'), { ...entry('b'), since: -1 });
    const index = createBookIndex(book, 'main');
    expect(index.fault).toContain('since');
    expect(index).toEqual({ destinations: book, network: 'main', fault: index.fault, addresses: [] });
  });

  it('writes an entry anew for another network or another script', () => {
    const one = entry('a');
    const address = () => createBookIndex(bookOf(one), 'main').addresses[0]?.address;
    const before = address();
    expect(before).toBe(encodeAddress(someScript('a'), 'main'));
    const elsewhere = createBookIndex(bookOf(one), 'testnet3').addresses[0]?.address;
    expect(elsewhere).toBe(encodeAddress(someScript('a'), 'testnet3'));
    Object.assign(one, { script: toHex(someScript('b')) });
    expect(createBookIndex(bookOf(one), 'testnet3').addresses[0]?.address).toBe(
      encodeAddress(someScript('b'), 'testnet3'),
    );
    expect(address()).not.toBe(before);
  });
});
