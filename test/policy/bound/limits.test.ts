import { describe, expect, it } from 'vitest';
import { destinationsOf, highestCap, togetherIn24h } from '../../../src/policy/bound/destinations.js';
import { consolidationFee, feeFor, leastFee, limitsOf, shut } from '../../../src/policy/bound/limits.js';
import { lowest } from '../../../src/policy/bound/types.js';
import type { LoadedBook, PolicyDocument } from '../../../src/policy/types.js';
import { ONE_PAYEE } from '../bound-brute.js';
import { ADDRESSES, btc, DAY, HOUR, loaded, P0, type PolicyChange, scriptOf } from '../fixture.js';

const fees = (change: Partial<PolicyDocument['fees']>, outputs = 1) => ({
  fees: { ...P0.fees, maxAbs: null, max24h: null, ...change },
  change: { ...P0.change, maxOutputs: outputs },
});

describe('fees', () => {
  it('the least is that of 200 vB at the lowest rate, rounded up', () => {
    expect(leastFee(fees({ minRate: 1000n }))).toBe(200n);
    expect(leastFee(fees({ minRate: 1001n }))).toBe(201n);
    expect(leastFee(fees({ minRate: 0n }))).toBe(0n);
  });

  it('the highest of a payment is the lowest of what binds: rate, fraction, absolute, a day', () => {
    const of = (change: Partial<PolicyDocument['fees']>, paid = 10_000_000n) => feeFor(fees(change), paid);
    const wide = { maxRate: 1_000_000n, maxBpOfExternal: 10_000, bpAppliesAbove: 0n };
    expect(of({ ...wide, maxRate: 10_000n })).toBe(1_000_000n);
    expect(of({ ...wide, maxBpOfExternal: 50 })).toBe(50_000n);
    expect(of({ ...wide, maxBpOfExternal: 50, bpAppliesAbove: 50_001n })).toBe(50_001n);
    expect(of({ ...wide, maxBpOfExternal: 50, bpAppliesAbove: 49_999n })).toBe(50_000n);
    expect(of({ ...wide, maxAbs: 777n })).toBe(777n);
    expect(of({ ...wide, max24h: 778n })).toBe(778n);
    expect(of({ ...wide, maxAbs: 777n, max24h: 778n })).toBe(777n);
    expect(of({ ...wide, maxAbs: 779n, max24h: 778n })).toBe(778n);
  });

  it('of a consolidation no fraction, and none where nothing may be change', () => {
    const wide = { maxRate: 10_000n, maxBpOfExternal: 0, bpAppliesAbove: 0n };
    expect(consolidationFee(fees(wide))).toBe(1_000_000n);
    expect(consolidationFee(fees({ ...wide, maxAbs: 5n }))).toBe(5n);
    expect(consolidationFee(fees({ ...wide, max24h: 6n }))).toBe(6n);
    expect(consolidationFee(fees({ ...wide, maxAbs: 2_000_000n }))).toBe(1_000_000n);
    expect(consolidationFee(fees(wide, 0))).toBe(0n);
  });
});

describe('a policy that lets nothing through', () => {
  const why = (change: PolicyChange) => shut(loaded(change))?.by.code ?? null;
  const list = { id: 'x', pinnedBy: 'compliance', maxAge: 1, maxShrinkBp: 0 };

  it.each<[string, PolicyChange, PolicyChange, string]>([
    [
      'coins from further back than data',
      { screening: { lists: [list], inputsHops: 2 } },
      { screening: { lists: [list], inputsHops: 1 } },
      'DATA_MISSING',
    ],
    [
      'hops without a list',
      { hours: { days: [] }, screening: { inputsHops: 2 } },
      { screening: { inputsHops: 2 } },
      'TIME_CLOSED',
    ],
    [
      'hours',
      { hours: { from: 9 * HOUR, to: 9 * HOUR } },
      { hours: { from: 9 * HOUR, to: 9 * HOUR + 1 } },
      'TIME_CLOSED',
    ],
    ['life', { expiresAt: P0.effectiveAt }, { expiresAt: P0.effectiveAt + DAY }, 'TIME_CLOSED'],
    ['types', { destinations: { scriptTypes: [] } }, { destinations: { scriptTypes: ['p2tr'] } }, 'DEST_SCRIPT_TYPE'],
    ['batches', { limits: { batches24h: 0 } }, { limits: { batches24h: 1 } }, 'LIMIT_BATCH_COUNT'],
    ['outputs', { limits: { outputsPerBatch: 0 } }, { limits: { outputsPerBatch: 1 } }, 'LIMIT_OUTPUT_COUNT'],
    ['coins', { inputs: { max: 0 } }, { inputs: { max: 1 } }, 'TX_SHAPE'],
    ['approvals', { approvals: { validFor: 0 } }, { approvals: { validFor: 1 } }, 'APPROVAL_EXPIRED'],
    ['fee', { fees: { maxAbs: 199n } }, { fees: { maxAbs: 200n } }, 'FEE_ABS'],
    ['fees of a day', { fees: { max24h: 199n } }, { fees: { max24h: 200n } }, 'FEE_24H'],
  ])('by its %s, and one step further lets something', (_, closed, open, code) => {
    expect(why(closed)).toBe(code);
    expect(why(open)).toBeNull();
    expect(shut(loaded(closed))?.cap).toBe(0n);
    expect(shut(loaded(closed))?.by.text).toMatch(/^[a-z0-9_.]+: .*, so nothing may leave$/);
  });

  it('has no fee limit where it says none', () => {
    expect(why({ fees: { maxAbs: null, max24h: null } })).toBeNull();
  });

  it('says whether no hour is open at all, or none while it lives', () => {
    const text = (change: PolicyChange) => shut(loaded(change))?.by.text;
    expect(text({ hours: { days: [] } })).toBe('hours: no hour is open, so nothing may leave');
    const weekend = { effectiveAt: P0.effectiveAt + DAY, expiresAt: P0.effectiveAt + 2 * DAY };
    expect(text(weekend)).toBe('hours: no hour is open while the policy lives, so nothing may leave');
  });
});

