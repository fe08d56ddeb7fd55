import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadPolicy } from '../../src/policy/load.js';
import { runs } from '../runs.js';
import {
  changed,
  exampleValue,
  jsonNode,
  type Keys,
  leaves,
  load,
  loaded,
  type Plain,
  refusals,
  shipped,
  yamlNode,
} from './documents-support.js';

const example = exampleValue();
const set = (path: string, to: Plain | undefined): Plain => changed(example, keysOf(path), to);
const keysOf = (path: string): Keys =>
  path.split(/\.|(?=\[)/).map((part) => (part.startsWith('[') ? Number(part.slice(1, -1)) : part));

describe('the shipped example', () => {
  it('loads, with every value where it belongs', () => {
    const policy = loadPolicy(yamlNode(shipped('example.yaml')), 'p.yaml');
    if (!policy.ok) throw new Error(policy.error[0]?.message);
    const { document, digest } = policy.value;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(document).toMatchObject({
      version: 1,
      prev: null,
      effectiveAt: Date.parse('2026-06-01T08:00:00Z') / 1000,
      wallet: { network: 'testnet3', device: { minAppVersion: '2.2.0' } },
      changeControl: { sign: { from: ['auditors'], m: 2 }, looseningNotice: 259_200 },
      destinations: { cooldown: 259_200, young: { untilAge: 2_592_000, each24h: 500_000_000n } },
      limits: {
        batch: 10_000_000_000n,
        rolling: { '7d': 50_000_000_000n },
        batches24h: 6,
        reserveFloor: 100_000_000_000n,
      },
      fees: { maxRate: 300_000n, minRate: 1000n, maxBpOfExternal: 50 },
      hours: { from: 25_200, to: 68_400, days: ['mon', 'tue', 'wed', 'thu', 'fri'] },
      clock: { maxBack: 120 },
    });
    expect(document.limits.rollingBlocks).toEqual(new Map([[144, 20_000_000_000n]]));
    expect(document.destinations.caps24h).toEqual(new Map([['warm-1', 15_000_000_000n]]));
    expect([...document.roles.keys()]).toEqual(['officers', 'compliance', 'auditors']);
    expect(document.roles.get('officers')?.get('bob')).toHaveLength(2);
    expect(document.approvals.tiers.map(({ upTo, touchRequired, include }) => [upTo, touchRequired, include])).toEqual([
      [1_000_000_000n, false, undefined],
      [5_000_000_000n, false, undefined],
      [null, true, 'compliance'],
    ]);
  });

  it('knows the line of every field', () => {
    const text = shipped('example.yaml');
    const policy = loadPolicy(yamlNode(text), 'p.yaml');
    if (!policy.ok) throw new Error('the example does not load');
    const lineOf = (path: string): string => text.split('\n')[(policy.value.where(path).line ?? 0) - 1] ?? '';
    expect(lineOf('limits.rolling.24h')).toContain('rolling: {');
    expect(lineOf('limits.reserve_floor')).toContain('reserve_floor:');
    expect(lineOf('approvals.tiers[1].m')).toContain('up_to: "5000000000"');
    expect(lineOf('approvals.tiers[1].touch_required')).toContain('up_to: "5000000000"');
    expect(lineOf('roles.officers.bob[1]')).toContain('sk-ecdsa');
    expect(policy.value.where('no.such.field').file).toBe('p.yaml');
  });
});

describe('the digest', () => {
  const { digest } = loaded(example);

  it('does not hang on comments, key order, quotes of texts, or the format', () => {
    const text = shipped('example.yaml');
    const yaml = (changedText: string): string => {
      const policy = loadPolicy(yamlNode(changedText), 'p.yaml');
      return policy.ok ? policy.value.digest : '';
    };
    expect(yaml(text)).toBe(digest);
    expect(yaml(`# another comment\n${text}`)).toBe(digest);
    expect(yaml(text.replace('from: auditors', "from: 'auditors'"))).toBe(digest);
    const reversed = (value: Plain): Plain =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, child]) => [key, reversed(child)]),
          )
        : value;
    expect(loaded(reversed(example)).digest).toBe(digest);
  });

  it('changes with the order of a list and with any cap', () => {
    expect(loaded(set('hours.days', ['tue', 'mon', 'wed', 'thu', 'fri'])).digest).not.toBe(digest);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }), (cap) => {
        const other = loaded(set('limits.batch', cap.toString()));
        expect(other.document.limits.batch).toBe(cap);
        expect(other.digest === digest).toBe(cap === 10_000_000_000n);
      }),
    );
  });
});

