import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Servers } from '../adapters/chain/servers.js';
import { addressOf, destinations, removeAll, SEED, type Session, stage } from './session.js';

afterAll(removeAll);

describe('the feerate of a plan', () => {
  const servers = new Servers();
  afterEach(() => servers.stop());

  const mempool = async (hour: string): Promise<string> => {
    const url = await servers.http((_, response) => {
      response.end(`{"fastestFee":40,"halfHourFee":25,"hourFee":${hour},"economyFee":2,"minimumFee":1}`);
    });
    return `"mempool:${url.href}api"`;
  };
  const withFees = async (fees: string): Promise<Session> => {
    const session = await stage();
    session.write('countersign.yaml', `${session.read('countersign.yaml')}fees: ${fees}\n`);
    return session;
  };
  const planned = (session: Session, ...more: string[]) =>
    session.json(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEED, ...more);

  it('is that of the snapshot, of the command line, or of the sources; the plan says which, and shows it again', async () => {
    const plain = (await planned(await stage())).batches[0];
    expect(plain.feerate_from).toEqual({
      source: 'the snapshot',
      stated_sat_per_kvb: `${Number(plain.feerate) * 1000}`,
    });
    const given = (await planned(await stage(), '--feerate', '7.125')).batches[0];
    expect(given).toMatchObject({
      feerate: '7.125',
      feerate_from: { source: '--feerate', stated_sat_per_kvb: '7125' },
    });

    const session = await withFees(`{ sources: [${await mempool('9.5')}, "fixed:20"] }`);
    const ran = await session.expect(0, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--seed', SEED);
    expect(ran.stdout).toMatch(/9\.5 sat\/vB, from mempool http:\/\/127\.0\.0\.1:[0-9]+\/api for 6 blocks/);
    const { batches } = await session.json(0, 'batch', 'list');
    const shown = await session.json(0, 'batch', 'show', batches[0].id);
    expect(shown.batch).toMatchObject({
      feerate: '9.5',
      feerate_from: { source: expect.stringMatching(/^mempool /), target: 6, stated_sat_per_kvb: '9500' },
    });
    const text = await session.expect(0, 'batch', 'show', batches[0].id);
    expect(text.stdout).toMatch(/feerate +9\.5 sat\/vB, from mempool/);
    await session.expect(0, 'audit', 'verify');
  });

  it('--target asks for other blocks, and not beside --feerate', async () => {
    const session = await withFees(`{ sources: [${await mempool('9.5')}], target: 6 }`);
    expect((await planned(session, '--target', '3')).batches[0]).toMatchObject({
      feerate: '25',
      feerate_from: { target: 3 },
    });
    const fresh = await withFees('{ sources: ["fixed:20"] }');
    await fresh.untouched(async () => {
      for (const more of [
        ['--target', '3', '--feerate', '5'],
        ['--target', '0'],
        ['--target', '1009'],
      ]) {
        expect(await fresh.faultOf(2, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', ...more)).toBe('E_USAGE');
      }
    });
    const silent = await stage();
    expect(await silent.faultOf(2, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice', '--target', '3')).toBe(
      'E_CHAIN_NONE',
    );
  });

  it('stops the plan, with both names, where sources differ by more than the factor', async () => {
    const [low, high] = [await mempool('5'), await mempool('16')];
    const session = await withFees(`{ sources: [${low}, ${high}], max_factor: "3" }`);
    await session.untouched(async () => {
      const refused = await session.json(14, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice');
      expect(refused.faults[0].tag).toBe('E_FEERATE_DISAGREE');
      expect(refused.faults[0].message).toMatch(/mempool \S+ says 16 sat\/vB and mempool \S+ says 5 sat\/vB/);
    });
    expect((await planned(session, '--feerate', '10')).batches[0].feerate).toBe('10');
    const dead = await withFees('{ sources: ["mempool:http://127.0.0.1:1/api"] }');
    await dead.untouched(async () => {
      expect(await dead.faultOf(14, 'batch', 'plan', 'withdrawals.csv', '--as', 'alice')).toBe('E_FEERATE_NONE');
    });
  });

  it('names a ceiling that was kept, and a source that was passed over', async () => {
    const session = await withFees(
      `{ sources: ["mempool:http://127.0.0.1:1/api", ${await mempool('9')}], ceiling: "8" }`,
    );
    const [batch] = (await planned(session)).batches;
    expect(batch).toMatchObject({
      feerate: '8',
      feerate_from: {
        stated_sat_per_kvb: '9000',
        bounded: 'ceiling',
        others: [{ source: 'mempool http://127.0.0.1:1/api', problem: expect.stringMatching(/ECONNREFUSED/) }],
      },
    });
  });
});

describe('a payee that bears its share of the fee', () => {
  const HEADER = 'id,address,amount,fee_payer\n';
  const rows = (...lines: readonly (readonly [string, string, bigint, string])[]): string =>
    `${HEADER}${lines.map(([id, to, amount, payer]) => `${id},${addressOf(to)},${amount},${payer}`).join('\n')}\n`;
  const [first = '', second = ''] = destinations();

  it('is paid less by it, from plan to signature, and everybody is shown both amounts', async () => {
    const session = await stage();
    session.write('w.csv', rows(['F-1', first, 50_000_000n, 'payee'], ['F-2', second, 30_000_000n, 'vault']));
    const ran = await session.expect(0, 'batch', 'plan', 'w.csv', '--as', 'alice', '--seed', SEED, '--feerate', '10');
    expect(ran.stdout).toMatch(
      /request F-1 asks for 50000000 sat \(0\.50000000 BTC\); its payee bears [0-9]+ sat \([0-9.]+ BTC\) of the fee, output [123]/,
    );
    expect(ran.stdout).not.toContain('request F-2 asks');
    const [{ id }] = (await session.json(0, 'batch', 'list')).batches;
    const { batch } = await session.json(0, 'batch', 'show', id);
    const share = BigInt(batch.fee) / 2n;
    const requests = new Map(batch.requests.map((one: { id: string }) => [one.id, one]));
    expect(requests.get('F-1')).toMatchObject({ amount: '50000000', fee_payer: 'payee' });
    expect(requests.get('F-2')).not.toHaveProperty('fee_payer');
    // The vault loses what both were asked for and its own half of the fee.
    expect(BigInt(batch.spend)).toBe(80_000_000n + BigInt(batch.fee) - share);
    const statement = JSON.parse(
      (await session.json(0, 'batch', 'approve', id, '--statement', '--person', 'bob')).statement,
    );
    const paid = statement.outputs
      .filter(({ change }: { change: boolean }) => !change)
      .map(({ amount }: { amount: string }) => amount);
    expect(paid.sort()).toEqual(['30000000', `${50_000_000n - share}`].sort());
    await session.approve(id, 'bob', 'carol');
    await session.expect(0, 'batch', 'sign', id);
    await session.expect(0, 'audit', 'verify');
  });

  it('is another request than one whose fee the vault bears: the id does not stand for both', async () => {
    const session = await stage();
    session.write('w.csv', rows(['F-1', first, 50_000_000n, 'payee']));
    session.write('same.csv', rows(['F-1', first, 50_000_000n, 'payee']));
    session.write('other.csv', rows(['F-1', first, 50_000_000n, '']));
    await session.planOne('w.csv');
    expect(await session.json(0, 'batch', 'plan', 'same.csv', '--as', 'alice')).toMatchObject({ repeated: true });
    expect(await session.faultOf(10, 'batch', 'plan', 'other.csv', '--as', 'alice')).toBe('E_REQUEST_ID_REUSE');
  });

  it('is a repetition where as much was asked for twice a day, whatever was paid', async () => {
    const session = await stage();
    session.write('w.csv', rows(['F-1', first, 50_000_000n, 'payee']));
    session.write('again.csv', rows(['F-2', first, 50_000_000n, 'payee']));
    await session.approve(await session.planOne('w.csv', '--feerate', '10'), 'bob', 'carol');
    const [{ id }] = (await session.json(0, 'batch', 'list')).batches;
    await session.expect(0, 'batch', 'sign', id);
    const again = await session.json(0, 'batch', 'plan', 'again.csv', '--as', 'alice', '--feerate', '13');
    const codes = again.batches[0].verdict.findings
      .filter(({ outcome }: { outcome: string }) => outcome !== 'pass')
      .map(({ code }: { code: string }) => code);
    expect(codes).toContain('POSSIBLE_DUPLICATE');
  });

  it('is refused where it would be left with dust, and nothing is written', async () => {
    const session = await stage();
    session.write('w.csv', rows(['F-1', first, 1_000n, 'payee']));
    session.write('bad.csv', rows(['F-1', first, 1_000n, 'customer']));
    await session.untouched(async () => {
      expect(await session.faultOf(2, 'batch', 'plan', 'w.csv', '--as', 'alice', '--feerate', '50')).toBe(
        'E_PLAN_DUST',
      );
      expect(await session.faultOf(2, 'batch', 'plan', 'bad.csv', '--as', 'alice')).toBe('E_FIELD_TYPE');
    });
  });
});
