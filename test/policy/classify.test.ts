import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classify, overallKind, renderOrders } from '../../src/policy/classify.js';
import type { PolicyDocument } from '../../src/policy/types.js';
import {
  between,
  blocks,
  caps,
  halt,
  kinds,
  list,
  overall,
  put,
  resume,
  roles,
  rolling,
  screening,
  tier,
  tiers,
  wallet,
  witnesses,
  young,
} from './classify-support.js';
import {
  changed,
  exampleValue,
  type Keys,
  leaves,
  load,
  loaded as loadedFile,
  type Plain,
} from './documents-support.js';
import { at, btc, DAY, HOUR, loaded, P0, type PolicyChange } from './fixture.js';

/** The field, a policy, and one that is tighter in this field alone. */
type Row = readonly [field: string, lax: PolicyChange, strict: PolicyChange];

const TABLE: readonly Row[] = [
  ['wallet.device.kinds', wallet({ kinds: ['nanos', 'stax'] }), wallet({ kinds: ['stax'] })],
  ['wallet.device.min_app_version', wallet({ minAppVersion: '2.9.9' }), wallet({ minAppVersion: '2.10.0' })],
  ['expires_at', { expiresAt: at('2026-12-01T00:00:00Z') }, { expiresAt: at('2026-11-30T23:59:59Z') }],
  ['roles.officers.dave', {}, roles((all) => all.get('officers')?.delete('dave'))],
  ['roles.officers.alice', put('officers', 'alice', 'ssh-ed25519 alice', 'ssh-ed25519 spare'), {}],
  ['change_control.sign', {}, { changeControl: { sign: { from: ['auditors', 'officers'], m: 6 } } }],
  ['change_control.loosening_notice', {}, { changeControl: { looseningNotice: 72 * HOUR + 1 } }],
  ['destinations.cooldown', {}, { destinations: { cooldown: 72 * HOUR + 1 } }],
  ['destinations.proof', {}, { destinations: { proof: 'required' } }],
  ['destinations.proof', { destinations: { proof: 'none' } }, { destinations: { proof: 'required' } }],
  ['destinations.young.until_age', {}, young({ untilAge: 30 * DAY + 1 })],
  ['destinations.young.each_24h', {}, young({ each24h: btc('5') - 1n })],
  ['destinations.young.all_24h', {}, young({ all24h: btc('10') - 1n })],
  ['destinations.book_sign', {}, { destinations: { bookSign: { ...P0.destinations.bookSign, m: 3 } } }],
  ['destinations.script_types', {}, { destinations: { scriptTypes: ['p2tr', 'p2wpkh'] } }],
  ['destinations.default_cap_24h', {}, { destinations: { defaultCap24h: btc('80') - 1n } }],
  ['destinations.caps_24h.a', caps(100n, ['a', 200n]), caps(100n, ['a', 199n])],
  ['destinations.caps_24h.a', caps(100n, ['a', 101n]), caps(100n)],
  ['destinations.caps_24h.a', caps(100n), caps(100n, ['a', 99n])],
  ['destinations.caps_24h.a', caps(null), caps(null, ['a', 99n])],
  ['destinations.caps_24h.a', caps(100n, ['a', null]), caps(100n)],
  ['limits.batch', {}, { limits: { batch: btc('100') - 1n } }],
  ['limits.batch', { limits: { batch: null } }, { limits: { batch: btc('21000000') } }],
  ['limits.output', {}, { limits: { output: 0n } }],
  ['limits.rolling.1h', {}, rolling({ '1h': btc('120') - 1n })],
  ['limits.rolling.24h', {}, rolling({ '24h': btc('200') - 1n })],
  ['limits.rolling.7d', {}, rolling({ '7d': btc('500') - 1n })],
  ['limits.rolling_blocks.144', blocks([144, 200n]), blocks([144, 199n])],
  ['limits.rolling_blocks.144', blocks([144, null]), blocks([144, 200n])],
  ['limits.rolling_blocks.144', blocks(), blocks([144, 200n])],
  ['limits.rolling_blocks.6', blocks([144, 200n]), blocks([144, 200n], [6, 199n])],
  ['limits.signed_unconfirmed', {}, { limits: { signedUnconfirmed: btc('150') - 1n } }],
  ['limits.batches_24h', {}, { limits: { batches24h: 5 } }],
  ['limits.outputs_per_batch', {}, { limits: { outputsPerBatch: 49 } }],
  ['limits.reserve_floor', {}, { limits: { reserveFloor: btc('1000') + 1n } }],
  ['limits.lifetime', {}, { limits: { lifetime: btc('21000000') } }],
  ['limits.lifetime', { limits: { lifetime: null } }, { limits: { lifetime: 0n } }],
  ['limits.lifetime', { limits: { lifetime: btc('9') } }, { limits: { lifetime: btc('9') - 1n } }],
  ['approvals.duplicate_guard', {}, { approvals: { duplicateGuard: 'approve' } }],
  [
    'approvals.duplicate_guard',
    { approvals: { duplicateGuard: 'warn' } },
    { approvals: { duplicateGuard: 'approve' } },
  ],
  ['transaction.merge_outputs', { transaction: { mergeOutputs: true } }, {}],
  ['transaction.merge_outputs', { transaction: { mergeOutputs: true } }, { transaction: { mergeOutputs: false } }],
  ['fees.max_rate_sat_vb', {}, { fees: { maxRate: 299_999n } }],
  ['fees.min_rate_sat_vb', {}, { fees: { minRate: 1001n } }],
  ['fees.max_abs', {}, { fees: { maxAbs: 999_999n } }],
  ['fees.max_bp_of_external', {}, { fees: { maxBpOfExternal: 49 } }],
  ['fees.bp_applies_above', {}, { fees: { bpAppliesAbove: 9999n } }],
  ['fees.max_24h', {}, { fees: { max24h: 3_999_999n } }],
  ['approvals.valid_for', {}, { approvals: { validFor: 4 * HOUR - 1 } }],
  ['approvals.tiers[0]', tiers(tier(null, 2)), tiers(tier(null, 3))],
  ['approvals.tiers[0]', tiers(tier(null, 2)), tiers(tier(null, 2, { touchRequired: true }))],
  [
    'approvals.tiers[0]',
    tiers(tier(null, 2, { from: ['officers', 'compliance'] })),
    tiers(tier(null, 2, { from: ['officers', 'compliance'], include: 'compliance' })),
  ],
  ['approvals.tiers[0]', tiers(tier(null, 2, { from: ['officers', 'compliance'] })), tiers(tier(null, 2))],
  // A wider circle of which one more is asked: three of them are still officers.
  [
    'approvals.tiers[0]',
    tiers(tier(null, 3)),
    tiers(tier(null, 4, { from: ['officers', 'compliance'], include: 'compliance' })),
  ],
  ['approvals.tiers[1]', tiers(tier(50n, 2), tier(null, 3)), tiers(tier(49n, 2), tier(null, 3))],
  ['approvals.tiers[1]', tiers(tier(50n, 2)), tiers(tier(20n, 2), tier(50n, 3))],
  ['inputs.min_confirmations', {}, { inputs: { minConfirmations: 7 } }],
  ['inputs.min_value', {}, { inputs: { minValue: 10_001n } }],
  ['inputs.max', {}, { inputs: { max: 199 } }],
  ['change.max_outputs', {}, { change: { maxOutputs: 0 } }],
  ['change.max_gap', {}, { change: { maxGap: 19 } }],
  ['transaction.versions', {}, { transaction: { versions: [2] } }],
  ['hours.days', {}, { hours: { days: ['tue', 'mon'] } }],
  ['hours.from', {}, { hours: { from: 7 * HOUR + 60 } }],
  ['hours.to', {}, { hours: { to: 19 * HOUR - 60 } }],
  ['hours.closed_dates', { hours: { closedDates: [] } }, { hours: { closedDates: ['2026-05-01'] } }],
  ['screening.lists[0]', screening(list()), screening(list({ maxAge: 2 * DAY - 1 }))],
  ['screening.lists[0]', screening(list()), screening(list({ maxShrinkBp: 999 }))],
  ['screening.lists[0]', screening(), screening(list())],
  ['screening.inputs_hops', {}, { screening: { inputsHops: 1 } }],
  ['clock.max_back', {}, { clock: { maxBack: 119 } }],
  ['clock.max_ahead_of_mtp', {}, { clock: { maxAheadOfMtp: 3 * HOUR - 1 } }],
  ['clock.chain_snapshot_max_age', {}, { clock: { chainSnapshotMaxAge: 2 * HOUR - 1 } }],
  ['halt.raise', halt({ raise: { from: ['officers'], m: 2 } }), halt({ raise: { from: ['officers'], m: 1 } })],
  ['halt.raise', halt({ raise: { from: ['officers'], m: 1 } }), {}],
  ['halt.resume', {}, resume({ m: 4 })],
  ['halt.resume.not_before', {}, resume({ notBefore: 24 * HOUR + 1 })],
  ['halt.auto', {}, halt({ auto: ['ledger_tamper'] })],
  ['log.witnesses.m', witnesses(1, 'a', 'b'), witnesses(2, 'a', 'b')],
  ['log.witnesses.keys', witnesses(1, 'a', 'b'), witnesses(1, 'a')],
];

