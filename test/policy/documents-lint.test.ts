import { describe, expect, it } from 'vitest';
import { parseTime } from '../../src/domain/time.js';
import { loadBook } from '../../src/policy/book.js';
import { lintPolicy } from '../../src/policy/lint.js';
import { NOT_ENFORCED } from '../../src/policy/not-enforced.js';
import { changed, exampleValue, type Keys, loaded, type Plain, shipped, yamlNode } from './documents-support.js';

const example = exampleValue();
const NOW = parseTime('2026-07-01T12:00:00Z') ?? 0;
const EXPIRES = parseTime('2026-12-01T00:00:00Z') ?? 0;

const lint = (value: Plain, now = NOW) => lintPolicy(loaded(value), { now });
const lines = (value: Plain): readonly string[] =>
  lint(value).map(({ level, field, text }) => `${level} ${field} ${text}`);
const added = (...changes: readonly (readonly [Keys, Plain])[]): readonly string[] => {
  const value = changes.reduce((document, [keys, to]) => changed(document, keys, to), example);
  const before = new Set(lint(example).map(({ field, text }) => `${field} ${text}`));
  return lint(value)
    .filter(({ field, text }) => !before.has(`${field} ${text}`))
    .map(({ level, field, text }) => `${level} ${field} ${text}`);
};

describe('the shipped example', () => {
  it('is warned only of quorums that leave no room', () => {
    expect(
      lint(example)
        .filter(({ level }) => level === 'warning')
        .map(({ field }) => field),
    ).toEqual(['change_control.sign.m', 'approvals.tiers[1].m', 'approvals.tiers[2].m']);
  });

  it('is told every field that is read and not enforced, with its line', () => {
    const notes = lint(example).filter(({ text }) => text.includes('read but not enforced'));
    expect(notes.map(({ field }) => field).sort()).toEqual(NOT_ENFORCED.map(({ field }) => field).sort());
    for (const { where } of notes) expect(where.line).toBeGreaterThan(1);
  });
});

describe('limits', () => {
  it.each<readonly [string, Keys, Plain]>([
    ['limits.output', ['limits', 'output'], '10000000001'],
    ['limits.batch', ['limits', 'batch'], '12000000001'],
    ['limits.rolling.1h', ['limits', 'rolling', '1h'], '20000000001'],
    ['limits.rolling.24h', ['limits', 'rolling', '24h'], '50000000001'],
    ['destinations.young.each_24h', ['destinations', 'young', 'each_24h'], '1000000001'],
    ['destinations.young.all_24h', ['destinations', 'young', 'all_24h'], '20000000001'],
    ['destinations.default_cap_24h', ['destinations', 'default_cap_24h'], '20000000001'],
    ['destinations.caps_24h.warm-1', ['destinations', 'caps_24h', 'warm-1'], '20000000001'],
    ['fees.max_abs', ['fees', 'max_abs'], '4000001'],
  ])('%s never binds one satoshi above the one that denies sooner', (field, keys, value) => {
    expect(added([keys, value])).toContainEqual(expect.stringMatching(new RegExp(`^warning ${field} never binds`)));
    expect(
      added([keys, (BigInt(String(value)) - 1n).toString()]).filter((line) => line.includes('never binds')),
    ).toEqual([]);
  });

  it('young caps never bind where the cool-down lasts as long', () => {
    expect(added([['destinations', 'young', 'until_age'], '72h'])).toEqual([
      expect.stringMatching(/^warning destinations\.young\.until_age the caps for young/),
    ]);
    expect(added([['destinations', 'young', 'until_age'], '73h'])).toEqual([]);
  });

  it('says that no proofs are required, and is silent where they are', () => {
    const note = expect.stringMatching(/^note destinations\.proof is not required/);
    expect(lines(example)).toContainEqual(note);
    expect(lines(changed(example, ['destinations', 'proof'], 'none'))).toContainEqual(note);
    expect(lines(changed(example, ['destinations', 'proof'], 'required'))).not.toContainEqual(note);
  });

  it('says that there is no lifetime limit, and is silent where there is one', () => {
    const note = expect.stringMatching(/^note limits\.lifetime is left out: there is no limit/);
    expect(lines(example)).toContainEqual(note);
    const written = changed(example, ['limits', 'lifetime'], '900000000000');
    expect(lines(written)).not.toContainEqual(expect.stringMatching(/limits\.lifetime/));
    expect(added([['limits', 'lifetime'], 'unlimited'])).toContainEqual(
      expect.stringMatching(/^warning limits\.lifetime is unlimited/),
    );
    expect(added([['limits', 'lifetime'], '1'])).toContainEqual(
      expect.stringMatching(/^warning limits\.rolling\.7d never binds/),
    );
  });

  it('finds a duplicate guard that asks for more people than there are', () => {
    const guarded = changed(example, ['approvals', 'duplicate_guard'], 'approve');
    const found = (m: number) => lines(changed(guarded, ['approvals', 'tiers', 0, 'm'], m)).join('\n');
    expect(found(2)).not.toMatch(/tiers\[0\]\.m with duplicate_guard/);
    expect(found(3)).toMatch(/warning approvals\.tiers\[0\]\.m with duplicate_guard: approve .* 4 of 4 people/);
  });

  it('points at the word unlimited, wherever it stands', () => {
    const places: readonly Keys[] = [
      ['limits', 'batch'],
      ['limits', 'rolling', '7d'],
      ['limits', 'rolling_blocks', '144'],
      ['limits', 'signed_unconfirmed'],
      ['destinations', 'caps_24h', 'warm-1'],
      ['destinations', 'young', 'all_24h'],
      ['fees', 'max_24h'],
    ];
    for (const keys of places) {
      expect(added([keys, 'unlimited'])).toContainEqual(
        expect.stringContaining(`warning ${keys.join('.')} is unlimited`),
      );
    }
  });

  it.each<readonly [Keys, Plain]>([
    [['limits', 'batch'], '0'],
    [['limits', 'batches_24h'], 0],
    [['limits', 'outputs_per_batch'], 0],
    [['inputs', 'max'], 0],
    [['approvals', 'valid_for'], '0s'],
    [['destinations', 'script_types'], []],
    [['hours', 'days'], []],
  ])('%j: %j lets nothing leave', (keys, value) => {
    expect(added([keys, value])).toContainEqual(expect.stringMatching(/nothing may leave/));
  });

  it.each<readonly [Keys, Plain, RegExp]>([
    [['limits', 'rolling_blocks'], {}, /^warning limits\.rolling_blocks is empty/],
    [['limits', 'reserve_floor'], '0', /^note limits\.reserve_floor/],
    [['destinations', 'cooldown'], '0s', /^warning destinations\.cooldown is 0/],
    [['inputs', 'min_confirmations'], 0, /^warning inputs\.min_confirmations is 0/],
    [['approvals', 'tiers', 0, 'm'], 1, /^warning approvals\.tiers\[0\]\.m is 1/],
    [
      ['screening', 'lists'],
      [{ id: 'x', sha256_pinned_by: 'compliance', max_age: '48h', max_shrink_bp: 10_000 }],
      /^warning screening\.lists\[0\]\.max_shrink_bp lets a list lose all/,
    ],
    [
      ['screening', 'lists'],
      [{ id: 'x', sha256_pinned_by: 'compliance', max_age: '23h', max_shrink_bp: 1 }],
      /^warning screening\.lists\[0\]\.max_age is 23 h/,
    ],
    [
      ['screening', 'inputs_hops'],
      2,
      /^warning screening\.inputs_hops asks for 2 hops.*with the first list that is named/,
    ],
    [['screening', 'inputs_hops'], 0, /^note screening\.lists names no list: nothing is screened$/],
  ])('%j: %j is weak', (keys, value, expected) => {
    expect(added([keys, value])).toContainEqual(expect.stringMatching(expected));
  });
});

