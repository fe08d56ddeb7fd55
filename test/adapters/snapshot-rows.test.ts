import { Transaction } from 'bitcoinjs-lib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSnapshot } from '../../src/adapters/snapshot.js';
import { takeRows } from '../../src/adapters/snapshot-rows.js';
import { toHex, utf8 } from '../../src/domain/bytes.js';
import { createDeriver } from '../../src/vault/derive.js';
import { vaultOf } from '../vault/fixtures.js';

const vault = vaultOf('wpkh');
const deriver = createDeriver(vault);

/** A transaction that pays the vault, different for each number. */
function paymentOf(number: number, script: Uint8Array, value: bigint): Transaction {
  const transaction = new Transaction();
  transaction.version = 2;
  transaction.locktime = number;
  transaction.addInput(new Uint8Array(32).fill(7), 1, 0xfffffffd);
  transaction.addOutput(script, value);
  return transaction;
}

/** The lines of a right snapshot in the form in which `chain sync` writes it. */
function linesOf(heights: readonly (number | null)[]): string[] {
  const made = heights.map((height, number) => {
    const { script } = deriver.at(0, number);
    const transaction = paymentOf(number, script, 1000n + BigInt(number));
    const outpoint = `${transaction.getId()}:0`;
    const value = String(1000 + number);
    const coin = { outpoint, value, script: toHex(script), branch: 0, index: number, height, coinbase: false };
    return { coin: `    ${JSON.stringify(coin)}`, previous: `    "${transaction.getId()}": "${transaction.toHex()}"` };
  });
  const commas = (rows: readonly string[]): string[] => rows.join(',\n').split('\n');
  return [
    '{',
    '  "schema": "countersign.snapshot/1",',
    '  "network": "testnet3",',
    '  "vault": "cold",',
    `  "descriptor_checksum": "${vault.descriptor.slice(-8)}",`,
    `  "tip": {"height":101,"hash":"${'00'.repeat(32)}","median_time_past":"2026-06-01T11:00:00Z"},`,
    '  "taken_at": "2026-06-01T12:00:00Z",',
    '  "last_used": {"receive":9},',
    '  "coins": [',
    ...commas(made.map(({ coin }) => coin)),
    '  ],',
    '  "previous_transactions": {',
    ...commas(made.map(({ previous }) => previous)),
    '  },',
    '  "confirmed_transactions": {}',
    '}',
    '',
  ];
}

/** The same document, with another space before the names of its two lists: every line and every column stays. */
const otherwise = (text: string): string => text.replace(/\n {2}(?="(?:coins|previous_transactions)")/g, '\n\t ');

const read = (text: string, mode: 'derive' | 'known') => readSnapshot(utf8(text), 'coins.json', deriver, mode);

/** What is said of a text, but for the hash of its bytes, which the two spellings do not share. */
function said(text: string, mode: 'derive' | 'known') {
  const result = read(text, mode);
  return result.ok ? { ok: true, value: { ...result.value, sha256: null } } : result;
}

function expectSame(text: string): void {
  expect(takeRows(otherwise(text))).toBeNull();
  for (const mode of ['derive', 'known'] as const) expect(said(text, mode)).toEqual(said(otherwise(text), mode));
}

const heights = fc.array(fc.option(fc.integer({ min: 1, max: 101 })), { minLength: 1, maxLength: 5 });