describe('a change of one field', () => {
  it.each(TABLE)('%s: one way tightens, the other loosens (%#)', (field, lax, strict) => {
    const there = between(lax, strict);
    expect(there.map(({ kind }) => kind)).toEqual(['tightening']);
    expect(there.map((change) => change.field)).toEqual([field]);
    const back = between(strict, lax);
    expect(overallKind(back)).toBe('loosening');
    for (const { field: name } of back) expect(name.startsWith(field.replace(/[[0-9\]]+$/, ''))).toBe(true);
  });

  it.each(TABLE)('%s: with a loosening elsewhere it is a loosening (%#)', (_, lax, strict) => {
    const looser = {
      ...strict,
      log: { ...(strict.log ?? lax.log), origin: 'elsewhere.example' },
    };
    const kinds = between(lax, looser).map(({ kind }) => kind);
    expect(kinds).toContain('tightening');
    expect(overall(lax, looser)).toBe('loosening');
  });

  const LOOSER: readonly (readonly [field: string, after: PolicyChange, before: PolicyChange | null])[] = [
    ['engine', { engine: '>=1 <3' }, null],
    ['engine', { engine: '>=0 <2' }, null],
    ['wallet.id', { wallet: { id: 'other' } }, null],
    ['wallet.network', { wallet: { network: 'signet' } }, null],
    ['wallet.descriptor', { wallet: { descriptor: 'wpkh(other)' } }, null],
    ['wallet.device.app', wallet({ app: 'Bitcoin Test' }), null],
    ['effective_at', { effectiveAt: P0.effectiveAt - 1 }, null],
    ['roles.officers.mallory', put('officers', 'mallory', 'ssh-ed25519 mallory'), null],
    ['roles.compliance.alice', put('compliance', 'alice', 'ssh-ed25519 alice'), null],
    ['roles.officers.alice', put('officers', 'alice', 'ssh-ed25519 other'), null],
    ['hours.days', { hours: { days: ['mon', 'tue', 'wed', 'sat'] } }, null],
    [
      'destinations.script_types',
      { destinations: { scriptTypes: ['p2tr'] } },
      { destinations: { scriptTypes: ['p2wpkh'] } },
    ],
    ['log.origin', { log: { origin: 'other.example' } }, null],
  ];
  it.each(LOOSER)('%s: not provably tighter is a loosening', (field, change, before) => {
    expect(kinds(between(before ?? {}, change))).toEqual([`${field} loosening`]);
  });

  const NEUTRAL: readonly (readonly [field: string, before: PolicyChange, after: PolicyChange])[] = [
    ['version', {}, { version: 8 }],
    ['prev', {}, { prev: `sha256:${'1'.repeat(64)}` }],
    ['effective_at', {}, { effectiveAt: P0.effectiveAt + 1 }],
    ['engine', { engine: '>=1 <3' }, { engine: '>=1 <2' }],
    ['destinations.caps_24h.a', caps(100n), caps(100n, ['a', 100n])],
    ['limits.rolling_blocks.6', blocks([144, 200n]), blocks([144, 200n], [6, 200n])],
    ['limits.rolling_blocks.6', blocks([144, 200n], [6, 200n]), blocks([144, 200n])],
    ['limits.rolling_blocks.6', blocks([6, null]), blocks()],
    ['hours.closed_dates', {}, { hours: { closedDates: ['2026-12-25', '2026-12-01'] } }],
    ['hours.closed_dates', { hours: { closedDates: ['2026-04-30'] } }, { hours: { closedDates: [] } }],
    [
      'approvals.tiers[0]',
      tiers(tier(null, 1, { from: ['compliance'] })),
      tiers(tier(null, 1, { from: ['compliance'], include: 'compliance' })),
    ],
    ['roles.guests.zoe', {}, put('guests', 'zoe', 'ssh-ed25519 zoe')],
    ['roles.guests.zoe', put('guests', 'zoe', 'ssh-ed25519 zoe'), {}],
    ['roles.guests.alice', {}, put('guests', 'alice', 'ssh-ed25519 alice')],
  ];
  it.each(NEUTRAL)('%s: without effect on what may leave it is neutral (%#)', (field, before, after) => {
    const found = between(before, after);
    expect(kinds(found)).toEqual([`${field} neutral`]);
    expect(overallKind(found)).toBe('neutral');
  });

  it('a closed date has an effect from the first second of the new version on, and up to its last', () => {
    const life = { effectiveAt: at('2026-05-02T00:00:00Z'), expiresAt: at('2026-06-01T00:00:00Z') };
    const closed = (...closedDates: string[]): PolicyChange => ({ ...life, hours: { closedDates } });
    for (const date of ['2026-05-01', '2026-06-01']) expect(overall(closed(date), closed())).toBe('neutral');
    for (const date of ['2026-05-02', '2026-05-31']) expect(overall(closed(date), closed())).toBe('loosening');
  });

  it('a cap of its own is compared with the default of the other version', () => {
    const [before, after] = [caps(100n), caps(50n, ['a', 80n])];
    expect(kinds(between(before, after))).toEqual([
      'destinations.default_cap_24h tightening',
      'destinations.caps_24h.a tightening',
    ]);
    expect(kinds(between(after, before))).toEqual([
      'destinations.default_cap_24h loosening',
      'destinations.caps_24h.a loosening',
    ]);
  });

  it('finds nothing between a policy and itself, nor in another order of lists or another comment of a key', () => {
    expect(between({}, {})).toEqual([]);
    expect(
      between(
        {},
        {
          hours: { days: [...P0.hours.days].reverse() },
          roles: new Map(
            [...(put('officers', 'alice', 'ssh-ed25519 alice a laptop').roles as PolicyDocument['roles'])].reverse(),
          ),
        },
      ),
    ).toEqual([]);
    expect(overall({}, {})).toBe('neutral');
  });
});

