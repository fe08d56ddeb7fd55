import { afterAll, describe, expect, it } from 'vitest';
import { csv, destinations, NOON, policyText, removeAll, SEED, snapshot, stage } from '../cli/session.js';

afterAll(removeAll);

const one = csv([['A-1', 'warm-1', 100_000_000n]]);

describe('batch plan', () => {
  it('answers the same requests with the same batch, and writes nothing the second time', async () => {
    const s = await stage();
    const id = await s.planOne('withdrawals.csv');
    const again = await s.untouched(() => s.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice'));
    expect(again).toMatchObject({ repeated: true, batches: [{ id }] });
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const [a, b, c] = [await stage(), await stage(), await stage()];
    const plan = ['batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed'];
    const first = await a.json(0, ...plan, SEED);
    expect((await b.json(0, ...plan, SEED)).batches).toEqual(first.batches);
    expect((await c.json(0, ...plan, '22'.repeat(32))).batches[0].seed).toBe('22'.repeat(32));
  });

  it.each([
    ['amount', csv([['A-1', 'warm-1', 100_000_001n]])],
    ['address', csv([['A-1', 'custodian', 100_000_000n]])],
  ])('refuses an id that comes again with another %s', async (_, changed) => {
    const s = await stage();
    s.write('a.csv', one);
    const id = await s.planOne('a.csv');
    s.write('b.csv', changed);
    const refused = await s.untouched(() => s.json(10, 'batch', 'plan', 'b.csv', '--as', 'alice'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_REQUEST_ID_REUSE', where: { file: 'b.csv', line: 2 } });
    expect(refused.faults[0].message).toContain(id);
  });

  it('keeps an id to its payment for good, also after its batch was abandoned', async () => {
    const s = await stage();
    s.write('a.csv', one);
    const id = await s.planOne('a.csv');
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'cancelled', '--as', 'alice');
    s.write('b.csv', csv([['A-1', 'warm-1', 100_000_001n]]));
    const refused = await s.untouched(() => s.json(10, 'batch', 'plan', 'b.csv', '--as', 'alice'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_REQUEST_ID_REUSE', where: { file: 'b.csv', line: 2 } });
  });

  it('refuses a file of which a part is planned already', async () => {
    const s = await stage();
    s.write('a.csv', one);
    await s.planOne('a.csv');
    s.write(
      'b.csv',
      csv([
        ['B-1', 'custodian', 5_000_000n],
        ['A-1', 'warm-1', 100_000_000n],
      ]),
    );
    const refused = await s.untouched(() => s.json(10, 'batch', 'plan', 'b.csv', '--as', 'alice'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_REQUEST_ID_REUSE', where: { line: 3 } });
    expect(refused.faults[0].message).toContain('1 of 2 requests');
  });

  it('offers no coin of a live batch to another, and all of them again once it is abandoned', async () => {
    const s = await stage();
    const free = await s.balance('available');
    s.write('a.csv', one);
    s.write('b.csv', csv([['B-1', 'custodian', 100_000_000n]]));
    const [a, b] = [await s.planOne('a.csv'), await s.planOne('b.csv')];
    const inputs = async (id: string): Promise<string[]> => (await s.json(0, 'batch', 'show', id)).batch.inputs;
    const [ofA, ofB] = [await inputs(a), await inputs(b)];
    expect(ofA.filter((coin) => ofB.includes(coin))).toEqual([]);
    expect(await s.balance('in a batch')).toBeGreaterThan(0n);

    await s.expect(0, 'batch', 'abandon', a, '--reason', 'cancelled', '--as', 'alice');
    await s.expect(0, 'batch', 'abandon', b, '--reason', 'cancelled', '--as', 'alice');
    expect(await s.balance('available')).toBe(free);
    const again = await s.planOne('a.csv');
    expect([again === a, await inputs(again)]).toEqual([false, ofA]);
  });

  it('does not offer a frozen coin, and offers it again when it is unfrozen', async () => {
    const s = await stage();
    s.write('a.csv', one);
    const id = await s.planOne('a.csv');
    const [coin] = (await s.json(0, 'batch', 'show', id)).batch.inputs;
    await s.expect(0, 'batch', 'abandon', id, '--reason', 'cancelled', '--as', 'alice');
    await s.expect(0, 'coins', 'freeze', coin, '--reason', 'looked into', '--as', 'bob');
    const other = await s.planOne('a.csv');
    expect((await s.json(0, 'batch', 'show', other)).batch.inputs).not.toContain(coin);
    await s.expect(0, 'batch', 'abandon', other, '--reason', 'cancelled', '--as', 'alice');
    await s.expect(0, 'coins', 'unfreeze', coin, '--reason', 'known now', '--as', 'bob');
    const third = await s.planOne('a.csv');
    expect((await s.json(0, 'batch', 'show', third)).batch.inputs).toContain(coin);
  });

  it('takes the feerate of the command line before that of the snapshot, and asks where neither has one', async () => {
    const s = await stage();
    s.write('a.csv', one);
    const rate = async (...more: string[]): Promise<string> => {
      const { stdout } = await s.expect(0, 'batch', 'plan', 'a.csv', '--as', 'alice', '--seed', SEED, ...more);
      const id = /Batch (\S+)/.exec(stdout)?.[1] ?? '';
      await s.expect(0, 'batch', 'abandon', id, '--reason', 'again', '--as', 'alice');
      return /([0-9.]+ sat\/vB), from/.exec(stdout)?.[1] ?? '';
    };
    expect(await rate()).toBe('12.5 sat/vB');
    expect(await rate('--feerate', '3.25')).toBe('3.25 sat/vB');
    s.write('bare.json', snapshot({ feerate: null }));
    await s.expect(0, 'coins', 'import', 'bare.json');
    expect(await s.faultOf(2, 'batch', 'plan', 'a.csv', '--as', 'alice')).toBe('E_FEERATE_SYNTAX');
    expect(await s.faultOf(2, 'batch', 'plan', 'a.csv', '--as', 'alice', '--feerate', '1e2')).toBe('E_FEERATE_SYNTAX');
  });

  it.each([
    ['the least that the policy accepts', '7.301', 'NEED'],
    ['a tenth below it', '7.2', 'DENY'],
  ])('at %s, %s sat/vB, is %s whatever its weight is rounded to', async (_, feerate, decision) => {
    const s = await stage({ policy: policyText().replace('min_rate_sat_vb: 1,', 'min_rate_sat_vb: "7.301",') });
    // Scripts of several kinds: weights of several remainders by four.
    for (const [n, to] of ['warm-1', 'settle', 'custodian', 'legacy'].entries()) {
      s.write(`${n}.csv`, csv([[`R-${n}`, to, 100_000_000n]]));
      const args = ['batch', 'plan', `${n}.csv`, '--as', 'alice', '--seed', SEED, '--feerate', feerate];
      const { batches } = await s.json(decision === 'DENY' ? 10 : 0, ...args);
      expect(batches[0].verdict.decision).toBe(decision);
    }
  });

  it('is done by a person of the policy, since a made-up name could approve what it planned', async () => {
    const s = await stage();
    const plan = ['batch', 'plan', 'withdrawals.csv', '--as'];
    expect(await s.untouched(() => s.faultOf(2, ...plan, 'somebody'))).toBe('E_USAGE');
    await s.expect(0, ...plan, 'erin');
  });

  it('says that a batch is planned where its file cannot be written', async () => {
    const s = await stage();
    s.write('batches', 'a file where the folder should be');
    const failed = await s.json(2, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
    expect(failed.faults[0].message).toMatch(/^batch \S+ is planned, and the journal keeps it; but /);
    expect((await s.json(0, 'batch', 'list')).batches).toMatchObject([{ state: 'DRAFT' }]);
  });

  it('refuses a seed that is none', async () => {
    const s = await stage();
    for (const seed of ['11', 'zz'.repeat(32), '11'.repeat(33), '']) {
      const tag = await s.untouched(() =>
        s.faultOf(2, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', seed),
      );
      expect([seed, tag]).toEqual([seed, 'E_PLAN_SEED']);
    }
  });

  it('tells coins that do not suffice from limits that cannot be met', async () => {
    const s = await stage();
    s.write('few.json', snapshot({ coins: 2 }));
    await s.expect(0, 'coins', 'import', 'few.json');
    s.write('much.csv', csv([['A-1', 'warm-1', 4_600_000_000n]]));
    expect(await s.untouched(() => s.faultOf(14, 'batch', 'plan', 'much.csv', '--as', 'alice'))).toBe(
      'E_PLAN_INSUFFICIENT',
    );
    s.write('two.csv', csv([['A-1', 'warm-1', 4_400_000_000n]]));
    const tight = ['batch', 'plan', 'two.csv', '--as', 'alice', '--max-inputs', '1'];
    expect(await s.untouched(() => s.faultOf(2, ...tight))).toBe('E_PLAN_INFEASIBLE');
    s.write('dust.csv', csv([['A-1', 'warm-1', 200n]]));
    expect(await s.untouched(() => s.faultOf(2, 'batch', 'plan', 'dust.csv', '--as', 'alice'))).toBe('E_PLAN_DUST');
  });
});

describe('a plan of several parts', () => {
  const rows = destinations()
    .slice(0, 25)
    .map((id, n) => [`M-${n}`, id, BigInt(10_000_000 + n)] as const);

  it('has parts that share no coin and no change, and that know of each other', async () => {
    const s = await stage();
    s.write('many.csv', csv(rows));
    const ids = await s.plan('many.csv');
    expect(ids.length).toBe(2);
    const shown = await Promise.all(ids.map(async (id) => (await s.json(0, 'batch', 'show', id)).batch));
    const inputs = shown.flatMap((batch) => batch.inputs);
    expect(new Set(inputs).size).toBe(inputs.length);
    for (const batch of shown) expect(batch.parts).toEqual(ids);
    expect(shown.flatMap((batch) => batch.requests.map(({ id }: { id: string }) => id)).sort()).toEqual(
      rows.map(([id]) => id).sort(),
    );
    for (const batch of shown) expect(batch.requests.length).toBeLessThanOrEqual(20);
    const again = await s.untouched(() => s.json(0, 'batch', 'plan', 'many.csv', '--as', 'alice'));
    expect(again.batches.map(({ id }: { id: string }) => id)).toEqual([...ids].sort());
  });

  it('counts the parts together: what one part may, two may not', async () => {
    const policy = policyText().replace('rolling: { "1h": "12000000000"', 'rolling: { "1h": "200000000"');
    const s = await stage({ policy });
    s.write('many.csv', csv(rows));
    const before = await s.balance('available');
    const denied = await s.json(10, 'batch', 'plan', 'many.csv', '--as', 'alice', '--seed', SEED);
    expect(denied.batches.map((batch: { verdict: { decision: string } }) => batch.verdict.decision)).toEqual([
      'NEED',
      'DENY',
    ]);
    expect(denied.files).toEqual([]);
    for (const { id } of denied.batches) expect(await s.stateOf(id)).toBe('ABANDONED');
    expect(await s.balance('available')).toBe(before);
    s.write('half.csv', csv(rows.slice(0, 13)));
    expect(await s.plan('half.csv')).toHaveLength(1);
  });

  it('is kept whole or not at all where no coin is left for its last part', async () => {
    const s = await stage();
    s.write('few.json', snapshot({ coins: 1 }));
    await s.expect(0, 'coins', 'import', 'few.json');
    s.write('many.csv', csv(rows));
    await s.untouched(() => s.expect(2, 'batch', 'plan', 'many.csv', '--as', 'alice'));
    expect((await s.json(0, 'batch', 'list')).batches).toEqual([]);
  });
});

describe('a denied plan', () => {
  it('is kept as a refusal that holds nothing, and can be planned again', async () => {
    const s = await stage();
    s.now = '2026-06-01T19:00:00Z';
    s.write('fresh.json', snapshot({ takenAt: '2026-06-01T18:55:00Z', medianTimePast: '2026-06-01T18:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'fresh.json');
    const denied = await s.json(10, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEED);
    expect(JSON.stringify(denied.batches[0].verdict)).toContain('TIME_CLOSED');
    expect(await s.stateOf(denied.batches[0].id)).toBe('ABANDONED');
    expect(await s.balance('in a batch')).toBe(0n);
    const again = await s.json(10, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEED);
    expect(again.batches[0].id).not.toBe(denied.batches[0].id);
    expect(NOON < s.now).toBe(true);
  });
});
