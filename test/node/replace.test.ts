import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveAndSign, replacement, shown } from '../cli/replace-session.js';
import { csv, destinations, type Session } from '../cli/session.js';
import { MINED, onRegtest, regtestWorkspace } from './journey.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

const program = findNode();

describe.skipIf(program === null)('replacements on a real chain (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let session: Session;
  let blocks: string[] = [];
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;
  let count = 0;

  /** A batch on its way: one payment of its own to a destination of the book. */
  const onItsWay = async (feerate: string): Promise<string> => {
    count += 1;
    const name = `payment-${count}.csv`;
    session.write(name, onRegtest(csv([[`R-${count}`, destinations()[0] ?? '', BigInt(1_000_000 + count)]])));
    const id = await session.planOne(name, '--feerate', feerate);
    await send(id);
    return id;
  };
  const send = async (id: string): Promise<void> => {
    await approveAndSign(session, id);
    await session.expect(0, 'batch', 'broadcast', id);
  };
  const pool = async (): Promise<readonly string[]> => node.rpc('getrawmempool');
  const mine = async (blocksMined: number): Promise<readonly string[]> => node.mine(blocksMined, elsewhere);
  const txidOf = async (id: string): Promise<string> => (await shown(session, id)).txid ?? '';
  const states = async (...ids: readonly string[]): Promise<readonly string[]> =>
    Promise.all(ids.map((id) => session.stateOf(id)));

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    await node.rpc('setmocktime', MINED - 7200);
    for (let index = 0; index < 30; index += 1)
      blocks = [...blocks, ...(await node.mine(1, deriver.at(0, index).script))];
    await mine(110);
    await node.rpc('setmocktime', MINED);
    await mine(12);
    session = await regtestWorkspace(node);
    await session.expect(0, 'chain', 'sync');
  }, 120_000);
  afterAll(async () => {
    await node?.stop();
    session?.remove();
  });

  it('the node takes a bump at the least feerate that is named, and a bump of the bump, in the place of the first', async () => {
    const id = await onItsWay('5');
    expect(await pool()).toEqual([await txidOf(id)]);
    const { faults } = await session.json(2, 'batch', 'bump', id, '--feerate', '5', '--as', 'alice');
    const least = /--feerate ([0-9.]+)/.exec(faults[0].remedy)?.[1] ?? '';
    const bumped = await replacement(session, 'bump', id, '--feerate', least);
    await send(bumped);
    expect(await pool()).toEqual([await txidOf(bumped)]);
    const again = await replacement(session, 'bump', bumped, '--feerate', '12');
    await send(again);
    expect(await pool()).toEqual([await txidOf(again)]);
    await mine(6);
    // Whoever follows the first one hears of it, and settles all of them.
    expect(await session.json(0, 'batch', 'follow', id)).toMatchObject({
      lost_to: again,
      imported: { confirmed_batches: [again], replaced_batches: [id, bumped] },
    });
    expect(await states(id, bumped, again)).toEqual(['REPLACED', 'REPLACED', 'CONFIRMED']);
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('a reorganisation that mines the first one after all makes it count, and the bump REPLACED', async () => {
    const id = await onItsWay('5');
    const raw = await session.json(0, 'batch', 'show', id);
    const bumped = await replacement(session, 'bump', id, '--feerate', '20');
    await send(bumped);
    const [first = ''] = await mine(6);
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({ replaced_batches: [id] });
    await node.rpc('invalidateblock', first);
    const { descriptor } = await node.rpc('getdescriptorinfo', `raw(${Buffer.from(elsewhere).toString('hex')})`);
    await node.rpc('generateblock', descriptor, [raw.transaction]);
    for (let block = 0; block < 7; block += 1) await node.rpc('generateblock', descriptor, []);
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({
      confirmed_batches: [id],
      unconfirmed_batches: [bumped],
      revived_batches: [id],
      replaced_batches: [bumped],
    });
    expect(await states(id, bumped)).toEqual(['CONFIRMED', 'REPLACED']);
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('a child is mined with its parent', async () => {
    const id = await onItsWay('5');
    const child = await replacement(session, 'bump', id, '--feerate', '20', '--cpfp');
    await send(child);
    expect([...(await pool())].sort()).toEqual([await txidOf(id), await txidOf(child)].sort());
    await mine(6);
    const { imported } = await session.json(0, 'reconcile');
    expect([...imported.confirmed_batches].sort()).toEqual([id, child].sort());
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('a cancellation is mined, and its payment can be planned anew', async () => {
    const id = await onItsWay('5');
    const cancelled = await replacement(session, 'cancel', id);
    await send(cancelled);
    expect(await pool()).toEqual([await txidOf(cancelled)]);
    expect(await session.faultOf(31, 'batch', 'broadcast', id)).toBe('E_NODE_REJECTED');
    await mine(6);
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({ replaced_batches: [id] });
    const planned = await session.json(0, 'batch', 'plan', `payment-${count}.csv`, '--feerate', '5', '--as', 'alice');
    expect(planned.repeated).toBe(false);
    await session.expect(0, 'batch', 'abandon', planned.batches[0].id, '--reason', 'tried', '--as', 'alice');
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('a batch whose coin a stranger took is in conflict when that is buried, not before', async () => {
    const id = await onItsWay('5');
    const { inputs } = await shown(session, id);
    const [txid = '', vout = '0'] = (inputs[0] ?? '').split(':');
    const place = await placeOf(txid, Number(vout));
    const thief = await spend(node, { txid, vout: Number(vout), ...place }, [
      { script: elsewhere, value: place.value - 200_000n },
    ]);
    await node.rpc('sendrawtransaction', thief.hex);
    await mine(5);
    const found = await session.json(12, 'chain', 'sync');
    expect(found.spent.out_of_band).toContainEqual(expect.objectContaining({ spent_by: thief.txid }));
    expect(await states(id)).toEqual(['BROADCAST']);
    await mine(1);
    expect(await session.json(0, 'chain', 'sync')).toMatchObject({ conflicted_batches: [id] });
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  /** Where the vault derives a coin, and its block. */
  async function placeOf(txid: string, vout: number) {
    const { coins } = await session.json(0, 'vault', 'coins');
    const coin = coins.find(({ outpoint }: { outpoint: string }) => outpoint === `${txid}:${vout}`);
    const block: string = await node.rpc('getblockhash', await heightOf(txid, vout));
    return {
      branch: coin.branch as number,
      index: coin.index as number,
      value: BigInt(coin.value),
      block,
    };
  }

  async function heightOf(txid: string, vout: number): Promise<number> {
    const { confirmations } = await node.rpc('gettxout', txid, vout, false);
    return (await node.rpc('getblockcount')) - confirmations + 1;
  }
});