describe('fields', () => {
  const mandatory = leaves(example).filter(
    ({ path }) => !/\[\d+\]|^roles|caps_24h|rolling_blocks|\.include$|^prev$|\.from$/.test(path),
  );

  it.each(mandatory.map(({ path }) => path))('%s may not be missing, null or empty', (path) => {
    const missing = new RegExp(`^E_MISSING_FIELD ${path.replaceAll('.', '\\.')}`);
    expect(refusals(set(path, undefined))).toEqual([expect.stringMatching(missing)]);
    expect(refusals(set(path, null))).toEqual([expect.stringMatching(missing)]);
    expect(refusals(set(path, ''))).toEqual([expect.stringMatching(missing)]);
  });

  it('says what a missing limit and a zero mean', () => {
    const policy = load(set('limits.rolling.7d', undefined));
    expect(policy.ok ? '' : policy.error[0]?.remedy).toMatch(/"0" means that nothing may leave; a missing limit/);
    expect(loaded(set('limits.rolling.7d', '0')).document.limits.rolling['7d']).toBe(0n);
  });

  it.each([
    ['~', 'E_MISSING_FIELD'],
    ['', 'E_MISSING_FIELD'],
    ['1e8', 'E_AMOUNT_SYNTAX'],
    ['+5', 'E_AMOUNT_SYNTAX'],
    ['1_000', 'E_AMOUNT_SYNTAX'],
    ['0x10', 'E_AMOUNT_SYNTAX'],
    ['010', 'E_AMOUNT_SYNTAX'],
    ['1.5', 'E_AMOUNT_SYNTAX'],
    ['.inf', 'E_AMOUNT_SYNTAX'],
    ['100', 'E_AMOUNT_SYNTAX'],
    ['9007199254740993', 'E_AMOUNT_SYNTAX'],
    ['"1e8"', 'E_AMOUNT_SYNTAX'],
    ['"+5"', 'E_AMOUNT_SYNTAX'],
    ['"1,000"', 'E_AMOUNT_SYNTAX'],
    ['"-1"', 'E_AMOUNT_SYNTAX'],
    ['"2100000000000001"', 'E_AMOUNT_RANGE'],
    ['[]', 'E_AMOUNT_SYNTAX'],
    ['Unlimited', 'E_AMOUNT_SYNTAX'],
  ])('a YAML limit of %s is %s', (written, tag) => {
    const text = shipped('example.yaml').replace('batch: "10000000000"', `batch: ${written}`);
    const policy = loadPolicy(yamlNode(text), 'p.yaml');
    const line = text.split('\n').findIndex((row) => row.startsWith('  batch:')) + 1;
    expect(policy).toMatchObject({ ok: false, error: [{ tag, where: { file: 'p.yaml', line } }] });
  });

  it('takes the word unlimited for a cap, and not for a floor', () => {
    expect(loaded(set('limits.batch', 'unlimited')).document.limits.batch).toBeNull();
    expect(refusals(set('limits.reserve_floor', 'unlimited'))).toEqual([expect.stringMatching(/^E_AMOUNT_SYNTAX/)]);
    expect(loaded(set('limits.batch', '2100000000000000')).document.limits.batch).toBe(2_100_000_000_000_000n);
  });

  it.each([
    ['batchh', 'limits.batchh', 'did you mean batch?'],
    ['rolling_block', 'limits.rolling_block', 'did you mean rolling_blocks?'],
    ['__proto__', 'limits.__proto__', 'known here'],
    ['constructor', 'limits.constructor', 'known here'],
  ])('an unknown field %s is refused, with the name that was meant', (name, path, remedy) => {
    const text = JSON.stringify(example).replace('"limits":{', `"limits":{"${name}":"1",`);
    const policy = loadPolicy(yamlNode(text), 'p.yaml');
    expect(policy).toMatchObject({ ok: false, error: [{ tag: 'E_UNKNOWN_FIELD' }] });
    expect(policy.ok ? '' : policy.error[0]?.message).toContain(path.replace(`.${name}`, ''));
    expect(policy.ok ? '' : policy.error[0]?.remedy).toContain(remedy);
    expect(({} as Record<string, unknown>)['1']).toBeUndefined();
  });

  it.each<readonly [string, Plain, string]>([
    ['schema', 'countersign.policy/2', 'E_FIELD_TYPE'],
    ['engine', '>=2 <3', 'E_POLICY_SCHEMA'],
    ['engine', '>=1', 'E_FIELD_TYPE'],
    ['wallet.id', 'Cold Wallet', 'E_FIELD_TYPE'],
    ['wallet.network', 'testnet', 'E_FIELD_TYPE'],
    ['wallet.network', 'main', 'E_POLICY_SCHEMA'],
    ['wallet.descriptor', 'tpubXYZ', 'E_FIELD_TYPE'],
    ['wallet.device.kinds', [], 'E_MISSING_FIELD'],
    ['wallet.device.kinds', ['nanos', 'nanos'], 'E_FIELD_TYPE'],
    ['wallet.device.kinds', ['trezor'], 'E_FIELD_TYPE'],
    ['wallet.device.app', 'Bitcoin', 'E_POLICY_SCHEMA'],
    ['wallet.device.min_app_version', '2.2', 'E_FIELD_TYPE'],
    ['version', '1', 'E_FIELD_TYPE'],
    ['version', 0, 'E_FIELD_TYPE'],
    ['version', 2, 'E_POLICY_SCHEMA'],
    ['prev', `sha256:${'0'.repeat(64)}`, 'E_POLICY_SCHEMA'],
    ['prev', 'sha256:00', 'E_FIELD_TYPE'],
    ['effective_at', '2026-06-31T08:00:00Z', 'E_FIELD_TYPE'],
    ['effective_at', '2026-06-01', 'E_FIELD_TYPE'],
    ['effective_at', '2026-06-01T08:00:00+02:00', 'E_FIELD_TYPE'],
    ['effective_at', '2026-12-01T00:00:00Z', 'E_POLICY_SCHEMA'],
    ['roles', {}, 'E_MISSING_FIELD'],
    ['roles.auditors', {}, 'E_MISSING_FIELD'],
    ['roles.Auditors', { x: 'y' }, 'E_UNKNOWN_FIELD'],
    ['roles.auditors.frank', [], 'E_MISSING_FIELD'],
    ['change_control.sign', { from: 'auditors', m: 3 }, 'E_POLICY_SCHEMA'],
    ['change_control.sign', { from: 'auditors', m: 0 }, 'E_FIELD_TYPE'],
    ['change_control.sign', { from: 'nobody', m: 1 }, 'E_POLICY_SCHEMA'],
    ['change_control.sign', { from: 'auditors', m: 1, include: 'compliance' }, 'E_POLICY_SCHEMA'],
    ['change_control.sign', { from: ['auditors', 'auditors'], m: 1 }, 'E_FIELD_TYPE'],
    ['change_control.loosening_notice', '72', 'E_FIELD_TYPE'],
    ['change_control.loosening_notice', 72, 'E_FIELD_TYPE'],
    ['destinations.default', 'allow', 'E_FIELD_TYPE'],
    ['destinations.cooldown', '1w', 'E_FIELD_TYPE'],
    ['destinations.script_types', ['op_return'], 'E_FIELD_TYPE'],
    ['destinations.caps_24h', { 'Warm 1': '1' }, 'E_UNKNOWN_FIELD'],
    ['destinations.caps_24h', { 'warm-1': null }, 'E_MISSING_FIELD'],
    ['limits.rolling', { '1h': '1', '24h': '1', '7d': '1', '30d': '1' }, 'E_UNKNOWN_FIELD'],
    ['limits.rolling', '100', 'E_FIELD_TYPE'],
    ['limits.rolling_blocks', { '0': '1' }, 'E_UNKNOWN_FIELD'],
    ['limits.rolling_blocks', { '1e2': '1' }, 'E_UNKNOWN_FIELD'],
    ['limits.batches_24h', '6', 'E_FIELD_TYPE'],
    ['fees.max_rate_sat_vb', '1e3', 'E_FEERATE_SYNTAX'],
    ['fees.max_rate_sat_vb', true, 'E_FEERATE_SYNTAX'],
    ['fees.min_rate_sat_vb', 301, 'E_POLICY_SCHEMA'],
    ['fees.max_bp_of_external', 10_001, 'E_FIELD_TYPE'],
    ['approvals.initiator_may_approve', true, 'E_FIELD_TYPE'],
    ['approvals.initiator_may_approve', 'false', 'E_FIELD_TYPE'],
    ['approvals.tiers', [], 'E_MISSING_FIELD'],
    ['approvals.tiers[0].up_to', '5000000000', 'E_POLICY_SCHEMA'],
    ['approvals.tiers[0].up_to', 'unlimited', 'E_POLICY_SCHEMA'],
    ['approvals.tiers[0].m', 5, 'E_POLICY_SCHEMA'],
    ['approvals.tiers[2].touch_required', 'yes', 'E_FIELD_TYPE'],
    ['change.branch', 0, 'E_FIELD_TYPE'],
    ['change.max_outputs', 11, 'E_FIELD_TYPE'],
    ['transaction.versions', [3], 'E_FIELD_TYPE'],
    ['transaction.versions', ['2'], 'E_FIELD_TYPE'],
    ['hours.days', ['Mon'], 'E_FIELD_TYPE'],
    ['hours.from', '7:00', 'E_FIELD_TYPE'],
    ['hours.from', '19:00', 'E_POLICY_SCHEMA'],
    ['hours.to', '24:01', 'E_FIELD_TYPE'],
    ['hours.closed_dates', ['2026-02-29'], 'E_FIELD_TYPE'],
    ['hours.closed_dates', ['2026-12-25', '2026-12-25'], 'E_FIELD_TYPE'],
    ['screening.lists', [{ id: 'x', sha256_pinned_by: 'nobody', max_age: '48h', max_shrink_bp: 1 }], 'E_POLICY_SCHEMA'],
    ['halt.auto', ['reboot'], 'E_FIELD_TYPE'],
    ['halt.resume', { from: 'officers', m: 3 }, 'E_MISSING_FIELD'],
    ['log.origin', 'a\u001b[2K', 'E_TEXT_UNSAFE'],
    ['log.witnesses', { m: 3, keys: ['a+b', 'c+d'] }, 'E_POLICY_SCHEMA'],
  ])('%s: %j is %s', (path, value, tag) => {
    expect(refusals(set(path, value)).map((line) => line.split(' ')[0])).toContain(tag);
  });

  it.each<readonly [string, Plain]>([
    ['prev', 'none'],
    ['hours.to', '24:00'],
    ['hours.closed_dates', ['2028-02-29']],
    ['hours.days', []],
    ['limits.rolling_blocks', {}],
    ['destinations.caps_24h', {}],
    ['change.max_outputs', 10],
    ['fees.max_bp_of_external', 10_000],
    ['fees.max_rate_sat_vb', '12.5'],
    ['approvals.tiers[0].up_to', '4999999999'],
    ['approvals.tiers[0].m', 4],
    ['change_control.sign', { from: ['auditors'], m: 2, include: 'auditors' }],
  ])('%s may be %j', (path, value) => {
    expect(refusals(set(path, value))).toEqual([]);
  });

  it('takes a chained version, and version 1 without prev', () => {
    expect(refusals(set('prev', undefined))).toEqual([]);
    const second = changed(set('version', 2), ['prev'], `sha256:${'7'.repeat(64)}`);
    expect(loaded(second).document.prev).toBe(`sha256:${'7'.repeat(64)}`);
    expect(refusals(changed(set('version', 2), ['prev'], undefined))).toEqual([
      expect.stringMatching(/^E_POLICY_SCHEMA prev/),
    ]);
  });

  it('refuses a private key and does not repeat it', () => {
    const secret = 'tprv8ZgxMBicQKsPdQXJz5N4j8deLh8Tt';
    const result = refusals(set('wallet.descriptor', `wpkh([f5acc2fd/84h/1h/0h]${secret}/<0;1>/*)`));
    expect(result).toEqual([expect.stringMatching(/^E_FIELD_TYPE wallet\.descriptor: it holds a private key/)]);
    expect(result.join()).not.toContain(secret);
  });

  it('refuses keys of the other network', () => {
    expect(refusals(set('wallet.descriptor', 'wpkh([f5acc2fd/84h/1h/0h]xpub6C/<0;1>/*)'))).toEqual([
      expect.stringMatching(/begin with tpub, not xpub/),
    ]);
  });
});

