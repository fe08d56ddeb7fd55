import { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Session } from '../cli/session.js';
import { Bridge } from './bridge.js';
import { MINED, regtestWorkspace } from './journey.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

const program = findNode();
/** The first block of Bitcoin's regtest: that of another coin's is told as this one, so that indexers of it can be named. */
const GENESIS = {
  hash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
  header:
    '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f2002000000',
};

describe.skipIf(program === null)('a node and indexers together (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let bridge: Bridge;
  let session: Session;
  let blocks: readonly string[] = [];
  let spent: readonly string[] = [];
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;
  const sync = (): ReturnType<Session['json']> => session.json(0, 'chain', 'sync');
  const named = (): Readonly<Record<'core' | 'esplora' | 'electrum', string>> => ({
    core: `core:${node.url}`,
    esplora: `esplora:${bridge.esploraUrl}`,
    electrum: `electrum:tcp://127.0.0.1:${bridge.electrumPort}`,
  });

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    bridge = await Bridge.start(node);
    const first = await node.rpc('getblockhash', 0);
    const header = await node.rpc('getblockheader', first, false);
    bridge.spoil = (_, answer) => answer.replaceAll(first, GENESIS.hash).replaceAll(header, GENESIS.header);
    await node.rpc('setmocktime', MINED - 7200);
    for (let index = 0; index < 30; index += 1) await node.mine(1, deriver.at(0, index).script);
    blocks = await node.mine(110, elsewhere);
    await node.rpc('setmocktime', MINED);
    await node.mine(12, elsewhere);
    session = await regtestWorkspace(node);
    const { esplora, electrum } = named();
    session.write(
      'countersign.yaml',
      `${session.read('countersign.yaml')}  - backend: ${esplora}\n  - backend: ${electrum}\n`,
    );
    await sync();
  }, 120_000);
  afterAll(async () => {
    await bridge?.stop();
    await node?.stop();
    session?.remove();
  });

  it('agree while a batch waits for a block, which the node lists the coins of and the indexers do not', async () => {
    const id = await session.planOne('withdrawals.csv', '--feerate', '5');
    await session.approve(id, 'bob', 'carol');
    await session.expect(0, 'batch', 'sign', id);
    await session.expect(0, 'batch', 'broadcast', id);
    const { batch } = await session.json(0, 'batch', 'show', id);
    spent = batch.inputs;
    expect(await sync()).toMatchObject({ coins: 30, spent: null });
    await session.planOne('second.csv', '--feerate', '5');
    await node.mine(6, elsewhere);
    expect((await sync()).confirmed_batches).toEqual([id]);
    await session.expect(0, 'audit', 'verify');
  }, 120_000);

  it('do not agree where somebody else spends a coin, and reconcile says who', async () => {
    const { coins, height } = await session.json(0, 'vault', 'coins');
    const free = coins.find(({ status }: { status: string }) => status === 'available');
    const [txid, vout] = free.outpoint.split(':');
    const { branch, index, confirmations } = free;
    const block = await node.rpc('getblockhash', height - confirmations + 1);
    const coin = { txid, vout: Number(vout), block, branch, index };
    const stolen = await spend(node, coin, [{ script: elsewhere, value: BigInt(free.value) - 10_000n }]);
    await node.rpc('sendrawtransaction', stolen.hex);
    const refused = await session.json(14, 'chain', 'sync');
    expect(refused.faults[0]).toMatchObject({ tag: 'E_CHAIN_DISAGREE' });
    expect(refused.faults[0].message).toContain(free.outpoint);
    expect(refused.faults[0].remedy).toContain('countersign reconcile');
    const { out_of_band: found } = await session.json(12, 'reconcile');
    expect(found).toEqual([expect.objectContaining({ outpoint: free.outpoint, spent_by: stolen.txid })]);
  }, 120_000);

  it.each(['core', 'esplora', 'electrum'] as const)(
    'a trifle onto a script that a batch emptied long ago is forced reuse to %s',
    async (kind) => {
      await node.mine(1, elsewhere);
      await session.run('chain', 'sync');
      const [from = ''] = spent;
      const raw = await node.rpc('getrawtransaction', from.slice(0, 64), false, await blockOf(from.slice(0, 64)));
      const emptied = Transaction.fromHex(raw).outs[Number(from.slice(65))]?.script ?? new Uint8Array();
      const block = blocks[['core', 'esplora', 'electrum'].indexOf(kind)] ?? '';
      const [coinbase] = (await node.rpc('getblock', block)).tx;
      const value = BigInt(Math.round((await node.rpc('gettxout', coinbase, 0)).value * 1e8));
      const purse = { txid: coinbase, vout: 0, block, branch: 0, index: 9000 };
      const dusted = await spend(node, purse, [
        { script: emptied, value: 600n },
        { script: elsewhere, value: value - 20_000n },
      ]);
      await node.rpc('sendrawtransaction', dusted.hex);
      await node.mine(1, elsewhere);
      const words = ['--backend', named()[kind], ...(kind === 'core' ? ['--cookie', node.cookie] : [])];
      const { stdout } = await session.run('chain', 'sync', ...words, '--json');
      const { quarantined } = JSON.parse(stdout);
      expect(quarantined).toEqual([
        { outpoint: `${dusted.txid}:0`, value: '600', reason: expect.stringMatching(/^forced reuse: /) },
      ]);
      const { coins } = await session.json(0, 'vault', 'coins');
      expect(coins.find(({ outpoint }: { outpoint: string }) => outpoint === `${dusted.txid}:0`)).toMatchObject({
        status: 'frozen',
      });
    },
    120_000,
  );

  /** Where a transaction was mined: the node has no index. */
  async function blockOf(txid: string): Promise<string> {
    for (let height = await node.rpc('getblockcount'); height > 0; height -= 1) {
      const hash = await node.rpc('getblockhash', height);
      if ((await node.rpc('getblock', hash)).tx.includes(txid)) return hash;
    }
    throw new Error(`${txid} is in no block`);
  }
});
