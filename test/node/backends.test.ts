import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/adapters/chain/open.js';
import { fromHex, toHex, trustedHex } from '../../src/domain/bytes.js';
import { formatOutpoint } from '../../src/domain/outpoint.js';
import type { ChainBackend, ChainScan } from '../../src/vault/chain.js';
import { viewChain } from '../../src/workflow/chain-views.js';
import { Bridge } from './bridge.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

function value<T>(result: { ok: true; value: T } | { ok: false; error: { tag: string; message: string } }): T {
  if (!result.ok) throw new Error(`${result.error.tag} ${result.error.message}`);
  return result.value;
}

function tagOf(result: { ok: true } | { ok: false; error: { tag: string } }): string {
  return result.ok ? 'ok' : result.error.tag;
}

const program = findNode();
/** No batch of this journal spends anything. */
const NONE = new Set<string>();
const KINDS = ['core', 'esplora', 'electrum'] as const;

describe.skipIf(program === null)('three back ends on one chain (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  let bridge: Bridge;
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;
  let paid: { hex: string; txid: string };
  let block1: string;
  const backends = (): Record<(typeof KINDS)[number], ChainBackend> => ({
    core: openBackend({ kind: 'core', url: node.url, auth: { kind: 'cookie', file: node.cookie } }, (path) => path),
    esplora: openBackend({ kind: 'esplora', url: bridge.esploraUrl }, (path) => path),
    electrum: openBackend(
      { kind: 'electrum', host: '127.0.0.1', port: bridge.electrumPort, tls: false },
      (path) => path,
    ),
  });
  const scanned = async (kind: (typeof KINDS)[number]): Promise<ChainScan> =>
    value(await backends()[kind].scan({ deriver, lastUsed: [-1, -1], gap: 20 }));
  const summary = ({ coins }: ChainScan): string[] =>
    coins
      .map(
        ({ outpoint, value: sats, script, height }) => `${formatOutpoint(outpoint)} ${sats} ${toHex(script)} ${height}`,
      )
      .sort();

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    bridge = await Bridge.start(node);
    [block1 = ''] = await node.mine(1, deriver.at(0, 0).script);
    await node.mine(1, deriver.at(1, 3).script);
    await node.mine(100, elsewhere);
    const { tx } = await node.rpc('getblock', block1);
    paid = await spend(node, { txid: tx[0], vout: 0, block: block1, branch: 0, index: 0 }, [
      { script: deriver.at(0, 5).script, value: 100_000_000n },
      { script: trustedHex('0014751e76e8199196d454941c45d1b3a323f1433bd6'), value: 200_000_000n },
      { script: elsewhere, value: 4_699_990_000n },
    ]);
  }, 60_000);
  afterAll(async () => {
    await bridge?.stop();
    await node?.stop();
  });
  afterEach(() => {
    bridge.spoil = (_, answer) => answer;
    bridge.asked = [];
  });

  it('see the same coins and the same tip', async () => {
    const core = await scanned('core');
    expect(core.coins).toHaveLength(2);
    for (const kind of ['esplora', 'electrum'] as const) {
      const scan = await scanned(kind);
      expect(summary(scan)).toEqual(summary(core));
      expect(scan.tip).toEqual(core.tip);
      expect(scan.lastUsed).toEqual(core.lastUsed);
    }
    const all = Object.values(backends());
    const view = value(
      await viewChain(all, { deriver, lastUsed: [-1, -1], gap: 20 }, NONE).then(
        // A regtest chain of another coin has another first block, so the indexers' network is not asked here.
        (result) => (tagOf(result) === 'E_CHAIN_NETWORK' ? { ok: true as const, value: null } : result),
      ),
    );
    expect(view).toBeDefined();
  });

  it('name no script beyond the gap to an indexer', async () => {
    await scanned('esplora');
    const scripts = new Set(bridge.asked.flatMap((path) => /scripthash\/(\w+)/.exec(path)?.[1] ?? []));
    // Up to 0/0 and 1/3, and 20 more on each branch.
    expect(scripts.size).toBe(21 + 24);
  });

  it.each(KINDS)('%s tells why a transaction is refused', async (kind) => {
    // One sat less than was signed for.
    const tampered = trustedHex(paid.hex.replace('00e1f50500000000', 'ffe0f50500000000'));
    const answer = value(await backends()[kind].broadcast(tampered));
    expect(answer.state).toBe('rejected');
    expect(answer).toHaveProperty('reason', expect.stringMatching(/signature|script-verify/i));
  });

  it.each(KINDS)('%s follows a transaction from unknown over the mempool into a block', async (kind) => {
    const backend = backends()[kind];
    const input = { txid: (await node.rpc('getblock', block1)).tx[0] as string, vout: 0 };
    if (kind === 'core') {
      expect(value(await backend.status(paid.txid, 0))).toEqual({ state: 'unknown' });
      expect(value(await backend.spenders([input], 0)).get(formatOutpoint(input))).toEqual({ state: 'unspent' });
      expect(value(await backend.testAccept(trustedHex(paid.hex)))).toEqual({ state: 'accepted' });
    }
    const sent = value(await backend.broadcast(trustedHex(paid.hex)));
    expect(['accepted', 'known']).toContain(sent.state);
    expect(value(await backend.status(paid.txid, 0))).toEqual({ state: 'mempool' });
    expect(value(await backend.spenders([input], 0)).get(formatOutpoint(input))).toEqual({
      state: 'spent',
      by: paid.txid,
    });
    const raw = value(
      await backend.transactions([
        { txid: paid.txid, height: null },
        { txid: '00'.repeat(32), height: null },
      ]),
    );
    expect([...raw]).toEqual([[paid.txid, value(fromHex(paid.hex))]]);
    await backend.close();
  });

  it('a coin that a batch spends may be listed by a node and not by an indexer; any other may not', async () => {
    const { core, esplora, electrum } = backends();
    const input = formatOutpoint({ txid: (await node.rpc('getblock', block1)).tx[0], vout: 0 });
    const request = { deriver, lastUsed: [-1, -1] as const, gap: 20 };
    for (const indexer of [esplora, electrum]) {
      const honest = { ...indexer, network: core.network };
      for (const pair of [
        [core, honest],
        [honest, core],
      ]) {
        expect(tagOf(await viewChain(pair, request, new Set([input])))).toBe('ok');
        const refused = await viewChain(pair, request, NONE);
        expect(refused).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_DISAGREE' } });
        expect(refused.ok || refused.error.message).toContain(input);
        expect(refused.ok || refused.error.remedy).toContain('countersign reconcile');
      }
      await indexer.close();
    }
  });

  it('all see the block, its time, and the coin that the transaction made', async () => {
    const [mined = ''] = await node.mine(1, elsewhere);
    const { time } = await node.rpc('getblockheader', mined);
    for (const kind of KINDS) {
      const status = value(await backends()[kind].status(paid.txid, 0));
      expect(status).toEqual({ state: 'confirmed', height: 103, blockHash: mined, time });
      const input = { txid: (await node.rpc('getblock', block1)).tx[0] as string, vout: 0 };
      expect(value(await backends()[kind].spenders([input], 0)).get(formatOutpoint(input))).toEqual({
        state: 'spent',
        by: paid.txid,
      });
      expect(summary(await scanned(kind)).some((line) => line.startsWith(`${paid.txid}:0 100000000 `))).toBe(true);
    }
  });

  it.each(['esplora', 'electrum'] as const)('%s: half an answer, a lie in it, and silence are faults', async (kind) => {
    const ask = async (): Promise<string> =>
      tagOf(await backends()[kind].scan({ deriver, lastUsed: [-1, -1], gap: 20 }));
    const marked = kind === 'esplora' ? '/utxo' : 'listunspent';
    bridge.spoil = (question, answer) => (question.includes(marked) ? undefined : answer);
    expect(['E_CHAIN_ANSWER', 'E_CHAIN_UNREACHABLE']).toContain(await ask());
    bridge.spoil = (question, answer) => (question.includes(marked) ? answer.slice(0, -3) : answer);
    expect(await ask()).toBe('E_CHAIN_ANSWER');
    bridge.spoil = (question, answer) =>
      question.includes(marked) ? answer.replaceAll('"value":', '"value":-') : answer;
    expect(await ask()).toBe('E_CHAIN_ANSWER');
    bridge.spoil = (question, answer) => (question.includes(marked) ? '<html>' : answer);
    expect(await ask()).toBe('E_CHAIN_ANSWER');
  });

  it('two that contradict each other about a coin stop the plan and say who says what', async () => {
    const { core, esplora } = backends();
    const honest = { ...esplora, network: core.network };
    const request = { deriver, lastUsed: [-1, -1] as const, gap: 20 };
    expect(tagOf(await viewChain([core, honest], request, NONE))).toBe('ok');
    bridge.spoil = (question, answer) =>
      question.endsWith('/utxo') ? answer.replace('"value":100000000', '"value":900000000') : answer;
    const lied = await viewChain([core, honest], request, NONE);
    expect(tagOf(lied)).toBe('E_CHAIN_DISAGREE');
    expect(lied.ok || lied.error.message).toMatch(
      /worth 100000000 sat \(1\.00000000 BTC\), in block 103; esplora .*worth 900000000 sat/,
    );
    bridge.spoil = (question, answer) => (question.endsWith('/utxo') ? '[]' : answer);
    expect(tagOf(await viewChain([core, honest], request, NONE))).toBe('E_CHAIN_DISAGREE');
  });

  it('an indexer that is three blocks behind stops the plan; two are waited for by nobody', async () => {
    const { core, esplora } = backends();
    const at = value(await core.tip()).height;
    const behind = (blocks: number): ChainBackend => ({
      ...esplora,
      network: core.network,
      scan: async (request) => {
        const scan = await core.scan(request);
        if (!scan.ok) return scan;
        const hash = value(await core.blockHash(at - blocks)) ?? '';
        return { ok: true, value: { ...scan.value, tip: { ...scan.value.tip, height: at - blocks, hash } } };
      },
    });
    const request = { deriver, lastUsed: [-1, -1] as const, gap: 20 };
    expect(tagOf(await viewChain([core, behind(2)], request, NONE))).toBe('ok');
    expect(tagOf(await viewChain([core, behind(3)], request, NONE))).toBe('E_CHAIN_DISAGREE');
  });
});
