import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../cli/session.js';
import { MINED, regtestWorkspace } from './journey.js';
import { findNode, RegtestNode } from './node.js';
import { regtestVault } from './vault.js';

const program = findNode();

describe.skipIf(program === null)('a withdrawal on a real chain (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let session: Session;
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;

  /** A regtest node has no history to estimate a feerate from. */
  const ready = async (file: string): Promise<string> => {
    const id = await session.planOne(file, '--feerate', '5');
    await session.approve(id, 'bob', 'carol');
    return id;
  };

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    await node.rpc('setmocktime', MINED - 7200);
    for (let index = 0; index < 30; index += 1) await node.mine(1, deriver.at(0, index).script);
    await node.mine(110, elsewhere);
    await node.rpc('setmocktime', MINED);
    await node.mine(12, elsewhere);
    session = await regtestWorkspace(node);
  }, 120_000);
  afterAll(async () => {
    await node?.stop();
    session?.remove();
  });

  it('is planned, approved, signed, taken by the node, buried, undone by a reorganisation, and sent again', async () => {
    await session.expect(0, 'chain', 'sync');
    const id = await ready('withdrawals.csv');
    expect(await session.faultOf(15, 'batch', 'broadcast', id)).toBe('E_BATCH_STATE');
    await session.expect(0, 'batch', 'sign', id);
    const { txid, taken_by } = await session.json(0, 'batch', 'broadcast', id);
    expect(taken_by).toEqual([{ name: `core ${node.url}`, answer: 'accepted' }]);
    expect(await session.stateOf(id)).toBe('BROADCAST');
    expect(await node.rpc('getrawmempool')).toEqual([txid]);

    const again = await session.json(0, 'batch', 'broadcast', id);
    expect(again.txid).toBe(txid);
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({
      buried: false,
      back_ends: [{ state: 'mempool' }],
    });

    const [first = ''] = await node.mine(1, elsewhere);
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({
      buried: false,
      back_ends: [{ state: 'confirmed', confirmations: 1, block: first }],
    });
    await session.expect(0, 'chain', 'sync');
    expect(await session.stateOf(id)).toBe('BROADCAST');
    await node.mine(5, elsewhere);
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({
      buried: true,
      imported: { confirmed_batches: [id] },
    });
    expect(await session.stateOf(id)).toBe('CONFIRMED');

    await node.rpc('invalidateblock', first);
    for (let block = 0; block < 8; block += 1) {
      const { descriptor } = await node.rpc('getdescriptorinfo', `raw(${Buffer.from(elsewhere).toString('hex')})`);
      await node.rpc('generateblock', descriptor, []);
    }
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({ confirmed_batches: [], unconfirmed_batches: [id] });
    expect(await session.stateOf(id)).toBe('BROADCAST');
    await session.expect(0, 'batch', 'broadcast', id);
    await node.mine(6, elsewhere);
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({ confirmed_batches: [id], unconfirmed_batches: [] });
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('is told to be stuck after a day, not a second before', async () => {
    const id = await ready('second.csv');
    await session.expect(0, 'batch', 'sign', id);
    await session.expect(0, 'batch', 'broadcast', id);
    const sent = session.now;
    session.wait(86_399);
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({ stuck_since: null });
    session.wait(1);
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({ stuck_since: sent });
  }, 60_000);
});