describe('destinations of a book', () => {
  const [payee] = ONE_PAYEE.entries;
  if (payee === undefined || payee.kind !== 'address') throw new Error('the book has one address');
  const book = (...ids: string[]): LoadedBook => ({ ...ONE_PAYEE, entries: ids.map((id) => ({ ...payee, id })) });
  const caps = {
    defaultCap24h: btc('20'),
    caps24h: new Map([
      ['warm', btc('30')],
      ['free', null],
    ]),
  };
  const { document } = loaded({ destinations: caps });
  const of = (one: LoadedBook | null, growing = false) => {
    const found = destinationsOf(document, one, growing);
    const known = found.known.map(({ id, cap }) => [id, cap]);
    return { known, others: found.others, most: highestCap(found, document), together: togetherIn24h(found, document) };
  };

  it('have their own caps or the default one, by id', () => {
    expect(of(book('warm', 'cold'))).toEqual({
      known: [
        ['cold', btc('20')],
        ['warm', btc('30')],
      ],
      others: 0,
      most: btc('30'),
      together: btc('50'),
    });
    expect(of(book('cold'))).toMatchObject({ most: btc('20'), together: btc('20') });
    expect(of(book())).toEqual({ known: [], others: 0, most: 0n, together: 0n });
  });

  it('of which one has no cap are not bounded together', () => {
    expect(of(book('warm', 'free'))).toMatchObject({ others: 0, most: null, together: null });
  });

  it('are any number where the book is not known or grows; the policy names those with caps', () => {
    expect(of(null)).toMatchObject({ others: null, most: null, together: null });
    expect(of(null).known).toEqual([
      ['free', null],
      ['warm', btc('30')],
    ]);
    expect(of(book('warm'), true)).toMatchObject({ others: null, most: btc('30'), together: null });
  });

  it('of a default cap of 0 are no more than those with caps of their own', () => {
    const none = loaded({ destinations: { defaultCap24h: 0n, caps24h: new Map([['warm', btc('30')]]) } }).document;
    expect(togetherIn24h(destinationsOf(none, null, true), none)).toBe(btc('30'));
    expect(highestCap(destinationsOf(none, null, true), none)).toBe(btc('30'));
  });

  it('are only those whose kind is paid, and whose proof is there where one is asked for', () => {
    const taproot = { ...payee, id: 'taproot', script: scriptOf(ADDRESSES.D) };
    const mixed: LoadedBook = { ...ONE_PAYEE, entries: [payee, taproot] };
    const ids = (change: PolicyChange, one: LoadedBook) =>
      destinationsOf(loaded(change).document, one, false).known.map(({ id }) => id);
    expect(ids({ destinations: { scriptTypes: ['p2tr'] } }, mixed)).toEqual(['taproot']);
    expect(ids({ destinations: { scriptTypes: ['p2tr', 'p2wpkh'] } }, mixed)).toEqual(['payee', 'taproot']);
    const proven: LoadedBook = { ...ONE_PAYEE, entries: [payee, { ...taproot, proof: 'a proof' }] };
    expect(ids({ destinations: { proof: 'required' } }, proven)).toEqual(['taproot']);
    expect(ids({ destinations: { proof: 'none' } }, proven)).toEqual(['payee', 'taproot']);
  });
});