describe('what a change says', () => {
  it('names both values, the reason, and the line: of the new version, of the old one for what is gone', () => {
    const before = { ...loaded(blocks([144, btc('2')])), where: () => ({ file: 'old.yaml', line: 3 }) };
    const after = { ...loaded({ limits: { batch: btc('101') } }), where: () => ({ file: 'new.yaml', line: 4 }) };
    expect(classify(before, after)).toEqual([
      {
        field: 'limits.batch',
        before: '10000000000 sat (100.00000000 BTC)',
        after: '10100000000 sat (101.00000000 BTC)',
        kind: 'loosening',
        why: 'the cap is higher',
        where: { file: 'new.yaml', line: 4 },
      },
      {
        field: 'limits.rolling_blocks.144',
        before: '200000000 sat (2.00000000 BTC)',
        after: 'none',
        kind: 'loosening',
        why: 'nothing in the new version holds 144 blocks to 200000000 sat (2.00000000 BTC)',
        where: { file: 'old.yaml', line: 3 },
      },
    ]);
  });
});

describe('the orders', () => {
  const page = readFileSync(new URL('../../docs/policy-changes.md', import.meta.url), 'utf8');

  it('stand in docs/policy-changes.md', () => {
    expect(page).toContain(renderOrders());
  });

  it('name every field of a policy file, and no field that is not there', () => {
    const fields = [...renderOrders().matchAll(/^\| `(\S+)` \|/gm)].map(([, field = '']) => field);
    const paths = leaves(withOptional()).map(({ path }) => path);
    const under = (path: string, field: string): boolean => path === field || /^[.[]/.test(path.slice(field.length));
    const covers = (field: string, path: string): boolean => path.startsWith(field) && under(path, field);
    for (const path of paths) expect(fields.filter((field) => covers(field, path)).length, path).toBeGreaterThan(0);
    for (const field of fields) expect(paths.filter((path) => covers(field, path)).length, field).toBeGreaterThan(0);
    expect(new Set(fields).size).toBe(fields.length);
  });

  it('notice every change of a value in a file', () => {
    const example = withOptional();
    const before = loadedFile(example);
    const seen: string[] = [];
    for (const { keys, path, value } of leaves(example)) {
      const after = load(changed(example, keys, otherThan(value)));
      // What has one possible value, or may not change alone, is refused before it is compared.
      if (!after.ok) continue;
      seen.push(path);
      // Of a key, another comment: it means nothing.
      const isKey = path.startsWith('roles.');
      expect(classify(before, after.value).length > 0, path).toBe(!isKey);
    }
    expect(seen.length).toBeGreaterThan(50);
  });

  it('find the line of a change in the file', () => {
    const after = loadedFile(changed(exampleValue(), ['limits', 'rolling', '24h'], '1'));
    const [change] = classify(loadedFile(exampleValue()), after);
    expect(change).toMatchObject({ field: 'limits.rolling.24h', where: after.where('limits.rolling.24h') });
    expect(change?.where.line).toBeGreaterThan(1);
  });
});

/** The example with the fields that it leaves out. */
function withOptional(): Plain {
  return [
    [['limits', 'lifetime'], '900000000000'],
    [['destinations', 'proof'], 'required'],
    [['approvals', 'duplicate_guard'], 'approve'],
    [['transaction', 'merge_outputs'], true],
  ].reduce<Plain>((document, [keys, value]) => changed(document, keys as Keys, value as Plain), exampleValue());
}

it('tells a field that is left out from nothing: it means what it meant before there was such a field', () => {
  for (const [left, written] of [
    [{}, { limits: { lifetime: null } }],
    [{}, { destinations: { proof: 'none' } }],
    [{}, { approvals: { duplicateGuard: 'warn' } }],
    [{}, { transaction: { mergeOutputs: false } }],
  ] as const satisfies readonly (readonly [PolicyChange, PolicyChange])[]) {
    expect(between(left, written)).toEqual([]);
    expect(between(written, left)).toEqual([]);
  }
});

/** Another value that might stand there. */
function otherThan(value: Plain): Plain {
  if (typeof value === 'boolean') return !value;
  if (value === 'approve') return 'warn';
  if (value === 'required') return 'none';
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return ['ofac'];
  if (/^\d+$/.test(value)) return `${value}0`;
  if (/^\d+[smhd]$/.test(value)) return `1${value}`;
  if (/^\d{4}-/.test(value)) return value.replace(/^\d{4}/, '2027');
  if (/^\d\d:/.test(value)) return value.replace(/\d\d$/, '30');
  const others: Readonly<Record<string, string>> = {
    officers: 'auditors',
    compliance: 'officers',
    unlimited: '99999999999',
  };
  return others[value] ?? `${value}x`;
}