describe('rows that stand as this program writes them', () => {
  test('are taken, and say what the strict reader says', () => {
    fc.assert(
      fc.property(heights, (list) => {
        const text = linesOf(list).join('\n');
        const taken = takeRows(text);
        expect(taken?.coins).toHaveLength(list.length);
        expect(taken?.previous.size).toBe(list.length);
        expect(taken?.rest).toBe(text.replace(/\n {4}.*/g, ''));
        expect(read(text, 'derive').ok).toBe(true);
        expectSame(text);
      }),
    );
  });

  test('with any piece changed get the answer of the strict reader, at its line', () => {
    const pieces = [
      ...[
        '"',
        ',',
        ':',
        '{',
        '}',
        '[',
        ']',
        '\n',
        ' ',
        '\\',
        '0',
        '1',
        'a',
        'A',
        'null',
        'true',
        '-1',
        '1e3',
        '\t',
        'é',
      ],
      ...['\n  "coins": [\n', '\n  "coins": []', '\n  "previous_transactions": {\n', '\n  ]', '\n  }', '\n    '],
      ...['"index":2147483648', '"value":"2100000000000001"', '"height":500000000', '"coinbase":true', '"branch":2'],
    ];
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.nat(3),
      add: fc.constantFrom('', ...pieces),
    });
    let [taken, refused] = [0, 0];
    fc.assert(
      fc.property(heights, fc.array(change, { minLength: 1, maxLength: 3 }), (list, changes) => {
        let text = linesOf(list).join('\n');
        for (const { at, remove, add } of changes) {
          const from = Math.floor(at * text.length);
          text = text.slice(0, from) + add + text.slice(from + remove);
        }
        if (takeRows(text) !== null) taken += 1;
        if (!read(text, 'derive').ok) refused += 1;
        expectSame(text);
      }),
      { numRuns: 600 },
    );
    expect([taken, refused].every((count) => count > 20)).toBe(true);
  });

  test('with a line twice, missing or elsewhere get the answer of the strict reader', () => {
    const edit = fc.record({ from: fc.nat(24), to: fc.nat(24), how: fc.constantFrom('copy', 'move', 'drop') });
    fc.assert(
      fc.property(heights, fc.array(edit, { minLength: 1, maxLength: 2 }), (list, edits) => {
        const lines = linesOf(list);
        for (const { from, to, how } of edits) {
          const [line = ''] = lines.slice(from, from + 1);
          if (how !== 'copy') lines.splice(from, 1);
          if (how !== 'drop') lines.splice(to, 0, line);
        }
        expectSame(lines.join('\n'));
      }),
      { numRuns: 400 },
    );
  });
});

describe('rows are not taken', () => {
  const text = linesOf([100, null]).join('\n');
  const [txid = ''] = /[0-9a-f]{64}(?=:0)/.exec(text) ?? [];
  test.each([
    ['a height above all', (t: string) => t.replace('"height":100', '"height":500000000')],
    ['an output number beyond 32 bits', (t: string) => t.replace(':0"', ':4294967296"')],
    ['a hardened index', (t: string) => t.replace('"index":0', '"index":2147483648')],
    ['a value above 21,000,000 BTC', (t: string) => t.replace('"1000"', '"2100000000000001"')],
    ['a value with a leading zero', (t: string) => t.replace('"1000"', '"01000"')],
    ['half a byte', (t: string) => t.replace('"script":"00', '"script":"0')],
    ['a capital letter in a transaction', (t: string) => t.replace(/": "02/, '": "0A')],
    ['an empty transaction', (t: string) => t.replace(new RegExp(`"${txid}": "[0-9a-f]+"`), `"${txid}": ""`)],
    ['a transaction twice', (t: string) => t.replace(new RegExp(`( {4}"${txid}": "[0-9a-f]+",?)`), '$1\n$1')],
    ['a space at the end of a row', (t: string) => t.replace('false},', 'false}, ')],
  ])('with %s', (_, edit) => {
    const changed = edit(text);
    expect(changed).not.toBe(text);
    expect(takeRows(text)).not.toBeNull();
    expect(takeRows(changed)).toBeNull();
  });

  test.each([
    ['height', '"height":499999999', '"height":100'],
    ['output number', ':4294967295"', ':0"'],
    ['index', '"index":2147483647', '"index":0'],
    ['value', '"2100000000000000"', '"1000"'],
  ])('and they are with the highest %s', (_, highest, usual) => {
    expect(takeRows(text.replace(usual, highest))?.rest).toBe(takeRows(text)?.rest);
  });

  test('for a second list of the same name, which is refused', () => {
    const twice = text.replace('  "confirmed_transactions": {}', '  "coins": [],\n  "confirmed_transactions": {}');
    const result = read(twice, 'known');
    expect(!result.ok && result.error.tag).toBe('E_DUPLICATE_KEY');
  });

  test('for a list that hides in another field, which is refused', () => {
    const hidden = text.replace('  "last_used": {"receive":9},', '  "last_used": {\n  "coins": [\n    1\n  ]},');
    const result = read(hidden, 'known');
    expect(!result.ok && result.error.tag).toBe('E_UNKNOWN_FIELD');
  });
});
