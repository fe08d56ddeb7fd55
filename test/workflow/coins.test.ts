import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { descriptorChecksum } from '../../src/vault/descriptor.js';
import { csv, NOON, removeAll, type Session, snapshot, stage } from '../cli/session.js';

afterAll(removeAll);

const HEIGHT = 2_950_000;

describe('coins import', () => {
  it('takes a snapshot of the same height or a higher one, and refuses a lower one', async () => {
    const s = await stage();
    s.write('same.json', snapshot({ takenAt: '2026-06-01T11:50:00Z' }));
    await s.expect(0, 'coins', 'import', 'same.json');
    s.write('lower.json', snapshot({ height: HEIGHT - 1 }));
    const refused = await s.untouched(() => s.json(2, 'coins', 'import', 'lower.json'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_SNAPSHOT_SCHEMA', where: { file: 'lower.json' } });
    s.write('higher.json', snapshot({ height: HEIGHT + 1 }));
    await s.expect(0, 'coins', 'import', 'higher.json');
  });

  it('refuses a snapshot that was taken before the one of the same height that it has', async () => {
    const s = await stage();
    s.write('older.json', snapshot({ takenAt: '2026-06-01T11:24:59Z' }));
    const refused = await s.untouched(() => s.json(2, 'coins', 'import', 'older.json'));
    expect(refused.faults[0].message).toContain('2026-06-01T11:25:00Z');
  });

  it.each([
    ['2026-06-01T12:02:00Z', 0],
    ['2026-06-01T12:02:01Z', 2],
    ['2099-01-01T00:00:00Z', 2],
  ])(
    'taken at %s, when it is noon: exit code %i, since one from the future would never grow stale',
    async (takenAt, code) => {
      const s = await stage();
      s.write('future.json', snapshot({ takenAt }));
      await s.expect(code, 'coins', 'import', 'future.json');
    },
  );

  async function signed(): Promise<{ s: Session; id: string; txid: string; spent: string[] }> {
    const s = await stage();
    const id = await s.ready('second.csv');
    const { txid } = await s.json(0, 'batch', 'sign', id);
    const { batch } = await s.json(0, 'batch', 'show', id);
    return { s, id, txid, spent: batch.inputs };
  }

  it.each([
    ['SIGNED', 5],
    ['CONFIRMED', 6],
    ['CONFIRMED', 7],
  ])('leaves a signed batch %s at %i confirmations', async (state, depth) => {
    const { s, id, txid, spent } = await signed();
    const height = HEIGHT + 1;
    const confirmed = { [txid]: { height, time: '2026-06-01T12:30:00Z' } };
    s.write('new.json', snapshot({ height: height + depth - 1, takenAt: '2026-06-01T12:40:00Z', confirmed, spent }));
    s.now = '2026-06-01T12:41:00Z';
    const imported = await s.json(0, 'coins', 'import', 'new.json');
    expect([await s.stateOf(id), imported.confirmed_batches]).toEqual([state, depth < 6 ? [] : [id]]);
  });

  it('does not confirm a batch by the transaction of another, nor one that is not signed', async () => {
    const { s, id } = await signed();
    const other = await s.ready('withdrawals.csv');
    const confirmed = { ['ab'.repeat(32)]: { height: HEIGHT + 1, time: '2026-06-01T12:30:00Z' } };
    s.write('new.json', snapshot({ height: HEIGHT + 20, confirmed }));
    await s.expect(0, 'coins', 'import', 'new.json');
    expect([await s.stateOf(id), await s.stateOf(other)]).toEqual(['SIGNED', 'DRAFT']);
  });

  it('confirms once: the same news again changes nothing of the batch', async () => {
    const { s, id, txid, spent } = await signed();
    const confirmed = { [txid]: { height: HEIGHT + 1, time: '2026-06-01T12:30:00Z' } };
    for (const height of [HEIGHT + 10, HEIGHT + 11]) {
      s.write('new.json', snapshot({ height, confirmed, spent }));
      await s.expect(0, 'coins', 'import', 'new.json');
    }
    expect(await s.stateOf(id)).toBe('CONFIRMED');
    const { stdout } = await s.expect(0, 'audit', 'log');
    expect(stdout.match(/batch\.confirmed/g)).toHaveLength(1);
  });

  it('refuses a snapshot that confirms a batch and lists one of its coins as unspent', async () => {
    const { s, id, txid } = await signed();
    const confirmed = { [txid]: { height: HEIGHT + 1, time: '2026-06-01T12:30:00Z' } };
    s.write('new.json', snapshot({ height: HEIGHT + 20, confirmed }));
    const refused = await s.untouched(() => s.json(2, 'coins', 'import', 'new.json'));
    expect(refused.faults[0]).toMatchObject({ tag: 'E_SNAPSHOT_COIN', where: { file: 'new.json' } });
    expect(refused.faults[0].message).toContain(`batch ${id} is confirmed`);
  });

  it('believes no block that came before the signature: its depth counts from the tip of then', async () => {
    const { s, id, txid, spent } = await signed();
    const confirmed = { [txid]: { height: 1, time: '2026-05-01T00:00:00Z' } };
    s.write('five.json', snapshot({ height: HEIGHT + 5, confirmed, spent }));
    expect((await s.json(0, 'coins', 'import', 'five.json')).confirmed_batches).toEqual([]);
    s.write('six.json', snapshot({ height: HEIGHT + 6, confirmed, spent }));
    expect((await s.json(0, 'coins', 'import', 'six.json')).confirmed_batches).toEqual([id]);
    s.write('c.csv', csv([['C-1', 'warm-1', 100_000_000n]]));
    const planned = await s.json(0, 'batch', 'plan', 'c.csv', '--as', 'alice');
    const row = planned.batches[0].verdict.findings.find((one: { code: string }) => one.code === 'LIMIT_1H');
    expect(BigInt(row.measured)).toBeGreaterThan(200_000_000n);
  });

  it('of the main network is refused at a height that no chain of its age can have', async () => {
    const s = await stage({ until: 'nothing' });
    await s.expect(0, 'init', '.', '--network', 'main');
    const account =
      'wpkh([73c5da0a/84h/0h/0h]xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V/<0;1>/*)';
    const checksum = descriptorChecksum(account);
    s.write('main.txt', `${account}#${checksum}`);
    await s.expect(0, 'vault', 'import', 'cold', 'main.txt');
    const taken = (height: number): string =>
      JSON.stringify({
        schema: 'countersign.snapshot/1',
        network: 'main',
        vault: 'cold',
        descriptor_checksum: checksum,
        tip: { height, hash: 'ab'.repeat(32), median_time_past: '2026-06-01T11:00:00Z' },
        taken_at: '2026-06-01T11:50:00Z',
        coins: [],
        previous_transactions: {},
      });
    s.write('absurd.json', taken(499_999_999));
    const first = await s.untouched(() => s.json(2, 'coins', 'import', 'absurd.json'));
    expect(first.faults[0]).toMatchObject({ tag: 'E_SNAPSHOT_SCHEMA', where: { file: 'absurd.json' } });
    s.write('right.json', taken(951_000));
    await s.expect(0, 'coins', 'import', 'right.json');
    s.write('grown.json', taken(951_000 + 2117));
    expect(await s.untouched(() => s.faultOf(2, 'coins', 'import', 'grown.json'))).toBe('E_SNAPSHOT_SCHEMA');
    s.write('next.json', taken(951_000 + 2116));
    await s.expect(0, 'coins', 'import', 'next.json');
  });

  it('a clock that is years ahead writes nothing, so the workspace goes on with the right one', async () => {
    const s = await stage();
    s.now = '2040-01-01T00:00:00Z';
    await s.untouched(async () => {
      expect(await s.faultOf(14, 'batch', 'plan', 'second.csv', '--as', 'alice')).toBe('E_CLOCK_AHEAD');
      s.write('again.json', snapshot());
      expect(await s.faultOf(14, 'coins', 'import', 'again.json')).toBe('E_CLOCK_AHEAD');
      rmSync(s.path('again.json'));
    });
    s.now = NOON;
    await s.planOne('second.csv');
  });

  it('after a long pause a fresh snapshot comes first', async () => {
    const s = await stage();
    s.now = '2026-08-03T12:00:00Z';
    expect(await s.faultOf(14, 'batch', 'plan', 'second.csv', '--as', 'alice')).toBe('E_CLOCK_AHEAD');
    s.write('fresh.json', snapshot({ takenAt: '2026-08-03T11:50:00Z', medianTimePast: '2026-08-03T11:00:00Z' }));
    await s.expect(0, 'coins', 'import', 'fresh.json');
    await s.planOne('second.csv');
  });

  it('stale coins stop a plan, to the second', async () => {
    const s = await stage();
    s.write('a.csv', csv([['A-1', 'warm-1', 1_000_000n]]));
    s.now = '2026-06-01T13:25:01Z';
    const denied = await s.json(10, 'batch', 'plan', 'a.csv', '--as', 'alice');
    expect(JSON.stringify(denied.batches[0].verdict)).toContain('"DATA_STALE"');
    const t = await stage();
    t.write('a.csv', csv([['A-1', 'warm-1', 1_000_000n]]));
    t.now = '2026-06-01T13:25:00Z';
    await t.expect(0, 'batch', 'plan', 'a.csv', '--as', 'alice');
  });
});

describe('coins freeze', () => {
  it('refuses what is frozen already, what is not frozen, and a coin that the vault does not hold', async () => {
    const s = await stage();
    const { coins } = await s.json(0, 'vault', 'coins');
    const { outpoint } = coins[0];
    const freeze = (verb: string, coin: string) => ['coins', verb, coin, '--reason', 'r', '--as', 'bob'];
    expect(await s.untouched(() => s.faultOf(2, ...freeze('unfreeze', outpoint)))).toBe('E_USAGE');
    await s.expect(0, ...freeze('freeze', outpoint));
    expect(await s.balance('frozen')).toBe(BigInt(coins[0].value));
    expect(await s.untouched(() => s.faultOf(2, ...freeze('freeze', outpoint)))).toBe('E_USAGE');
    expect(await s.untouched(() => s.faultOf(2, ...freeze('freeze', `${'ab'.repeat(32)}:0`)))).toBe('E_COIN_UNKNOWN');
    expect(await s.untouched(() => s.faultOf(2, ...freeze('freeze', 'nonsense')))).toBe('E_OUTPOINT_SYNTAX');
  });

  it('stops a batch that was planned before', async () => {
    const s = await stage();
    const id = await s.ready('second.csv');
    const [coin] = (await s.json(0, 'batch', 'show', id)).batch.inputs;
    await s.expect(0, 'coins', 'freeze', coin, '--reason', 'r', '--as', 'bob');
    const refused = await s.json(10, 'batch', 'sign', id);
    expect(JSON.stringify(refused.verdict)).toContain('INPUT_FROZEN');
  });
});