describe('people', () => {
  const key = loaded(example).document.roles.get('auditors')?.get('frank')?.[0] ?? '';

  it('refuses one key under two people, whatever its comment', () => {
    expect(refusals(set('roles.auditors.grace', key.replace('frank@example', 'grace')))).toEqual([
      expect.stringMatching(/^E_POLICY_SCHEMA roles\.auditors\.grace: the key of grace is also the key of frank/),
    ]);
  });

  it('takes one person in two roles, with one key, and counts them once', () => {
    const twice = set('roles.compliance.frank', key);
    expect(refusals(twice)).toEqual([]);
    const quorum = { from: ['auditors', 'compliance'], m: 4 };
    expect(refusals(changed(twice, ['change_control', 'sign'], quorum))).toEqual([
      expect.stringMatching(/m asks for 4 people, but auditors, compliance have 3/),
    ]);
    expect(refusals(changed(twice, ['change_control', 'sign'], { ...quorum, m: 3 }))).toEqual([]);
  });

  it('refuses the same key twice for one person', () => {
    expect(refusals(set('roles.auditors.frank', [key, `${key} again`]))).toEqual([
      expect.stringMatching(/stands in this list twice/),
    ]);
  });
});

it('reports all faults in one run, in the order of the document', () => {
  const broken = [
    ['version', 'x'],
    ['limits.batch', '1e8'],
    ['limits.bath', '1'],
    ['limits.output', undefined],
    ['hours.from', '25:00'],
    ['approvals.tiers[0].up_to', 'unlimited'],
  ] as const;
  const value = broken.reduce<Plain>((document, [path, to]) => changed(document, keysOf(path), to), example);
  expect(refusals(value).map((line) => line.split(' ')[0])).toEqual([
    'E_FIELD_TYPE',
    'E_MISSING_FIELD',
    'E_AMOUNT_SYNTAX',
    'E_UNKNOWN_FIELD',
    'E_POLICY_SCHEMA',
    'E_FIELD_TYPE',
  ]);
});

it('never throws, whatever one leaf is replaced by', () => {
  const junk = fc.oneof(
    fc.constantFrom<Plain>(null, '', '0', 0, 1, true, false, [], {}, [[]], 'unlimited', 'none', '__proto__'),
    fc.string({ maxLength: 12 }).filter((text) => !/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufeff]/u.test(text)),
    fc.nat(),
  );
  fc.assert(
    fc.property(fc.constantFrom(...leaves(example)), fc.nat({ max: 3 }), junk, ({ keys }, cut, value) => {
      const result = load(changed(example, keys.slice(0, Math.max(1, keys.length - cut)), value));
      if (!result.ok) {
        expect(result.error.length).toBeGreaterThan(0);
        for (const fault of result.error) expect(fault.where?.line).toBeGreaterThan(0);
      }
    }),
    { numRuns: runs(500) },
  );
});

it.each<readonly [string, Plain]>([
  ['a text', 'x'],
  ['a list', []],
  ['nothing', {}],
])('refuses a document that is %s', (_name, value) => {
  expect(loadPolicy(jsonNode(value), 'p.json').ok).toBe(false);
});
