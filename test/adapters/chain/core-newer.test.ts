import { describe, expect, it } from 'vitest';
import { createCoreBackend } from '../../../src/adapters/chain/core.js';
import type { CoreRpc, RpcOutcome } from '../../../src/adapters/chain/core-rpc.js';
import { trustedHex } from '../../../src/domain/bytes.js';
import { ok } from '../../../src/domain/result.js';

/** Calls that newer versions of Bitcoin Core have, in the words of its documentation; test/node has a node without them. */
const [TXID, SPENDER, BLOCK] = ['aa'.repeat(32), 'bb'.repeat(32), 'cc'.repeat(32)];
const OUTPOINT = { txid: TXID, vout: 1 };
const NAME = `${TXID}:1`;

function nodeWith(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const answer = (method: string): RpcOutcome => {
    asked.push(method);
    const value = answers[method];
    if (value === undefined) return { ok: false, error: { code: -32601, message: 'Method not found' } };
    return value instanceof Error ? { ok: false, error: { code: -8, message: value.message } } : { ok: true, value };
  };
  const rpc: CoreRpc = {
    name: 'a node',
    call: async (method) => ok(answer(method)),
    batch: async (method, params) => ok(params.map(() => answer(method))),
  };
  return { asked, backend: createCoreBackend(rpc) };
}

describe('who spends a coin in the mempool', () => {
  it('is told by gettxspendingprevout, and no block is looked through', async () => {
    const { asked, backend } = nodeWith({
      gettxout: null,
      gettxspendingprevout: [{ txid: TXID, vout: '1', spendingtxid: SPENDER }],
    });
    expect(await backend.spenders([OUTPOINT], 0)).toEqual(ok(new Map([[NAME, { state: 'spent', by: SPENDER }]])));
    expect(asked).toEqual(['gettxout', 'gettxspendingprevout']);
  });

  it('is looked for in the blocks where it is not in the mempool', async () => {
    const { backend } = nodeWith({
      gettxout: null,
      gettxspendingprevout: [{ txid: TXID, vout: '1' }],
      getblockchaininfo: {
        chain: 'main',
        blocks: '1',
        bestblockhash: BLOCK,
        mediantime: '1',
        initialblockdownload: false,
      },
      getblockhash: BLOCK,
      getblock: { tx: [{ txid: SPENDER, vin: [{ coinbase: '00' }, { txid: TXID, vout: '1' }] }] },
    });
    expect(await backend.spenders([OUTPOINT], 0)).toEqual(ok(new Map([[NAME, { state: 'spent', by: SPENDER }]])));
  });

  it('is asked of the whole mempool where the call is not known, and nowhere else', async () => {
    const older = nodeWith({ gettxout: null, getrawmempool: [] });
    await older.backend.spenders([OUTPOINT], 0);
    expect(older.asked).toContain('getrawmempool');
    const refusing = nodeWith({ gettxout: null, gettxspendingprevout: new Error('Missing transactions') });
    expect(await refusing.backend.spenders([OUTPOINT], 0)).toMatchObject({
      ok: false,
      error: { tag: 'E_CHAIN_ANSWER' },
    });
    expect(refusing.asked).not.toContain('getrawmempool');
  });
});

describe('what the inputs of a transaction spent', () => {
  const wanted = [{ txid: TXID, height: 7 }];
  const told = (answer: unknown) =>
    nodeWith({ getblockhash: BLOCK, getrawtransaction: answer }).backend.spentScripts?.(wanted);

  it('is told with verbosity 2', async () => {
    const answer = {
      txid: TXID,
      vin: [{ prevout: { scriptPubKey: { hex: '51' } } }, { prevout: { scriptPubKey: { hex: '52' } } }],
    };
    expect(await told(answer)).toEqual(ok(new Map([[TXID, [trustedHex('51'), trustedHex('52')]]])));
  });

  it.each<[string, unknown]>([
    ['does not say what they spent', { txid: TXID, vin: [{ txid: SPENDER, vout: '0' }] }],
    ['speaks of another transaction', { txid: SPENDER, vin: [{ prevout: { scriptPubKey: { hex: '51' } } }] }],
    ['answers a text', '0200'],
    ['refuses', new Error('Block not available')],
  ])('is left out where the node %s', async (_, answer) => {
    expect(await told(answer)).toEqual(ok(new Map()));
  });
});
