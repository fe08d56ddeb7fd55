import { afterAll, describe, expect, it } from 'vitest';
import { hash256, toHex, utf8 } from '../../src/domain/bytes.js';
import { csv, removeAll, type Session, snapshot, stage } from '../cli/session.js';
import { forge, newest } from './forged-journal.js';

afterAll(removeAll);

const FOREIGN = `0014${'ee'.repeat(20)}`;

/** A snapshot whose only coin pays a stranger's script, said to lie at 0/0: no import would let it in. */
function foreignCoin(takenAt: string): string {
  const base = JSON.parse(snapshot({ takenAt }));
  const amount = Buffer.alloc(8);
  amount.writeBigUInt64LE(10_000_000_000n);
  const raw = Buffer.concat([
    Buffer.from(`0200000001${'07'.repeat(32)}0000000000ffffffff01`, 'hex'),
    amount,
    Buffer.from([22]),
    Buffer.from(FOREIGN, 'hex'),
    Buffer.alloc(4),
  ]);
  const txid = toHex(Uint8Array.from(hash256(raw)).reverse());
  const coin = { outpoint: `${txid}:0`, value: '10000000000', script: FOREIGN, branch: 0, index: 0 };
  return JSON.stringify({
    ...base,
    coins: [{ ...coin, height: 2_900_000, coinbase: false }],
    previous_transactions: { [txid]: raw.toString('hex') },
  });
}

/** A journal into which somebody wrote, past every check, that a stranger's coin is the vault's. */
async function forged(): Promise<Session> {
  const s = await stage();
  const imported = await newest(s, 'coins.imported');
  await forge(s, (keep) => [
    { ...imported, snapshot: keep(utf8(foreignCoin('2026-06-01T11:40:00Z'))), coins: 1, total: '10000000000' },
  ]);
  return s;
}

describe('a stranger’s coin that somebody wrote into the journal', () => {
  it('is refused by any import that does not rest on that journal', async () => {
    const s = await stage();
    s.write('foreign.json', foreignCoin('2026-06-01T11:50:00Z'));
    expect(await s.faultOf(2, 'coins', 'import', 'foreign.json')).toBe('E_SNAPSHOT_COIN');
  });

  it('is spent by no plan, also where a back end repeats the lie: what is spent is derived again', async () => {
    const s = await forged();
    s.write('foreign.json', foreignCoin('2026-06-01T11:50:00Z'));
    expect((await s.json(0, 'coins', 'import', 'foreign.json')).coins_proven_before).toBe(1);
    s.write('one.csv', csv([['F-1', 'warm-1', 100_000_000n]]));
    expect(await s.faultOf(13, 'batch', 'plan', 'one.csv', '--as', 'alice')).toBe('E_PSBT_FOREIGN');
    expect((await s.json(0, 'batch', 'list')).batches).toEqual([]);
  });

  it('is found by an audit, which derives every coin of every import', async () => {
    const s = await forged();
    expect(await s.faultOf(13, 'audit', 'verify')).toBe('E_JOURNAL_TAMPERED');
    expect((await s.json(12, 'halt', 'status')).halts).toHaveLength(1);
  });
});