describe('what holds a batch', () => {
  const ALL = new Set(['alice', 'bob', 'carol', 'dave', 'erin']);
  const NO_FEES = { maxRate: 0n, minRate: 0n, maxAbs: 0n, maxBpOfExternal: 0, bpAppliesAbove: 0n, max24h: null };
  const held = (change: PolicyChange, book: LoadedBook | null = null, bookGrows = true) => {
    const { batch, windows, count, least, basis } = limitsOf({ policy: loaded(change), people: ALL, book, bookGrows });
    const one = (bounded: typeof batch) => [bounded.by.code, bounded.cap] as const;
    return {
      batch: one(batch),
      basis: one(basis),
      windows: windows.map(({ seconds, bounded }) => [seconds, ...one(bounded)]),
      count,
      least,
      text: batch.by.text,
    };
  };
  const none: PolicyChange = {
    limits: { batch: null, output: null, rolling: { '1h': null, '24h': null, '7d': null }, signedUnconfirmed: null },
    destinations: { defaultCap24h: null, caps24h: new Map() },
    fees: NO_FEES,
  };
  const but = (limits: Partial<PolicyDocument['limits']>, more: PolicyChange = {}): PolicyChange => ({
    ...none,
    ...more,
    limits: { ...(none.limits as PolicyDocument['limits']), ...limits },
  });

  it.each<[string, PolicyChange, string]>([
    ['batch', but({ batch: btc('7') }), 'LIMIT_BATCH'],
    ['unconfirmed', but({ signedUnconfirmed: btc('7') }), 'LIMIT_UNCONFIRMED'],
    [
      'blocks',
      but({
        rollingBlocks: new Map([
          [144, btc('8')],
          [6, btc('7')],
        ]),
      }),
      'LIMIT_BLOCKS',
    ],
    ['1h', but({ rolling: { '1h': btc('7'), '24h': null, '7d': null } }), 'LIMIT_1H'],
    ['24h', but({ rolling: { '1h': null, '24h': btc('7'), '7d': null } }), 'LIMIT_24H'],
    ['7d', but({ rolling: { '1h': null, '24h': null, '7d': btc('7') } }), 'LIMIT_7D'],
    ['lifetime', but({ lifetime: btc('7') }), 'LIMIT_LIFETIME'],
    ['output', but({ output: btc('3.5'), outputsPerBatch: 2 }), 'LIMIT_OUTPUT'],
    [
      'cap',
      but({ outputsPerBatch: 2 }, { destinations: { defaultCap24h: btc('3.5'), caps24h: new Map() } }),
      'DEST_CAP',
    ],
    [
      'cap below output',
      but(
        { output: btc('4'), outputsPerBatch: 2 },
        { destinations: { defaultCap24h: btc('3.5'), caps24h: new Map() } },
      ),
      'DEST_CAP',
    ],
    [
      'output below cap',
      but(
        { output: btc('3.5'), outputsPerBatch: 2 },
        { destinations: { defaultCap24h: btc('4'), caps24h: new Map() } },
      ),
      'LIMIT_OUTPUT',
    ],
    [
      'output as cap',
      but(
        { output: btc('3.5'), outputsPerBatch: 2 },
        { destinations: { defaultCap24h: btc('3.5'), caps24h: new Map() } },
      ),
      'LIMIT_OUTPUT',
    ],
  ])('%s', (_, change, code) => {
    expect(held(change).batch).toEqual([code, btc('7')]);
  });

  it('is nothing where no limit is set', () => {
    expect(held(none).batch).toEqual(['LIMIT_BATCH', null]);
    expect(held(none).basis[1]).toBeNull();
  });

  it('fees come on top of what outputs may carry; a consolidation may cost more than that', () => {
    const paying = { ...NO_FEES, maxRate: 1_000_000n, maxAbs: 900n, maxBpOfExternal: 10_000 };
    const some = but({ output: btc('1'), outputsPerBatch: 1 }, { fees: paying });
    expect(held(some).batch).toEqual(['LIMIT_OUTPUT', btc('1') + 900n]);
    expect(held(some).text).toContain('at most 1 output of 100000000 sat (1.00000000 BTC) (limits.output)');
    const burning = but({ output: 100n, outputsPerBatch: 1 }, { fees: { ...paying, maxBpOfExternal: 0 } });
    expect(held(burning).batch).toEqual(['LIMIT_OUTPUT', 900n]);
  });

  it('the windows are those of the policy, what the people may approve, and what the book may get', () => {
    expect(held({})).toMatchObject({ count: 6, least: 746n, basis: ['APPROVALS_NO_TIER', null] });
    expect(held({}).windows).toEqual([
      [HOUR, 'LIMIT_1H', btc('120')],
      [DAY, 'APPROVALS_NO_TIER', null],
      [DAY, 'LIMIT_24H', btc('200')],
      [DAY, 'DEST_CAP', null],
      [7 * DAY, 'LIMIT_7D', btc('500')],
    ]);
    expect(held({ limits: { lifetime: btc('7') } }).windows.at(-1)).toEqual([
      Number.POSITIVE_INFINITY,
      'LIMIT_LIFETIME',
      btc('7'),
    ]);
  });

  it('of a closed book the sum of the caps, and the fees of as many batches', () => {
    const paid = (change: PolicyChange, book: LoadedBook = ONE_PAYEE) => held(change, book, false).windows[3];
    const caps = { defaultCap24h: btc('20'), caps24h: new Map() };
    expect(paid(but({}, { destinations: caps }))).toEqual([DAY, 'DEST_CAP', btc('20')]);
    const paying = { ...NO_FEES, maxRate: 1_000_000n, maxAbs: 900n, maxBpOfExternal: 10_000 };
    expect(paid(but({}, { destinations: caps, fees: paying }))).toEqual([DAY, 'DEST_CAP', btc('20') + 6n * 900n]);
    const day = { ...paying, max24h: 1000n };
    expect(paid(but({}, { destinations: caps, fees: day }))).toEqual([DAY, 'DEST_CAP', btc('20') + 1000n]);
    expect(paid(but({}, { destinations: caps }), { ...ONE_PAYEE, entries: [] })).toEqual([DAY, 'DEST_NOT_ALLOWED', 0n]);
    expect(paid(but({}))).toEqual([DAY, 'DEST_CAP', null]);
    expect(paid(but({}, { destinations: { ...caps, defaultCap24h: 0n }, fees: paying }))).toEqual([
      DAY,
      'DEST_CAP',
      0n,
    ]);
  });

  it('says what the book may get', () => {
    const text = (book: LoadedBook | null) =>
      limitsOf({
        policy: loaded({ destinations: { defaultCap24h: btc('20'), caps24h: new Map() } }),
        people: ALL,
        book,
        bookGrows: book === null,
      }).windows[3]?.bounded.by.text;
    expect(text(null)).toBe('there may be any number of destinations');
    const anyone = loaded({ destinations: { defaultCap24h: btc('20'), caps24h: new Map() } });
    const { windows } = limitsOf({ policy: anyone, people: ALL, book: null, bookGrows: true });
    expect(windows[3]?.bounded.by.code).toBe('DEST_CAP');
    expect(text(ONE_PAYEE)).toBe(
      'the caps of the 1 destination add up to 2000000000 sat (20.00000000 BTC) in 24 h, without fees',
    );
  });

  it('a day leaps over no tier that is above its other limits', () => {
    const tiers = [
      { upTo: btc('10'), from: ['compliance'], m: 1, touchRequired: false },
      { upTo: null, from: ['officers'], m: 2, touchRequired: false },
    ];
    const basis = (limits: Partial<PolicyDocument['limits']>, book: LoadedBook | null = null, cap = btc('80')) =>
      limitsOf({
        policy: loaded({ approvals: { tiers }, limits, destinations: { defaultCap24h: cap, caps24h: new Map() } }),
        people: new Set(['alice', 'bob']),
        book,
        bookGrows: book === null,
      }).basis.cap;
    const rolling = (day: string, week: string) => ({ rolling: { '1h': null, '24h': btc(day), '7d': btc(week) } });
    expect(basis(rolling('11', '50'))).toBeNull();
    expect(basis(rolling('10', '50'))).toBe(0n);
    expect(basis(rolling('50', '10'))).toBe(0n);
    expect(basis(rolling('50', '50'), ONE_PAYEE, btc('9'))).toBe(0n);
    expect(basis(rolling('50', '50'), ONE_PAYEE, btc('11'))).toBeNull();
  });

  it('says how much a batch may take where the number of batches holds', () => {
    const countBy = (change: PolicyChange) =>
      limitsOf({ policy: loaded(change), people: ALL, book: null, bookGrows: true }).countBy.text;
    expect(countBy({})).toBe('limits.batches_24h is 6, of at most 10000000000 sat (100.00000000 BTC) each');
    expect(countBy(none)).toBe('limits.batches_24h is 6, of at most any amount each');
  });

  it('a policy that is shut takes nothing', () => {
    expect(held({ hours: { days: [] } }).batch).toEqual(['TIME_CLOSED', 0n]);
  });
});

it('the lowest cap, the first of equals', () => {
  const bounded = (cap: bigint | null, field: string) => ({
    cap,
    by: { code: 'LIMIT_24H' as const, field, where: { file: 'p', line: 1 }, text: field },
  });
  expect(lowest([bounded(null, 'a'), bounded(5n, 'b'), bounded(3n, 'c'), bounded(3n, 'd')])?.by.field).toBe('c');
  expect(lowest([bounded(null, 'a')])).toBeNull();
  expect(lowest([])).toBeNull();
});