describe('people', () => {
  it('finds somebody with two roles', () => {
    const key = loaded(example).document.roles.get('auditors')?.get('frank')?.[0] ?? '';
    expect(added([['roles', 'compliance', 'frank'], key])).toContainEqual(
      expect.stringMatching(/^warning roles\.auditors\.frank frank is in the roles compliance and auditors/),
    );
  });

  it('finds a tier that asks for more touched keys than there are', () => {
    const plainKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK1C6yQEl2RFKBpUqG3f09IPP2rHqUsiKMu3j8jknDkU alice';
    const lines = added([['roles', 'officers', 'alice'], plainKey], [['approvals', 'tiers', 2, 'm'], 5]);
    expect(lines).toContainEqual(
      expect.stringMatching(/approvals\.tiers\[2\]\.m can never be met: it needs 5, and there are 4/),
    );
  });

  it('is content with a quorum that leaves somebody over', () => {
    const fields = lint(changed(example, ['approvals', 'tiers', 1, 'm'], 2)).map(({ field }) => field);
    expect(fields).not.toContain('approvals.tiers[1].m');
  });

  it('finds tiers that are never reached, and sums without a tier', () => {
    expect(added([['limits', 'rolling', '24h'], '5000000000'])).toContainEqual(
      expect.stringMatching(/^note approvals\.tiers\[2\] is never reached/),
    );
    expect(added([['approvals', 'tiers', 2, 'up_to'], '19999999999'])).toContainEqual(
      expect.stringMatching(/^warning approvals\.tiers\[2\]\.up_to above 19999999999 sat/),
    );
    expect(added([['approvals', 'tiers', 2, 'up_to'], '20000000000'])).toEqual([]);
  });
});

describe('life', () => {
  const expiry = (now: number): readonly string[] =>
    lint(example, now)
      .filter(({ field }) => field === 'expires_at')
      .map(({ level, text }) => `${level} ${text}`);

  it('warns 30 days before the end, and after it', () => {
    expect(expiry(EXPIRES - 30 * 86_400)).toEqual([]);
    expect(expiry(EXPIRES - 30 * 86_400 + 1)).toEqual([expect.stringContaining('expires in 29 days')]);
    expect(expiry(EXPIRES - 1)).toEqual([expect.stringContaining('expires in 0 days')]);
    expect(expiry(EXPIRES)).toEqual([expect.stringContaining('the policy expired')]);
  });

  it('notes a policy that does not apply yet', () => {
    const start = parseTime('2026-06-01T08:00:00Z') ?? 0;
    const fields = (now: number) => lint(example, now).map(({ field }) => field);
    expect(fields(start - 1)).toContain('effective_at');
    expect(fields(start)).not.toContain('effective_at');
  });
});

describe('with a book', () => {
  const book = loadBook(yamlNode(shipped('example-book.yaml')), 'b.yaml', 'testnet3');
  if (!book.ok) throw new Error('the example book does not load');

  it('finds caps for destinations that do not exist', () => {
    const withCap = loaded(changed(example, ['destinations', 'caps_24h', 'warm-9'], '1'));
    const fields = lintPolicy(withCap, { now: NOW, book: book.value }).map(({ field }) => field);
    expect(fields).toContain('destinations.caps_24h.warm-9');
    expect(fields).not.toContain('destinations.caps_24h.warm-1');
    expect(book.value.entries.map(({ id }) => id)).toContain('warm-1');
  });
});
