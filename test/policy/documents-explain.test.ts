import { describe, expect, it } from 'vitest';
import { explainPolicy } from '../../src/policy/explain.js';
import { changed, exampleValue, type Keys, type Leaf, leaves, load, loaded, type Plain } from './documents-support.js';

const listed = [{ id: 'ofac-xbt', sha256_pinned_by: 'compliance', max_age: '48h', max_shrink_bp: 1000 }];
/** A role that everybody has, so that each quorum has another one to name. */
const everybody = Object.fromEntries(
  leaves(exampleValue())
    .filter(({ path }) => path.startsWith('roles.') && !path.endsWith('[1]'))
    .map(({ keys, value }) => [String(keys[2]), value]),
);
const example = [
  [['screening', 'lists'], listed],
  [
    ['wallet', 'device', 'kinds'],
    ['nanos', 'nanosp'],
  ],
  [['roles', 'board'], everybody],
  [['limits', 'lifetime'], '900000000000'],
  [['destinations', 'proof'], 'required'],
  [['approvals', 'duplicate_guard'], 'approve'],
  [['transaction', 'merge_outputs'], true],
].reduce<Plain>((document, [keys, value]) => changed(document, keys as Keys, value as Plain), exampleValue());
const allLeaves = leaves(example);

const words = (value: Plain): string =>
  explainPolicy(loaded(value))
    .flatMap(({ title, sentences }) => [title, ...sentences])
    .join('\n');

/** Other values for a leaf, of which at least one is valid in its place, unless the schema knows only one. */
function others({ value, path }: Leaf, document: Plain): readonly Plain[] {
  if (typeof value === 'number') return [value - 1, value + 1];
  if (typeof value === 'boolean') return [!value];
  if (typeof value !== 'string') return [];
  const key = loaded(document).document.roles.get('officers')?.get('carol')?.[0] ?? '';
  const digits = /^\d+$/.test(value) ? [(BigInt(value) - 1n).toString()] : [];
  const durations = /^\d+[smhd]$/.test(value) ? [value.replace(/^\d+/, (count) => `${Number(count) + 1}`)] : [];
  const times = [value.replace('2026-', '2027-'), value.replace('2026-', '2025-'), value.replace(/^\d\d:/, '08:')];
  const names = [
    'main',
    'testnet4',
    'officers',
    'compliance',
    'auditors',
    'board',
    'cold-test-2',
    'stax',
    'sat',
    'sun',
    '2.2.1',
  ];
  const words = value === 'required' ? ['none'] : [];
  const keys = path.startsWith('roles.') ? [`${value}2`, key] : [];
  return [
    ...digits,
    ...durations,
    ...times,
    ...words,
    ...keys,
    ...names,
    `${value}x`,
    'a+b',
    '>=0 <9',
    'unlimited',
    'warn',
    '20000000000',
  ];
}

describe('every field of the document', () => {
  it('is among the fields that a section says it covers', () => {
    const covered = explainPolicy(loaded(example)).flatMap(({ fields }) => fields);
    const missing = allLeaves.filter(
      ({ path }) =>
        !covered.some((field) => path === field || (/^[.[]/.test(path.slice(field.length)) && path.startsWith(field))),
    );
    expect(missing.map(({ path }) => path)).toEqual([]);
  });

  /** Fields of which this version knows one value, those that hang on another field, and roles that `include` names. */
  const FIXED =
    /^(?:schema|wallet\.network|wallet\.device\.app|destinations\.default|approvals\.(?:tier_basis|initiator_may_approve)|inputs\.(?:prevtx|foreign|forced_reuse)|change\.(?:branch|reuse)|transaction\.(?:sighash|locktime|op_return|self_receive)|screening\.on_hit|prev|version|(?:destinations\.book_sign|approvals\.tiers\[2\]|halt\.resume)\.from\[1\]|(?:transaction\.versions|halt\.auto|destinations\.script_types)\[\d\])$/;

  it.each(allLeaves.filter(({ path }) => !FIXED.test(path)).map((leaf) => [leaf.path, leaf] as const))(
    '%s changes the words and the digest',
    (_path, leaf) => {
      const before = { text: words(example), digest: loaded(example).digest };
      const variants = others(leaf, example)
        .filter((value) => value !== leaf.value)
        .map((value) => changed(example, leaf.keys, value))
        .filter((document) => load(document).ok);
      expect(variants.length).toBeGreaterThan(0);
      for (const document of variants) {
        expect(words(document)).not.toBe(before.text);
        expect(loaded(document).digest).not.toBe(before.digest);
      }
    },
  );

  it.each(allLeaves.filter(({ path }) => FIXED.test(path)).map((leaf) => [leaf.path, leaf] as const))(
    '%s stands in the words as it is written',
    (_path, { value, path }) => {
      const shown = String(value).replaceAll('_', '[_ ]');
      const expected =
        path === 'prev'
          ? /no version before it/
          : path.endsWith('may_approve')
            ? /does not count as an approver/
            : new RegExp(shown);
      expect(words(example)).toMatch(expected);
    },
  );

  it('is told when it is absent, too', () => {
    for (const keys of [
      ['approvals', 'tiers', 2, 'include'],
      ['approvals', 'tiers', 2, 'touch_required'],
      ['halt', 'auto', 0],
      ['halt', 'denials'],
      ['hours', 'days', 0],
      ['destinations', 'caps_24h', 'warm-1'],
      ['limits', 'rolling_blocks', '144'],
      ['screening', 'lists', 0],
      ['limits', 'lifetime'],
      ['destinations', 'proof'],
      ['approvals', 'duplicate_guard'],
      ['transaction', 'merge_outputs'],
    ]) {
      expect(words(changed(example, keys, undefined))).not.toBe(words(example));
    }
  });
});

it('shows amounts in sats and in BTC with 8 decimals', () => {
  expect(words(example)).toContain('One batch may take out 10000000000 sat (100.00000000 BTC)');
  expect(words(changed(example, ['limits', 'batch'], '0'))).toContain('0 sat (0.00000000 BTC), which means nothing');
  expect(words(changed(example, ['limits', 'batch'], 'unlimited'))).toContain('One batch may take out no limit at all');
});

it('says what is not enforced', () => {
  expect(words(example)).toMatch(
    /does not enforce yet\nwallet\.device\.kinds: [^\n]*\nlog\.witnesses: nothing waits for these witnesses/,
  );
});
