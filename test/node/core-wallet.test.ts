import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/adapters/chain/open.js';
import type { ChainBackend, ScanRequest } from '../../src/vault/chain.js';
import { deriverOf, valueOrThrow } from '../psbt/fixtures.js';
import { KINDS } from '../vault/fixtures.js';
import { findNode, RegtestNode } from './node.js';
import { spend } from './spend.js';
import { regtestVault } from './vault.js';

const program = findNode();

/** Debian's litecoind is built without SQLite: its wallets are of the form before descriptors, and take them by importmulti. */
describe.skipIf(program === null)('a watch-only wallet of the node (needs bitcoind or litecoind)', () => {
  let node: RegtestNode;
  const deriver = regtestVault();
  const elsewhere = deriver.at(0, 9000).script;
  const request: ScanRequest = { deriver, lastUsed: [-1, -1], gap: 20 };
  const backend = (wallet?: string): ChainBackend =>
    openBackend(
      {
        kind: 'core',
        url: node.url,
        auth: { kind: 'cookie', file: node.cookie },
        ...(wallet === undefined ? {} : { wallet }),
      },
      (path) => path,
    );

  beforeAll(async () => {
    if (program === null) throw new Error('no node');
    node = await RegtestNode.start(program);
    const [block = ''] = await node.mine(1, deriver.at(0, 7).script);
    await node.mine(1, deriver.at(0, 2).script);
    await node.mine(100, elsewhere);
    // What came to 0/7 went on to change at 1/4 and from there away: both are used and emptied.
    const [txid] = (await node.rpc('getblock', block)).tx;
    const to = await spend(node, { txid, vout: 0, block, branch: 0, index: 7 }, [
      { script: deriver.at(1, 4).script, value: 4_999_990_000n },
    ]);
    await node.rpc('sendrawtransaction', to.hex);
    const [second = ''] = await node.mine(1, elsewhere);
    const away = await spend(node, { txid: to.txid, vout: 0, block: second, branch: 1, index: 4 }, [
      { script: elsewhere, value: 4_999_980_000n },
    ]);
    await node.rpc('sendrawtransaction', away.hex);
    await node.mine(1, elsewhere);
  }, 60_000);
  afterAll(() => node?.stop());

  it('knows what was used and emptied, where the set of unspent outputs does not', async () => {
    const without = valueOrThrow(await backend().scan(request));
    expect(without.lastUsed).toEqual([2, -1]);
    const scan = valueOrThrow(await backend('countersign').scan(request));
    expect(scan.lastUsed).toEqual([7, 4]);
    expect(scan.coins).toEqual(without.coins);
    expect(scan.tip).toEqual(without.tip);
  }, 60_000);

  it('is made once, holds no private key, and is asked again after the node has put it away', async () => {
    const info = await node.rpc('listwallets');
    expect(info).toContain('countersign');
    await node.rpc('unloadwallet', 'countersign');
    const scan = valueOrThrow(await backend('countersign').scan(request));
    expect(scan.lastUsed).toEqual([7, 4]);
    await node.rpc('loadwallet', 'countersign').catch(() => undefined);
    expect(await node.rpc('listwallets')).toEqual(expect.arrayContaining(['countersign']));
  }, 60_000);

  it.each(KINDS.filter((kind) => kind !== 'tr'))(
    'watches a vault of %s',
    async (kind) => {
      const own = deriverOf(kind);
      await node.mine(1, own.at(0, 3).script);
      await node.mine(1, own.at(1, 2).script);
      const scan = valueOrThrow(
        await backend(`of-${kind.replaceAll(/[^a-z]+/g, '-')}x`).scan({ ...request, deriver: own }),
      );
      expect([scan.coins.length, scan.lastUsed]).toEqual([2, [3, 2]]);
    },
    60_000,
  );

  it('a wallet that holds keys is left alone', async () => {
    await node.rpc('createwallet', 'personal');
    const refused = await backend('personal').scan(request);
    expect(refused).toMatchObject({ ok: false, error: { tag: 'E_CHAIN_CONFIG' } });
  }, 60_000);
});
