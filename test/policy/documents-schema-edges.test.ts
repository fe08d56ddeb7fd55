import { describe, expect, it } from 'vitest';
import { changed, exampleValue, type Keys, type Plain, refusals } from './documents-support.js';

// Values that a policy may have beside those that it may not, from their beginning to their end.

const example = exampleValue();
const of = (keys: Keys, value: Plain) => refusals(changed(example, keys, value));

describe('the forms of a policy', () => {
  it.each<[string, Keys, readonly Plain[], readonly Plain[]]>([
    [
      'the engine',
      ['engine'],
      ['>=1 <2', '>=0 <2', '>=1 <999', '>=001 <12'],
      ['>=1 <1', '>=2 <3', '>=0 <1', 'x>=1 <2', '>=1 <2x', '>=1 <2000', '>=1000 <2', '>=1', '>=1 <x'],
    ],
    [
      'the version of the app',
      ['wallet', 'device', 'min_app_version'],
      ['2.2.0', '0.0.0', '10.20.3000'],
      ['2.2', '02.2.0', '2.02.0', 'x2.2.0', '2.2.0x', '2.2.0.1', '2.2.00', '20000.1.1'],
    ],
    [
      'keys of witnesses',
      ['log', 'witnesses', 'keys'],
      [['w+abc', 'v+d']],
      ['w', '+abc', 'w+', 'x w+abc', 'w+abc x', 'w+a b'].map((key) => [key, 'v+d']),
    ],
  ])('%s', (_, keys, good, bad) => {
    for (const value of good) expect(of(keys, value), JSON.stringify(value)).toEqual([]);
    for (const value of bad) expect(of(keys, value), JSON.stringify(value)).not.toEqual([]);
  });

  it('tiers ascend, and what is wrong with one says which', () => {
    const tier = (up_to: string) => ({ up_to, from: 'officers', m: 1 });
    const said = (...tops: string[]) => of(['approvals', 'tiers'], tops.map(tier)).join('\n');
    expect(said('5', '6', 'unlimited')).toBe('');
    expect(said('5', '5')).toContain('tier 2 does not reach further than the one before it');
    expect(said('5', '7', '6')).toContain('tier 3 does not reach further');
    expect(said('unlimited', '6')).toContain('tier 1 is unlimited');
    expect(said('5', 'unlimited', '6')).toContain('tier 2 is unlimited');
  });

  it('a descriptor is whole, and holds no private key', () => {
    const descriptor = (text: Plain) => of(['wallet', 'descriptor'], text);
    expect(descriptor('x wpkh(')).not.toEqual([]);
    expect(descriptor('wpkh(xprv9s21ZrQH143K)').join()).toMatch(/private/);
    expect(descriptor({ a: 1 })).not.toEqual([]);
    expect(descriptor('wpkh(a b)')).not.toEqual([]);
  });

  it('each screening list has an id of its own', () => {
    const list = (id: string) => ({ id, sha256_pinned_by: 'compliance', max_age: '48h', max_shrink_bp: 1000 });
    expect(of(['screening', 'lists'], [list('a'), list('b')])).toEqual([]);
    expect(of(['screening', 'lists'], [list('a'), list('a')])).not.toEqual([]);
  });
});
