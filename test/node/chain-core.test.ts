import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCoreBackend } from '../../src/adapters/chain/core.js';
import { createCoreRpc } from '../../src/adapters/chain/core-rpc.js';
import { toHex } from '../../src/domain/bytes.js';
import type { ChainBackend } from '../../src/vault/chain.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

function value<T>(result: { ok: true; value: T } | { ok: false; error: { message: string } }): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const program = findNode();

describe.skipIf(program === null)('Bitcoin Core back end against a real node (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let backend: ChainBackend;
  const deriver = regtestVault();
  const miner = deriver.at(0, 9000).script;

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    backend = createCoreBackend(createCoreRpc(new URL(node.url), { kind: 'cookie', file: node.cookie }));
    await node.mine(1, deriver.at(0, 0).script);
    await node.mine(1, deriver.at(1, 7).script);
    await node.mine(1, deriver.at(0, 1030).script);
    await node.mine(100, miner);
  }, 60_000);
  afterAll(() => node?.stop());

  it('tells network and tip', async () => {
    expect(value(await backend.network())).toBe('regtest');
    const tip = value(await backend.tip());
    expect(tip.height).toBe(103);
    expect(tip.hash).toBe(await node.rpc('getbestblockhash'));
    expect(value(await backend.blockHash(103))).toBe(tip.hash);
    expect(value(await backend.blockHash(104))).toBeNull();
  });

  it('finds coins on both branches, and goes on where the last one found is near the end', async () => {
    const scan = value(await backend.scan({ deriver, lastUsed: [-1, -1], gap: 20 }));
    expect(scan.tip.height).toBe(103);
    const scripts = scan.coins.map(({ script }) => toHex(script));
    expect(scripts).toContain(toHex(deriver.at(0, 0).script));
    expect(scripts).toContain(toHex(deriver.at(1, 7).script));
    // 1030 lies beyond the first 1,000 scripts that are looked for, and is found only because the gap reaches it.
    expect(scripts).not.toContain(toHex(miner));
    expect(scan.lastUsed).toEqual([0, 7]);
    const further = value(await backend.scan({ deriver, lastUsed: [15, 7], gap: 20 }));
    expect(further.lastUsed[0]).toBe(1030);
  });

  it('gives many transactions of one block out of that block, as it gives each of them by itself', async () => {
    const hash = await node.rpc('getblockhash', 1);
    const [coinbase] = (await node.rpc('getblock', hash)).tx;
    const source = { txid: coinbase, vout: 0, block: hash, branch: 0, index: 0 };
    const shares = Array.from({ length: 9 }, (_, index) => ({
      script: deriver.at(0, 40 + index).script,
      value: 555_500_000n,
    }));
    const split = await spend(node, source, shares);
    await node.rpc('sendrawtransaction', split.hex);
    const [block = ''] = await node.mine(1, miner);
    const paid = await Promise.all(
      shares.map((_, vout) =>
        spend(node, { txid: split.txid, vout, block, branch: 0, index: 40 + vout }, [
          { script: deriver.at(0, 60 + vout).script, value: 555_490_000n },
        ]),
      ),
    );
    for (const { hex } of paid) await node.rpc('sendrawtransaction', hex);
    await node.mine(1, miner);
    const { height } = value(await backend.tip());
    const wanted = paid.map(({ txid }) => ({ txid, height }));
    const together = value(await backend.transactions(wanted));
    const hexes = new Map([...together].map(([txid, bytes]) => [txid, toHex(bytes)]));
    expect(hexes.size).toBe(9);
    for (const { txid, hex } of paid) expect(hexes.get(txid)).toBe(hex);
    for (const one of wanted) {
      expect(value(await backend.transactions([one])).get(one.txid)).toEqual(together.get(one.txid));
    }
  });
});
