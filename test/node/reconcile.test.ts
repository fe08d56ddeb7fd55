import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../cli/session.js';
import { MINED, regtestWorkspace } from './journey.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

const program = findNode();

describe.skipIf(program === null)('coins against a real chain (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let session: Session;
  let blocks: string[] = [];
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;

  /** Spends the coin of receive index `index` as a thief with the Ledger and other software would. */
  const steal = async (index: number): Promise<{ outpoint: string; txid: string }> => {
    const block = blocks[index] ?? '';
    const [coinbase] = (await node.rpc('getblock', block)).tx;
    const coin = { txid: coinbase, vout: 0, block, branch: 0, index };
    const { hex, txid } = await spend(node, coin, [{ script: elsewhere, value: 4_999_990_000n }]);
    await node.rpc('sendrawtransaction', hex);
    return { outpoint: `${coinbase}:0`, txid };
  };

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    await node.rpc('setmocktime', MINED - 7200);
    for (let index = 0; index < 30; index += 1)
      blocks = [...blocks, ...(await node.mine(1, deriver.at(0, index).script))];
    await node.mine(110, elsewhere);
    await node.rpc('setmocktime', MINED);
    await node.mine(12, elsewhere);
    session = await regtestWorkspace(node);
    await session.expect(0, 'chain', 'sync');
  }, 120_000);
  afterAll(async () => {
    await node?.stop();
    session?.remove();
  });

  it('a batch of the journal is no stranger, in the mempool and in a block', async () => {
    expect(await session.json(0, 'reconcile')).toMatchObject({ coins_asked: 30, authorised: [], out_of_band: [] });
    const id = await session.planOne('withdrawals.csv', '--feerate', '5');
    await session.approve(id, 'bob', 'carol');
    await session.expect(0, 'batch', 'sign', id);
    const { txid } = await session.json(0, 'batch', 'broadcast', id);
    const pooled = await session.json(0, 'reconcile');
    expect(pooled).toMatchObject({ out_of_band: [], unsettled: [] });
    expect(pooled.authorised).toContainEqual(expect.objectContaining({ batch: id, spent_by: txid }));
    await node.mine(1, elsewhere);
    expect((await session.json(0, 'reconcile')).authorised).toEqual(pooled.authorised);
    const synced = await session.json(0, 'chain', 'sync');
    expect(synced.spent).toMatchObject({ out_of_band: [], authorised: pooled.authorised });
  }, 60_000);

  it('a coin that was spent past the journal halts everything once, and names the transaction', async () => {
    const id = await session.planOne('second.csv', '--feerate', '5');
    await session.approve(id, 'bob', 'carol');
    const { outpoint, txid } = await steal(29);
    const found = await session.json(12, 'reconcile');
    expect(found.out_of_band).toEqual([
      expect.objectContaining({ outpoint, spent_by: txid, halt: expect.objectContaining({ kind: 'raised' }) }),
    ]);
    await session.expect(12, 'batch', 'sign', id);
    const again = await session.json(12, 'reconcile');
    expect(again.out_of_band[0].halt.kind).toBe('known');
    await session.expect(0, 'audit', 'verify');
  }, 60_000);

  it('chain sync finds what was spent before it forgets the coin', async () => {
    const { outpoint, txid } = await steal(28);
    await node.mine(1, elsewhere);
    const synced = await session.json(12, 'chain', 'sync');
    expect(synced.spent.out_of_band).toContainEqual(expect.objectContaining({ outpoint, spent_by: txid }));
    const { coins } = await session.json(0, 'vault', 'coins');
    expect(coins.map((coin: { outpoint: string }) => coin.outpoint)).not.toContain(outpoint);
  }, 60_000);
});
