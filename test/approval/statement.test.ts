import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalStatement, checkStatement, type StatementFields } from '../../src/approval/statement.js';
import { sha256Hex, utf8 } from '../../src/domain/bytes.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';

const FIELDS: StatementFields = {
  kind: 'withdrawal',
  replaces: null,
  childOf: null,
  network: 'testnet4',
  vault: 'cold-1',
  descriptor: 'wpkh([f5acc2fd/84h/1h/0h]tpubKEY/<0;1>/*)#abcdefgh',
  batch: '20260601-0123abcd',
  psbt: sha256Hex('psbt'),
  txid: sha256Hex('txid'),
  inputs: [
    { outpoint: `${'1'.repeat(64)}:0`, amount: 700_000n },
    { outpoint: `${'2'.repeat(64)}:1`, amount: 300_000n },
  ],
  outputs: [
    { script: `0014${'aa'.repeat(20)}`, amount: 600_000n, change: false },
    { script: `0014${'bb'.repeat(20)}`, amount: 399_000n, change: true },
  ],
  spend: 601_000n,
  fee: 1000n,
  policy: `sha256:${sha256Hex('policy')}`,
  book: sha256Hex('book'),
  journal: { seq: 17, hash: sha256Hex('entry') },
  initiator: 'alice',
  approver: 'bob',
  validUntil: 1_780_318_800,
};

const check = (text: string, expected = FIELDS) => checkStatement(utf8(text), expected);
const messageOf = (result: ReturnType<typeof checkStatement>): string =>
  result.ok ? 'ok' : `${result.error.tag} ${result.error.message}`;

describe('approvalStatement', () => {
  it('is the canonical JSON that docs/approvals.md describes, and accepted by checkStatement', () => {
    const text = approvalStatement(FIELDS);
    const json = JSON.parse(text);
    expect(canonicalJson(json)).toBe(text);
    expect(json).toMatchObject({
      schema: 'countersign.approval/1',
      descriptor_checksum: 'abcdefgh',
      descriptor_sha256: sha256Hex(FIELDS.descriptor),
      inputs: [{ outpoint: `${'1'.repeat(64)}:0`, amount: '700000' }, { amount: '300000' }],
      outputs: [{ change: false }, { change: true, amount: '399000' }],
      journal: { seq: 17, hash: sha256Hex('entry') },
      valid_until: '2026-06-01T13:00:00Z',
    });
    expect(check(text)).toEqual({ ok: true, value: undefined });
  });

  it('has exactly the fields that docs/approvals.md lists', () => {
    const page = readFileSync('docs/approvals.md', 'utf8');
    const listed = [...page.matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(([, field]) => field);
    expect(listed.sort()).toEqual(Object.keys(JSON.parse(approvalStatement(CONSOLIDATION))).sort());
  });

  it('names no kind for a withdrawal, so that statements of before there was another stay what they were', () => {
    expect(JSON.parse(approvalStatement(FIELDS))).not.toHaveProperty('kind');
    expect(JSON.parse(approvalStatement(CONSOLIDATION)).kind).toBe('consolidation');
  });

  it('says none where there is no book', () => {
    expect(JSON.parse(approvalStatement({ ...FIELDS, book: null })).book).toBe('none');
  });

  it('is a bug without a checksum in the descriptor', () => {
    expect(() => approvalStatement({ ...FIELDS, descriptor: 'wpkh(x)' })).toThrow('checksum');
  });
});

const CONSOLIDATION: StatementFields = { ...FIELDS, kind: 'consolidation' };

const CHANGES: [string, StatementFields][] = [
  ['network', { ...FIELDS, network: 'main' }],
  ['vault', { ...FIELDS, vault: 'cold-2' }],
  ['descriptor_checksum', { ...FIELDS, descriptor: FIELDS.descriptor.replace('abcdefgh', 'abcdefgx') }],
  ['descriptor_sha256', { ...FIELDS, descriptor: FIELDS.descriptor.replace('tpubKEY', 'tpubOTHER') }],
  ['batch', { ...FIELDS, batch: '20260601-0123abce' }],
  ['kind', { ...FIELDS, kind: 'consolidation' }],
  ['psbt_sha256', { ...FIELDS, psbt: sha256Hex('other') }],
  ['unsigned_txid', { ...FIELDS, txid: sha256Hex('other') }],
  [
    'inputs[0].outpoint',
    { ...FIELDS, inputs: [{ outpoint: `${'3'.repeat(64)}:0`, amount: 700_000n }, ...FIELDS.inputs.slice(1)] },
  ],
  [
    'inputs[1].amount',
    { ...FIELDS, inputs: [...FIELDS.inputs.slice(0, 1), { outpoint: `${'2'.repeat(64)}:1`, amount: 300_001n }] },
  ],
  ['inputs[1]', { ...FIELDS, inputs: FIELDS.inputs.slice(0, 1) }],
  [
    'outputs[0].amount',
    { ...FIELDS, outputs: FIELDS.outputs.map((o, i) => (i === 0 ? { ...o, amount: 599_999n } : o)) },
  ],
  ['outputs[0].script', { ...FIELDS, outputs: FIELDS.outputs.map((o, i) => (i === 0 ? { ...o, script: '51' } : o)) }],
  ['outputs[1].change', { ...FIELDS, outputs: FIELDS.outputs.map((o) => ({ ...o, change: false })) }],
  ['spend', { ...FIELDS, spend: 601_001n }],
  ['fee', { ...FIELDS, fee: 1001n }],
  ['policy', { ...FIELDS, policy: `sha256:${sha256Hex('policy 2')}` }],
  ['book', { ...FIELDS, book: null }],
  ['journal.seq', { ...FIELDS, journal: { ...FIELDS.journal, seq: 18 } }],
  ['journal.hash', { ...FIELDS, journal: { ...FIELDS.journal, hash: sha256Hex('fork') } }],
  ['initiator', { ...FIELDS, initiator: 'carol' }],
  ['approver', { ...FIELDS, approver: 'carol' }],
  ['valid_until', { ...FIELDS, validUntil: FIELDS.validUntil + 1 }],
];

describe('checkStatement', () => {
  it.each(CHANGES)('refuses another %s and names it', (path, changed) => {
    expect(messageOf(check(approvalStatement(FIELDS), changed))).toContain(
      `E_APPROVAL_BINDING the approval is over another ${path}:`,
    );
    expect(messageOf(check(approvalStatement(changed)))).toContain(`another ${path}:`);
  });

  it('answers for one that is nested deeper than a stack, or longer than any could be', () => {
    const deep = approvalStatement(FIELDS).replace(
      /"batch":"[^"]*"/,
      `"batch":${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    );
    expect(messageOf(check(deep))).toContain('over another batch: it says a list');
    const long = approvalStatement(FIELDS).replace('{', `{${' '.repeat(10_000_000)}`);
    expect(messageOf(check(long))).toContain('is not a statement of countersign.approval/1');
  });

  it('has a change for every field that can differ', () => {
    const named = new Set(CHANGES.map(([path]) => path.split(/[.[]/)[0]));
    expect([...named].sort()).toEqual(
      Object.keys(JSON.parse(approvalStatement(CONSOLIDATION)))
        .filter((key) => key !== 'schema')
        .sort(),
    );
  });

  const good = approvalStatement(FIELDS);
  it.each([
    ['a line end', `${good}\n`],
    ['a space', good.replace('{', '{ ')],
    ['a key that stands twice', good.replace('{', '{"fee":"1000",')],
    ['another order of keys', JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(good)).reverse()))],
    ['an escape that says the same', good.replace('"alice"', '"\\u0061lice"')],
  ])('refuses %s though the values are the same', (_, text) => {
    expect(messageOf(check(text))).toMatch(
      /^E_APPROVAL_BINDING .*(canonical form|line end, which was signed with it)$/,
    );
  });

  it.each([
    ['an unknown field', good.replace('{', '{"aaa":1,'), 'another aaa: it says 1, the batch has nothing'],
    ['a missing field', good.replace('"fee":"1000",', ''), 'another fee: it says nothing, the batch has "1000"'],
    ['a number for text', good.replace('"fee":"1000"', '"fee":1000'), 'another fee: it says 1000'],
    ['a field by way of a prototype', good.replace('"fee":"1000"', '"__proto__":{"fee":"1000"}'), 'another __proto__'],
    ['null for an object', good.replace(/"journal":\{[^}]*\}/, '"journal":null'), 'another journal: it says null'],
  ])('refuses %s', (_, text, words) => {
    expect(messageOf(check(text))).toContain(words);
  });

  it.each(['', 'null', '[]', '"x"', '{}', '{"schema":"countersign.approval/2"}', 'not JSON'])(
    'refuses %j as no statement',
    (text) => {
      expect(messageOf(check(text))).toContain('not a statement of countersign.approval/1');
    },
  );

  it('refuses any other bytes, with a fault and no exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
        expect(checkStatement(bytes, FIELDS)).toMatchObject({ ok: false, error: { tag: 'E_APPROVAL_BINDING' } });
      }),
    );
  });

  it('refuses a flip of any one bit', () => {
    const bytes = utf8(good);
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(checkStatement(flipped, FIELDS).ok).toBe(false);
      }),
    );
  });
});
